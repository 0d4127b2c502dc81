"""Whether residents agreed to the words that are published, and only to those.

Every purpose that an entry refers to must have been published in the log before it, and its text
handed to the auditor must be, byte for byte, the one whose digest was logged; so must its notice
(GDPR, Article 13). Two texts under one title and version mean that words were changed without
saying so.
"""

import difflib
from collections.abc import Iterator, Mapping

from consents.audit.case import Case
from consents.audit.findings import AuditFinding, AuditProblem, AuditResult, Subject
from consents.records.receipt import EventType, Purpose

WORDED_MEMBERS = (
    "title_fr",
    "title_en",
    "text_fr",
    "text_en",
    "dpv_purpose",
    "controller_name",
    "controller_contact",
    "fields",
    "epsilon_week_micro",
    "retention_days",
)
"""What a new version may change, in the order in which it is compared."""

MAX_PARTS = 24
"""Pieces in which a change is still easier to read than both texts, one after the other."""


def audit_purposes(case: Case) -> AuditResult:
    """Answer: is every purpose published, unchanged, before anybody consents to it?"""
    published = _published(case)
    findings = [*case.problems, *_unpublished(case, published)]
    findings += _texts(case, published)
    findings += _notices(case)
    return AuditResult(
        subject=Subject.PURPOSES,
        checkpoint=case.attested.checkpoint,
        cosigned_at=case.attested.cosigned_at,
        facts={
            "purposes": len(published),
            "texts": len(case.purpose_texts),
            "notices": len(case.notice_texts),
            "versions": len({(each.title_fr, each.version) for each in case.purposes.values()}),
        },
        findings=tuple(findings),
        columns=("entry", "digest", "version", "title"),
        rows=[
            (position, digest, purpose.version, purpose.title_fr)
            for digest, position in sorted(published.items(), key=lambda each: each[1])
            if (purpose := case.purposes.get(digest)) is not None
        ],
    )


def differences(old: Purpose, new: Purpose) -> list[str]:
    """Return the lines that differ between two versions of a purpose, as a unified diff."""
    return list(
        difflib.unified_diff(
            _lines(old),
            _lines(new),
            f"version {old.version}",
            f"version {new.version}",
            n=0,
            lineterm="",
        )
    )


def word_changes(old: Purpose, new: Purpose, member: str) -> tuple[tuple[str, str], ...]:
    """Return a member's words as (kind, words), in order: kind is "same", "gone" or "new".

    Where nearly everything differs the old words come whole, then the new ones.
    """
    before, after = _words(getattr(old, member)), _words(getattr(new, member))
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    parts: list[tuple[str, str]] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            parts.append(("same", " ".join(before[i1:i2])))
            continue
        if i1 < i2:
            parts.append(("gone", " ".join(before[i1:i2])))
        if j1 < j2:
            parts.append(("new", " ".join(after[j1:j2])))
    if len(parts) > MAX_PARTS:
        return ("gone", " ".join(before)), ("new", " ".join(after))
    return tuple(parts)


def _words(value: object) -> list[str]:
    return (", ".join(value) if isinstance(value, tuple) else str(value)).split()


def _published(case: Case) -> dict[str, int]:
    """Return where each purpose was first published, by digest."""
    found: dict[str, int] = {}
    for act in case.acts_of(EventType.PURPOSE_PUBLISHED):
        if act.body.get("purpose_digest") == act.leaf.pd:
            found.setdefault(act.leaf.pd, act.leaf.position)
    return found


def _unpublished(case: Case, published: Mapping[str, int]) -> Iterator[AuditFinding]:
    raw = {bytes.fromhex(digest): position for digest, position in published.items()}
    for position, step in enumerate(case.timeline.steps()):
        if step.kind is None or not step.kind.of_consent:
            continue
        since = raw.get(step.pd)
        if since is None or since > position:
            yield AuditFinding(
                problem=AuditProblem.PURPOSE_UNPUBLISHED,
                detail="expected the purpose to be published before the entry",
                entry=position,
            )


def _texts(case: Case, published: Mapping[str, int]) -> Iterator[AuditFinding]:
    for digest, position in published.items():
        if digest not in case.purpose_texts:
            detail = "expected the text of a published purpose"
            problem = AuditProblem.NO_PURPOSE_TEXT
            yield AuditFinding(problem=problem, detail=detail, entry=position)
    for digest in case.purpose_texts:
        if digest not in published:
            detail = "expected texts whose digest the log holds, seen another"
            yield AuditFinding(problem=AuditProblem.PURPOSE_EDITED, detail=detail)
    versions: dict[tuple[str, str], str] = {}
    for digest, position in sorted(published.items(), key=lambda each: each[1]):
        purpose = case.purposes.get(digest)
        if purpose is None:
            continue
        if versions.setdefault((purpose.title_fr, purpose.version), digest) != digest:
            detail = "expected a new version for new words, seen the same one"
            problem = AuditProblem.PURPOSE_EDITED
            yield AuditFinding(problem=problem, detail=detail, entry=position)


def _notices(case: Case) -> Iterator[AuditFinding]:
    """Hold the notices to the digests that the log binds; an entry without one informs nobody."""
    bound: set[str] = set()
    for act in case.acts_of(EventType.PURPOSE_PUBLISHED):
        digest = act.text("notice_digest")
        bound.add(digest)
        if digest not in case.notice_texts:
            detail = "expected the notice that a published purpose commits to"
            problem = AuditProblem.NO_NOTICE
            yield AuditFinding(problem=problem, detail=detail, entry=act.leaf.position)
    for digest in case.notice_texts:
        if digest not in bound:
            detail = "expected notices whose digest the log holds, seen another"
            yield AuditFinding(problem=AuditProblem.NOTICE_EDITED, detail=detail)


def _lines(purpose: Purpose) -> list[str]:
    return [f"{name}: {getattr(purpose, name)}" for name in WORDED_MEMBERS]
