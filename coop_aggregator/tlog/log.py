"""The leader's consent log inside one transaction: residents' leaves and the operator's own.

Each year has a log of its own; only the newest one grows. Positions count on from one to the next.

Not the tree (`consents.tlog.nodes`) nor a chain's rules (`consents.records.chain`). What residents
sent is received with a promise, then merged in order of receipt; the operator's own leaves never
overtake it. They form one chain, signed by the log key; each commits to a public body that is kept
beside the log and exported with it.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from consents.canonical import COMMITMENT_KEY_BYTES, canonical_bytes, commitment, utc_text
from consents.jws import thumbprint
from consents.records.receipt import EventType, LeafPayload, leaf_sha256, sign_event
from consents.tlog.checkpoint import read_checkpoint
from consents.tlog.log import ConsentLog, LogReceipt
from consents.tlog.promise import MAX_MERGE_DELAY, promise
from consents.tlog.shards import NO_PURPOSE
from consents.tlog.tiles import ENTRIES, HEIGHT, Tile, entry_bundle, hash_tile
from consents.tlog.tlog_proof import TlogProof
from coop_aggregator.db import events
from coop_aggregator.db import log as db
from coop_aggregator.db.identity import lock
from coop_aggregator.db.shards import Shard, load_shards
from coop_aggregator.errors import LogClosed
from coop_aggregator.keys import LeaderKeys
from coop_aggregator.tlog.witnesses import Witnesses

MERGE_BATCH = 1_000
"""Leaves appended in one step: a fraction of a second of signature checks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """
    The operator's answer to an event: its promise, and the proof once the log holds the leaf.

    `fresh` is False when the event was here before; the promise is then the one given first.
    """

    promise: bytes
    logged: LogReceipt | None
    root: bytes | None
    fresh: bool


class LeaderLog:
    """One year's log, by default the open one, as seen by one transaction at `now`."""

    def __init__(
        self,
        connection: Connection,
        *,
        keys: LeaderKeys,
        now: datetime,
        witnesses: Witnesses,
        shard: Shard | None = None,
    ) -> None:
        """Keep the transaction, and read which logs there are."""
        self._connection = connection
        self._keys = keys
        self._now = now
        self._witnesses = witnesses
        self.shards = load_shards(connection)
        self.shard = self.shards.current if shard is None else shard
        self._key = keys.of_log(self.shard.number)
        self._storage = db.SqlLog(connection, now=now, shard=self.shard)
        self._log = ConsentLog(
            self._storage, self.shard.origin, self._key, earlier=self.shards.earlier(self.shard)
        )

    @property
    def origin(self) -> str:
        """The name of this log."""
        return self.shard.origin

    @property
    def end(self) -> int:
        """The position after the last leaf: this log's size, counted over all logs."""
        return self.shard.first + self._storage.size()

    def of(self, shard: Shard) -> "LeaderLog":
        """Return another year's log in the same transaction."""
        if shard == self.shard:
            return self
        return LeaderLog(
            self._connection,
            keys=self._keys,
            now=self._now,
            witnesses=self._witnesses,
            shard=shard,
        )

    def receive(self, leaf: bytes, *, cid: str, at_once: bool) -> Received:
        """Take a checked leaf in and promise to merge it; the same leaf again changes nothing.

        With `at_once` it is merged now, after those that waited. Holds the writers' lock.
        """
        self._lock()
        digest = leaf_sha256(leaf)
        kept = events.promise_for(self._connection, digest)
        fresh = not self.knows(digest)
        if fresh:
            events.add_pending(
                self._connection, leaf=leaf, leaf_sha256=digest, cid=cid, received_at=self._now
            )
        if kept is None:
            kept = self._promise(leaf, digest)
        if at_once:
            self.merge()
        position = db.leaf_position(self._connection, digest)
        logged = None if position is None else self.receipt(position)
        return Received(
            promise=kept.token,
            logged=logged,
            root=None if logged is None else read_checkpoint(logged.checkpoint).root,
            fresh=fresh,
        )

    def knows(self, digest: str) -> bool:
        """Tell whether the event with this SHA-256 is in the log or waits to be merged."""
        return db.leaf_position(self._connection, digest) is not None or events.is_pending(
            self._connection, digest
        )

    def merge(self) -> int:
        """Append whatever waits, in order of receipt; return how many leaves that were."""
        self._lock()
        merged = 0
        while waiting := events.oldest_pending(self._connection, limit=MERGE_BATCH):
            self._log.append_batch([event.leaf for event in waiting])
            events.drop_pending(self._connection, waiting)
            merged += len(waiting)
        return merged

    def record(self, kind: EventType, *, purpose_digest: str, body: Mapping[str, str | int]) -> int:
        """Append an operator's leaf that commits to `body`; return its position.

        Whatever was received before stands before it.
        """
        key = secrets.token_bytes(COMMITMENT_KEY_BYTES)
        position = self._append(kind, purpose_digest, commitment(key=key, body=body))
        db.add_operator_body(
            self._connection,
            db.OperatorBody(
                position=position,
                body=canonical_bytes(dict(body)).decode(),
                commitment_key=key.hex(),
            ),
        )
        return position

    def join(self, kind: EventType, digest: str) -> int:
        """Append a leaf that joins this log to another year's (`consents.tlog.shards`)."""
        return self._append(kind, NO_PURPOSE, digest)

    def checkpoint(self) -> str:
        """Return the signed checkpoint of all leaves, with the cosignatures kept for its size."""
        return self.cosigned(self._storage.size())

    def signed(self, size: int | None = None) -> str:
        """Return the checkpoint of the first `size` leaves (default: all) with our signature."""
        return self._log.checkpoint(size)

    def published(self) -> str:
        """Return the newest checkpoint that a quorum of our witnesses cosigned.

        Until they have for the first time, and where none is named: the newest of all.
        """
        size = self._quorum_size(above=0)
        return self.checkpoint() if size is None else self.cosigned(size)

    def cosigned(self, size: int) -> str:
        """Return the checkpoint of the first `size` leaves with the cosignatures kept for it."""
        counted = self.shard.first + size
        lines = [known.line for known in db.cosignatures_of(self._connection, size=counted)]
        return self._log.checkpoint(size) + "".join(lines)

    def tile(self, tile: Tile) -> bytes | None:
        """Return the bytes of a tile of the tree as it stands, None where it has none such."""
        size = self._storage.size() >> (max(tile.level, 0) * HEIGHT)
        if (tile.index << HEIGHT) + tile.width > size:
            return None
        if tile.level != ENTRIES:
            return hash_tile(self._storage, tile)
        first = self.shard.first + (tile.index << HEIGHT)
        texts = db.leaf_range(self._connection, start=first, end=first + tile.width)
        return entry_bundle(text.encode("ascii") for text in texts)

    def proof(self, leaf_hash: bytes) -> TlogProof | None:
        """Return the proof for a leaf hash under the checkpoint that shows most of the witnesses.

        The newest with a quorum, else with any of them, else the newest of all, of the log of any
        year. The leaf itself stays out: who asks holds it already. None where no log has it.
        """
        position = db.position_of_hash(self._connection, leaf_hash)
        if position is None:
            return None
        shard = self.shards.at(position)
        return self.of(shard).proof_at(position - shard.first)

    def proved(self, index: int) -> LogReceipt:
        """Return the leaf at `index` of this log with its proof, as `proof` chooses it."""
        return self.proof_at(index).receipt(self._storage.leaf(index))

    def proof_at(self, index: int) -> TlogProof:
        """Return the proof of a leaf of this log by its index here; see `proof`."""
        sizes = [size for size in self.cosigned_sizes() if size > index]
        size = self._quorum_size(above=index)
        if size is None:
            size = sizes[-1] if sizes else self._storage.size()
        path = self._log.inclusion(index, size)
        return TlogProof(index=index, hashes=path.hashes, checkpoint=self.cosigned(size))

    def consistency(self, old_size: int, size: int | None = None) -> list[bytes]:
        """Prove that `size` leaves (default: all) continue the first `old_size`.

        Nothing needs proving from the empty log. Raises ProofError.
        """
        return [] if old_size == 0 else self._log.consistency(old_size, size)

    def receipt(self, position: int) -> LogReceipt:
        """Return the proof of the leaf at `position`, under its log's checkpoint of all leaves."""
        shard = self.shards.at(position)
        return self.of(shard).receipt_at(position - shard.first)

    def receipt_at(self, index: int) -> LogReceipt:
        """Return the proof of a leaf of this log by its index here; see `receipt`."""
        return self._log.receipt(index)

    def leaves(self) -> Iterator[bytes]:
        """Return every leaf in order, a few at a time."""
        return self._storage.leaves()

    def size(self) -> int:
        """Return how many leaves there are."""
        return self._storage.size()

    def cosigned_sizes(self) -> list[int]:
        """Return the sizes of this log of which a cosignature is kept, the smallest first."""
        return [each - self.shard.first for each in db.cosigned_sizes(self._connection, self.shard)]

    def _append(self, kind: EventType, purpose_digest: str, c: str) -> int:
        self.merge()
        cid = operator_cid(self.origin)
        chain = db.leaves_of(self._connection, cid)
        payload = LeafPayload(
            t=kind,
            o=self.origin,
            cid=cid,
            n=len(chain),
            p=leaf_sha256(chain[-1]) if chain else "",
            pd=purpose_digest,
            c=c,
            at=utc_text(self._now),
            kid=thumbprint(self._key.public_key()),
        )
        return self.shard.first + self._log.append(sign_event(payload, self._key))

    def _lock(self) -> None:
        """Keep other writers out, and refuse to write to a log that a year's turn has closed."""
        lock(self._connection)
        if load_shards(self._connection).current != self.shard:
            raise LogClosed(
                fr="Ce journal vient d'être clos pour l'année : rien n'a été inscrit. Recommencez.",
                en="This log was just closed for the year: nothing was written. Try again.",
            )

    def _quorum_size(self, *, above: int) -> int | None:
        counted = db.quorum_size(
            self._connection,
            self.shard,
            vkeys=self._witnesses.vkeys,
            quorum=self._witnesses.quorum,
            above=self.shard.first + above,
        )
        return None if counted is None else counted - self.shard.first

    def _promise(self, leaf: bytes, digest: str) -> events.KeptPromise:
        kept = events.KeptPromise(
            token=promise(leaf, self._key, now=self._now, delay=MAX_MERGE_DELAY),
            merge_by=self._now + MAX_MERGE_DELAY,
        )
        events.add_promise(self._connection, leaf_sha256=digest, promise=kept)
        return kept


def operator_cid(origin: str) -> str:
    """Return the chain id of the operator's own leaves: 16 bytes in hex, fixed by the origin."""
    return sha256(f"operator\n{origin}".encode()).hexdigest()[:32]
