"""The consent that each fetched slip names: strangers' slips then cost no look at each."""

import base64
import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SLIPS = sa.table(
    "slips", sa.column("witness"), sa.column("sequence"), sa.column("slip"), sa.column("cid")
)


def upgrade() -> None:
    """Add the consent id, read from the slips that are held."""
    comment = "the consent that the event names, known here or not"
    column = sa.Column("cid", sa.String(32), nullable=False, server_default="", comment=comment)
    op.add_column("slips", column)
    op.create_index(op.f("ix_slips_cid"), "slips", ["cid"])
    connection = op.get_bind()
    rows = connection.execute(sa.select(_SLIPS.c.witness, _SLIPS.c.sequence, _SLIPS.c.slip))
    for row in rows.all():
        cid = _payload(_payload(row.slip)["leaf"])["cid"]
        mine = (_SLIPS.c.witness == row.witness) & (_SLIPS.c.sequence == row.sequence)
        connection.execute(sa.update(_SLIPS).where(mine).values(cid=cid))


def _payload(token: str) -> dict[str, str]:
    segment = token.split(".")[1]
    found: dict[str, str] = json.loads(base64.urlsafe_b64decode(segment + "=="))
    return found
