"""Read a log from its first leaf, and the yearly logs that follow it: the one pass over all leaves.

It recomputes each tree, follows every consent's chain from one log into the next, and checks that
each log binds the one before. Nothing is believed but the leaves; whose key signs which log, and
the checkpoints' signatures, are the caller's (`consents.verify.verification`).
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from consents.errors import ChainError, ChainFault, ForgedLeaf, HandoverError, LeafError, LogError
from consents.records.chain import ConsentState, extend
from consents.records.receipt import EventType, SignedEvent, read_event
from consents.tlog import merkle
from consents.tlog.checkpoint import Checkpoint
from consents.tlog.shards import check_closing, check_name, check_opening
from consents.verify.verdicts import Finding, Problem

Observer = Callable[[bytes, SignedEvent | None, ConsentState | None], None]
"""What sees each leaf: its Merkle hash, its event, and where its chain then stands (or None)."""

Known = Callable[[int, bytes], bool]
"""Tells whether the leaf at an index, with this Merkle hash, was verified before and needs no more.

A consent is known whole or not at all: who spares one of its leaves must spare all of them.
"""


@dataclass(slots=True, kw_only=True)
class ReadLog:
    """One log as read: leaf hashes in order, and the events at both ends of it."""

    checkpoint: Checkpoint
    vkey: str
    hashes: list[bytes] = field(default_factory=list)
    first: SignedEvent | None = None
    last: SignedEvent | None = None


@dataclass(slots=True, kw_only=True)
class Replay:
    """
    Logs read one after the other: where each chain stands, and what is wrong so far.

    `findings` count entries from the first log's first.
    """

    operator_kids: Collection[str]
    steward_kids: Collection[str]
    observe: Observer | None
    known: Known | None = None
    logs: list[ReadLog] = field(default_factory=list)
    states: dict[str, ConsentState] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many leaves were read, of all logs."""
        return sum(len(log.hashes) for log in self.logs)

    def log_of(self, origin: str) -> ReadLog | None:
        """Return the log of this name, None where none was read."""
        return next((log for log in self.logs if log.checkpoint.origin == origin), None)

    def read(self, entries: Iterable[bytes], *, checkpoint: Checkpoint, vkey: str) -> bool:
        """
        Read the next log to its end, and hold it to the signed `checkpoint`.

        False where the rest cannot be judged: an entry that cannot be read, or a log that continues
        another which was not read.
        """
        start, before = self.count, self.logs[-1] if self.logs else None
        log = ReadLog(checkpoint=checkpoint, vkey=vkey)
        self.logs.append(log)
        found: list[Finding] = []
        try:
            for leaf in entries:
                index = start + len(log.hashes)
                found += self._take(log, leaf, index)
                if before is None and _continues_another(log):
                    detail = "expected the log of the year before as well"
                    self.findings.append(_finding(Problem.NO_FORMER_LOG, detail, index))
                    return False
        except LogError as error:
            index = start + len(log.hashes)
            self.findings += [*found, _finding(Problem.UNREADABLE, error, index)]
            return False
        self.findings += [*_tree_findings(log), *found]
        if before is not None:
            self.findings += _turn_findings(before, log, start)
        return True

    def _take(self, log: ReadLog, leaf: bytes, index: int) -> Iterator[Finding]:
        """Read the next leaf; a bad one still counts in the tree, as its bytes stand there."""
        hashed = merkle.leaf_hash(leaf)
        log.hashes.append(hashed)
        if self.known is not None and self.known(index, hashed):
            log.last = None
            return
        event: SignedEvent | None = None
        state: ConsentState | None = None
        try:
            event = read_event(leaf)
            misplaced = _misplaced(log, event)
            log.last = event
            log.first = event if len(log.hashes) == 1 else log.first
            if misplaced:
                detail = "expected nothing after a log's closing, and an opening only at its start"
                yield _finding(Problem.HANDOVER, detail, index)
            state = self._extended(event)
        except LeafError as error:
            log.last = None
            forged = isinstance(error, ForgedLeaf)
            problem = Problem.FORGED_ENTRY if forged else Problem.MALFORMED_ENTRY
            yield _finding(problem, error, index)
        except ChainError as error:
            stranger = error.fault is ChainFault.ORIGIN
            problem = Problem.OTHER_LOG if stranger else Problem.BROKEN_CHAIN
            yield _finding(problem, error, index)
        if self.observe is not None:
            self.observe(hashed, event, state)

    def _extended(self, event: SignedEvent) -> ConsentState:
        *earlier, origin = (log.checkpoint.origin for log in self.logs)
        cid = event.payload.cid
        state = extend(
            self.states.get(cid),
            event,
            log_origin=origin,
            earlier=earlier,
            operator_kids=self.operator_kids,
            steward_kids=self.steward_kids,
        )
        self.states[cid] = state
        return state


def _misplaced(log: ReadLog, event: SignedEvent) -> bool:
    """Tell whether a leaf comes after the log's closing, or opens it anywhere but at its start."""
    after = log.last is not None and log.last.payload.t is EventType.SHARD_CLOSED
    return after or (event.payload.t is EventType.SHARD_OPENED and len(log.hashes) > 1)


def _continues_another(log: ReadLog) -> bool:
    return log.first is not None and log.first.payload.t is EventType.SHARD_OPENED


def _tree_findings(log: ReadLog) -> list[Finding]:
    checkpoint = log.checkpoint
    if len(log.hashes) != checkpoint.size:
        detail = f"expected {checkpoint.size} entries, seen {len(log.hashes)}"
        return [Finding(problem=Problem.ENTRY_COUNT, detail=detail)]
    if merkle.root(log.hashes) != checkpoint.root:
        detail = "expected the signed root, recomputed another from the entries"
        return [Finding(problem=Problem.ROOT, detail=detail)]
    return []


def _turn_findings(before: ReadLog, log: ReadLog, start: int) -> list[Finding]:
    try:
        check_name(before.vkey, log.vkey)
        check_closing(before.last, vkey=before.vkey, successor_vkey=log.vkey)
        check_opening(
            log.first, vkey=log.vkey, predecessor_vkey=before.vkey, final=before.checkpoint
        )
    except HandoverError as error:
        return [_finding(Problem.HANDOVER, f"{error.fault.value}: {error}", start)]
    return []


def _finding(problem: Problem, detail: object, index: int) -> Finding:
    return Finding(problem=problem, detail=str(detail), index=index)
