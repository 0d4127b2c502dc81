"""From an export to a case: numbered checks, after which nothing unverified is left in it.

1. The checkpoint is signed by a log of the policy and cosigned by its quorum; so is the last one
   of each earlier year's log, and each log names and binds the next.
2. Every leaf verifies, every chain continues and the leaves give the root (what this auditor kept
   of an audit before counts, bit for bit); every older checkpoint is a prefix (`logs`).
3. Every operator's entry is the operator's, and a body opens it.
4. Every batch's contributions verify and give the root and count that its entry commits to.
5. Texts of purposes and tasks are known by their digests; evidence by whom signed it.
6. What was erased was due, whole, and said in the log (`retention`); its batch is not opened.

A batch may stay closed when a release, logged and with its very bytes at hand, shows that nothing
was published from it: opening a batch below the minimum would tell its size.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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
from consents.audit.logs import AuditWork, verify_logs
from consents.audit.retention import check_erasures
from consents.audit.timeline import Timeline
from consents.audit.withheld import withheld_batches
from consents.canonical import sha256_hex
from consents.errors import (
    ExportError,
    ForgedNote,
    KeptError,
    LeafError,
    LogError,
    NoteError,
    PromiseError,
    RecordError,
)
from consents.records.receipt import ConsentBody, EventType, Purpose
from consents.tlog import merkle
from consents.tlog.policy import Attested, WitnessPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An export that gives no case: why, and the checkpoint where it was at least attested."""

    findings: tuple[AuditFinding, ...]
    attested: Attested | None = None


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
    opening = AuditWork(export=export, policy=policy, workspace=workspace)
    try:
        verified = verify_logs(opening, older)
        if verified is None:
            return Refused(findings=tuple(opening.findings), attested=opening.logs[-1].attested)
        return _case(opening, verified.timeline, verified.seen, evidence)
    except (OSError, UnicodeDecodeError) as error:
        opening.find(AuditProblem.NO_FILE, f"seen {type(error).__name__}")
    except NoteError as error:
        forged = isinstance(error, ForgedNote)
        opening.find(AuditProblem.FORGED_CHECKPOINT if forged else AuditProblem.NO_QUORUM, error)
    except (ExportError, LogError) as error:
        opening.find(AuditProblem.BAD_FILE, error)
    except KeptError as error:
        opening.find(AuditProblem.BAD_WORKSPACE, error)
    except PromiseError as error:
        opening.find(AuditProblem.BAD_EVIDENCE, error)
    return Refused(findings=tuple(opening.findings))


def _case(
    opening: AuditWork, timeline: Timeline, seen: tuple[Seen, ...], evidence: Iterable[Held]
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


def _acts(opening: AuditWork, timeline: Timeline) -> tuple[list[Act], list[AuditFinding]]:
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
    opening: AuditWork,
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
    opening: AuditWork,
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


def _items(opening: AuditWork, act: Act) -> list[Contribution] | None:
    """Return the contributions that a batch commits to, None when they cannot be had."""
    root, count = act.digest("root"), act.count("report_count")
    kept = None if opening.workspace is None else opening.workspace.read(f"{root}.items")
    if kept is not None:
        items = unpack(kept)
    else:
        log = opening.log_at(act.leaf.position)
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


def _purposes(opening: AuditWork, texts: Sequence[bytes]) -> Mapping[str, Purpose]:
    found: dict[str, Purpose] = {}
    for text in texts:
        try:
            found[sha256_hex(text)] = Purpose.parse(text)
        except RecordError as error:
            opening.find(AuditProblem.BAD_FILE, error)
    return found


def _releases(opening: AuditWork, acts: Sequence[Act]) -> Mapping[int, bytes]:
    found: dict[int, bytes] = {}
    for act in acts:
        if act.leaf.kind is EventType.RELEASE_PUBLISHED:
            position = act.leaf.position
            log = opening.log_at(position)
            content = log.export.release(position - log.start)
            if content is not None:
                found[position] = content
    return found


def _has_batch(opening: AuditWork, position: int) -> bool:
    log = opening.log_at(position)
    return log.export.has_batch(position - log.start)


def _bodies(opening: AuditWork) -> Mapping[bytes, ConsentBody]:
    return dict(open_body(line) for log in opening.logs for line in log.export.body_lines())
