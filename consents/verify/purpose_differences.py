"""`consents purposes differences A B`: what changed between two purposes, in text or as one page.

Two files in, words out. Neither file is judged: whether a purpose was published, and under which
version, is `consents audit purposes`. Exit codes: 0 shown (equal or not), 3 cannot read.
"""

import argparse
import sys
from html import escape
from pathlib import Path
from typing import Any

from consents.audit.purposes import WORDED_MEMBERS, differences, word_changes
from consents.errors import RecordError
from consents.records.record import Purpose
from consents.verify.export_folder import read_bounded
from consents.verify.verification import Verdict
from consents.verify.wording import Language, Words

MAX_PURPOSE_BYTES = 262_144
"""Longest purpose file read."""

_ELEMENTS = {"gone": "del", "new": "ins"}


def add_parser(
    program: "argparse._SubParsersAction[Any]",
    language: Language,
    parser: type[argparse.ArgumentParser],
) -> None:
    """Add `purposes differences` beside `verify` and `audit`."""
    common = parser(add_help=False)
    for name in ("old", "new"):
        common.add_argument(name, type=Path, help=_WORDS[name].say(language))
    common.add_argument("--html", type=Path, help=_WORDS["html"].say(language))
    common.add_argument("--lang", choices=list(Language))
    words = _WORDS["title"].say(language)
    subjects = program.add_parser("purposes", help=words).add_subparsers(dest="what", required=True)
    subjects.add_parser("differences", parents=[common], help=words, description=words)


def run(options: argparse.Namespace, language: Language) -> int:
    """Print the differences of parsed `options`, write the page asked for; return the exit code."""
    try:
        old, new = _read(options.old), _read(options.new)
        if options.html is not None:
            options.html.write_text(html_page(old, new, language), "utf-8", newline="\n")
    except (OSError, RecordError):
        sys.stderr.write(_WORDS["unreadable"].say(language) + "\n")
        return Verdict.CANNOT_VERIFY.exit_code
    lines = differences(old, new) or [_WORDS["same"].say(language)]
    sys.stdout.write("\n".join(lines) + "\n")
    return Verdict.OK.exit_code


def html_page(old: Purpose, new: Purpose, language: Language) -> str:
    """Return a page that stands alone: each member that changed, what went struck, what came."""
    title = escape(_WORDS["title"].say(language))
    changed = [name for name in WORDED_MEMBERS if getattr(old, name) != getattr(new, name)]
    body = (
        "".join(f"<h2>{escape(name)}</h2><p>{_marked(old, new, name)}</p>" for name in changed)
        or f"<p>{escape(_WORDS['same'].say(language))}</p>"
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{language.value}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title></head>'
        f"<body><main><h1>{title}</h1><p>{escape(old.version)} → {escape(new.version)}</p>"
        f"{body}</main></body></html>\n"
    )


def _marked(old: Purpose, new: Purpose, member: str) -> str:
    parts: list[str] = []
    for kind, words in word_changes(old, new, member):
        element = _ELEMENTS.get(kind)
        said = escape(words)
        parts.append(said if element is None else f"<{element}>{said}</{element}>")
    return " ".join(parts)


def _read(path: Path) -> Purpose:
    return Purpose.parse(read_bounded(path, limit_bytes=MAX_PURPOSE_BYTES))


_WORDS = {
    "title": Words(fr="Ce qui change entre deux finalités", en="What changed between two purposes"),
    "old": Words(fr="finalité d'avant, telle que publiée", en="the purpose before, as published"),
    "new": Words(fr="finalité d'après, telle que publiée", en="the purpose after, as published"),
    "html": Words(fr="écrire une page HTML", en="write an HTML page"),
    "same": Words(fr="Aucun mot ne change.", en="No word changed."),
    "unreadable": Words(
        fr="Attendu : deux fichiers, chacun les octets exacts d'une finalité publiée.",
        en="Expected: two files, each the exact bytes of a published purpose.",
    ),
}
