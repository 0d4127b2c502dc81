"""Keep what already segmented sources say: visits, legs, journeys and taps."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    """
    CREATE TABLE evidence (
        id INTEGER NOT NULL,
        digest TEXT NOT NULL,
        source TEXT NOT NULL,
        device TEXT NOT NULL,
        kind TEXT NOT NULL,
        start_ms INTEGER NOT NULL,
        end_ms INTEGER NOT NULL,
        document TEXT NOT NULL,
        received_at_ms INTEGER NOT NULL,
        PRIMARY KEY (id),
        UNIQUE (digest)
    )
    """,
    "CREATE INDEX ix_evidence_start_ms ON evidence (start_ms)",
)


def upgrade() -> None:
    """Create the table."""
    for statement in STATEMENTS:
        op.execute(statement)
