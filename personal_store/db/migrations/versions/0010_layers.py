"""Keep what the engine computed apart from what segmented histories tell, and gaps by name.

Stays and trips are derived: they are emptied, and computed again from the positions and segments
the next time that anything is processed.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    "DELETE FROM tripleg",
    "DELETE FROM trip",
    "DELETE FROM staypoint",
    "DELETE FROM dirty_window",
    "DELETE FROM queued WHERE kind IN ('positionfix', 'evidence')",
    "ALTER TABLE staypoint ADD COLUMN told BOOLEAN NOT NULL DEFAULT 0",
    "ALTER TABLE trip ADD COLUMN told BOOLEAN NOT NULL DEFAULT 0",
    "CREATE INDEX ix_staypoint_told ON staypoint (told, start_ms)",
    "CREATE INDEX ix_trip_told ON trip (told, start_ms)",
    """
    CREATE TABLE gap (
        id INTEGER NOT NULL,
        device TEXT NOT NULL,
        kind TEXT NOT NULL,
        start_ms INTEGER NOT NULL,
        end_ms INTEGER NOT NULL,
        displacement_m FLOAT NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_gap_start_ms ON gap (start_ms)",
    """
    CREATE INDEX ix_positionfix_stated ON positionfix (device, at_ms)
    WHERE utc_offset_min IS NOT NULL
    """,
)


def upgrade() -> None:
    """Add the columns and the table, and have everything computed again."""
    for statement in STATEMENTS:
        op.execute(statement)
