"""Keep stops and lines of public transport that the resident imported."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table."""
    op.execute(
        """
        CREATE TABLE line_file (
            name TEXT NOT NULL,
            stops INTEGER NOT NULL,
            routes INTEGER NOT NULL,
            tracks INTEGER NOT NULL,
            imported_at_ms INTEGER NOT NULL,
            document BLOB NOT NULL,
            PRIMARY KEY (name)
        )
        """
    )
