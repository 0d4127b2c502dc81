"""The tables of a personal store, as SQLAlchemy Core. The migrations create them.

Times are integer milliseconds of Unix time, UTC; coordinates integer 1e-7 degrees (1 cm): exact.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

positionfix = Table(
    "positionfix",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", Text, nullable=False, comment="SourceFormat"),
    Column("device", Text, nullable=False),
    Column("at_ms", Integer, nullable=False),
    Column("lon_e7", Integer, nullable=False),
    Column("lat_e7", Integer, nullable=False),
    Column("accuracy_m", Float),
    Column("speed_mps", Float),
    Column("altitude_m", Float),
    Column("activity", Text, comment="the source's own label, verbatim"),
    Column("activity_confidence", Float, comment="in [0, 1]"),
    Column("received_at_ms", Integer, nullable=False),
    Column("utc_offset_min", Integer, comment="local time less UTC, where the source states it"),
    # The order serves the unique key and reading one device's history alike.
    UniqueConstraint("device", "at_ms", "lon_e7", "lat_e7", "source"),
    Index(
        "ix_positionfix_stated", "device", "at_ms", sqlite_where=text("utc_offset_min IS NOT NULL")
    ),
)

home_zone = Table(
    "home_zone",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("timezone", Text, nullable=False, comment="name in the tz database: Europe/Paris"),
    Column("changed_at_ms", Integer, nullable=False),
)

home_commune = Table(
    "home_commune",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", Text, nullable=False, comment="official code of the zone: 17300"),
    Column("name", Text, nullable=False),
    Column("confirmed_at_ms", Integer, nullable=False),
)

file_import = Table(
    "file_import",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", Text, nullable=False, index=True, comment="SHA-256 of the file"),
    Column("name", Text, nullable=False, comment="the file's own name, without its folders"),
    Column("format", Text, nullable=False, comment="SourceFormat"),
    Column("size_bytes", Integer, nullable=False),
    Column("state", Text, nullable=False, comment="reading, done, refused"),
    Column("entries", Integer, nullable=False, comment="entries of the file that are committed"),
    Column("done_bytes", Integer, nullable=False, comment="about how far in the file that is"),
    Column("place", Text, comment="JSON: where reading goes on, where the format allows it"),
    Column("counts", Text, nullable=False, comment="JSON of the report so far"),
    Column("started_at_ms", Integer, nullable=False),
    Column("changed_at_ms", Integer, nullable=False),
)

position_mark = Table(
    "position_mark",
    metadata,
    Column("fix_id", ForeignKey("positionfix.id", ondelete="CASCADE"), primary_key=True),
    Column("read_as", Text, index=True, comment="device it is read with; NULL: told elsewhere"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", Text, nullable=False, unique=True, comment="SHA-256 of document"),
    Column("source", Text, nullable=False, comment="SourceFormat"),
    Column("device", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="EvidenceKind"),
    Column("start_ms", Integer, nullable=False, index=True),
    Column("end_ms", Integer, nullable=False),
    Column("document", Text, nullable=False, comment="JSON of every field of the statement"),
    Column("received_at_ms", Integer, nullable=False),
)

staypoint = Table(
    "staypoint",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device", Text, nullable=False),
    Column("start_ms", Integer, nullable=False, index=True),
    Column("end_ms", Integer, nullable=False),
    Column("lon", Float, nullable=False),
    Column("lat", Float, nullable=False),
    Column("radius_m", Float, nullable=False),
    Column("told", Boolean, nullable=False, comment="by a segmented history; else computed"),
    Index("ix_staypoint_told", "told", "start_ms"),
)

trip = Table(
    "trip",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device", Text, nullable=False),
    Column("start_ms", Integer, nullable=False, index=True),
    Column("end_ms", Integer, nullable=False),
    Column("utc_offset_min", Integer, comment="as stated where it began"),
    Column("told", Boolean, nullable=False, comment="by a segmented history; else computed"),
    Index("ix_trip_told", "told", "start_ms"),
)

gap = Table(
    "gap",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="GapKind"),
    Column("start_ms", Integer, nullable=False, index=True),
    Column("end_ms", Integer, nullable=False),
    Column("displacement_m", Float, nullable=False, comment="between the fixes on both sides"),
)

tripleg = Table(
    "tripleg",
    metadata,
    Column("trip", ForeignKey("trip.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, comment="0 is the first leg of the trip"),
    Column("start_ms", Integer, nullable=False),
    Column("end_ms", Integer, nullable=False),
    Column("distance_m", Float, nullable=False),
    Column("gap_m", Float, nullable=False, comment="part of distance_m without fixes"),
    Column("modes", Text, nullable=False, comment="JSON [[mode, probability], ...]"),
    Column("mode_source", Text, nullable=False),
    Column("track", Text, nullable=False, comment="JSON [[lon, lat], ...]"),
)

queued = Table(
    "queued",
    metadata,
    Column("kind", Text, primary_key=True, comment="positionfix, evidence"),
    Column("newest_id", Integer, nullable=False, comment="rows up to it have a dirty window"),
)

dirty_window = Table(
    "dirty_window",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device", Text, nullable=False),
    Column("start_ms", Integer, nullable=False),
    Column("end_ms", Integer, nullable=False, comment="of the last row that is new, included"),
    Column("again", Boolean, nullable=False, comment="read by another engine, and nothing new"),
)

engine_mark = Table(
    "engine_mark",
    metadata,
    Column("mark", Text, primary_key=True, comment="of the engine that reads; one row"),
)

correction = Table(
    "correction",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False, comment="CorrectionKind"),
    Column("device", Text, nullable=False),
    Column("start_ms", Integer, nullable=False),
    Column("end_ms", Integer, nullable=False),
    Column("value", Text, nullable=False, comment="mode, number or words; empty for the others"),
    Column("made_at_ms", Integer, nullable=False),
)

habit = Table(
    "habit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("mode", Text, nullable=False),
    Column("rides", Boolean, nullable=False, comment="of ridden legs; else of walked ones"),
    Column("minute_of_day", Integer, nullable=False, comment="local time of departure"),
    Column("origin_lon", Float, nullable=False),
    Column("origin_lat", Float, nullable=False),
    Column("destination_lon", Float, nullable=False),
    Column("destination_lat", Float, nullable=False),
    Column("made_at_ms", Integer, nullable=False),
)

place = Table(
    "place",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False, comment="home, work, other"),
    Column("name", Text, nullable=False),
    Column("lon", Float, nullable=False),
    Column("lat", Float, nullable=False),
    Column("hidden", Boolean, nullable=False, comment="the resident does not want it named"),
    Column("zone_lon", Float, comment="centre of the privacy zone, drawn once beside the place"),
    Column("zone_lat", Float),
    Column("zone_radius_m", Float, comment="NULL without a privacy zone"),
    Column("made_at_ms", Integer, nullable=False),
)

device = Table(
    "device",
    metadata,
    Column("device", Text, primary_key=True, comment="as each positionfix names it; for ever"),
    Column("name", Text, nullable=False, comment="as pages name it; may change"),
    Column("door", Text, nullable=False, unique=True, comment="random; names it outside"),
    Column("token_sha256", Text, nullable=False, unique=True),
    Column("encryption_key", Text, comment="OwnTracks' shared secret"),
    Column("created_at_ms", Integer, nullable=False),
    Column("revoked_at_ms", Integer),
    Column("seen_at_ms", Integer, comment="reception of its newest message"),
    Column("positions", Integer, nullable=False, comment="read; those known before included"),
    Column("rejected", Integer, nullable=False, comment="positions that cannot be"),
    Column("unreadable", Integer, nullable=False, comment="messages that are none"),
)

inbox_key = Table(
    "inbox_key",
    metadata,
    Column("id", Integer, primary_key=True, comment="1: there is one"),
    Column("private_key", LargeBinary, nullable=False, comment="X25519, raw"),
)

inbox_mark = Table(
    "inbox_mark",
    metadata,
    Column("generation", LargeBinary, primary_key=True, comment="drawn when the inbox is begun"),
    Column("drained_bytes", Integer, nullable=False),
    Column("unopened", Integer, nullable=False, comment="letters before that which did not open"),
)

membership = Table(
    "membership",
    metadata,
    Column("url", Text, primary_key=True, comment="the cooperative's address"),
    Column("member_id", Text, nullable=False),
    Column("member_key", LargeBinary, nullable=False, comment="Ed25519 private key, raw"),
    Column("zone", Text, nullable=False, comment="home zone, as the resident confirmed it"),
    Column("log_origin", Text, nullable=False),
    Column("log_vkey", Text, nullable=False, comment="pinned at enrolment"),
    Column("task_key", LargeBinary, nullable=False, comment="Ed25519 public, pinned at enrolment"),
    Column("enrolled_at_ms", Integer, nullable=False),
    Column(
        "keepers",
        Text,
        nullable=False,
        server_default="[]",
        comment="JSON list, leader then helper, pinned at enrolment",
    ),
)

purpose = Table(
    "purpose",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("document", LargeBinary, nullable=False, comment="bytes as received"),
)

territory = Table(
    "territory",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("document", LargeBinary, nullable=False, comment="bytes as received"),
)

consent = Table(
    "consent",
    metadata,
    Column("cid", Text, primary_key=True),
    Column("url", ForeignKey("membership.url"), nullable=False),
    Column("purpose_digest", Text, nullable=False),
    Column("consent_key", LargeBinary, nullable=False, comment="Ed25519 private key, raw"),
    Column("opened_at_ms", Integer, nullable=False),
    Column("erased_at_ms", Integer, comment="when its bodies and their keys were erased"),
    Column("erasure", Text, comment="JSON: the log's entries that say so, with their proofs"),
)

consent_event = Table(
    "consent_event",
    metadata,
    Column("cid", ForeignKey("consent.cid"), primary_key=True),
    Column("n", Integer, primary_key=True, comment="position in the chain of this cid"),
    Column("leaf", LargeBinary, nullable=False, comment="compact JWS, verbatim"),
    Column("body", LargeBinary, comment="canonical JSON behind the commitment; NULL once erased"),
    Column("commitment_key", LargeBinary, comment="NULL with its body, and where there is none"),
    Column("signed_at_ms", Integer, nullable=False),
    Column("proof", Text, comment="JSON of the inclusion proof; NULL until logged"),
    Column("checkpoint", Text, comment="signed note that the proof leads to"),
    Column("promise", Text, comment="the cooperative's signed promise to log it"),
    Column("slip", Text, comment="the stewards' signed receipt of it"),
)

withdrawal_code = Table(
    "withdrawal_code",
    metadata,
    Column("id", Integer, primary_key=True, comment="1: there is one at most"),
    Column("secret", LargeBinary, nullable=False, comment="20 bytes; ends consents, opens nothing"),
    Column("written_at_ms", Integer, comment="when the sheet was last written; NULL before"),
    Column("heads", Text, comment="JSON: the last leaf of each consent that this sheet knew"),
)

trust = Table(
    "trust",
    metadata,
    Column("url", ForeignKey("membership.url"), primary_key=True),
    Column("policy", Text, nullable=False, comment="C2SP policy, from elsewhere than the log"),
    Column("stewards_url", Text, comment="address of the stewards' drop-box"),
)

notice = Table(
    "notice",
    metadata,
    Column("purpose_digest", Text, primary_key=True),
    Column("document", LargeBinary, nullable=False, comment="canonical JSON, as published"),
)

checkpoint_seen = Table(
    "checkpoint_seen",
    metadata,
    Column("url", ForeignKey("membership.url"), primary_key=True),
    Column("size", Integer, primary_key=True, comment="counted on from one year's log to the next"),
    Column("root", LargeBinary, primary_key=True),
    Column("note", Text, nullable=False, comment="signed note, verbatim"),
    Column("linked", Boolean, nullable=False, comment="shown to be continued by a later one"),
)

log_succession = Table(
    "log_succession",
    metadata,
    Column("url", ForeignKey("membership.url"), primary_key=True),
    Column("number", Integer, primary_key=True, comment="of the closed log, from 0"),
    Column("size", Integer, nullable=False, comment="leaves of the closed log"),
    Column("handover", Text, nullable=False, comment="JSON, as verified"),
)

fork = Table(
    "fork",
    metadata,
    Column("url", ForeignKey("membership.url"), primary_key=True),
    Column("found_at_ms", Integer, nullable=False),
    Column("evidence", Text, nullable=False, comment="JSON: both notes, and the proof if any"),
)

task = Table(
    "task",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("url", ForeignKey("membership.url"), nullable=False),
    Column("jws", LargeBinary, nullable=False, comment="signed by the cooperative, verbatim"),
)

contribution = Table(
    "contribution",
    metadata,
    Column("task_digest", ForeignKey("task.digest"), primary_key=True),
    Column("week", Text, nullable=False, comment="ISO week, e.g. 2026-W46"),
    Column("cid", ForeignKey("consent.cid"), nullable=False, comment="consent that covers it"),
    Column("head", Text, nullable=False, comment="last leaf of that consent when drawn"),
    Column("epsilon_micro", Integer, nullable=False),
    Column("state", Text, nullable=False, comment="prepared, reserved, sent, refused"),
    Column("exact", Text, nullable=False, comment="JSON vector before noise: never leaves"),
    Column("report", LargeBinary, nullable=False, comment="the bytes that leave, drawn once"),
    Column("changed_at_ms", Integer, nullable=False),
    Column("sealed_leader", LargeBinary, comment="two keepers: the leader's share, sealed once"),
    Column("sealed_helper", LargeBinary, comment="two keepers: the helper's share, sealed once"),
)

presumed_week = Table(
    "presumed_week",
    metadata,
    Column("week", Text, primary_key=True, comment="ISO week that may have been answered"),
    Column("epsilon_micro", Integer, nullable=False, comment="counted as spent; 0: the rows say"),
    Column("restored_at_ms", Integer, nullable=False),
)

line_file = Table(
    "line_file",
    metadata,
    Column("name", Text, primary_key=True, comment="as the file was called"),
    Column("stops", Integer, nullable=False),
    Column("routes", Integer, nullable=False),
    Column("tracks", Integer, nullable=False),
    Column("imported_at_ms", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False, comment="zlib of JSON: what was read of it"),
)
