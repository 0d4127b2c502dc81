"""The log as a timeline: after each entry, where its consent stands, in records of fixed length.

It is collected while the log is verified (`consents.audit.grown`), and its records then answer the
questions of an audit in seconds, also when kept in the auditor's own folder (`kept`).
Nothing here verifies or reads a file.
"""

import struct
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from consents.canonical import base64url_bytes, canonical_bytes, sha256_hex, utc_text, utc_time
from consents.errors import KeptError
from consents.records.chain import ConsentState, Delegate
from consents.records.decision import CLOCK_TOLERANCE
from consents.records.receipt import EventType, LeafPayload, SignedEvent
from consents.tlog.checkpoint import Checkpoint
from consents.tlog.merkle import EMPTY_ROOT, HASH_BYTES
from consents.tlog.nodes import Frontier

_RECORD = struct.Struct(">16sBB32s32s32s32sq")
_KINDS = tuple(EventType)
_NOTHING = 255

RECORD_BYTES = _RECORD.size
"""Length of the record of one entry."""

_CID_BYTES = 16
_AT_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKeys:
    """
    Whose entries count beside the residents': RFC 7638 thumbprints of the reader's own keys.

    `operators` are the keys of the logs, one for each year, oldest first.
    """

    operators: tuple[str, ...]
    stewards: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of these keys in hex, stewards in any order: a timeline is of one set of keys."""
        named = {"operators": list(self.operators), "stewards": sorted(set(self.stewards))}
        return sha256_hex(canonical_bytes(named))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    One entry of the log, and where its chain stands after it.

    `status` is None for an entry that does not count. Hashes and `kid`, the key of the chain, are
    raw bytes; `head` is the SHA-256 of the entry; `at_s` its claimed time in seconds since 1970.
    """

    cid: bytes
    kind: EventType | None
    status: EventType | None
    pd: bytes
    kid: bytes
    head: bytes
    leaf_hash: bytes
    at_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActLeaf:
    """An operator's entry: what it commits to has yet to be opened. `c` in hex, `kid` as text."""

    position: int
    kind: EventType
    pd: str
    c: str
    at: str
    kid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Helpers:
    """
    The keys that may end a consent beside that of its chain, from the entry at `position` on.

    `kids` are those of all of them; the `delegates` among them only within their mandates.
    """

    position: int
    kids: tuple[str, ...] = ()
    delegates: tuple[Delegate, ...] = ()

    def may_act(self, payload: LeafPayload, *, received_at: datetime) -> bool:
        """Tell whether an act that somebody received is within its signer's mandate, if any."""
        for each in self.delegates:
            if each.kid == payload.kid:
                in_time = received_at < each.mandate.ends_at + CLOCK_TOLERANCE
                return in_time and each.mandate.covers(payload.t, at=payload.at_time)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """
    All steps of the log that a checkpoint describes, and the operator's entries among them.

    `former` are the final checkpoints of the logs of the years before, oldest first: their steps
    come first, and positions count on from one log to the next. `keys` are those whose entries were
    let in; `helpers` tell, by consent id, who could end a consent beside the key of its chain, with
    every change of it in order.
    """

    checkpoint: Checkpoint
    keys: TrustedKeys
    records: bytes = field(repr=False)
    acts: tuple[ActLeaf, ...]
    helpers: Mapping[str, tuple[Helpers, ...]] = field(default_factory=dict)
    former: tuple[Checkpoint, ...] = ()

    @property
    def origins(self) -> tuple[str, ...]:
        """The names of the logs, oldest first."""
        return tuple(each.origin for each in (*self.former, self.checkpoint))

    def start(self, origin: str) -> int:
        """Return the position of the first entry of the log of this name; raise ValueError."""
        return sum(each.size for each in self.former[: self.origins.index(origin)])

    def __len__(self) -> int:
        """Return how many entries there are."""
        return len(self.records) // _RECORD.size

    def rows(self) -> Iterator[tuple[bytes, int, int, bytes, bytes, bytes, bytes, int]]:
        """Yield (cid, kind, status, pd, kid, head, leaf_hash, at_s) of each entry, fast."""
        return _RECORD.iter_unpack(self.records)

    def steps(self) -> Iterator[Step]:
        """Yield each entry's step in order."""
        for cid, kind, status, pd, kid, head, leaf_hash, at_s in self.rows():
            yield Step(
                cid=cid,
                kind=event_type(kind),
                status=event_type(status),
                pd=pd,
                kid=kid,
                head=head,
                leaf_hash=leaf_hash,
                at_s=at_s,
            )

    def signers(self) -> frozenset[bytes]:
        """Return the keys that ever could act in a chain: consent id and thumbprint, 48 bytes."""
        found = {row[0] + row[4] for row in self.rows() if row[2] != _NOTHING}
        for cid, changes in self.helpers.items():
            for each in changes:
                found.update(bytes.fromhex(cid) + base64url_bytes(kid) for kid in each.kids)
        return frozenset(found)

    def helpers_at(self, cid: str, position: int) -> Helpers:
        """Return who could end a consent beside its chain's key after the entry at `position`."""
        changes = self.helpers.get(cid, ())
        after = bisect_right(changes, position, key=lambda each: each.position)
        return changes[after - 1] if after else Helpers(position=0)

    def cid(self, position: int) -> bytes:
        """Return the consent id of the entry at `position`."""
        start = position * RECORD_BYTES
        return self.records[start : start + _CID_BYTES]

    def leaf_hash(self, position: int) -> bytes:
        """Return the Merkle hash of the entry at `position`."""
        end = (position + 1) * RECORD_BYTES - _AT_BYTES
        return self.records[end - HASH_BYTES : end]

    def prefix_roots(self, origin: str, sizes: Collection[int]) -> dict[int, bytes]:
        """
        Return the roots of the first entries of one of the logs, for each of these sizes.

        Those that the log does not reach are left out. Raises ValueError for another log.
        """
        start = self.start(origin)
        whole = (*self.former, self.checkpoint)[self.origins.index(origin)]
        roots = {0: EMPTY_ROOT, whole.size: whole.root}
        inner = sorted(size for size in set(sizes) if 0 < size < whole.size)
        frontier = Frontier()
        hashes = (row[6] for row in islice(self.rows(), start, None))
        for size in inner:
            for _ in frontier.grow(islice(hashes, size - frontier.size)):
                pass
            roots[size] = frontier.root()
        return roots


def event_type(code: int) -> EventType | None:
    """Return the type with this code in a record; None for what does not count."""
    return None if code == _NOTHING else _KINDS[code]


def type_code(kind: EventType | None) -> int:
    """Return the code of a type in a record."""
    return _NOTHING if kind is None else _KINDS.index(kind)


class TimelineBuilder:
    """
    Collects records while the entries are read, from the first or on from a `kept` timeline.

    Of what was kept, the consents `replayed` are collected anew, and must come to the same.
    """

    def __init__(
        self, kept: Timeline | None = None, *, replayed: Collection[bytes] = frozenset()
    ) -> None:
        """Begin before the first entry."""
        self._next = 0
        self._records = bytearray() if kept is None else bytearray(kept.records)
        self._acts: list[ActLeaf] = []
        self._helpers: dict[str, list[Helpers]] = {}
        for cid, changes in {} if kept is None else kept.helpers.items():
            if bytes.fromhex(cid) not in replayed:
                self._helpers[cid] = list(changes)

    def skip(self) -> None:
        """Pass over an entry that was kept."""
        self._next += 1

    def observe(
        self, leaf_hash: bytes, event: SignedEvent | None, state: ConsentState | None
    ) -> None:
        """Take in the next entry; raise KeptError where something else was kept of it."""
        position, record = self._next, record_of(leaf_hash, event, state)
        self._next += 1
        kept = self._records[position * RECORD_BYTES : self._next * RECORD_BYTES]
        if not kept:
            self._records += record
        elif kept != record:
            raise KeptError("expected kept records that follow from the entries")
        if event is None:
            return
        payload = event.payload
        self._note_helpers(payload.cid, position, state)
        if not payload.t.of_resident:
            self._acts.append(
                ActLeaf(
                    position=position,
                    kind=payload.t,
                    pd=payload.pd,
                    c=payload.c,
                    at=utc_text(payload.at_time),
                    kid=payload.kid,
                )
            )

    def timeline(
        self, checkpoint: Checkpoint, keys: TrustedKeys, *, former: Sequence[Checkpoint] = ()
    ) -> Timeline:
        """Return what was collected."""
        return Timeline(
            checkpoint=checkpoint,
            keys=keys,
            records=bytes(self._records),
            acts=tuple(self._acts),
            helpers={cid: tuple(changes) for cid, changes in self._helpers.items()},
            former=tuple(former),
        )

    def _note_helpers(self, cid: str, position: int, state: ConsentState | None) -> None:
        now = Helpers(position=position)
        if state is not None and (state.signers or state.delegates or state.recovery):
            kids = tuple(sorted(state.ending_kids))
            now = Helpers(position=position, kids=kids, delegates=state.delegates)
        before = self._helpers.get(cid, [Helpers(position=position)])[-1]
        if (now.kids, now.delegates) != (before.kids, before.delegates):
            self._helpers.setdefault(cid, []).append(now)


def record_of(leaf_hash: bytes, event: SignedEvent | None, state: ConsentState | None) -> bytes:
    """Return the record of one entry, of `RECORD_BYTES`."""
    if event is None:
        return _RECORD.pack(
            bytes(_CID_BYTES),
            _NOTHING,
            _NOTHING,
            bytes(HASH_BYTES),
            bytes(HASH_BYTES),
            bytes(HASH_BYTES),
            leaf_hash,
            0,
        )
    payload = event.payload
    kid = payload.kid if state is None else state.kid
    return _RECORD.pack(
        bytes.fromhex(payload.cid),
        type_code(payload.t),
        type_code(None if state is None else state.status),
        bytes.fromhex(payload.pd if state is None else state.purpose_digest),
        base64url_bytes(kid),
        bytes.fromhex(event.head),
        leaf_hash,
        int(payload.at_time.timestamp()),
    )


def seconds(text: str) -> int:
    """Return the seconds since 1970 of a claimed time."""
    return int(utc_time(text).timestamp())
