"""Key trips by number, keep what is left to compute, and keep the resident's own word.

Stays, trips and legs are derived: they are dropped here and computed again at the next run.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    "DROP TABLE tripleg",
    "DROP TABLE trip",
    "DROP TABLE processed",
    "DELETE FROM staypoint",
    "CREATE INDEX ix_staypoint_start_ms ON staypoint (start_ms)",
    """
    CREATE TABLE trip (
        id INTEGER NOT NULL,
        device TEXT NOT NULL,
        start_ms INTEGER NOT NULL,
        end_ms INTEGER NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_trip_start_ms ON trip (start_ms)",
    """
    CREATE TABLE tripleg (
        trip INTEGER NOT NULL,
        position INTEGER NOT NULL,
        start_ms INTEGER NOT NULL,
        end_ms INTEGER NOT NULL,
        distance_m FLOAT NOT NULL,
        gap_m FLOAT NOT NULL,
        modes TEXT NOT NULL,
        mode_source TEXT NOT NULL,
        track TEXT NOT NULL,
        PRIMARY KEY (trip, position),
        FOREIGN KEY(trip) REFERENCES trip (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE queued (
        kind TEXT NOT NULL,
        newest_id INTEGER NOT NULL,
        PRIMARY KEY (kind)
    )
    """,
    """
    CREATE TABLE dirty_window (
        id INTEGER NOT NULL,
        device TEXT NOT NULL,
        start_ms INTEGER NOT NULL,
        end_ms INTEGER NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE correction (
        id INTEGER NOT NULL,
        kind TEXT NOT NULL,
        device TEXT NOT NULL,
        start_ms INTEGER NOT NULL,
        end_ms INTEGER NOT NULL,
        value TEXT NOT NULL,
        made_at_ms INTEGER NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE habit (
        id INTEGER NOT NULL,
        mode TEXT NOT NULL,
        rides BOOLEAN NOT NULL,
        minute_of_day INTEGER NOT NULL,
        origin_lon FLOAT NOT NULL,
        origin_lat FLOAT NOT NULL,
        destination_lon FLOAT NOT NULL,
        destination_lat FLOAT NOT NULL,
        made_at_ms INTEGER NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE place (
        id INTEGER NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        lon FLOAT NOT NULL,
        lat FLOAT NOT NULL,
        hidden BOOLEAN NOT NULL,
        zone_lon FLOAT,
        zone_lat FLOAT,
        zone_radius_m FLOAT,
        made_at_ms INTEGER NOT NULL,
        PRIMARY KEY (id)
    )
    """,
)


def upgrade() -> None:
    """Rebuild the derived tables and create the new ones."""
    for statement in STATEMENTS:
        op.execute(statement)
