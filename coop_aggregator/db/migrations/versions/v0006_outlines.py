"""Outlines that a question about flows names: kept as served, whatever the territory becomes."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the outlines by digest."""
    op.create_table(
        "outlines",
        sa.Column("digest", sa.String(64), nullable=False, comment="SHA-256 of `document`"),
        sa.Column(
            "document", sa.LargeBinary(), nullable=False, comment="GeoJSON that a question names"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_outlines")),
    )
