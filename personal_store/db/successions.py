"""The table of the handovers that were verified: which log followed which at a cooperative."""

from sqlalchemy import Connection, insert, select

from consents.shards import Handover
from personal_store.db.tables import log_succession


def add(connection: Connection, url: str, number: int, handover: Handover, *, size: int) -> None:
    """Keep a handover from the log of this number, closed with `size` leaves."""
    connection.execute(
        insert(log_succession).values(
            url=url, number=number, size=size, handover=handover.to_bytes().decode()
        )
    )


def every(connection: Connection, url: str) -> list[Handover]:
    """Return the handovers at a cooperative, oldest first."""
    query = (
        select(log_succession.c.handover)
        .where(log_succession.c.url == url)
        .order_by(log_succession.c.number)
    )
    return [Handover.parse(text.encode()) for text in connection.scalars(query)]
