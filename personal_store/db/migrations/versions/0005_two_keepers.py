"""Keep the keepers pinned at enrolment, and the two sealed shares of a contribution."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    "ALTER TABLE membership ADD COLUMN keepers TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE contribution ADD COLUMN sealed_leader BLOB",
    "ALTER TABLE contribution ADD COLUMN sealed_helper BLOB",
)


def upgrade() -> None:
    """Add the columns."""
    for statement in STATEMENTS:
        op.execute(statement)
