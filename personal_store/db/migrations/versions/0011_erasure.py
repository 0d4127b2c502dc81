"""Erased bodies, notices beside purposes, checkpoints that were seen, and forks of a log."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    # SQLite cannot drop a NOT NULL: the table is made again. Nothing refers to it.
    """
    CREATE TABLE consent_event_again (
        cid TEXT NOT NULL,
        n INTEGER NOT NULL,
        leaf BLOB NOT NULL,
        body BLOB,
        commitment_key BLOB,
        signed_at_ms INTEGER NOT NULL,
        proof TEXT,
        checkpoint TEXT,
        promise TEXT,
        slip TEXT,
        PRIMARY KEY (cid, n),
        FOREIGN KEY(cid) REFERENCES consent (cid)
    )
    """,
    """
    INSERT INTO consent_event_again
    SELECT cid, n, leaf, body, commitment_key, signed_at_ms, proof, checkpoint, promise, slip
    FROM consent_event
    """,
    "DROP TABLE consent_event",
    "ALTER TABLE consent_event_again RENAME TO consent_event",
    "ALTER TABLE consent ADD COLUMN erased_at_ms INTEGER",
    "ALTER TABLE consent ADD COLUMN erasure TEXT",
    """
    CREATE TABLE notice (
        purpose_digest TEXT NOT NULL,
        document BLOB NOT NULL,
        PRIMARY KEY (purpose_digest)
    )
    """,
    """
    CREATE TABLE checkpoint_seen (
        url TEXT NOT NULL,
        size INTEGER NOT NULL,
        root BLOB NOT NULL,
        note TEXT NOT NULL,
        linked BOOLEAN NOT NULL,
        PRIMARY KEY (url, size, root),
        FOREIGN KEY(url) REFERENCES membership (url)
    )
    """,
    """
    CREATE TABLE fork (
        url TEXT NOT NULL,
        found_at_ms INTEGER NOT NULL,
        evidence TEXT NOT NULL,
        PRIMARY KEY (url),
        FOREIGN KEY(url) REFERENCES membership (url)
    )
    """,
)


def upgrade() -> None:
    """Let bodies and their keys go; add the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
