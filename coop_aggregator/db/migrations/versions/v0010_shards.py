"""Yearly logs: where each begins, counted over all leaves; positions of before stay."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the logs by year, the first of them the one that `init` named."""
    op.create_table(
        "shards",
        sa.Column(
            "number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="from 0, oldest first",
        ),
        sa.Column("origin", sa.Text(), nullable=False, comment="origin line of this log"),
        sa.Column("vkey", sa.Text(), nullable=False, comment="its verifier key"),
        sa.Column(
            "first_position",
            sa.BigInteger(),
            nullable=False,
            comment="of its first leaf, counted over all logs",
        ),
        sa.Column("opened_at", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_shards")),
        sa.UniqueConstraint("origin", name=op.f("uq_shards_origin")),
    )
    op.execute(
        "INSERT INTO shards (number, origin, vkey, first_position, opened_at) "
        "SELECT 0, origin, log_vkey, 0, created_at FROM identity"
    )
