"""The table of the handovers that were verified: which log followed which at a cooperative."""

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from consents.tlog.shards import Handover
from personal_store.db.tables import log_succession


def add(connection: Connection, url: str, number: int, handover: Handover, *, size: int) -> None:
    """Keep a handover from the log of this number, closed with `size` leaves.

    The first one stays: another process may have followed it meanwhile.
    """
    connection.execute(
        upsert(log_succession)
        .values(url=url, number=number, size=size, handover=handover.to_bytes().decode())
        .on_conflict_do_nothing()
    )


def every(connection: Connection, url: str) -> list[Handover]:
    """Return the handovers at a cooperative, oldest first."""
    query = (
        select(log_succession.c.handover)
        .where(log_succession.c.url == url)
        .order_by(log_succession.c.number)
    )
    return [Handover.parse(text.encode()) for text in connection.scalars(query)]
