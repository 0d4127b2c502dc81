"""The logs of an export: attested, verified into one timeline, held to all that was seen before.

The policy may name the key of the oldest log alone: each log hands over to the next.

What the auditor kept of the last audit spares the leaves that were verified then, and is itself a
checkpoint that the log must continue. Only a log that continues everything takes its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from consents.audit.case import Seen
from consents.audit.files import Export, Workspace
from consents.audit.findings import AuditFinding, AuditProblem
from consents.audit.grown import verified_timeline
from consents.audit.kept import Kept, kept_file
from consents.audit.timeline import Timeline, TrustedKeys
from consents.audit.times import seen_times
from consents.errors import UntrustedNote
from consents.jws import thumbprint_of_raw
from consents.tlog.checkpoint import Checkpoint, NoteKey, read_checkpoint
from consents.tlog.policy import Attested, WitnessPolicy
from consents.tlog.shards import followed_vkeys
from consents.verify.verification import LogFiles, Problem, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class YearLog:
    """One year's log: its files, its attested checkpoint, and where its entries begin."""

    export: Export
    attested: Attested
    start: int

    @property
    def kid(self) -> str:
        """Thumbprint of the key that signs it."""
        return _kid(self.attested.log_vkey)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedLogs:
    """The timeline of sound logs, and the cosigned checkpoints that bound its times."""

    timeline: Timeline
    seen: tuple[Seen, ...]


@dataclass(slots=True, kw_only=True)
class AuditWork:
    """The work in progress: sources, and what was wrong so far."""

    export: Export
    policy: WitnessPolicy
    workspace: Workspace | None
    findings: list[AuditFinding] = field(default_factory=list)
    logs: tuple[YearLog, ...] = ()

    def find(self, problem: AuditProblem, detail: object, entry: int | None = None) -> None:
        """Note what is wrong with the export, or with one entry of it."""
        self.findings.append(AuditFinding(problem=problem, detail=str(detail), entry=entry))

    def forget(self, name: str) -> None:
        """Remove what was kept under this name, so that it is verified anew."""
        if self.workspace is not None:
            self.workspace.forget(name)

    def log_at(self, position: int) -> YearLog:
        """Return the log that the entry at `position` stands in."""
        return next(log for log in reversed(self.logs) if log.start <= position)


def trusted_keys(policy: WitnessPolicy, log_vkeys: Sequence[str]) -> TrustedKeys:
    """Return the thumbprints of the logs' keys, oldest log first, and of the policy's witnesses."""
    return TrustedKeys(
        operators=tuple(map(_kid, log_vkeys)), stewards=tuple(map(_kid, policy.witnesses.values()))
    )


def verify_logs(work: AuditWork, older: Sequence[str]) -> VerifiedLogs | None:
    """
    Attest and verify every log of the export, and keep what was verified.

    `older` are checkpoints that the auditor kept. Returns None where nothing can be judged further;
    the findings say why. Raises NoteError, LogError, ExportError, KeptError or OSError.
    """
    own = work.policy
    work.logs = _logs(work)
    keys = trusted_keys(work.policy, [log.attested.log_vkey for log in work.logs])
    content = None if work.workspace is None else work.workspace.read(kept_file(keys))
    kept = None if content is None else Kept.parse(content, policy=own)
    history = _history(work, older, kept)
    timeline = _timeline(work, keys, kept)
    if timeline is None:
        return None
    _hold_to_history(work, timeline, history.past)
    forked = any(each.problem is AuditProblem.FORK for each in work.findings)
    if work.workspace is not None and not forked and (kept is None or timeline != kept.timeline):
        work.workspace.write(kept_file(keys), _to_keep(work, timeline).to_bytes())
    return VerifiedLogs(timeline=timeline, seen=seen_times(history.known, timeline))


def _to_keep(work: AuditWork, timeline: Timeline) -> Kept:
    return Kept(
        timeline=timeline,
        notes=tuple(log.export.note() for log in work.logs),
        vkeys=tuple(log.attested.log_vkey for log in work.logs),
    )


def _kid(vkey: str) -> str:
    return thumbprint_of_raw(NoteKey.parse(vkey).public_key)


def _logs(work: AuditWork) -> tuple[YearLog, ...]:
    exports = work.export.logs()
    work.policy = work.policy.followed_by(_successors(work.policy, exports))
    found: list[YearLog] = []
    start = 0
    for each in exports:
        attested = work.policy.attest(each.note())
        found.append(YearLog(export=each, attested=attested, start=start))
        start += attested.checkpoint.size
    return tuple(found)


def _successors(policy: WitnessPolicy, exports: Sequence[Export]) -> Sequence[str]:
    """Return the keys of the logs that continue those of the policy, as they claim themselves.

    The replay holds each to the closing of the log before it.
    """
    named = {NoteKey.parse(vkey).name: vkey for vkey in policy.logs}
    origins = [read_checkpoint(each.note()).origin for each in exports]
    trusted = [named[origin] for origin in takewhile(named.__contains__, origins)]
    rest = [origin for origin in origins[len(trusted) :] if origin in named]
    if not trusted or rest or len(trusted) == len(exports):
        return ()
    return followed_vkeys(trusted, [each.entries() for each in exports])


def _timeline(work: AuditWork, keys: TrustedKeys, kept: Kept | None) -> Timeline | None:
    checkpoints = tuple(log.attested.checkpoint for log in work.logs)
    begun = None
    if kept is not None and kept.begins(checkpoints, keys):
        begun = kept.timeline
        if (*begun.former, begun.checkpoint) == checkpoints:
            return begun
    files = [
        LogFiles(
            entries=log.export.entries(),
            checkpoint=log.export.note(),
            vkey=log.attested.log_vkey,
        )
        for log in work.logs
    ]
    verification, timeline = verified_timeline(files, keys, kept=begun)
    for finding in verification.findings:
        detail = f"{finding.problem.value}: {finding.detail}"
        work.find(_problem_of_log(finding.problem), detail, finding.index)
    return timeline


def _problem_of_log(problem: Problem) -> AuditProblem:
    if problem in {Problem.HANDOVER, Problem.NO_FORMER_LOG}:
        return AuditProblem(problem.value)
    violation = problem.verdict is Verdict.VIOLATION
    return AuditProblem.LOG if violation else AuditProblem.BAD_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class _History:
    """Checkpoints that bound times, those of the logs included; `past` must all be prefixes."""

    known: tuple[Attested, ...]
    past: tuple[Checkpoint, ...]


def _history(work: AuditWork, older: Sequence[str], kept: Kept | None) -> _History:
    """
    Return every checkpoint that is not the logs' last.

    Those that the auditor kept count for its history even without a quorum: the operator signed
    them, with the keys of this export or those verified before. Those that the operator hands over
    count only with one.
    """
    policy = work.policy
    if kept is not None:
        older, policy = (*older, *kept.notes), policy.followed_by(kept.vkeys)
    attested: list[Attested] = []
    handed = [note for log in work.logs for note in log.export.older_notes()]
    for note in (*older, *handed):
        try:
            attested.append(policy.attest(note))
        except UntrustedNote:
            continue
    signed = map(policy.signed, older)
    return _History(
        known=(*(log.attested for log in work.logs), *attested),
        past=(*signed, *(each.checkpoint for each in attested)),
    )


def _hold_to_history(work: AuditWork, timeline: Timeline, past: Sequence[Checkpoint]) -> None:
    """Find a log that was left out, and checkpoints that are no prefix: a fork or a rollback."""
    if work.policy.names_before(timeline.origins[0]):
        work.find(AuditProblem.NO_FORMER_LOG, "expected the log of the year before as well")
    for origin in {each.origin for each in past}:
        if origin not in timeline.origins:
            detail = "expected the log of an older checkpoint: its entries were not handed over"
            work.find(AuditProblem.FORK, detail)
            continue
        ours = [each for each in past if each.origin == origin]
        roots = timeline.prefix_roots(origin, {each.size for each in ours})
        sizes = sorted(each.size for each in ours if roots.get(each.size) != each.root)
        if sizes:
            detail = f"expected the first {sizes[0]} entries of an older checkpoint"
            work.find(AuditProblem.FORK, detail)
