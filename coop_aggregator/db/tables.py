"""Every table, with a comment on every column that needs one; the history is in `migrations/`.

Texts that were signed are kept exactly as received. Moments are ISO 8601 texts in UTC, so that both
databases hold the same characters. No table holds a member's name, address, trip or position.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

identity = Table(
    "identity",
    metadata,
    Column("id", Integer, primary_key=True, comment="always 1: one installation, one identity"),
    Column("role", String(8), nullable=False, comment="leader or helper"),
    Column("name", Text, nullable=False, comment="name shown to residents"),
    Column("origin", Text, nullable=False, comment="origin line of the consent log"),
    Column(
        "log_vkey", Text, nullable=False, comment="verifier key of that log, as a C2SP note key"
    ),
    Column("own_vkey", Text, nullable=False, comment="verifier key of what this role signs"),
    Column("created_at", String(20), nullable=False),
    CheckConstraint("id = 1", name="single"),
)

territory = Table(
    "territory",
    metadata,
    Column("id", Integer, primary_key=True, comment="always 1: one territory"),
    Column("source_sha256", String(64), nullable=False, comment="digest of the imported file"),
    Column("imported_at", String(20), nullable=False),
    CheckConstraint("id = 1", name="single"),
)

zones = Table(
    "zones",
    metadata,
    Column("code", String(32), primary_key=True, comment="official code, for instance INSEE"),
    Column("name", Text, nullable=False),
    Column(
        "outline", Text, nullable=False, comment="GeoJSON geometry simplified for the map, WGS 84"
    ),
)

outlines = Table(
    "outlines",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of `document`"),
    Column("document", LargeBinary, nullable=False, comment="GeoJSON that a question names"),
)

purposes = Table(
    "purposes",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of `body`"),
    Column("body", LargeBinary, nullable=False, comment="canonical bytes, as published"),
    Column("leaf_index", BigInteger, nullable=False, comment="its purpose.published leaf"),
)

tasks = Table(
    "tasks",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of `body`"),
    Column("week", String(8), nullable=False, unique=True, comment="2026-W46: one question a week"),
    Column("body", LargeBinary, nullable=False, comment="canonical bytes, never rewritten"),
    Column("jws", Text, nullable=True, comment="signed task as served; null while a draft"),
    Column("own_jws", Text, nullable=True, comment="two keepers: our signature, until both signed"),
    Column(
        "verify_key",
        LargeBinary(32),
        nullable=True,
        comment="two keepers: secret that reports are checked with, drawn before any report",
    ),
    Column(
        "purpose", LargeBinary, nullable=True, comment="helper: text of its purpose, as proposed"
    ),
    Column(
        "report_deadline", String(20), nullable=False, comment="reports are refused from then on"
    ),
)

invitations = Table(
    "invitations",
    metadata,
    Column("code_sha256", String(64), primary_key=True, comment="the code itself is never stored"),
    Column("used", Boolean, nullable=False, comment="not linked to the member who used it"),
)

members = Table(
    "members",
    metadata,
    Column("member_id", String(32), primary_key=True, comment="16 random bytes, hexadecimal"),
    Column(
        "key_x", String(43), nullable=False, unique=True, comment="Ed25519 public key, base64url"
    ),
    Column("zone", String(32), ForeignKey("zones.code"), nullable=False, comment="home zone"),
)

consents = Table(
    "consents",
    metadata,
    Column("cid", String(32), primary_key=True, comment="consent id, chosen by the store"),
    Column(
        "member_id",
        String(32),
        ForeignKey("members.member_id"),
        nullable=True,
        comment="null once the resident erased it",
    ),
    Column("purpose_digest", String(64), ForeignKey("purposes.digest"), nullable=False),
    Column("kid", String(43), nullable=False, unique=True, comment="thumbprint of its key"),
    Index("ix_consents_member_purpose", "member_id", "purpose_digest"),
)

named_keys = Table(
    "named_keys",
    metadata,
    Column("kid", String(43), primary_key=True, comment="thumbprint of the key"),
    Column("cid", String(32), primary_key=True, comment="the consent that names it"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("leaf_sha256", String(64), primary_key=True, comment="the leaf that was emptied"),
    Column("position", BigInteger, nullable=False, comment="its body.shredded leaf in the log"),
)

notices = Table(
    "notices",
    metadata,
    Column("purpose_digest", String(64), ForeignKey("purposes.digest"), primary_key=True),
    Column("body", LargeBinary, nullable=False, comment="canonical bytes, as published"),
)

leaves = Table(
    "leaves",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False, comment="from 0, no gap"),
    Column("leaf", Text, nullable=False, comment="compact JWS exactly as received"),
    Column("leaf_sha256", String(64), nullable=False, unique=True, comment="digest of `leaf`"),
    Column("cid", String(32), nullable=False, index=True, comment="chain that it belongs to"),
    Column("received_at", String(20), nullable=False),
    Column(
        "leaf_hash",
        LargeBinary(32),
        nullable=True,
        comment="RFC 9162 leaf hash; no leaf is without: a column added later cannot say so",
    ),
    Index("ix_leaves_leaf_hash", "leaf_hash", unique=True),
)

shards = Table(
    "shards",
    metadata,
    Column(
        "number", Integer, primary_key=True, autoincrement=False, comment="from 0, oldest first"
    ),
    Column("origin", Text, nullable=False, unique=True, comment="origin line of this log"),
    Column("vkey", Text, nullable=False, comment="its verifier key"),
    Column(
        "first_position",
        BigInteger,
        nullable=False,
        comment="of its first leaf, counted over all logs",
    ),
    Column("opened_at", String(20), nullable=False),
)

nodes = Table(
    "nodes",
    metadata,
    Column(
        "position",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="in the order in which appending completes them",
    ),
    Column("hash", LargeBinary(32), nullable=False, comment="root of a perfect subtree"),
)

pending_events = Table(
    "pending_events",
    metadata,
    Column("sequence", Integer, primary_key=True, comment="order of receipt"),
    Column("leaf", Text, nullable=False, comment="compact JWS exactly as received"),
    Column("leaf_sha256", String(64), nullable=False, unique=True, comment="digest of `leaf`"),
    Column("cid", String(32), nullable=False, index=True, comment="chain that it continues"),
    Column("received_at", String(20), nullable=False),
)

promises = Table(
    "promises",
    metadata,
    Column("leaf_sha256", String(64), primary_key=True, comment="the event that it is for"),
    Column("token", Text, nullable=False, comment="signed promise, the same at each asking"),
    Column("merge_by", String(20), nullable=False),
)

slips = Table(
    "slips",
    metadata,
    Column("witness", Text, primary_key=True, comment="verifier key of the stewards' drop-box"),
    Column(
        "sequence",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="its number in that drop-box",
    ),
    Column("leaf_sha256", String(64), nullable=False, index=True, comment="the event received"),
    Column("slip", Text, nullable=False, comment="the stewards' signed receipt"),
    Column(
        "cid",
        String(32),
        nullable=False,
        server_default="",
        index=True,
        comment="the consent that the event names, known here or not",
    ),
    Column("received_at", String(20), nullable=False, comment="by the stewards"),
    Column("taken", Boolean, nullable=False, comment="in the log or on its way there"),
)

dropbox = Table(
    "dropbox",
    metadata,
    Column("sequence", Integer, primary_key=True, comment="order of receipt"),
    Column("leaf_sha256", String(64), nullable=False, unique=True, comment="digest of the event"),
    Column("slip", Text, nullable=False, comment="our signed receipt, the event inside"),
    Column("received_at", String(20), nullable=False),
)

cosignatures = Table(
    "cosignatures",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False, comment="leaves covered"),
    Column(
        "witness", Text, primary_key=True, comment="verifier key that the line was checked with"
    ),
    Column("line", Text, nullable=False, comment="signature line returned by the witness"),
    Column("cosigned_at", String(20), nullable=False),
)

operator_bodies = Table(
    "operator_bodies",
    metadata,
    Column("position", BigInteger, ForeignKey("leaves.position"), primary_key=True),
    Column("body", Text, nullable=False, comment="canonical JSON that the leaf commits to; public"),
    Column("commitment_key", String(64), nullable=False, comment="opens the commitment; public"),
)

reports = Table(
    "reports",
    metadata,
    Column("report_id", String(32), primary_key=True, comment="chosen at random by the store"),
    Column("task_digest", String(64), ForeignKey("tasks.digest"), nullable=False),
    Column(
        "member_id",
        String(32),
        ForeignKey("members.member_id"),
        nullable=True,
        comment="null once the resident erased it",
    ),
    Column("cid", String(32), ForeignKey("consents.cid"), nullable=False),
    Column("jws", Text, nullable=False, comment="noised report exactly as received"),
    Column(
        "batch_position", Integer, nullable=True, comment="rank in the frozen batch; null outside"
    ),
    UniqueConstraint("task_digest", "member_id"),
)

batches = Table(
    "batches",
    metadata,
    Column("task_digest", String(64), ForeignKey("tasks.digest"), primary_key=True),
    Column(
        "root", String(64), nullable=False, comment="Merkle root over the reports, in rank order"
    ),
    Column("report_count", Integer, nullable=False),
    Column(
        "excluded_count", Integer, nullable=False, comment="withdrawn or expired before the freeze"
    ),
    Column("epsilon_sum_micro", BigInteger, nullable=False),
    Column("leaf_index", BigInteger, nullable=False, comment="its batch.committed leaf"),
    Column("frozen_at", String(20), nullable=False),
    Column(
        "erased_leaf",
        BigInteger,
        nullable=True,
        comment="its batch.erased leaf, once its reports are gone at the end of their days",
    ),
)

releases = Table(
    "releases",
    metadata,
    Column("task_digest", String(64), ForeignKey("batches.task_digest"), primary_key=True),
    Column("week", String(8), nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False, comment="JSON exactly as published"),
    Column("leaf_index", BigInteger, nullable=False, comment="its release.published leaf"),
    Column("published_at", String(20), nullable=False),
)

witnessed = Table(
    "witnessed",
    metadata,
    Column(
        "size", BigInteger, primary_key=True, autoincrement=False, comment="checkpoint cosigned"
    ),
    Column("root", String(64), nullable=False),
    Column("note", Text, nullable=False, comment="the log's note with our cosignature"),
    Column("cosigned_at", String(20), nullable=False),
)

keepers = Table(
    "keepers",
    metadata,
    Column("role", String(8), primary_key=True, comment="leader or helper; one of them is us"),
    Column("card", Text, nullable=False, comment="name, address and public keys, canonical JSON"),
)

sealed_reports = Table(
    "sealed_reports",
    metadata,
    Column("report_id", String(32), primary_key=True, comment="kept until the task expires"),
    Column("task_digest", String(64), ForeignKey("tasks.digest"), nullable=False),
    Column("zone", String(32), nullable=False, comment="batch that it counts in"),
    Column("cid", String(32), nullable=False, comment="consent that signed it"),
    Column("upload_sha256", String(64), nullable=False, comment="tells a retry from a second one"),
    Column("public_share", LargeBinary, nullable=False, comment="the same at both keepers"),
    Column("sealed", LargeBinary, nullable=True, comment="our sealed share; erased at collection"),
    Column(
        "state", String(8), nullable=False, comment="received, excluded, queued, accepted, refused"
    ),
    Column("job_id", String(32), nullable=True, comment="aggregation job that decided about it"),
    UniqueConstraint("task_digest", "cid"),
    Index("ix_sealed_reports_job_id", "job_id"),
)

aggregation_jobs = Table(
    "aggregation_jobs",
    metadata,
    Column("job_id", String(32), primary_key=True),
    Column("task_digest", String(64), ForeignKey("tasks.digest"), nullable=False, index=True),
    Column("zone", String(32), nullable=False),
    Column("request_sha256", String(64), nullable=True, comment="helper: what was asked"),
    Column("answer", LargeBinary, nullable=True, comment="helper: what was answered, for ever"),
    Column("done", Boolean, nullable=False, comment="both keepers decided about every report"),
    Column(
        "share", LargeBinary, nullable=True, comment="our share of its sum; erased at collection"
    ),
)

collections = Table(
    "collections",
    metadata,
    Column("task_digest", String(64), ForeignKey("tasks.digest"), primary_key=True),
    Column("zone", String(32), primary_key=True, comment="empty for the whole territory"),
    Column("report_count", Integer, nullable=False),
    Column("checksum", String(64), nullable=False, comment="XOR of SHA-256 of the report ids"),
    Column("noised_share", LargeBinary, nullable=False, comment="with our noise, drawn once"),
    Column("other_share", LargeBinary, nullable=True, comment="leader: the helper's noised share"),
    Column("collected_at", String(20), nullable=False),
    Column(
        "commitment",
        String(64),
        nullable=True,
        comment="helper: what the leader committed to when it first asked",
    ),
)
