"""Keep the commune that the resident confirmed as their home's, for joining a cooperative."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the table; its newest row counts."""
    op.execute(
        """
        CREATE TABLE home_commune (
            id INTEGER NOT NULL,
            code TEXT NOT NULL,
            name TEXT NOT NULL,
            confirmed_at_ms INTEGER NOT NULL,
            PRIMARY KEY (id)
        )
        """
    )
