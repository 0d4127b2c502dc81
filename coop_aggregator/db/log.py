"""The consent log's leaves and tree, the operator's bodies, the witnesses' cosignatures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, insert, select

from consents.canonical import base64url_bytes, utc_text, utc_time
from consents.errors import LogError
from consents.records.receipt import LeafPayload, leaf_sha256
from consents.tlog import merkle
from consents.tlog.nodes import node_count
from coop_aggregator.db.events import pending_of
from coop_aggregator.db.shards import Shard
from coop_aggregator.db.tables import cosignatures, erasures, leaves, nodes, operator_bodies

ROWS_AT_A_TIME = 10_000
"""Leaves held at once while all of them are read."""


class SqlLog:
    """
    `consents.tlog.log.NodeStorage` over one transaction; the caller holds `db.identity.lock`.

    Its indexes are those of one log, while the tables number the leaves of all years on.
    """

    def __init__(
        self, connection: Connection, *, now: datetime, shard: Shard | None = None
    ) -> None:
        """Read and append through `connection`; `now` stamps what is appended.

        `shard` is the log to see, by default the first one.
        """
        self._connection = connection
        self._now = now
        self._first = 0 if shard is None else shard.first
        self._first_node = 0 if shard is None else shard.first_node
        self._end = None if shard is None else shard.end

    def extend(self, batch: Sequence[bytes], hashes: Sequence[bytes]) -> int:
        """Store leaves and the nodes that they complete at the next free positions."""
        first = self.size()
        if not batch:
            return first
        received_at = utc_text(self._now)
        self._connection.execute(
            insert(leaves),
            [
                {
                    "position": self._first + first + rank,
                    "leaf": leaf.decode("ascii"),
                    "leaf_sha256": leaf_sha256(leaf),
                    "leaf_hash": merkle.leaf_hash(leaf),
                    "cid": _cid(leaf),
                    "received_at": received_at,
                }
                for rank, leaf in enumerate(batch)
            ],
        )
        start = self._first_node + node_count(first)
        self._connection.execute(
            insert(nodes),
            [{"position": start + rank, "hash": node} for rank, node in enumerate(hashes)],
        )
        return first

    def nodes(self, positions: Sequence[int]) -> list[bytes]:
        """Return the hashes at these positions; raise LogError where one misses."""
        wanted = [self._first_node + position for position in positions]
        query = select(nodes.c.position, nodes.c.hash).where(nodes.c.position.in_(wanted))
        found = {row.position: row.hash for row in self._connection.execute(query)}
        try:
            return [bytes(found[position]) for position in wanted]
        except KeyError as error:
            raise LogError("expected every node of the tree in the database") from error

    def leaf(self, index: int) -> bytes:
        """Return the leaf at `index`; raise LogError outside the log."""
        query = select(leaves.c.leaf).where(leaves.c.position == self._first + index)
        text: str | None = None
        if self._end is None or self._first + index < self._end:
            text = self._connection.scalar(query)
        if text is None:
            raise LogError(f"expected an index below {self.size()}, seen {index}")
        return text.encode("ascii")

    def leaves(self) -> Iterator[bytes]:
        """Return all leaves in order."""
        query = select(leaves.c.leaf).where(leaves.c.position >= self._first)
        if self._end is not None:
            query = query.where(leaves.c.position < self._end)
        query = query.order_by(leaves.c.position)
        for text in self._connection.execution_options(yield_per=ROWS_AT_A_TIME).scalars(query):
            yield text.encode("ascii")

    def size(self) -> int:
        """Return how many leaves there are: positions have no gap."""
        if self._end is not None:
            return self._end - self._first
        last = self._connection.scalar(select(func.max(leaves.c.position)))
        return 0 if last is None else last + 1 - self._first


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A witness's signature line on the checkpoint of `size` leaves, counted over all logs."""

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


def position_of_hash(connection: Connection, leaf_hash: bytes) -> int | None:
    """Return where the leaf with this RFC 9162 hash stands, or None."""
    return connection.scalar(select(leaves.c.position).where(leaves.c.leaf_hash == leaf_hash))


def leaves_of(connection: Connection, cid: str) -> tuple[bytes, ...]:
    """Return the leaves of one chain in order, those that wait to be merged included.

    What was received counts from its receipt on, wherever it stands by now.
    """
    return logged_leaves_of(connection, cid) + pending_of(connection, cid)


def logged_leaves_of(connection: Connection, cid: str) -> tuple[bytes, ...]:
    """Return the leaves of one chain that the log holds, in order."""
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


def operator_body_at(connection: Connection, position: int) -> OperatorBody | None:
    """Return what the operator's leaf at `position` commits to, or None."""
    query = select(operator_bodies).where(operator_bodies.c.position == position)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return OperatorBody(position=row.position, body=row.body, commitment_key=row.commitment_key)


def add_erasure(connection: Connection, *, leaf_sha256: str, position: int) -> None:
    """Keep where the log says that a leaf was emptied."""
    connection.execute(insert(erasures).values(leaf_sha256=leaf_sha256, position=position))


def erasure_position(connection: Connection, leaf_sha256: str) -> int | None:
    """Return where the log says that the leaf with this digest was emptied, or None."""
    query = select(erasures.c.position).where(erasures.c.leaf_sha256 == leaf_sha256)
    return connection.scalar(query)


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


def last_cosigned_size(
    connection: Connection, witness: str | None = None, *, shard: Shard | None = None
) -> int:
    """Return the largest size cosigned by `witness` (or by any); 0 when there is none.

    With a `shard`, the largest one of that log.
    """
    query = select(func.max(cosignatures.c.size))
    if shard is not None:
        query = query.where(*_of(shard))
    if witness is not None:
        query = query.where(cosignatures.c.witness == witness)
    return connection.scalar(query) or 0


def cosigned_sizes(connection: Connection, shard: Shard) -> tuple[int, ...]:
    """Return the sizes of a log of which a cosignature is kept, the smallest first."""
    query = select(cosignatures.c.size).where(*_of(shard)).distinct().order_by(cosignatures.c.size)
    return tuple(connection.scalars(query))


def quorum_size(
    connection: Connection, shard: Shard, *, vkeys: Sequence[str], quorum: int, above: int
) -> int | None:
    """Return a log's largest size over `above` that `quorum` of these keys cosigned, or None."""
    if not vkeys:
        return None
    query = (
        select(cosignatures.c.size)
        .where(cosignatures.c.witness.in_(vkeys), cosignatures.c.size > above, *_of(shard))
        .group_by(cosignatures.c.size)
        .having(func.count() >= quorum)
        .order_by(cosignatures.c.size.desc())
        .limit(1)
    )
    return connection.scalar(query)


def _of(shard: Shard) -> tuple[ColumnElement[bool], ...]:
    above = cosignatures.c.size > shard.first
    return (above,) if shard.end is None else (above, cosignatures.c.size <= shard.end)


def _cid(leaf: bytes) -> str:
    # The log verified the leaf a moment ago: here only its payload is read.
    return LeafPayload.parse(base64url_bytes(leaf.split(b".")[1].decode("ascii"))).cid
