"""Two keepers: who they are, sealed reports, aggregation jobs, noised shares."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the trust mode `two-keepers`."""
    op.add_column(
        "tasks",
        sa.Column(
            "own_jws",
            sa.Text(),
            nullable=True,
            comment="two keepers: our signature, until both signed",
        ),
    )
    op.add_column(
        "tasks",
        sa.Column(
            "verify_key",
            sa.LargeBinary(32),
            nullable=True,
            comment="two keepers: secret that reports are checked with, drawn before any report",
        ),
    )
    op.create_table(
        "keepers",
        sa.Column(
            "role", sa.String(8), nullable=False, comment="leader or helper; one of them is us"
        ),
        sa.Column(
            "card",
            sa.Text(),
            nullable=False,
            comment="name, address and public keys, canonical JSON",
        ),
        sa.PrimaryKeyConstraint("role", name=op.f("pk_keepers")),
    )
    _reports()
    _jobs()
    _collections()


def _reports() -> None:
    """What stores sent to this keeper."""
    op.create_table(
        "sealed_reports",
        sa.Column(
            "report_id", sa.String(32), nullable=False, comment="kept until the task expires"
        ),
        sa.Column("task_digest", sa.String(64), nullable=False),
        sa.Column("zone", sa.String(32), nullable=False, comment="batch that it counts in"),
        sa.Column("cid", sa.String(32), nullable=False, comment="consent that signed it"),
        sa.Column(
            "upload_sha256",
            sa.String(64),
            nullable=False,
            comment="tells a retry from a second one",
        ),
        sa.Column(
            "public_share", sa.LargeBinary(), nullable=False, comment="the same at both keepers"
        ),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=True,
            comment="our sealed share; erased at collection",
        ),
        sa.Column(
            "state",
            sa.String(8),
            nullable=False,
            comment="received, excluded, queued, accepted, refused",
        ),
        sa.Column(
            "job_id",
            sa.String(32),
            nullable=True,
            comment="aggregation job that decided about it",
        ),
        sa.ForeignKeyConstraint(
            ["task_digest"], ["tasks.digest"], name=op.f("fk_sealed_reports_task_digest")
        ),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_sealed_reports")),
        sa.UniqueConstraint("task_digest", "cid", name=op.f("uq_sealed_reports_task_digest")),
    )
    op.create_index(op.f("ix_sealed_reports_job_id"), "sealed_reports", ["job_id"])


def _jobs() -> None:
    """Reports that both keepers check together."""
    op.create_table(
        "aggregation_jobs",
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("task_digest", sa.String(64), nullable=False),
        sa.Column("zone", sa.String(32), nullable=False),
        sa.Column("request_sha256", sa.String(64), nullable=True, comment="helper: what was asked"),
        sa.Column(
            "answer",
            sa.LargeBinary(),
            nullable=True,
            comment="helper: what was answered, for ever",
        ),
        sa.Column(
            "done",
            sa.Boolean(),
            nullable=False,
            comment="both keepers decided about every report",
        ),
        sa.Column(
            "share",
            sa.LargeBinary(),
            nullable=True,
            comment="our share of its sum; erased at collection",
        ),
        sa.ForeignKeyConstraint(
            ["task_digest"], ["tasks.digest"], name=op.f("fk_aggregation_jobs_task_digest")
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_aggregation_jobs")),
    )
    op.create_index(op.f("ix_aggregation_jobs_task_digest"), "aggregation_jobs", ["task_digest"])


def _collections() -> None:
    """Sums with noise, and nothing else of them."""
    op.create_table(
        "collections",
        sa.Column("task_digest", sa.String(64), nullable=False),
        sa.Column("zone", sa.String(32), nullable=False, comment="empty for the whole territory"),
        sa.Column("report_count", sa.Integer(), nullable=False),
        sa.Column(
            "checksum",
            sa.String(64),
            nullable=False,
            comment="XOR of SHA-256 of the report ids",
        ),
        sa.Column(
            "noised_share",
            sa.LargeBinary(),
            nullable=False,
            comment="with our noise, drawn once",
        ),
        sa.Column(
            "other_share",
            sa.LargeBinary(),
            nullable=True,
            comment="leader: the helper's noised share",
        ),
        sa.Column("collected_at", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_digest"], ["tasks.digest"], name=op.f("fk_collections_task_digest")
        ),
        sa.PrimaryKeyConstraint("task_digest", "zone", name=op.f("pk_collections")),
    )
