"""From an export to a case: numbered checks, after which nothing unverified is left in it.

1. The checkpoint is signed by a log of the policy and cosigned by its quorum.
2. Every leaf verifies, every chain continues and the leaves give the root (or all that was verified
   before, for this very root, by this auditor); every older checkpoint is a prefix.
3. Every operator's entry is the operator's, and a body opens it.
4. Every batch's contributions verify and give the root and count that its entry commits to.
5. Texts of purposes and tasks are known by their digests; evidence by whom signed it.

A batch may stay closed when a release, logged and with its very bytes at hand, shows that nothing
was published from it: opening a batch below the minimum would tell its size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from consents import merkle
from consents.audit.case import (
    Act,
    Batch,
    Case,
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
from consents.audit.timeline import (
    Timeline,
    TrustedKeys,
    timeline_file,
    verified_timeline,
)
from consents.audit.withheld import withheld_batches
from consents.canonical import sha256_hex
from consents.checkpoint import Checkpoint, NoteKey
from consents.errors import (
    ExportError,
    ForgedNote,
    LeafError,
    LogError,
    MalformedNote,
    NoteError,
    PromiseError,
    RecordError,
    UntrustedNote,
)
from consents.jws import thumbprint_of_raw
from consents.policy import Attested, WitnessPolicy
from consents.receipt import ConsentBody, EventType, Purpose
from consents.verification import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An export that gives no case: why, and the checkpoint where it was at least attested."""

    findings: tuple[AuditFinding, ...]
    attested: Attested | None = None


@dataclass(slots=True, kw_only=True)
class _Opening:
    """The work in progress: sources, and what was wrong so far."""

    export: Export
    policy: WitnessPolicy
    workspace: Workspace | None
    findings: list[AuditFinding] = field(default_factory=list)
    past: tuple[Checkpoint, ...] = ()

    def find(self, problem: AuditProblem, detail: object, entry: int | None = None) -> None:
        self.findings.append(AuditFinding(problem=problem, detail=str(detail), entry=entry))


def open_case(
    export: Export,
    policy: WitnessPolicy,
    *,
    older: Sequence[str] = (),
    evidence: Sequence[Held] = (),
    workspace: Workspace | None = None,
) -> Case | Refused:
    """
    Verify an export from end to end and return the case, or why there is none.

    `older` are checkpoints that the auditor kept. What was verified is kept in `workspace`.
    """
    opening = _Opening(export=export, policy=policy, workspace=workspace)
    try:
        attested = policy.attest(export.note())
        known = _known(opening, attested, older)
        timeline = _timeline(opening, attested)
        if timeline is None:
            return Refused(findings=tuple(opening.findings), attested=attested)
        _hold_to_history(opening, timeline)
        return _case(opening, attested, timeline, _seen(known), evidence)
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


def trusted_keys(policy: WitnessPolicy, log_vkey: str) -> TrustedKeys:
    """Return the thumbprints of a log's key and of the policy's witnesses."""
    return TrustedKeys(
        operator=_kid(log_vkey), stewards=tuple(map(_kid, policy.witnesses.values()))
    )


def _kid(vkey: str) -> str:
    return thumbprint_of_raw(NoteKey.parse(vkey).public_key)


def _timeline(opening: _Opening, attested: Attested) -> Timeline | None:
    keys = trusted_keys(opening.policy, attested.log_vkey)
    name = timeline_file(attested.checkpoint.root, keys)
    kept = None if opening.workspace is None else opening.workspace.read(name)
    if kept is not None:
        return Timeline.parse(kept, checkpoint=attested.checkpoint, keys=keys)
    verification, timeline = verified_timeline(
        opening.export.entries(),
        note=opening.export.note(),
        vkey=attested.log_vkey,
        keys=keys,
    )
    for finding in verification.findings:
        violation = finding.problem.verdict is Verdict.VIOLATION
        opening.find(
            AuditProblem.LOG if violation else AuditProblem.BAD_FILE,
            f"{finding.problem.value}: {finding.detail}",
            finding.index,
        )
    if timeline is not None and opening.workspace is not None:
        opening.workspace.write(name, timeline.to_bytes())
    return timeline


def _known(opening: _Opening, attested: Attested, older: Sequence[str]) -> list[Attested]:
    """
    Return the checkpoints that bound time, this one included, after holding the log to each.

    Those that the auditor kept count for its history even without a quorum: the operator signed
    them. Those that the operator hands over count only with one.
    """
    known = [attested]
    past = [opening.policy.signed(note) for note in older]
    for note in (*older, *opening.export.older_notes()):
        try:
            known.append(opening.policy.attest(note))
        except (UntrustedNote, MalformedNote):
            continue
    past += [each.checkpoint for each in known[1:]]
    opening.past = tuple(past)
    return known


def _hold_to_history(opening: _Opening, timeline: Timeline) -> None:
    """Find the first older checkpoint that is no prefix of this log: a fork or a rollback."""
    roots = timeline.prefix_roots({each.size for each in opening.past})
    sizes = sorted(each.size for each in opening.past if roots.get(each.size) != each.root)
    if sizes:
        detail = f"expected the first {sizes[0]} entries of an older checkpoint"
        opening.find(AuditProblem.FORK, detail)


def _case(
    opening: _Opening,
    attested: Attested,
    timeline: Timeline,
    seen: tuple[Seen, ...],
    evidence: Sequence[Held],
) -> Case:
    operator = timeline.keys.operator
    proved = check_evidence(evidence, operator_kid=operator, steward_kids=timeline.keys.stewards)
    acts, findings = open_acts(
        timeline.acts,
        (OpenedBody.parse(line) for line in opening.export.operator_lines()),
        operator_kid=operator,
    )
    releases = _releases(opening.export, acts)
    tasks = opening.export.tasks()
    questions = {question.digest: question for question in map(Question.parse, tasks)}
    withheld = withheld_batches(timeline.acts, acts, releases, questions)
    opening.findings += [each for each in findings if each.entry not in withheld]
    texts = opening.export.purposes()
    return Case(
        attested=attested,
        timeline=timeline,
        acts=tuple(acts),
        batches=_batches(opening, acts, questions),
        purposes=_purposes(opening, texts),
        purpose_texts=tuple(map(sha256_hex, texts)),
        notice_texts=tuple(map(sha256_hex, opening.export.notices())),
        questions=questions,
        releases=releases,
        seen=seen,
        promises=proved.promises,
        promised_events=proved.events,
        slips=proved.slips,
        bodies=_bodies(opening.export),
        withheld=withheld,
        problems=tuple(opening.findings),
    )


def _batches(
    opening: _Opening, acts: Sequence[Act], questions: Mapping[str, Question]
) -> tuple[Batch, ...]:
    found: list[Batch] = []
    for act in acts:
        if act.leaf.kind is not EventType.BATCH_COMMITTED:
            continue
        position = act.leaf.position
        question = questions.get(act.digest("task_digest"))
        items = _items(opening, act)
        if question is None:
            opening.find(AuditProblem.NO_TASK, "expected the task of a batch", position)
        if question is not None and items is not None:
            found.append(Batch(act=act, question=question, items=items))
    return tuple(found)


def _items(opening: _Opening, act: Act) -> list[Contribution] | None:
    """Return the contributions that a batch commits to, None when they cannot be had."""
    root, count = act.digest("root"), act.count("report_count")
    kept = None if opening.workspace is None else opening.workspace.read(f"{root}.items")
    if kept is not None:
        items = unpack(kept)
    else:
        tokens = opening.export.batch(act.leaf.position)
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


def _releases(export: Export, acts: Sequence[Act]) -> Mapping[int, bytes]:
    found: dict[int, bytes] = {}
    for act in acts:
        if act.leaf.kind is EventType.RELEASE_PUBLISHED:
            content = export.release(act.leaf.position)
            if content is not None:
                found[act.leaf.position] = content
    return found


def _seen(known: Sequence[Attested]) -> tuple[Seen, ...]:
    """Return the cosigned checkpoints by size, each with when it was first and last cosigned."""
    times: dict[int, list[datetime]] = {}
    for each in known:
        if each.known_by is not None:
            times.setdefault(each.checkpoint.size, []).append(each.known_by)
    return tuple(
        Seen(size=size, first_at=min(several), last_at=max(several))
        for size, several in sorted(times.items())
    )


def _bodies(export: Export) -> Mapping[bytes, ConsentBody]:
    return dict(open_body(line) for line in export.body_lines())
