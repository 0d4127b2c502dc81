"""The log's tree and promises: nodes, leaf hashes, waiting events, promises, drop-box."""

import sqlalchemy as sa
from alembic import op

from consents.tlog import merkle
from consents.tlog.nodes import Frontier

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CHUNK = 10_000
"""Leaves hashed at a time."""


def upgrade() -> None:
    """Create the tables, and fill the tree from the leaves that are there."""
    op.create_table(
        "nodes",
        sa.Column(
            "position",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="in the order in which appending completes them",
        ),
        sa.Column("hash", sa.LargeBinary(32), nullable=False, comment="root of a perfect subtree"),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_nodes")),
    )
    op.add_column(
        "leaves",
        sa.Column(
            "leaf_hash",
            sa.LargeBinary(32),
            nullable=True,
            comment="RFC 9162 leaf hash; no leaf is without: a column added later cannot say so",
        ),
    )
    _fill_tree()
    op.create_index("ix_leaves_leaf_hash", "leaves", ["leaf_hash"], unique=True)
    if op.get_context().dialect.name == "postgresql":
        # SQLite keeps no comments.
        op.alter_column("consents", "kid", comment="thumbprint of its key")
    _events()
    _stewards()


def _fill_tree() -> None:
    connection = op.get_bind()
    leaves = sa.table("leaves", sa.column("position"), sa.column("leaf"), sa.column("leaf_hash"))
    nodes = sa.table("nodes", sa.column("position"), sa.column("hash"))
    frontier, at = Frontier(), 0
    while True:
        rows = connection.execute(
            sa.select(leaves.c.position, leaves.c.leaf)
            .where(leaves.c.position >= frontier.size)
            .order_by(leaves.c.position)
            .limit(CHUNK)
        ).all()
        if not rows:
            return
        hashes = [merkle.leaf_hash(row.leaf.encode("ascii")) for row in rows]
        grown = list(frontier.grow(hashes))
        connection.execute(
            nodes.insert(), [{"position": at + i, "hash": node} for i, node in enumerate(grown)]
        )
        connection.execute(
            leaves.update()
            .where(leaves.c.position == sa.bindparam("at"))
            .values(leaf_hash=sa.bindparam("hashed")),
            [{"at": row.position, "hashed": each} for row, each in zip(rows, hashes, strict=True)],
        )
        at += len(grown)


def _events() -> None:
    """Events received and not in the log yet, and what was promised about them."""
    op.create_table(
        "pending_events",
        sa.Column("sequence", sa.Integer(), nullable=False, comment="order of receipt"),
        sa.Column("leaf", sa.Text(), nullable=False, comment="compact JWS exactly as received"),
        sa.Column("leaf_sha256", sa.String(64), nullable=False, comment="digest of `leaf`"),
        sa.Column("cid", sa.String(32), nullable=False, comment="chain that it continues"),
        sa.Column("received_at", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_pending_events")),
        sa.UniqueConstraint("leaf_sha256", name=op.f("uq_pending_events_leaf_sha256")),
    )
    op.create_index(op.f("ix_pending_events_cid"), "pending_events", ["cid"])
    op.create_table(
        "promises",
        sa.Column("leaf_sha256", sa.String(64), nullable=False, comment="the event that it is for"),
        sa.Column(
            "token", sa.Text(), nullable=False, comment="signed promise, the same at each asking"
        ),
        sa.Column("merge_by", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("leaf_sha256", name=op.f("pk_promises")),
    )


def _stewards() -> None:
    """The stewards' drop-box, and what the cooperative fetched from it."""
    op.create_table(
        "slips",
        sa.Column(
            "witness", sa.Text(), nullable=False, comment="verifier key of the stewards' drop-box"
        ),
        sa.Column(
            "sequence",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="its number in that drop-box",
        ),
        sa.Column("leaf_sha256", sa.String(64), nullable=False, comment="the event received"),
        sa.Column("slip", sa.Text(), nullable=False, comment="the stewards' signed receipt"),
        sa.Column("received_at", sa.String(20), nullable=False, comment="by the stewards"),
        sa.Column("taken", sa.Boolean(), nullable=False, comment="in the log or on its way there"),
        sa.PrimaryKeyConstraint("witness", "sequence", name=op.f("pk_slips")),
    )
    op.create_index(op.f("ix_slips_leaf_sha256"), "slips", ["leaf_sha256"])
    op.create_table(
        "dropbox",
        sa.Column("sequence", sa.Integer(), nullable=False, comment="order of receipt"),
        sa.Column("leaf_sha256", sa.String(64), nullable=False, comment="digest of the event"),
        sa.Column(
            "slip", sa.Text(), nullable=False, comment="our signed receipt, the event inside"
        ),
        sa.Column("received_at", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_dropbox")),
        sa.UniqueConstraint("leaf_sha256", name=op.f("uq_dropbox_leaf_sha256")),
    )
