"""Keep the time zone of home, which says where a local day begins; none means Europe/Paris."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the table; its newest row counts."""
    op.execute(
        """
        CREATE TABLE home_zone (
            id INTEGER NOT NULL,
            timezone TEXT NOT NULL,
            changed_at_ms INTEGER NOT NULL,
            PRIMARY KEY (id)
        )
        """
    )
