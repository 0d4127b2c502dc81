"""`consents monitor`, `consents audit …` and `consents report annual`: files in, verdict out.

    consents audit coverage EXPORT --policy stewards.policy --workspace ~/audit --html report.html

Progress and errors are sentences; `--json` prints one document. Exit codes: 0 sound, 2 violation,
3 cannot verify. The keys are those of the policy file, which must not lie in the export.
"""

import argparse
import json
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from consents.audit.annual import annual_report
from consents.audit.budget import audit_budget
from consents.audit.case import Case
from consents.audit.counted import amount, fact
from consents.audit.coverage import audit_coverage
from consents.audit.files import (
    Export,
    Workspace,
    read_evidence,
    read_notes,
    read_policy,
    refuse_inside,
)
from consents.audit.findings import AuditFinding, AuditProblem, AuditResult, Subject
from consents.audit.linked import linked_report
from consents.audit.monitor import monitor
from consents.audit.opening import Refused, open_case
from consents.audit.page import csv_table, html_report
from consents.audit.promises import audit_promises
from consents.audit.purposes import audit_purposes
from consents.audit.releases import audit_release
from consents.audit.times import audit_late
from consents.audit.withdrawal import audit_after_withdrawal
from consents.audit.wording import checked, sentence, title
from consents.canonical import utc_time
from consents.errors import CanonicalError, ConsentsError, ExportError, PolicyError, PromiseError
from consents.tlog.checkpoint import read_checkpoint
from consents.tlog.policy import WitnessPolicy
from consents.verify.wording import COLON, HELP, Language, Words, say_verdict

LAST_NOTE = "checkpoint"
"""Name, in the auditor's folder, of the last checkpoint that was accepted."""

REFUSED_NOTE = "refused-checkpoint"
"""Name of the checkpoint that contradicts it: with the other, the evidence of two histories."""

MAX_FINDINGS_SHOWN = 20
"""Findings printed; the rest is counted, and `--json` and `--csv` hold all."""

AUDITS = (
    Subject.COVERAGE,
    Subject.AFTER_WITHDRAWAL,
    Subject.PURPOSES,
    Subject.BUDGET,
    Subject.LATE,
    Subject.PROMISES,
    Subject.RELEASE,
)


def run(options: argparse.Namespace, language: Language) -> AuditResult:
    """Answer the question of parsed `options`, and write the reports that they ask for."""
    subject = Subject(options.subject)
    try:
        result = _answer(options, subject)
        for path, content in (
            (options.csv, csv_table(result, language)),
            (options.html, html_report(result, language)),
            (options.jsonld, linked_report(result).decode()),
        ):
            if path is not None:
                path.write_text(content, encoding="utf-8", newline="\n")
    except PolicyError as error:
        return _refused(subject, AuditProblem.BAD_POLICY, error)
    except PromiseError as error:
        return _refused(subject, AuditProblem.BAD_EVIDENCE, error)
    except ExportError as error:
        return _refused(subject, AuditProblem.KEYS_BESIDE_LOG, error)
    except (ConsentsError, OSError, UnicodeDecodeError) as error:
        return _refused(subject, AuditProblem.NO_FILE, type(error).__name__)
    return result


def lines(result: AuditResult, language: Language) -> list[str]:
    """Return what is printed for people, the verdict last."""
    shown = result.findings[:MAX_FINDINGS_SHOWN]
    hidden = len(result.findings) - len(shown)
    colon = COLON.say(language)
    return [
        title(result.subject, language),
        *checked(result, language),
        *(
            f"{fact(name, language)}{colon}{amount(name, count, language)}"
            for name, count in result.facts.items()
        ),
        *(sentence(finding, language) for finding in shown),
        *([f"+ {hidden}"] if hidden else []),
        say_verdict(result.verdict, language),
    ]


def document(result: AuditResult, language: Language) -> str:
    """Return the same as one JSON document, with every finding and row."""
    checkpoint = result.checkpoint
    return json.dumps(
        {
            "subject": result.subject.value,
            "verdict": result.verdict.value,
            "origin": None if checkpoint is None else checkpoint.origin,
            "size": None if checkpoint is None else checkpoint.size,
            "root": None if checkpoint is None else checkpoint.root.hex(),
            "facts": dict(result.facts),
            "findings": [
                {
                    "problem": finding.problem.value,
                    "entry": finding.entry,
                    "item": finding.item,
                    "message": sentence(finding, language),
                    "detail": finding.detail,
                }
                for finding in result.findings
            ],
            "columns": list(result.columns),
            "rows": [list(row) for row in result.rows],
        },
        indent=2,
        ensure_ascii=False,
    )


def add_parsers(
    program: "argparse._SubParsersAction[Any]",
    language: Language,
    parser: type[argparse.ArgumentParser],
) -> None:
    """Add `monitor`, `audit` and `report` beside `verify`."""
    common = parser(add_help=False)
    common.add_argument("export", type=Path, help=_HELP["export"].say(language))
    common.add_argument("--policy", type=Path, required=True, help=_HELP["policy"].say(language))
    for name in ("older", "evidence"):
        common.add_argument(
            f"--{name}", type=Path, action="append", default=[], help=_HELP[name].say(language)
        )
    common.add_argument("--at", type=_moment, help=_HELP["at"].say(language))
    for name in ("workspace", "csv", "html", "jsonld"):
        common.add_argument(f"--{name}", type=Path, help=_HELP[name].say(language))
    common.add_argument("--json", action="store_true", help=_HELP["json"].say(language))
    common.add_argument("--lang", choices=list(Language), help=_HELP["lang"].say(language))
    words = title(Subject.MONITOR, language)
    following = program.add_parser("monitor", parents=[common], help=words, description=words)
    following.set_defaults(subject=Subject.MONITOR.value)
    audits = program.add_parser("audit", help=_HELP["audit"].say(language))
    subjects = audits.add_subparsers(dest="subject", required=True)
    for subject in AUDITS:
        words = title(subject, language)
        subjects.add_parser(subject.value, parents=[common], help=words, description=words)
    words = title(Subject.ANNUAL, language)
    reports = program.add_parser("report", help=words).add_subparsers(dest="subject", required=True)
    annual = reports.add_parser("annual", parents=[common], help=words, description=words)
    annual.add_argument("--year", type=int, required=True, help=_HELP["year"].say(language))


def _answer(options: argparse.Namespace, subject: Subject) -> AuditResult:
    export = Export(folder=options.export)
    policy = read_policy(options.policy, export=export.folder)
    workspace = None
    if options.workspace is not None:
        refuse_inside(options.workspace, export=export.folder)
        workspace = Workspace(folder=options.workspace)
    for path in (*options.older, *options.evidence):
        refuse_inside(path, export=export.folder)
    with nullcontext() if workspace is None else workspace.alone():
        return _opened(options, subject, export, policy, workspace)


def _opened(
    options: argparse.Namespace,
    subject: Subject,
    export: Export,
    policy: WitnessPolicy,
    workspace: Workspace | None,
) -> AuditResult:
    kept = None if workspace is None else workspace.read(LAST_NOTE)
    older = read_notes(options.older)
    if kept is not None:
        older = (*older, kept.decode("utf-8"))
    opened = open_case(
        export,
        policy,
        older=older,
        evidence=read_evidence(options.evidence),
        workspace=workspace,
    )
    if isinstance(opened, Refused):
        return AuditResult(
            subject=subject,
            checkpoint=None if opened.attested is None else opened.attested.checkpoint,
            findings=opened.findings,
        )
    if subject is Subject.MONITOR:
        return _followed(opened, export, workspace, kept)
    return _result(opened, subject, options)


def _result(case: Case, subject: Subject, options: argparse.Namespace) -> AuditResult:
    if subject is Subject.PROMISES:
        return audit_promises(case, now=options.at)
    if subject is Subject.ANNUAL:
        return annual_report(case, year=options.year)
    return {
        Subject.COVERAGE: audit_coverage,
        Subject.AFTER_WITHDRAWAL: audit_after_withdrawal,
        Subject.PURPOSES: audit_purposes,
        Subject.BUDGET: audit_budget,
        Subject.LATE: audit_late,
        Subject.RELEASE: audit_release,
    }[subject](case)


def _followed(
    case: Case, export: Export, workspace: Workspace | None, kept: bytes | None
) -> AuditResult:
    """Remember the checkpoint that continues the last; keep the one that does not as evidence."""
    since = 0
    if kept is not None:
        accepted = read_checkpoint(kept.decode("utf-8"))
        if accepted.origin in case.timeline.origins:
            since = case.timeline.start(accepted.origin) + accepted.size
    result = monitor(case, since=since)
    forked = any(each.problem is AuditProblem.FORK for each in result.findings)
    if workspace is not None:
        name = REFUSED_NOTE if forked else LAST_NOTE
        workspace.write(name, export.note().encode())
    return result


def _refused(subject: Subject, problem: AuditProblem, detail: object) -> AuditResult:
    finding = AuditFinding(problem=problem, detail=str(detail))
    return AuditResult(subject=subject, findings=(finding,))


def _moment(text: str) -> datetime:
    try:
        return utc_time(text)
    except CanonicalError as error:
        raise argparse.ArgumentTypeError("2026-11-09T07:30:00Z") from error


_HELP = {
    **{name: HELP[name] for name in ("json", "lang", "older")},
    "audit": Words(
        fr="répondre à une question sur un export", en="answer one question about an export"
    ),
    "export": Words(fr="dossier remis par l'opérateur", en="folder handed over by the operator"),
    "policy": Words(
        fr="votre fichier de confiance : clé du journal, témoins, quorum (format C2SP)",
        en="your own trust file: log key, witnesses, quorum (C2SP format)",
    ),
    "evidence": Words(
        fr="promesses et reçus de dépôt gardés par habitants et témoins (répétable)",
        en="promises and drop-box slips kept by residents and stewards (repeatable)",
    ),
    "at": Words(
        fr="moment auquel juger les promesses, 2026-11-09T07:30:00Z",
        en="moment at which to judge promises, 2026-11-09T07:30:00Z",
    ),
    "workspace": Words(
        fr="votre dossier de travail, où garder ce qui a été vérifié",
        en="your working folder, to keep what was verified",
    ),
    "csv": Words(fr="écrire un tableau CSV", en="write a CSV table"),
    "html": Words(fr="écrire un rapport HTML d'une page", en="write a one-page HTML report"),
    "jsonld": Words(fr="écrire un document JSON-LD", en="write a JSON-LD document"),
    "year": Words(fr="année civile du rapport", en="calendar year of the report"),
}
