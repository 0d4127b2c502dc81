"""An audit's result as a one-page HTML report that a steward can read, print and file; and as CSV.

The page stands alone: no script, no font, no image, no address to fetch anything from. It holds
counts and places in the log, never a person. Long lists are cut on the page and whole in the CSV.
"""

import csv
import io
from html import escape

from consents.audit.counted import amount, fact
from consents.audit.findings import AuditResult, Subject
from consents.audit.wording import checked, sentence, title
from consents.verify.verification import Verdict
from consents.verify.wording import Language, Words, say_verdict

MAX_FINDINGS = 12
"""Findings on the page: what fits on one sheet of A4."""

MAX_ROWS = 6
"""Uses in the yearly record on the page: with counts and findings, still one sheet."""

MAX_TEXT = 140
"""Characters of a use on the page: two lines."""

_CSV_COLUMNS = ("kind", "name", "entry", "item", "value")

_STYLE = """
@page { size: A4; margin: 15mm }
body { font: 11pt/1.4 sans-serif; max-width: 44rem; margin: 1rem auto; padding: 0 1rem;
  color: #111; background: #fff }
h1 { font-size: 1.4em; margin: 0 0 .5em }
h2 { font-size: 1.15em; margin: .8em 0 .3em }
p { margin: .4em 0 }
.verdict { border: 2px solid; padding: .6em; font-weight: bold }
.ok { color: #064e2a } .violation { color: #7a0012 } .cannot-verify { color: #5a3a00 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .2em .5em; border-bottom: 1px solid #999 }
td { text-align: right }
@media print { body { font-size: 9pt; max-width: none; margin: 0; padding: 0 } }
"""
_MARKS = {Verdict.OK: "✓", Verdict.VIOLATION: "✗", Verdict.CANNOT_VERIFY: "?"}
_FOUND = Words(fr="Constats", en="Findings")
_COUNTED = Words(fr="Ce qui a été compté", en="What was counted")
_DETAIL = Words(fr="Qui a demandé quoi (contributions)", en="Who asked what (contributions)")
_WEEK = Words(fr="une semaine\N{NO-BREAK SPACE}: {first}", en="one week: {first}")
_WEEKS = Words(
    fr="{count} semaines, de {first} à {last}", en="{count} weeks, from {first} to {last}"
)
_ROWS_MORE = Words(fr="autres usages, dans le fichier CSV", en="more uses, in the CSV file")
_ADDED = Words(
    fr="À ajouter par la coopérative, car un journal ne le dit pas\N{NO-BREAK SPACE}: recettes, "
    "dépenses, redevances, personnel et actions d'intérêt général.",
    en="To be added by the cooperative, since no log says it: revenue, expenditure, fees, staff "
    "and work in the general interest.",
)
_MORE = Words(fr="autres constats, dans le fichier CSV", en="more findings, in the CSV file")
_LIMITS = Words(
    fr="Ce rapport vient des fichiers remis et de clés reçues par un autre chemin. Il ne peut pas "
    "voir un habitant inventé par l'opérateur.",
    en="This report follows from the files handed over and keys received by another way. It cannot "
    "see a resident whom the operator invented.",
)


def html_report(result: AuditResult, language: Language) -> str:
    """Return the page, complete and self-contained."""
    heading = escape(title(result.subject, language))
    verdict = result.verdict
    lines = "".join(f"<p>{escape(line)}</p>" for line in checked(result, language))
    rows = "".join(
        f'<tr><th scope="row">{escape(fact(name, language))}</th>'
        f"<td>{amount(name, count, language)}</td></tr>"
        for name, count in result.facts.items()
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{language.value}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{heading}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{heading}</h1>"
        f'<p class="verdict {verdict.value}">{_MARKS[verdict]} '
        f"{escape(say_verdict(verdict, language))}</p>{lines}"
        f"<h2>{escape(_COUNTED.say(language))}</h2><table>{rows}</table>"
        f"{_record(result, language)}{_findings(result, language)}"
        f"<p><small>{escape(_LIMITS.say(language))}</small></p>"
        "</main></body></html>\n"
    )


def csv_table(result: AuditResult, language: Language) -> str:
    """Return verdict, facts, findings and rows as one table, told apart by its first column.

    A row fills the columns of its own names; sentences are in `language`.
    """
    names = [*_CSV_COLUMNS, *(each for each in result.columns if each not in _CSV_COLUMNS)]
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerow({"kind": "verdict", "name": result.verdict.value})
    for name, count in result.facts.items():
        writer.writerow({"kind": "fact", "name": name, "value": count})
    for finding in result.findings:
        writer.writerow(
            {
                "kind": "finding",
                "name": finding.problem.value,
                "entry": finding.entry,
                "item": finding.item,
                "value": sentence(finding, language),
            }
        )
    for row in result.rows:
        cells = zip(result.columns, map(_inert, row), strict=True)
        writer.writerow({"kind": "row", **dict(cells)})
    return file.getvalue()


def _findings(result: AuditResult, language: Language) -> str:
    if not result.findings:
        return ""
    shown = result.findings[:MAX_FINDINGS]
    hidden = len(result.findings) - len(shown)
    items = "".join(f"<li>{escape(sentence(each, language))}</li>" for each in shown)
    more = f"<li>{hidden} {escape(_MORE.say(language))}</li>" if hidden else ""
    return f"<h2>{escape(_FOUND.say(language))}</h2><ul>{items}{more}</ul>"


def _record(result: AuditResult, language: Language) -> str:
    """Return who asked what, from which week to which, of how many, and what a log cannot say."""
    if result.subject is not Subject.ANNUAL:
        return ""
    asked: dict[tuple[str | int, ...], list[tuple[str | int, ...]]] = {}
    for row in result.rows:
        if "W" in str(row[0]):
            asked.setdefault((row[1], *row[3:]), []).append(row)
    shown = [
        f'<tr><th scope="row">{escape(_clipped(_uses(use, language)))}<br>'
        f"<small>{escape(_weeks(rows, language))}</small></th>"
        f"<td>{amount('items', sum(int(row[2]) for row in rows), language)}</td></tr>"
        for use, rows in asked.items()
    ]
    hidden = len(shown) - MAX_ROWS
    more = f"<p>{hidden} {escape(_ROWS_MORE.say(language))}</p>" if hidden > 0 else ""
    table = f"<h2>{escape(_DETAIL.say(language))}</h2><table>{''.join(shown[:MAX_ROWS])}</table>"
    return f"{table if shown else ''}{more}<p>{escape(_ADDED.say(language))}</p>"


def _uses(use: tuple[str | int, ...], language: Language) -> str:
    title_fr, user, contact, epsilon_micro = use
    epsilon = amount("epsilon_micro", int(epsilon_micro), language)
    named = f"{user} ({contact})" if user else ""
    return ", ".join(each for each in (str(title_fr), named, f"ε {epsilon}") if each)


def _weeks(rows: list[tuple[str | int, ...]], language: Language) -> str:
    weeks = sorted({str(row[0]) for row in rows})
    words = (_WEEKS if len(weeks) > 1 else _WEEK).say(language)
    return words.format(count=len(weeks), first=weeks[0], last=weeks[-1])


def _clipped(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _inert(value: str | int) -> str | int:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
