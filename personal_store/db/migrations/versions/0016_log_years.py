"""Keep which log of a cooperative followed which: each year has one of its own."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the table; the first log stays with the membership."""
    op.execute(
        """
        CREATE TABLE log_succession (
            url TEXT NOT NULL,
            number INTEGER NOT NULL,
            size INTEGER NOT NULL,
            handover TEXT NOT NULL,
            PRIMARY KEY (url, number),
            FOREIGN KEY(url) REFERENCES membership (url)
        )
        """
    )
