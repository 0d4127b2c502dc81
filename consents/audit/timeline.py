"""The log as a timeline: after each entry, where its consent stands, in records of fixed length.

Making one verifies everything once: signatures, chains, root. The records then answer the
questions of an audit in seconds, also when kept in the auditor's own folder. They are believed
only for the very root that they were made from.
"""

import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from consents.canonical import (
    base64url_bytes,
    canonical_bytes,
    parse_json,
    sha256_hex,
    utc_text,
    utc_time,
)
from consents.errors import CanonicalError, ExportError, LeafError, NoteError
from consents.records.chain import ConsentState, Delegate
from consents.records.decision import CLOCK_TOLERANCE
from consents.records.mandate import Mandate
from consents.records.receipt import EventType, LeafPayload, SignedEvent
from consents.tlog.checkpoint import Checkpoint, read_checkpoint
from consents.tlog.merkle import EMPTY_ROOT
from consents.tlog.nodes import Frontier
from consents.verify.verification import LogFiles, Verification, verify_log

FORMAT = "consents-timeline/3"
"""First member of a kept timeline's header."""

_RECORD = struct.Struct(">16sBB32s32s32s32sq")
_KINDS = tuple(EventType)
_NOTHING = 255


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
class Timeline:
    """
    All steps of the log that a checkpoint describes, and the operator's entries among them.

    `former` are the final checkpoints of the logs of the years before, oldest first: their steps
    come first, and positions count on from one log to the next. `keys` are those whose entries were
    let in; `helpers` those, by consent id, that may end a consent beside the key of its chain;
    `mandates` say within which time the delegates among them may.
    """

    checkpoint: Checkpoint
    keys: TrustedKeys
    records: bytes = field(repr=False)
    acts: tuple[ActLeaf, ...]
    helpers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mandates: Mapping[str, tuple[Delegate, ...]] = field(default_factory=dict)
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
        """Return the keys of each chain, and its helpers: consent id and thumbprint, 48 bytes."""
        found = {row[0] + row[4] for row in self.rows() if row[2] != _NOTHING}
        for cid, kids in self.helpers.items():
            found.update(bytes.fromhex(cid) + base64url_bytes(kid) for kid in kids)
        return frozenset(found)

    def may_act(self, payload: LeafPayload, *, received_at: datetime) -> bool:
        """Tell whether an act that somebody received is within its signer's mandate, if any."""
        for each in self.mandates.get(payload.cid, ()):
            if each.kid == payload.kid:
                in_time = received_at < each.mandate.ends_at + CLOCK_TOLERANCE
                return in_time and each.mandate.covers(payload.t, at=payload.at_time)
        return True

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

    def to_bytes(self) -> bytes:
        """Return the file that an auditor keeps: a line of JSON, then the records."""
        header = {
            "format": FORMAT,
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "root": self.checkpoint.root.hex(),
            "former": [_line(each) for each in self.former],
            "keys": self.keys.digest,
            "records_sha256": sha256_hex(self.records),
            "helpers": {cid: list(kids) for cid, kids in self.helpers.items()},
            "mandates": {
                cid: [[each.kid, each.mandate.to_mapping()] for each in delegates]
                for cid, delegates in self.mandates.items()
            },
            "acts": [asdict(act) for act in self.acts],
        }
        return canonical_bytes(header) + b"\n" + self.records

    @classmethod
    def parse(cls, content: bytes, *, checkpoint: Checkpoint, keys: TrustedKeys) -> "Timeline":
        """Read a kept file made from this checkpoint with these very keys; raise ExportError."""
        line, _, records = content.partition(b"\n")
        try:
            header = parse_json(line)
        except CanonicalError as error:
            raise ExportError("expected a kept timeline") from error
        of = [FORMAT, checkpoint.origin, checkpoint.size, checkpoint.root.hex(), keys.digest]
        if (
            not isinstance(header, dict)
            or [header.get(name) for name in ("format", "origin", "size", "root", "keys")] != of
            or header.get("records_sha256") != sha256_hex(records)
        ):
            raise ExportError(
                "expected a whole timeline of this log, at this checkpoint, by these keys"
            )
        try:
            acts = tuple(
                ActLeaf(**{**each, "kind": EventType(each["kind"])}) for each in header["acts"]
            )
            helpers = {cid: tuple(kids) for cid, kids in header["helpers"].items()}
            mandates = {
                cid: tuple(
                    Delegate(kid=kid, mandate=Mandate.from_value(said)) for kid, said in delegates
                )
                for cid, delegates in header.get("mandates", {}).items()
            }
            former = tuple(map(_checkpoint, header["former"]))
        except (LeafError, AttributeError, KeyError, TypeError, ValueError, NoteError) as error:
            raise ExportError("expected a kept timeline") from error
        entries = sum(each.size for each in (*former, checkpoint))
        if len(records) != entries * _RECORD.size:
            raise ExportError("expected every entry of the logs in a kept timeline")
        return cls(
            checkpoint=checkpoint,
            keys=keys,
            records=records,
            acts=acts,
            helpers=helpers,
            mandates=mandates,
            former=former,
        )


def timeline_file(root: bytes, keys: TrustedKeys) -> str:
    """Return the name, in an auditor's folder, of the timeline of a root by these keys."""
    return f"{root.hex()}-{keys.digest[:16]}.timeline"


def _line(checkpoint: Checkpoint) -> list[str | int]:
    return [checkpoint.origin, checkpoint.size, checkpoint.root.hex()]


def _checkpoint(line: Sequence[Any]) -> Checkpoint:
    origin, size, root = line
    return Checkpoint(origin=origin, size=size, root=bytes.fromhex(root))


def event_type(code: int) -> EventType | None:
    """Return the type with this code in a record; None for what does not count."""
    return None if code == _NOTHING else _KINDS[code]


def type_code(kind: EventType | None) -> int:
    """Return the code of a type in a record."""
    return _NOTHING if kind is None else _KINDS.index(kind)


class TimelineBuilder:
    """Collects records while `verify_log` reads the entries."""

    def __init__(self) -> None:
        """Start empty."""
        self._records = bytearray()
        self._acts: list[ActLeaf] = []
        self._helpers: dict[str, tuple[str, ...]] = {}
        self._mandates: dict[str, tuple[Delegate, ...]] = {}
        self._count = 0

    def observe(
        self, leaf_hash: bytes, event: SignedEvent | None, state: ConsentState | None
    ) -> None:
        """Take in the next entry."""
        position = self._count
        self._count += 1
        if event is None:
            self._records += _RECORD.pack(
                bytes(16), _NOTHING, _NOTHING, bytes(32), bytes(32), bytes(32), leaf_hash, 0
            )
            return
        payload = event.payload
        kid = payload.kid if state is None else state.kid
        self._records += _RECORD.pack(
            bytes.fromhex(payload.cid),
            type_code(payload.t),
            type_code(None if state is None else state.status),
            bytes.fromhex(payload.pd if state is None else state.purpose_digest),
            base64url_bytes(kid),
            bytes.fromhex(event.head),
            leaf_hash,
            int(payload.at_time.timestamp()),
        )
        if state is not None and (state.signers or state.delegates or state.recovery):
            self._helpers[payload.cid] = tuple(sorted(state.ending_kids))
            self._mandates[payload.cid] = state.delegates
        else:
            self._helpers.pop(payload.cid, None)
            self._mandates.pop(payload.cid, None)
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
            helpers=self._helpers,
            mandates=self._mandates,
            former=tuple(former),
        )


def verified_timeline(
    logs: Sequence[LogFiles], keys: TrustedKeys
) -> tuple[Verification, Timeline | None]:
    """Verify whole logs, one for each year, and return what was found.

    With it comes their timeline where all of them are sound.
    """
    builder = TimelineBuilder()
    *former, newest = logs
    verification = verify_log(
        newest,
        former=former,
        operator_kids=keys.operators,
        steward_kids=keys.stewards,
        observe=builder.observe,
    )
    if verification.checkpoint is None or verification.findings:
        return verification, None
    finals = [read_checkpoint(each.checkpoint) for each in former]
    return verification, builder.timeline(verification.checkpoint, keys, former=finals)


def seconds(text: str) -> int:
    """Return the seconds since 1970 of a claimed time."""
    return int(utc_time(text).timestamp())
