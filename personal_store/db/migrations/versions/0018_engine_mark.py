"""Keep which engine reads the fixes, so that a newer one reads the history again."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the table and the column; what is dirty now is news."""
    op.execute("ALTER TABLE dirty_window ADD COLUMN again BOOLEAN NOT NULL DEFAULT 0")
    op.execute("CREATE TABLE engine_mark (mark TEXT NOT NULL, PRIMARY KEY (mark))")
