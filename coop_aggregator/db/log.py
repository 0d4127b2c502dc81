"""The leaves of the consent log, the operator's own bodies and the witnesses' cosignatures."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from consents.canonical import utc_text, utc_time
from consents.errors import LogError
from consents.receipt import leaf_sha256, read_event
from coop_aggregator.db.tables import cosignatures, leaves, operator_bodies


class SqlLeaves:
    """`consents.log.LeafStorage` over one transaction; the caller holds `db.identity.lock`."""

    def __init__(self, connection: Connection, *, now: datetime) -> None:
        """Read and append through `connection`; `now` stamps what is appended."""
        self._connection = connection
        self._now = now

    def append(self, leaf: bytes) -> int:
        """Store a leaf at the next position."""
        index = self.size()
        self._connection.execute(
            insert(leaves).values(
                position=index,
                leaf=leaf.decode("ascii"),
                leaf_sha256=leaf_sha256(leaf),
                cid=read_event(leaf).payload.cid,
                received_at=utc_text(self._now),
            )
        )
        return index

    def leaf(self, index: int) -> bytes:
        """Return the leaf at `index`; raise LogError outside the log."""
        query = select(leaves.c.leaf).where(leaves.c.position == index)
        text: str | None = self._connection.scalar(query)
        if text is None:
            raise LogError(f"expected an index below {self.size()}, seen {index}")
        return text.encode("ascii")

    def leaves(self) -> Iterator[bytes]:
        """Return all leaves in order."""
        for text in self._connection.scalars(select(leaves.c.leaf).order_by(leaves.c.position)):
            yield text.encode("ascii")

    def size(self) -> int:
        """Return how many leaves there are."""
        return self._connection.scalar(select(func.count()).select_from(leaves)) or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A witness's signature line on the checkpoint of `size` leaves."""

    size: int
    witness: str
    line: str
    cosigned_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorBody:
    """What an operator's leaf commits to, and the key that opens the commitment; both public."""

    position: int
    body: str
    commitment_key: str


def leaf_position(connection: Connection, sha256: str) -> int | None:
    """Return where the leaf with this digest stands, or None."""
    return connection.scalar(select(leaves.c.position).where(leaves.c.leaf_sha256 == sha256))


def leaves_of(connection: Connection, cid: str) -> tuple[bytes, ...]:
    """Return the leaves of one chain, in order."""
    texts = connection.scalars(
        select(leaves.c.leaf).where(leaves.c.cid == cid).order_by(leaves.c.position)
    )
    return tuple(text.encode("ascii") for text in texts)


def leaf_range(connection: Connection, *, start: int, end: int) -> tuple[str, ...]:
    """Return the leaves at positions [start, end), as texts."""
    return tuple(
        connection.scalars(
            select(leaves.c.leaf)
            .where(leaves.c.position >= start, leaves.c.position < end)
            .order_by(leaves.c.position)
        )
    )


def add_operator_body(connection: Connection, body: OperatorBody) -> None:
    """Keep what an operator's leaf commits to."""
    connection.execute(
        insert(operator_bodies).values(
            position=body.position, body=body.body, commitment_key=body.commitment_key
        )
    )


def all_operator_bodies(connection: Connection) -> tuple[OperatorBody, ...]:
    """Return every operator's body in log order."""
    rows = connection.execute(select(operator_bodies).order_by(operator_bodies.c.position))
    return tuple(
        OperatorBody(position=row.position, body=row.body, commitment_key=row.commitment_key)
        for row in rows
    )


def add_cosignature(connection: Connection, cosignature: Cosignature) -> None:
    """Keep a verified cosignature; the same size and witness again changes nothing."""
    key = (cosignatures.c.size == cosignature.size, cosignatures.c.witness == cosignature.witness)
    if connection.execute(select(cosignatures.c.size).where(*key)).first() is None:
        connection.execute(
            insert(cosignatures).values(
                size=cosignature.size,
                witness=cosignature.witness,
                line=cosignature.line,
                cosigned_at=utc_text(cosignature.cosigned_at),
            )
        )


def cosignatures_of(connection: Connection, *, size: int) -> tuple[Cosignature, ...]:
    """Return the cosignatures of the checkpoint of this size."""
    rows = connection.execute(
        select(cosignatures).where(cosignatures.c.size == size).order_by(cosignatures.c.witness)
    )
    return tuple(
        Cosignature(
            size=row.size,
            witness=row.witness,
            line=row.line,
            cosigned_at=utc_time(row.cosigned_at),
        )
        for row in rows
    )


def last_cosigned_size(connection: Connection, witness: str | None = None) -> int:
    """Return the largest size cosigned by `witness` (or by any); 0 when there is none."""
    query = select(func.max(cosignatures.c.size))
    if witness is not None:
        query = query.where(cosignatures.c.witness == witness)
    return connection.scalar(query) or 0
