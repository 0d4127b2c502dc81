"""Keep the secret of the withdrawal code, and what the last sheet that was written knew."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the table; one row at most."""
    op.execute(
        """
        CREATE TABLE withdrawal_code (
            id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
            secret BLOB NOT NULL,
            written_at_ms INTEGER,
            heads TEXT
        )
        """
    )
