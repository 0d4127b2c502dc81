"""Create the first schema.

The tables as they were at this version: later migrations change them, this one never changes.
What each column means is said in `tables.py`.
"""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    CREATE TABLE device_token (
        device TEXT NOT NULL,
        token_sha256 TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        PRIMARY KEY (device),
        UNIQUE (token_sha256)
    )
    """,
    """
    CREATE TABLE membership (
        url TEXT NOT NULL,
        member_id TEXT NOT NULL,
        member_key BLOB NOT NULL,
        zone TEXT NOT NULL,
        log_origin TEXT NOT NULL,
        log_vkey TEXT NOT NULL,
        task_key BLOB NOT NULL,
        enrolled_at_ms INTEGER NOT NULL,
        PRIMARY KEY (url)
    )
    """,
    """
    CREATE TABLE positionfix (
        id INTEGER NOT NULL,
        source TEXT NOT NULL,
        device TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        lon_e7 INTEGER NOT NULL,
        lat_e7 INTEGER NOT NULL,
        accuracy_m FLOAT,
        speed_mps FLOAT,
        altitude_m FLOAT,
        activity TEXT,
        activity_confidence FLOAT,
        received_at_ms INTEGER NOT NULL,
        PRIMARY KEY (id),
        UNIQUE (device, at_ms, lon_e7, lat_e7, source)
    )
    """,
    """
    CREATE TABLE processed (
        device TEXT NOT NULL,
        newest_fix_id INTEGER NOT NULL,
        fixes_set_aside INTEGER NOT NULL,
        PRIMARY KEY (device)
    )
    """,
    """
    CREATE TABLE purpose (
        digest TEXT NOT NULL,
        document BLOB NOT NULL,
        PRIMARY KEY (digest)
    )
    """,
    """
    CREATE TABLE staypoint (
        id INTEGER NOT NULL,
        device TEXT NOT NULL,
        start_ms INTEGER NOT NULL,
        end_ms INTEGER NOT NULL,
        lon FLOAT NOT NULL,
        lat FLOAT NOT NULL,
        radius_m FLOAT NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE trip (
        trip_id TEXT NOT NULL,
        device TEXT NOT NULL,
        start_ms INTEGER NOT NULL,
        end_ms INTEGER NOT NULL,
        PRIMARY KEY (trip_id)
    )
    """,
    "CREATE INDEX ix_trip_start_ms ON trip (start_ms)",
    """
    CREATE TABLE consent (
        cid TEXT NOT NULL,
        url TEXT NOT NULL,
        purpose_digest TEXT NOT NULL,
        consent_key BLOB NOT NULL,
        opened_at_ms INTEGER NOT NULL,
        PRIMARY KEY (cid),
        FOREIGN KEY(url) REFERENCES membership (url)
    )
    """,
    """
    CREATE TABLE task (
        digest TEXT NOT NULL,
        url TEXT NOT NULL,
        jws BLOB NOT NULL,
        PRIMARY KEY (digest),
        FOREIGN KEY(url) REFERENCES membership (url)
    )
    """,
    """
    CREATE TABLE tripleg (
        trip_id TEXT NOT NULL,
        position INTEGER NOT NULL,
        start_ms INTEGER NOT NULL,
        end_ms INTEGER NOT NULL,
        distance_m FLOAT NOT NULL,
        gap_m FLOAT NOT NULL,
        modes TEXT NOT NULL,
        mode_source TEXT NOT NULL,
        track TEXT NOT NULL,
        PRIMARY KEY (trip_id, position),
        FOREIGN KEY(trip_id) REFERENCES trip (trip_id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE consent_event (
        cid TEXT NOT NULL,
        n INTEGER NOT NULL,
        leaf BLOB NOT NULL,
        body BLOB NOT NULL,
        commitment_key BLOB NOT NULL,
        signed_at_ms INTEGER NOT NULL,
        proof TEXT,
        checkpoint TEXT,
        PRIMARY KEY (cid, n),
        FOREIGN KEY(cid) REFERENCES consent (cid)
    )
    """,
    """
    CREATE TABLE contribution (
        task_digest TEXT NOT NULL,
        week TEXT NOT NULL,
        cid TEXT NOT NULL,
        head TEXT NOT NULL,
        epsilon_micro INTEGER NOT NULL,
        state TEXT NOT NULL,
        exact TEXT NOT NULL,
        report BLOB NOT NULL,
        changed_at_ms INTEGER NOT NULL,
        PRIMARY KEY (task_digest),
        FOREIGN KEY(task_digest) REFERENCES task (digest),
        FOREIGN KEY(cid) REFERENCES consent (cid)
    )
    """,
)


def upgrade() -> None:
    """Create every table."""
    for statement in STATEMENTS:
        op.execute(statement)
