"""Which batches were erased at the end of the days that their purpose states."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the leaf that says so; no batch of before was erased."""
    op.add_column(
        "batches",
        sa.Column(
            "erased_leaf",
            sa.BigInteger(),
            nullable=True,
            comment="its batch.erased leaf, once its reports are gone at the end of their days",
        ),
    )
