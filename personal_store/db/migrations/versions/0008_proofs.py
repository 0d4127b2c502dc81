"""Keep what was promised about each choice, the stewards' slips, and whose word counts."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    "ALTER TABLE consent_event ADD COLUMN promise TEXT",
    "ALTER TABLE consent_event ADD COLUMN slip TEXT",
    """
    CREATE TABLE trust (
        url TEXT NOT NULL,
        policy TEXT NOT NULL,
        stewards_url TEXT,
        PRIMARY KEY (url),
        FOREIGN KEY(url) REFERENCES membership (url)
    )
    """,
)


def upgrade() -> None:
    """Add the columns and the table."""
    for statement in STATEMENTS:
        op.execute(statement)
