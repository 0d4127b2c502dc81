"""Keep the offset from UTC that was stated where a trip began: it says which day it was there."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; trips that are there keep the day of the home zone."""
    op.execute("ALTER TABLE trip ADD COLUMN utc_offset_min INTEGER")
