"""The offline verifier and auditor on the command line: `consents verify|monitor|audit|report`.

With `consents.verify.export_folder`, `consents.tlog.tile_folder`, `consents.audit.files` and
`consents.verify.purpose_differences`, the only input and output of this package: files, and the
environment for the language. It opens no connection and takes no key from beside what it verifies.
Exit codes:
0 sound, 2 violation, 3 cannot verify (a wrong command line included, so that 2 is unambiguous).

    consents verify log EXPORT --vkey VKEY --older kept-checkpoint --json
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from consents.audit import command as audit
from consents.errors import LogError
from consents.receipts.personal_receipt import MAX_RECEIPT_BYTES
from consents.tlog.shards import followed_vkeys
from consents.verify import purpose_differences
from consents.verify.export_folder import (
    export_note,
    folder_entries,
    log_folders,
    read_bounded,
    read_note,
)
from consents.verify.verification import (
    Finding,
    LogFiles,
    Problem,
    Verdict,
    Verification,
    verify_log,
    verify_opening,
    verify_receipt,
    verify_signed_checkpoint,
)
from consents.verify.wording import HELP, USAGE, Language, describe, summarise

MAX_FINDINGS_SHOWN = 20
"""Findings printed; the rest is counted, and `--json` holds all."""


class _UsageError(Exception):
    """The command line cannot be understood."""


class _Parser(argparse.ArgumentParser):
    """A parser that leaves the exit code to `main`: 2 means "violation" here, not "usage"."""

    def error(self, message: str) -> NoReturn:
        """Hand the usage and the message over."""
        raise _UsageError(f"{self.format_usage()}{message}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verifier on `argv` (default: the process's) and return its exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    language = _language(arguments)
    try:
        options = _parser(language).parse_args(arguments)
    except _UsageError as error:
        sys.stderr.write(f"{error}\n{USAGE.say(language)}\n")
        return Verdict.CANNOT_VERIFY.exit_code
    if options.command == "purposes":
        return purpose_differences.run(options, language)
    if options.command != "verify":
        return _audit(options, language)
    try:
        verification = _verify(options)
    except (OSError, UnicodeDecodeError, LogError) as error:
        finding = Finding(problem=Problem.NO_FILE, detail=f"seen {type(error).__name__}")
        verification = Verification(findings=(finding,))
    if options.json:
        document = _document(options.what, verification, language)
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(verification, language)) + "\n")
    return verification.verdict.exit_code


def _audit(options: argparse.Namespace, language: Language) -> int:
    result = audit.run(options, language)
    said = audit.document(result, language) if options.json else None
    sys.stdout.write((said or "\n".join(audit.lines(result, language))) + "\n")
    return result.verdict.exit_code


def _verify(options: argparse.Namespace) -> Verification:
    path: Path = options.path
    if options.what == "log":
        folders = log_folders(path)
        if len(folders) < len(options.vkey):
            detail = f"expected at most {len(folders)} keys, seen {len(options.vkey)}"
            finding = Finding(problem=Problem.KEY_COUNT, detail=detail)
            return Verification(findings=(finding,))
        leaves = [folder_entries(each, export_note(each)) for each in folders]
        *former, newest = map(_log_files, folders, followed_vkeys(options.vkey, leaves))
        return verify_log(
            newest,
            former=former,
            older=[read_note(each) for each in options.older],
            witness_vkeys=options.witness,
            operator_kids=options.operator_kid,
            steward_kids=options.steward_kid,
        )
    if options.what == "opening":
        return verify_opening(read_bounded(path, limit_bytes=MAX_RECEIPT_BYTES))
    if options.what == "receipt":
        content = read_bounded(path, limit_bytes=MAX_RECEIPT_BYTES)
        *earlier, vkey = options.vkey
        return verify_receipt(
            content,
            vkey=vkey,
            earlier=[each.partition("+")[0] for each in earlier],
            witness_vkeys=options.witness,
        )
    return verify_signed_checkpoint(
        read_note(path), vkey=options.vkey[-1], witness_vkeys=options.witness
    )


def _log_files(folder: Path, vkey: str) -> LogFiles:
    note = export_note(folder)
    return LogFiles(entries=folder_entries(folder, note), checkpoint=note, vkey=vkey)


def _lines(verification: Verification, language: Language) -> list[str]:
    shown = verification.findings[:MAX_FINDINGS_SHOWN]
    hidden = len(verification.findings) - len(shown)
    lines = [describe(finding, language) for finding in shown]
    if hidden:
        lines.append(f"+ {hidden}")
    return lines + summarise(verification, language)


def _document(what: str, verification: Verification, language: Language) -> dict[str, object]:
    checkpoint = verification.checkpoint
    event = verification.event
    return {
        "subject": what,
        "verdict": verification.verdict.value,
        "origin": None if checkpoint is None else checkpoint.origin,
        "size": None if checkpoint is None else checkpoint.size,
        "root": None if checkpoint is None else checkpoint.root.hex(),
        "vkeys": list(verification.vkeys),
        "entries": verification.entries,
        "consents": verification.consents,
        "witnesses": verification.witnesses,
        "older_checkpoints": verification.older,
        "event_type": None if event is None else event.payload.t.value,
        "findings": [
            {
                "problem": finding.problem.value,
                "index": finding.index,
                "message": describe(finding, language),
                "detail": finding.detail,
            }
            for finding in verification.findings
        ],
    }


def _language(arguments: Sequence[str]) -> Language:
    """Find the language before parsing, because the parser's own texts need it."""
    early = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    early.add_argument("--lang")
    try:
        asked = early.parse_known_args(arguments)[0].lang
    except argparse.ArgumentError:
        asked = None
    if asked is None:
        asked = (
            "en"
            if (os.environ.get("LC_ALL") or os.environ.get("LANG", "")).lower().startswith("en")
            else "fr"
        )
    return Language.EN if asked == "en" else Language.FR


def _parser(language: Language) -> argparse.ArgumentParser:
    words = {name: each.say(language) for name, each in HELP.items()}
    file = _Parser(add_help=False)
    file.add_argument("path", type=Path, help=words["path"])
    file.add_argument("--json", action="store_true", help=words["json"])
    file.add_argument("--lang", choices=list(Language), help=words["lang"])
    common = _Parser(add_help=False, parents=[file])
    common.add_argument("--vkey", required=True, action="append", help=words["vkey"])
    common.add_argument("--witness", action="append", default=[], help=words["witness"])
    program = _Parser(prog="consents", description=words["program"])
    commands = program.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help=words["program"], description=words["program"])
    audit.add_parsers(commands, language, _Parser)
    purpose_differences.add_parser(commands, language, _Parser)
    subjects = verify.add_subparsers(dest="what", required=True)
    log = subjects.add_parser("log", parents=[common], help=words["log"])
    log.add_argument("--older", action="append", default=[], type=Path, help=words["older"])
    log.add_argument("--operator-kid", action="append", default=[], help=words["operator"])
    log.add_argument("--steward-kid", action="append", default=[], help=words["steward"])
    subjects.add_parser("opening", parents=[file], help=words["opening"])
    for name in ("receipt", "checkpoint"):
        subjects.add_parser(name, parents=[common], help=words[name])
    return program


if __name__ == "__main__":
    sys.exit(main())
