"""The withdrawal_code table: one row, the secret and what the last sheet that was written knew."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from personal_store.db.tables import withdrawal_code
from personal_store.db.units import from_ms, to_ms

_ID = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCode:
    """The secret of the code, and when its sheet was last written.

    `heads` are the last leaves, by their digest, of the consents that the sheet knew.
    """

    secret: bytes = field(repr=False)
    written_at: datetime | None
    heads: tuple[str, ...]


def kept(connection: Connection) -> KeptCode | None:
    """Return the code, None before one was made."""
    row = connection.execute(select(withdrawal_code)).one_or_none()
    if row is None:
        return None
    return KeptCode(
        secret=bytes(row.secret),
        written_at=None if row.written_at_ms is None else from_ms(row.written_at_ms),
        heads=tuple(json.loads(row.heads)) if row.heads else (),
    )


def keep(connection: Connection, secret: bytes) -> None:
    """Keep a new secret in place of any earlier one; no sheet is written of it yet."""
    values = {"secret": secret, "written_at_ms": None, "heads": None}
    connection.execute(
        upsert(withdrawal_code)
        .values(id=_ID, **values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )


def mark_written(connection: Connection, heads: Sequence[str], *, at: datetime) -> None:
    """Keep that the sheet was written, and the consents that it knew."""
    connection.execute(
        update(withdrawal_code).values(written_at_ms=to_ms(at), heads=json.dumps(sorted(heads)))
    )
