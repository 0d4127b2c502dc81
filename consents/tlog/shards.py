r"""Yearly shards: how one log ends, how the next begins, and what binds the two.

Each year has a log of its own: own origin (`.../2027`), own key, own tree from 0. Its last leaf,
`shard.closed`, names the successor's verifier key; the successor's first leaf, `shard.opened`,
names the predecessor's key and its final size and root. Both are the operator's, and their `c` is
a plain SHA-256 of public values, so that whoever has the leaves and the keys can check it: no body
has to be handed over.

    shard.closed   c = SHA-256("shard.closed\n" + successor's vkey + "\n")
    shard.opened   c = SHA-256("shard.opened\n" + predecessor's vkey + "\n"
                               + origin + "\n" + size + "\n" + base64 of the root + "\n")

A tree has one last leaf, so one successor: whoever shows a second one has forked the first log,
which its witnesses' cosignatures prove. What may follow in a consent's chain is
`consents.records.chain`'s.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consents.canonical import canonical_bytes, parse_json, sha256_hex
from consents.errors import (
    CanonicalError,
    ConsentsError,
    HandoverError,
    HandoverFault,
    LeafError,
    LogError,
    NoteError,
    ProofError,
)
from consents.jws import thumbprint_of_raw
from consents.records.receipt import EventType, SignedEvent, read_event
from consents.tlog.checkpoint import Checkpoint, NoteKey, SignatureType, verify_checkpoint
from consents.tlog.proofs import LogReceipt

NO_PURPOSE = "0" * 64
"""The `pd` of a leaf about shards, which concerns every purpose alike."""

MAX_HANDOVER_BYTES = 1_048_576
"""Longest handover file read: two leaves of a kilobyte, two notes, two proofs."""

_YEARLY = re.compile(r"(.+)/([12][0-9]{3})")
_VERSION = 1
_MEMBERS = frozenset({"closing", "opening", "successor", "v"})


def shard_year(origin: str) -> int | None:
    """Return the year in the name of a yearly log, None for a log without one."""
    match = _YEARLY.fullmatch(origin)
    return None if match is None else int(match[2])


def shard_origin(origin: str, year: int) -> str:
    """Return the name of the log of `year` in the sequence that `origin` belongs to."""
    match = _YEARLY.fullmatch(origin)
    return f"{origin if match is None else match[1]}/{year:04d}"


def precedes(origin: str, later: str) -> bool:
    """Tell whether the log of the first name comes before that of the second in one sequence."""
    year, before = shard_year(later), shard_year(origin)
    if year is None or shard_origin(origin, year) != later:
        return False
    return before is None or before < year


def closing_digest(successor_vkey: str) -> str:
    """Return the `c` of the last leaf of a log that `successor_vkey` continues."""
    return sha256_hex(f"{EventType.SHARD_CLOSED.value}\n{successor_vkey}\n".encode())


def opening_digest(predecessor_vkey: str, final: Checkpoint) -> str:
    """Return the `c` of the first leaf of the log that continues one, closed at `final`."""
    said = f"{EventType.SHARD_OPENED.value}\n{predecessor_vkey}\n{final.to_text()}"
    return sha256_hex(said.encode())


def check_name(predecessor_vkey: str, successor_vkey: str) -> None:
    """Check that one log may follow another by name and key; raise HandoverError.

    The name is the same but for the year, and a year is never left out; the first log of a
    sequence may have no year. The key is another.
    """
    try:
        old, new = NoteKey.parse(predecessor_vkey), NoteKey.parse(successor_vkey)
    except NoteError as error:
        raise HandoverError(HandoverFault.FORM, "expected verifier keys") from error
    year, before = shard_year(new.name), shard_year(old.name)
    if year is None or new.name != shard_origin(old.name, year):
        raise HandoverError(HandoverFault.NAME, "expected the same name, but for the year")
    if before is not None and year != before + 1:
        raise HandoverError(HandoverFault.NAME, f"expected the log of {before + 1}, seen {year}")
    if new.type is not SignatureType.ED25519 or new.public_key == old.public_key:
        raise HandoverError(HandoverFault.SUCCESSOR, "expected a key of the new log's own")


def check_closing(event: SignedEvent | None, *, vkey: str, successor_vkey: str) -> None:
    """Check that the last leaf of the log of `vkey` names its successor; raise HandoverError."""
    if not _is_operators(event, EventType.SHARD_CLOSED, vkey):
        raise HandoverError(HandoverFault.NOT_CLOSED, "expected a log that ends with its closing")
    if event is None or event.payload.c != closing_digest(successor_vkey):
        raise HandoverError(HandoverFault.SUCCESSOR, "expected the successor that was named")


def check_opening(
    event: SignedEvent | None, *, vkey: str, predecessor_vkey: str, final: Checkpoint
) -> None:
    """Check that the first leaf of the log of `vkey` binds `final`; raise HandoverError."""
    if not _is_operators(event, EventType.SHARD_OPENED, vkey):
        raise HandoverError(HandoverFault.NOT_OPENED, "expected a log that begins by its opening")
    if event is None or event.payload.c != opening_digest(predecessor_vkey, final):
        raise HandoverError(
            HandoverFault.PREDECESSOR, "expected the log before it, at its final size and root"
        )


def followed_vkeys(trusted: Sequence[str], firsts: Iterable[Iterable[bytes]]) -> tuple[str, ...]:
    """
    Return a verifier key for each yearly log, oldest first, from those that are trusted.

    `trusted` are the keys of the oldest logs, `firsts` the leaves of each log, of which only the
    first is read. A log without a key is taken to be of the key that signed its first leaf; that
    the log before named this very key is checked with its last leaf (`check_closing`), without
    which nothing is shown. Raises LogError where a first leaf names no log.
    """
    found: list[str] = []
    for number, leaves in enumerate(firsts):
        if number < len(trusted):
            found.append(trusted[number])
            continue
        first = next(iter(leaves), None)
        try:
            event = None if first is None else read_event(first)
        except LeafError as error:
            raise LogError("expected a yearly log to begin with its opening") from error
        if event is None or event.payload.t is not EventType.SHARD_OPENED:
            raise LogError("expected a yearly log to begin with its opening")
        found.append(NoteKey.of_log(event.payload.o, event.public_key).vkey)
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """A handover that holds: the closed log's last checkpoint, the new one's first and its key."""

    final: Checkpoint
    opened: Checkpoint
    vkey: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """
    What shows that one log continues another: both leaves with their proofs, and the new key.

    As a file `{"closing", "opening", "successor", "v"}`. Nothing is checked until `verify`.
    """

    closing: LogReceipt
    opening: LogReceipt
    successor: str

    def verify(self, vkey: str) -> Succession:
        """
        Check everything from the key `vkey` of the log that is trusted so far.

        Raises HandoverError. Whether enough witnesses cosigned both notes is for the caller, who
        has a policy: without them an operator could show each reader another successor.
        """
        check_name(vkey, self.successor)
        try:
            closing = self.closing.verify(vkey)
            opening = self.opening.verify(self.successor)
            final = verify_checkpoint(self.closing.checkpoint, vkey)
            opened = verify_checkpoint(self.opening.checkpoint, self.successor)
        except ConsentsError as error:
            raise HandoverError(
                HandoverFault.PROOF, "expected both leaves proved under their logs' checkpoints"
            ) from error
        if self.closing.index != final.size - 1:
            raise HandoverError(HandoverFault.NOT_CLOSED, "expected the closing to be the last")
        check_closing(closing, vkey=vkey, successor_vkey=self.successor)
        if self.opening.index != 0:
            raise HandoverError(HandoverFault.NOT_OPENED, "expected the opening to be the first")
        check_opening(opening, vkey=self.successor, predecessor_vkey=vkey, final=final)
        return Succession(final=final, opened=opened, vkey=self.successor)

    def to_bytes(self) -> bytes:
        """Return the file to hand to witnesses and stores."""
        return canonical_bytes(
            {
                "v": _VERSION,
                "closing": self.closing.to_bytes().decode(),
                "opening": self.opening.to_bytes().decode(),
                "successor": self.successor,
            }
        )

    @classmethod
    def parse(cls, content: bytes) -> "Handover":
        """Read such a file; raise HandoverError. Verifies nothing."""
        try:
            value = parse_json(content) if len(content) <= MAX_HANDOVER_BYTES else None
            if not isinstance(value, dict) or set(value) != _MEMBERS or value["v"] != _VERSION:
                raise HandoverError(
                    HandoverFault.FORM, f"expected exactly {', '.join(sorted(_MEMBERS))}"
                )
            return cls(
                closing=LogReceipt.parse(str(value["closing"]).encode()),
                opening=LogReceipt.parse(str(value["opening"]).encode()),
                successor=str(value["successor"]),
            )
        except (CanonicalError, ProofError, UnicodeEncodeError) as error:
            raise HandoverError(HandoverFault.FORM, "expected a handover as JSON") from error


def _is_operators(event: SignedEvent | None, kind: EventType, vkey: str) -> bool:
    """Tell whether a leaf is of this kind, signed by the log's own key for the log itself."""
    key = NoteKey.parse(vkey)
    return (
        event is not None
        and event.payload.t is kind
        and event.payload.o == key.name
        and event.payload.kid == thumbprint_of_raw(key.public_key)
    )
