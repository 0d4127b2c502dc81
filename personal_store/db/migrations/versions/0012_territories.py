"""Keep the outlines of zones that flows are counted in, as the cooperative publishes them."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the table."""
    op.execute(
        """
        CREATE TABLE territory (
            digest TEXT NOT NULL,
            document BLOB NOT NULL,
            PRIMARY KEY (digest)
        )
        """
    )
