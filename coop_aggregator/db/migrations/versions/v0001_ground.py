"""The first schema: identity, territory, questions, members, consent log, reports, releases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of the first version."""
    _place()
    _questions()
    _members()
    _log()
    _reports()
    _witness()


def _place() -> None:
    """One installation and its territory."""
    op.create_table(
        "identity",
        sa.Column(
            "id", sa.Integer(), nullable=False, comment="always 1: one installation, one identity"
        ),
        sa.Column("role", sa.String(length=8), nullable=False, comment="leader or helper"),
        sa.Column("name", sa.Text(), nullable=False, comment="name shown to residents"),
        sa.Column("origin", sa.Text(), nullable=False, comment="origin line of the consent log"),
        sa.Column(
            "log_vkey",
            sa.Text(),
            nullable=False,
            comment="verifier key of that log, as a C2SP note key",
        ),
        sa.Column(
            "own_vkey", sa.Text(), nullable=False, comment="verifier key of what this role signs"
        ),
        sa.Column("created_at", sa.String(length=20), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_identity_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
    )
    op.create_table(
        "territory",
        sa.Column("id", sa.Integer(), nullable=False, comment="always 1: one territory"),
        sa.Column(
            "source_sha256",
            sa.String(length=64),
            nullable=False,
            comment="digest of the imported file",
        ),
        sa.Column("imported_at", sa.String(length=20), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_territory_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territory")),
    )
    op.create_table(
        "zones",
        sa.Column(
            "code",
            sa.String(length=32),
            nullable=False,
            comment="official code, for instance INSEE",
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "outline",
            sa.Text(),
            nullable=False,
            comment="GeoJSON geometry simplified for the map, WGS 84",
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_zones")),
    )


def _questions() -> None:
    """What is asked, and why."""
    op.create_table(
        "purposes",
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of `body`"),
        sa.Column(
            "body", sa.LargeBinary(), nullable=False, comment="canonical bytes, as published"
        ),
        sa.Column(
            "leaf_index", sa.BigInteger(), nullable=False, comment="its purpose.published leaf"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_purposes")),
    )
    op.create_table(
        "tasks",
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of `body`"),
        sa.Column(
            "week", sa.String(length=8), nullable=False, comment="2026-W46: one question a week"
        ),
        sa.Column(
            "body", sa.LargeBinary(), nullable=False, comment="canonical bytes, never rewritten"
        ),
        sa.Column(
            "jws", sa.Text(), nullable=True, comment="signed task as served; null while a draft"
        ),
        sa.Column(
            "report_deadline",
            sa.String(length=20),
            nullable=False,
            comment="reports are refused from then on",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_tasks")),
        sa.UniqueConstraint("week", name=op.f("uq_tasks_week")),
    )


def _members() -> None:
    """Who may take part, without saying who they are."""
    op.create_table(
        "invitations",
        sa.Column(
            "code_sha256",
            sa.String(length=64),
            nullable=False,
            comment="the code itself is never stored",
        ),
        sa.Column(
            "used", sa.Boolean(), nullable=False, comment="not linked to the member who used it"
        ),
        sa.PrimaryKeyConstraint("code_sha256", name=op.f("pk_invitations")),
    )
    op.create_table(
        "members",
        sa.Column(
            "member_id",
            sa.String(length=32),
            nullable=False,
            comment="16 random bytes, hexadecimal",
        ),
        sa.Column(
            "key_x", sa.String(length=43), nullable=False, comment="Ed25519 public key, base64url"
        ),
        sa.Column("zone", sa.String(length=32), nullable=False, comment="home zone"),
        sa.ForeignKeyConstraint(["zone"], ["zones.code"], name=op.f("fk_members_zone")),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_members")),
        sa.UniqueConstraint("key_x", name=op.f("uq_members_key_x")),
    )
    op.create_table(
        "consents",
        sa.Column(
            "cid", sa.String(length=32), nullable=False, comment="consent id, chosen by the store"
        ),
        sa.Column("member_id", sa.String(length=32), nullable=False),
        sa.Column("purpose_digest", sa.String(length=64), nullable=False),
        sa.Column(
            "kid", sa.String(length=43), nullable=False, comment="thumbprint of its only key"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.member_id"], name=op.f("fk_consents_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["purpose_digest"], ["purposes.digest"], name=op.f("fk_consents_purpose_digest")
        ),
        sa.PrimaryKeyConstraint("cid", name=op.f("pk_consents")),
        sa.UniqueConstraint("kid", name=op.f("uq_consents_kid")),
    )
    op.create_index(
        "ix_consents_member_purpose", "consents", ["member_id", "purpose_digest"], unique=False
    )


def _log() -> None:
    """The consent log."""
    op.create_table(
        "leaves",
        sa.Column(
            "position",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="from 0, no gap",
        ),
        sa.Column("leaf", sa.Text(), nullable=False, comment="compact JWS exactly as received"),
        sa.Column("leaf_sha256", sa.String(length=64), nullable=False, comment="digest of `leaf`"),
        sa.Column("cid", sa.String(length=32), nullable=False, comment="chain that it belongs to"),
        sa.Column("received_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_leaves")),
        sa.UniqueConstraint("leaf_sha256", name=op.f("uq_leaves_leaf_sha256")),
    )
    op.create_index(op.f("ix_leaves_cid"), "leaves", ["cid"], unique=False)
    op.create_table(
        "cosignatures",
        sa.Column(
            "size", sa.BigInteger(), autoincrement=False, nullable=False, comment="leaves covered"
        ),
        sa.Column(
            "witness",
            sa.Text(),
            nullable=False,
            comment="verifier key that the line was checked with",
        ),
        sa.Column(
            "line", sa.Text(), nullable=False, comment="signature line returned by the witness"
        ),
        sa.Column("cosigned_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("size", "witness", name=op.f("pk_cosignatures")),
    )
    op.create_table(
        "operator_bodies",
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column(
            "body",
            sa.Text(),
            nullable=False,
            comment="canonical JSON that the leaf commits to; public",
        ),
        sa.Column(
            "commitment_key",
            sa.String(length=64),
            nullable=False,
            comment="opens the commitment; public",
        ),
        sa.ForeignKeyConstraint(
            ["position"], ["leaves.position"], name=op.f("fk_operator_bodies_position")
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_operator_bodies")),
    )


def _reports() -> None:
    """What stores sent and what was published."""
    op.create_table(
        "reports",
        sa.Column(
            "report_id",
            sa.String(length=32),
            nullable=False,
            comment="chosen at random by the store",
        ),
        sa.Column("task_digest", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.String(length=32), nullable=False),
        sa.Column("cid", sa.String(length=32), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False, comment="noised report exactly as received"),
        sa.Column(
            "batch_position",
            sa.Integer(),
            nullable=True,
            comment="rank in the frozen batch; null outside",
        ),
        sa.ForeignKeyConstraint(["cid"], ["consents.cid"], name=op.f("fk_reports_cid")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.member_id"], name=op.f("fk_reports_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["task_digest"], ["tasks.digest"], name=op.f("fk_reports_task_digest")
        ),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_reports")),
        sa.UniqueConstraint("task_digest", "member_id", name=op.f("uq_reports_task_digest")),
    )
    op.create_table(
        "batches",
        sa.Column("task_digest", sa.String(length=64), nullable=False),
        sa.Column(
            "root",
            sa.String(length=64),
            nullable=False,
            comment="Merkle root over the reports, in rank order",
        ),
        sa.Column("report_count", sa.Integer(), nullable=False),
        sa.Column(
            "excluded_count",
            sa.Integer(),
            nullable=False,
            comment="withdrawn or expired before the freeze",
        ),
        sa.Column("epsilon_sum_micro", sa.BigInteger(), nullable=False),
        sa.Column(
            "leaf_index", sa.BigInteger(), nullable=False, comment="its batch.committed leaf"
        ),
        sa.Column("frozen_at", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_digest"], ["tasks.digest"], name=op.f("fk_batches_task_digest")
        ),
        sa.PrimaryKeyConstraint("task_digest", name=op.f("pk_batches")),
    )
    op.create_table(
        "releases",
        sa.Column("task_digest", sa.String(length=64), nullable=False),
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="JSON exactly as published"),
        sa.Column(
            "leaf_index", sa.BigInteger(), nullable=False, comment="its release.published leaf"
        ),
        sa.Column("published_at", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_digest"], ["batches.task_digest"], name=op.f("fk_releases_task_digest")
        ),
        sa.PrimaryKeyConstraint("task_digest", name=op.f("pk_releases")),
        sa.UniqueConstraint("week", name=op.f("uq_releases_week")),
    )


def _witness() -> None:
    """What the stewards' role remembers."""
    op.create_table(
        "witnessed",
        sa.Column(
            "size",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="checkpoint cosigned",
        ),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False, comment="the log's note with our cosignature"),
        sa.Column("cosigned_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_witnessed")),
    )
