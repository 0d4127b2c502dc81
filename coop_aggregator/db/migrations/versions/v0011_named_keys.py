"""The keys that each consent names, so that whoever holds one finds the consent by it alone."""

import base64
import json

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NAMING = frozenset(
    {"key.rotated", "key.recovered", "signer.joined", "delegate.named", "recovery.named"}
)
_AT_ONCE = 10_000


def upgrade() -> None:
    """Add the table, filled from the leaves that are held."""
    named = op.create_table(
        "named_keys",
        sa.Column("kid", sa.String(43), nullable=False, comment="thumbprint of the key"),
        sa.Column("cid", sa.String(32), nullable=False, comment="the consent that names it"),
        sa.PrimaryKeyConstraint("kid", "cid", name=op.f("pk_named_keys")),
    )
    connection = op.get_bind()
    consents = sa.table("consents", sa.column("cid"))
    known = set(connection.scalars(sa.select(consents.c.cid)))
    found: set[tuple[str, str]] = set()
    for name in ("leaves", "pending_events"):
        leaves = sa.table(name, sa.column("leaf"), sa.column("cid"))
        for row in connection.execute(sa.select(leaves.c.leaf, leaves.c.cid)):
            if row.cid in known:
                found.update((kid, row.cid) for kid in _keys(row.leaf))
    rows = [{"kid": kid, "cid": cid} for kid, cid in sorted(found)]
    for start in range(0, len(rows), _AT_ONCE):
        connection.execute(sa.insert(named), rows[start : start + _AT_ONCE])


def _keys(leaf: str) -> list[str]:
    segment = leaf.split(".")[1]
    payload = json.loads(base64.urlsafe_b64decode(segment + "=="))
    keys = [payload["kid"]]
    if payload["t"] in _NAMING:
        raw = bytes.fromhex(payload["c"])
        keys.append(base64.urlsafe_b64encode(raw).rstrip(b"=").decode())
    return keys
