"""Keep the weeks that a restored store presumes spent, since nobody can tell."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the table."""
    op.execute(
        """
        CREATE TABLE presumed_week (
            week TEXT NOT NULL,
            epsilon_micro INTEGER NOT NULL,
            restored_at_ms INTEGER NOT NULL,
            PRIMARY KEY (week)
        )
        """
    )
