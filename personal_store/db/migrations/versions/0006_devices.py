"""Give each device a door, counts and an end; keep the inbox's key and how far it was drained."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    """
    CREATE TABLE device (
        device TEXT NOT NULL,
        name TEXT NOT NULL,
        door TEXT NOT NULL,
        token_sha256 TEXT NOT NULL,
        encryption_key TEXT,
        created_at_ms INTEGER NOT NULL,
        revoked_at_ms INTEGER,
        seen_at_ms INTEGER,
        positions INTEGER NOT NULL,
        rejected INTEGER NOT NULL,
        unreadable INTEGER NOT NULL,
        PRIMARY KEY (device),
        UNIQUE (door),
        UNIQUE (token_sha256)
    )
    """,
    """
    INSERT INTO device
    SELECT device, device, lower(hex(randomblob(8))), token_sha256, NULL, created_at_ms,
           NULL, NULL, 0, 0, 0
    FROM device_token
    """,
    "DROP TABLE device_token",
    """
    CREATE TABLE inbox_mark (
        generation BLOB NOT NULL,
        drained_bytes INTEGER NOT NULL,
        unopened INTEGER NOT NULL,
        PRIMARY KEY (generation)
    )
    """,
    """
    CREATE TABLE inbox_key (
        id INTEGER NOT NULL,
        private_key BLOB NOT NULL,
        PRIMARY KEY (id)
    )
    """,
)


def upgrade() -> None:
    """Move the tokens to a table that says more, and create the inbox's key and mark."""
    for statement in STATEMENTS:
        op.execute(statement)
