"""Keep a journal of imports, marks on positions told twice, and the offset that a source states."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    "ALTER TABLE positionfix ADD COLUMN utc_offset_min INTEGER",
    """
    CREATE TABLE file_import (
        id INTEGER NOT NULL,
        digest TEXT NOT NULL,
        name TEXT NOT NULL,
        format TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        state TEXT NOT NULL,
        entries INTEGER NOT NULL,
        done_bytes INTEGER NOT NULL,
        place TEXT,
        counts TEXT NOT NULL,
        started_at_ms INTEGER NOT NULL,
        changed_at_ms INTEGER NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_file_import_digest ON file_import (digest)",
    """
    CREATE TABLE position_mark (
        fix_id INTEGER NOT NULL,
        read_as TEXT,
        PRIMARY KEY (fix_id),
        FOREIGN KEY(fix_id) REFERENCES positionfix (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_position_mark_read_as ON position_mark (read_as)",
)


def upgrade() -> None:
    """Add the column and create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
