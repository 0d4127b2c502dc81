"""Slips of the stewards' drop-box: those that we gave, and those that the cooperative fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from consents.canonical import utc_text
from coop_aggregator.db.tables import consents, dropbox, slips


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedSlip:
    """A slip and its number in the drop-box that gave it."""

    sequence: int
    slip: bytes


def add_slip(
    connection: Connection, *, leaf_sha256: str, slip: bytes, received_at: datetime
) -> None:
    """Keep a slip that we give. Its event must be new (unique constraint)."""
    connection.execute(
        insert(dropbox).values(
            leaf_sha256=leaf_sha256, slip=slip.decode("ascii"), received_at=utc_text(received_at)
        )
    )


def slip_for(connection: Connection, leaf_sha256: str) -> bytes | None:
    """Return the slip that we gave for the event with this digest, or None."""
    found = select(dropbox.c.slip).where(dropbox.c.leaf_sha256 == leaf_sha256)
    text: str | None = connection.scalar(found)
    return None if text is None else text.encode("ascii")


def slips_after(connection: Connection, *, after: int, limit: int) -> Sequence[NumberedSlip]:
    """Return the slips that we gave, numbered above `after`, in order."""
    rows = connection.execute(
        select(dropbox.c.sequence, dropbox.c.slip)
        .where(dropbox.c.sequence > after)
        .order_by(dropbox.c.sequence)
        .limit(limit)
    )
    return tuple(NumberedSlip(sequence=row.sequence, slip=row.slip.encode("ascii")) for row in rows)


def given_before(
    connection: Connection, moment: datetime, *, after: int, limit: int
) -> Sequence[NumberedSlip]:
    """Return slips that we gave before a moment, numbered above `after`, in order."""
    rows = connection.execute(
        select(dropbox.c.sequence, dropbox.c.slip)
        .where(dropbox.c.received_at < utc_text(moment), dropbox.c.sequence > after)
        .order_by(dropbox.c.sequence)
        .limit(limit)
    )
    return tuple(NumberedSlip(sequence=row.sequence, slip=row.slip.encode("ascii")) for row in rows)


def forget_given(connection: Connection, sequences: Sequence[int]) -> None:
    """Delete slips that we gave, but the newest: its number is not to be given again."""
    newest = select(func.max(dropbox.c.sequence)).scalar_subquery()
    connection.execute(
        delete(dropbox).where(dropbox.c.sequence.in_(sequences), dropbox.c.sequence < newest)
    )


def last_fetched(connection: Connection, witness: str) -> int:
    """Return the number of the last slip fetched from a drop-box; 0 before the first."""
    query = select(func.max(slips.c.sequence)).where(slips.c.witness == witness)
    return connection.scalar(query) or 0


def add_fetched(
    connection: Connection,
    *,
    witness: str,
    slip: NumberedSlip,
    leaf_sha256: str,
    cid: str,
    received_at: datetime,
) -> None:
    """Keep a slip that was fetched, not taken into the log yet."""
    connection.execute(
        insert(slips).values(
            witness=witness,
            sequence=slip.sequence,
            leaf_sha256=leaf_sha256,
            slip=slip.slip.decode("ascii"),
            cid=cid,
            received_at=utc_text(received_at),
            taken=False,
        )
    )


def waiting_slips(
    connection: Connection, *, witness: str, since: datetime, after: int, limit: int
) -> Sequence[NumberedSlip]:
    """Return the next fetched slips of consents known here that the log did not take yet.

    Received since then, numbered above `after`, in order. Slips of unknown consents can wait: a
    stranger may leave any number of them.
    """
    rows = connection.execute(
        select(slips.c.sequence, slips.c.slip)
        .join(consents, consents.c.cid == slips.c.cid)
        .where(*_waiting(witness, since), slips.c.sequence > after)
        .order_by(slips.c.sequence)
        .limit(limit)
    )
    return tuple(NumberedSlip(sequence=row.sequence, slip=row.slip.encode("ascii")) for row in rows)


def waiting_count(connection: Connection, *, witness: str, since: datetime) -> int:
    """Return how many fetched slips, of consents known or not, the log did not take yet."""
    query = select(func.count()).select_from(slips).where(*_waiting(witness, since))
    return connection.scalar(query) or 0


def _waiting(witness: str, since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        slips.c.witness == witness,
        slips.c.taken.is_(False),
        slips.c.received_at >= utc_text(since),
    )


def forget_untaken(connection: Connection, *, witness: str, before: datetime) -> None:
    """Delete fetched slips that the log did not take, received before then, but the newest.

    The newest one's number says from where to fetch on.
    """
    newest = select(func.max(slips.c.sequence)).where(slips.c.witness == witness).scalar_subquery()
    connection.execute(
        delete(slips).where(
            slips.c.witness == witness,
            slips.c.taken.is_(False),
            slips.c.received_at < utc_text(before),
            slips.c.sequence < newest,
        )
    )


def mark_taken(connection: Connection, *, witness: str, sequence: int) -> None:
    """Note that the log holds a slip's event, or will."""
    connection.execute(
        update(slips)
        .where(slips.c.witness == witness, slips.c.sequence == sequence)
        .values(taken=True)
    )
