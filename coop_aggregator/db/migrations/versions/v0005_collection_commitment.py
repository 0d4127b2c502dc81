"""What the leader committed to before the helper gave its share: a second draw is seen."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the commitment to collected buckets; those of before have none, and are not asked for."""
    op.add_column(
        "collections",
        sa.Column(
            "commitment",
            sa.String(64),
            nullable=True,
            comment="helper: what the leader committed to when it first asked",
        ),
    )
