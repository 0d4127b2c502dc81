"""The text of a proposed task's purpose at the helper: its operator reads it before signing."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the text; tasks of before have none, and are signed already or proposed again."""
    op.add_column(
        "tasks",
        sa.Column(
            "purpose",
            sa.LargeBinary(),
            nullable=True,
            comment="helper: text of its purpose, as proposed",
        ),
    )
