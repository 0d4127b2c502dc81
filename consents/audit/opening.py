"""From an export to a case: numbered checks, after which nothing unverified is left in it.

1. The checkpoint is signed by a log of the policy and cosigned by its quorum; so is the last one
   of each earlier year's log, and each log names and binds the next.
2. Every leaf verifies, every chain continues and the leaves give the root (or all that was verified
   before, for this very root, by this auditor); every older checkpoint is a prefix.
3. Every operator's entry is the operator's, and a body opens it.
4. Every batch's contributions verify and give the root and count that its entry commits to.
5. Texts of purposes and tasks are known by their digests; evidence by whom signed it.
6. What was erased was due, whole, and said in the log (`retention`); its batch is not opened.

A batch may stay closed when a release, logged and with its very bytes at hand, shows that nothing
was published from it: opening a batch below the minimum would tell its size.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from consents.audit.case import (
    Act,
    Batch,
    Case,
    ErasedBatch,
    OpenedBody,
    Question,
    Seen,
    open_acts,
    open_body,
)
from consents.audit.contribution import Contribution, pack_all, read_contribution, unpack
from consents.audit.evidence import Held, check_evidence
from consents.audit.files import Export, Workspace
from consents.audit.findings import AuditFinding, AuditProblem
from consents.audit.retention import check_erasures
from consents.audit.timeline import (
    Timeline,
    TrustedKeys,
    timeline_file,
    verified_timeline,
)
from consents.audit.times import seen_times
from consents.audit.withheld import withheld_batches
from consents.canonical import sha256_hex
from consents.errors import (
    ExportError,
    ForgedNote,
    LeafError,
    LogError,
    NoteError,
    PromiseError,
    RecordError,
    UntrustedNote,
)
from consents.jws import thumbprint_of_raw
from consents.records.receipt import ConsentBody, EventType, Purpose
from consents.tlog import merkle
from consents.tlog.checkpoint import Checkpoint, NoteKey
from consents.tlog.policy import Attested, WitnessPolicy
from consents.verify.verification import LogFiles, Problem, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An export that gives no case: why, and the checkpoint where it was at least attested."""

    findings: tuple[AuditFinding, ...]
    attested: Attested | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Log:
    """One year's log: its files, its attested checkpoint, and where its entries begin."""

    export: Export
    attested: Attested
    start: int

    @property
    def kid(self) -> str:
        """Thumbprint of the key that signs it."""
        return _kid(self.attested.log_vkey)


@dataclass(slots=True, kw_only=True)
class _Opening:
    """The work in progress: sources, and what was wrong so far."""

    export: Export
    policy: WitnessPolicy
    workspace: Workspace | None
    findings: list[AuditFinding] = field(default_factory=list)
    past: tuple[Checkpoint, ...] = ()
    logs: tuple[_Log, ...] = ()

    def find(self, problem: AuditProblem, detail: object, entry: int | None = None) -> None:
        """Note what is wrong with the export, or with one entry of it."""
        self.findings.append(AuditFinding(problem=problem, detail=str(detail), entry=entry))

    def forget(self, name: str) -> None:
        """Remove what was kept under this name, so that it is verified anew."""
        if self.workspace is not None:
            self.workspace.forget(name)


def open_case(
    export: Export,
    policy: WitnessPolicy,
    *,
    older: Sequence[str] = (),
    evidence: Iterable[Held] = (),
    workspace: Workspace | None = None,
) -> Case | Refused:
    """
    Verify an export from end to end and return the case, or why there is none.

    `older` are checkpoints that the auditor kept. What was verified is kept in `workspace`.
    """
    opening = _Opening(export=export, policy=policy, workspace=workspace)
    try:
        opening.logs = _logs(export, policy)
        known = _known(opening, older)
        timeline = _timeline(opening)
        if timeline is None:
            return Refused(findings=tuple(opening.findings), attested=opening.logs[-1].attested)
        _hold_to_history(opening, timeline)
        return _case(opening, timeline, seen_times(known, timeline), evidence)
    except (OSError, UnicodeDecodeError) as error:
        opening.find(AuditProblem.NO_FILE, f"seen {type(error).__name__}")
    except NoteError as error:
        forged = isinstance(error, ForgedNote)
        opening.find(AuditProblem.FORGED_CHECKPOINT if forged else AuditProblem.NO_QUORUM, error)
    except (ExportError, LogError) as error:
        opening.find(AuditProblem.BAD_FILE, error)
    except PromiseError as error:
        opening.find(AuditProblem.BAD_EVIDENCE, error)
    return Refused(findings=tuple(opening.findings))


def trusted_keys(policy: WitnessPolicy, log_vkeys: Sequence[str]) -> TrustedKeys:
    """Return the thumbprints of the logs' keys, oldest log first, and of the policy's witnesses."""
    return TrustedKeys(
        operators=tuple(map(_kid, log_vkeys)), stewards=tuple(map(_kid, policy.witnesses.values()))
    )


def _kid(vkey: str) -> str:
    return thumbprint_of_raw(NoteKey.parse(vkey).public_key)


def _logs(export: Export, policy: WitnessPolicy) -> tuple[_Log, ...]:
    found: list[_Log] = []
    start = 0
    for each in export.logs():
        attested = policy.attest(each.note())
        found.append(_Log(export=each, attested=attested, start=start))
        start += attested.checkpoint.size
    return tuple(found)


def _timeline(opening: _Opening) -> Timeline | None:
    *former, newest = (log.attested.checkpoint for log in opening.logs)
    keys = trusted_keys(opening.policy, [log.attested.log_vkey for log in opening.logs])
    name = timeline_file(newest.root, keys)
    kept = None if opening.workspace is None else opening.workspace.read(name)
    if kept is not None:
        known = Timeline.parse(kept, checkpoint=newest, keys=keys)
        if known.former == tuple(former):
            return known
    verification, timeline = verified_timeline(
        [
            LogFiles(
                entries=log.export.entries(),
                checkpoint=log.export.note(),
                vkey=log.attested.log_vkey,
            )
            for log in opening.logs
        ],
        keys,
    )
    for finding in verification.findings:
        opening.find(
            _problem_of_log(finding.problem),
            f"{finding.problem.value}: {finding.detail}",
            finding.index,
        )
    if timeline is not None and opening.workspace is not None:
        opening.workspace.write(name, timeline.to_bytes())
    return timeline


def _problem_of_log(problem: Problem) -> AuditProblem:
    if problem in {Problem.HANDOVER, Problem.NO_FORMER_LOG}:
        return AuditProblem(problem.value)
    violation = problem.verdict is Verdict.VIOLATION
    return AuditProblem.LOG if violation else AuditProblem.BAD_FILE


def _known(opening: _Opening, older: Sequence[str]) -> list[Attested]:
    """
    Return the checkpoints that bound time, those of the logs included, holding the logs to each.

    Those that the auditor kept count for its history even without a quorum: the operator signed
    them. Those that the operator hands over count only with one.
    """
    known = [log.attested for log in opening.logs]
    past = [opening.policy.signed(note) for note in older]
    handed = [note for log in opening.logs for note in log.export.older_notes()]
    for note in (*older, *handed):
        try:
            known.append(opening.policy.attest(note))
        except UntrustedNote:
            continue
    past += [each.checkpoint for each in known[len(opening.logs) :]]
    opening.past = tuple(past)
    return known


def _hold_to_history(opening: _Opening, timeline: Timeline) -> None:
    """Find a log that was left out, and checkpoints that are no prefix: a fork or a rollback."""
    if opening.policy.names_before(timeline.origins[0]):
        opening.find(AuditProblem.NO_FORMER_LOG, "expected the log of the year before as well")
    for origin in {each.origin for each in opening.past}:
        if origin not in timeline.origins:
            detail = "expected the log of an older checkpoint: its entries were not handed over"
            opening.find(AuditProblem.FORK, detail)
            continue
        past = [each for each in opening.past if each.origin == origin]
        roots = timeline.prefix_roots(origin, {each.size for each in past})
        sizes = sorted(each.size for each in past if roots.get(each.size) != each.root)
        if sizes:
            detail = f"expected the first {sizes[0]} entries of an older checkpoint"
            opening.find(AuditProblem.FORK, detail)


def _case(
    opening: _Opening, timeline: Timeline, seen: tuple[Seen, ...], evidence: Iterable[Held]
) -> Case:
    proved = check_evidence(evidence, timeline=timeline)
    acts, findings = _acts(opening, timeline)
    releases = _releases(opening, acts)
    tasks = opening.export.tasks()
    questions = {question.digest: question for question in map(Question.parse, tasks)}
    withheld = withheld_batches(timeline.acts, acts, releases, questions)
    opening.findings += [each for each in findings if each.entry not in withheld]
    texts = opening.export.purposes()
    purposes = _purposes(opening, texts)
    erasures = _erasures(opening, timeline, acts, questions=questions, purposes=purposes, seen=seen)
    batches, erased = _batches(opening, acts, questions, erasures)
    return Case(
        attested=opening.logs[-1].attested,
        timeline=timeline,
        acts=tuple(acts),
        batches=batches,
        purposes=purposes,
        purpose_texts=tuple(map(sha256_hex, texts)),
        notice_texts=tuple(map(sha256_hex, opening.export.notices())),
        questions=questions,
        releases=releases,
        seen=seen,
        promises=proved.promises,
        promised_events=proved.events,
        slips=proved.slips,
        strangers=proved.strangers,
        bodies=_bodies(opening),
        withheld=withheld,
        erased=erased,
        problems=tuple(opening.findings),
    )


def _acts(opening: _Opening, timeline: Timeline) -> tuple[list[Act], list[AuditFinding]]:
    acts: list[Act] = []
    findings: list[AuditFinding] = []
    for log in opening.logs:
        end = log.start + log.attested.checkpoint.size
        opened, wrong = open_acts(
            [leaf for leaf in timeline.acts if log.start <= leaf.position < end],
            (OpenedBody.parse(line, start=log.start) for line in log.export.operator_lines()),
            operator_kid=log.kid,
        )
        acts += opened
        findings += wrong
    return acts, findings


def _erasures(
    opening: _Opening,
    timeline: Timeline,
    acts: Sequence[Act],
    *,
    questions: Mapping[str, Question],
    purposes: Mapping[str, Purpose],
    seen: Sequence[Seen],
) -> Mapping[int, Act]:
    """Return the operator's act of erasure for each batch that is gone."""
    batches = {
        leaf.position: _has_batch(opening, leaf.position)
        for leaf in timeline.acts
        if leaf.kind is EventType.BATCH_COMMITTED
    }
    erasures = check_erasures(
        acts, questions=questions, purposes=purposes, seen=seen, batches=batches
    )
    opening.findings += erasures.findings
    return erasures.acts


def _batches(
    opening: _Opening,
    acts: Sequence[Act],
    questions: Mapping[str, Question],
    erasures: Mapping[int, Act],
) -> tuple[tuple[Batch, ...], tuple[ErasedBatch, ...]]:
    found: list[Batch] = []
    erased: list[ErasedBatch] = []
    for act in acts:
        if act.leaf.kind is not EventType.BATCH_COMMITTED:
            continue
        position = act.leaf.position
        question = questions.get(act.digest("task_digest"))
        if question is None:
            opening.find(AuditProblem.NO_TASK, "expected the task of a batch", position)
        if position in erasures and not _has_batch(opening, position):
            opening.forget(f"{act.digest('root')}.items")
            if question is not None:
                erased.append(ErasedBatch.of(act, question))
            continue
        items = _items(opening, act)
        if question is not None and items is not None:
            found.append(Batch(act=act, question=question, items=items))
    return tuple(found), tuple(erased)


def _items(opening: _Opening, act: Act) -> list[Contribution] | None:
    """Return the contributions that a batch commits to, None when they cannot be had."""
    root, count = act.digest("root"), act.count("report_count")
    kept = None if opening.workspace is None else opening.workspace.read(f"{root}.items")
    if kept is not None:
        items = unpack(kept)
    else:
        log = _log_at(opening, act.leaf.position)
        tokens = log.export.batch(act.leaf.position - log.start)
        if tokens is None:
            opening.find(
                AuditProblem.NO_BATCH, "expected the contributions of a batch", act.leaf.position
            )
            return None
        try:
            items = [read_contribution(token) for token in tokens]
        except LeafError as error:
            opening.find(AuditProblem.FORGED_CONTRIBUTION, error, act.leaf.position)
            return None
    if len(items) != count or merkle.root(item.leaf_hash for item in items).hex() != root:
        opening.find(
            AuditProblem.BATCH_MISMATCH,
            "expected the contributions that the entry commits to",
            act.leaf.position,
        )
        return None
    if kept is None and opening.workspace is not None:
        opening.workspace.write(f"{root}.items", pack_all(items))
    return items


def _purposes(opening: _Opening, texts: Sequence[bytes]) -> Mapping[str, Purpose]:
    found: dict[str, Purpose] = {}
    for text in texts:
        try:
            found[sha256_hex(text)] = Purpose.parse(text)
        except RecordError as error:
            opening.find(AuditProblem.BAD_FILE, error)
    return found


def _releases(opening: _Opening, acts: Sequence[Act]) -> Mapping[int, bytes]:
    found: dict[int, bytes] = {}
    for act in acts:
        if act.leaf.kind is EventType.RELEASE_PUBLISHED:
            position = act.leaf.position
            log = _log_at(opening, position)
            content = log.export.release(position - log.start)
            if content is not None:
                found[position] = content
    return found


def _has_batch(opening: _Opening, position: int) -> bool:
    log = _log_at(opening, position)
    return log.export.has_batch(position - log.start)


def _log_at(opening: _Opening, position: int) -> _Log:
    """Return the log that the entry at `position` stands in."""
    return next(log for log in reversed(opening.logs) if log.start <= position)


def _bodies(opening: _Opening) -> Mapping[bytes, ConsentBody]:
    return dict(open_body(line) for log in opening.logs for line in log.export.body_lines())
