"""Erasure and notices: a consent may lose its member, a purpose comes with its notice."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_AGAIN_ON_SQLITE = (
    """
CREATE TABLE consents_again (
    cid VARCHAR(32) NOT NULL,
    member_id VARCHAR(32),
    purpose_digest VARCHAR(64) NOT NULL,
    kid VARCHAR(43) NOT NULL,
    CONSTRAINT pk_consents PRIMARY KEY (cid),
    CONSTRAINT fk_consents_member_id FOREIGN KEY(member_id)
        REFERENCES members (member_id),
    CONSTRAINT fk_consents_purpose_digest FOREIGN KEY(purpose_digest)
        REFERENCES purposes (digest),
    CONSTRAINT uq_consents_kid UNIQUE (kid)
)
""",
    """
INSERT INTO consents_again (cid, member_id, purpose_digest, kid)
SELECT cid, member_id, purpose_digest, kid FROM consents
""",
    """
CREATE TABLE reports_again (
    report_id VARCHAR(32) NOT NULL,
    task_digest VARCHAR(64) NOT NULL,
    member_id VARCHAR(32),
    cid VARCHAR(32) NOT NULL,
    jws TEXT NOT NULL,
    batch_position INTEGER,
    CONSTRAINT pk_reports PRIMARY KEY (report_id),
    CONSTRAINT fk_reports_task_digest FOREIGN KEY(task_digest)
        REFERENCES tasks (digest),
    CONSTRAINT fk_reports_member_id FOREIGN KEY(member_id)
        REFERENCES members (member_id),
    CONSTRAINT fk_reports_cid FOREIGN KEY(cid) REFERENCES consents_again (cid),
    CONSTRAINT uq_reports_task_digest UNIQUE (task_digest, member_id)
)
""",
    """
INSERT INTO reports_again (report_id, task_digest, member_id, cid, jws, batch_position)
SELECT report_id, task_digest, member_id, cid, jws, batch_position FROM reports
""",
    "DROP TABLE reports",
    "DROP TABLE consents",
    "ALTER TABLE consents_again RENAME TO consents",
    "ALTER TABLE reports_again RENAME TO reports",
    "CREATE INDEX ix_consents_member_purpose ON consents (member_id, purpose_digest)",
)
"""Both tables again, parent first: SQLite cannot drop a NOT NULL.

Renaming the parent also renames it where the child refers to it.
"""


def upgrade() -> None:
    """Let the link to a member go; add what was erased, and the notices."""
    if op.get_context().dialect.name == "postgresql":
        comment = "null once the resident erased it"
        op.alter_column("consents", "member_id", nullable=True, comment=comment)
        op.alter_column("reports", "member_id", nullable=True, comment=comment)
    else:
        for statement in _AGAIN_ON_SQLITE:
            op.execute(statement)
    op.create_table(
        "erasures",
        sa.Column(
            "leaf_sha256", sa.String(64), nullable=False, comment="the leaf that was emptied"
        ),
        sa.Column(
            "position", sa.BigInteger(), nullable=False, comment="its body.shredded leaf in the log"
        ),
        sa.PrimaryKeyConstraint("leaf_sha256", name=op.f("pk_erasures")),
    )
    op.create_table(
        "notices",
        sa.Column("purpose_digest", sa.String(64), nullable=False),
        sa.Column(
            "body", sa.LargeBinary(), nullable=False, comment="canonical bytes, as published"
        ),
        sa.ForeignKeyConstraint(
            ["purpose_digest"], ["purposes.digest"], name=op.f("fk_notices_purpose_digest")
        ),
        sa.PrimaryKeyConstraint("purpose_digest", name=op.f("pk_notices")),
    )
