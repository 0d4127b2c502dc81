"""An audit's result as a one-page HTML report that a steward can read, print and file; and as CSV.

The page stands alone: no script, no font, no image, no address to fetch anything from. It holds
counts and places in the log, never a person. Long lists are cut on the page and whole in the CSV.
"""

import csv
import io
from html import escape

from consents.audit.counted import fact
from consents.audit.findings import AuditResult, Subject
from consents.audit.wording import checked, conclude, sentence, title
from consents.verification import Verdict
from consents.wording import Language, Words

MAX_FINDINGS = 12
"""Findings on the page: what fits on one sheet of A4."""

MAX_ROWS = 14
"""Rows of the yearly record on the page: with the findings, still one sheet."""

_STYLE = """
@page { size: A4; margin: 18mm }
body { font: 11pt/1.4 sans-serif; max-width: 44rem; margin: 1rem auto; padding: 0 1rem;
  color: #111; background: #fff }
h1 { font-size: 1.4em; margin: 0 0 .5em }
.verdict { border: 2px solid; padding: .6em; font-weight: bold }
.ok { color: #064e2a } .violation { color: #7a0012 } .cannot-verify { color: #5a3a00 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .2em .5em; border-bottom: 1px solid #999 }
td { text-align: right }
"""
_MARKS = {Verdict.OK: "✓", Verdict.VIOLATION: "✗", Verdict.CANNOT_VERIFY: "?"}
_FOUND = Words(fr="Constats", en="Findings")
_COUNTED = Words(fr="Ce qui a été compté", en="What was counted")
_DETAIL = Words(fr="Par période", en="By period")
_ROWS_MORE = Words(fr="autres lignes, dans le fichier CSV", en="more lines, in the CSV file")
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
        f'<tr><th scope="row">{escape(fact(name, language))}</th><td>{count}</td></tr>'
        for name, count in result.facts.items()
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{language.value}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{heading}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{heading}</h1>"
        f'<p class="verdict {verdict.value}">{_MARKS[verdict]} '
        f"{escape(conclude(verdict, language))}</p>{lines}"
        f"<h2>{escape(_COUNTED.say(language))}</h2><table>{rows}</table>"
        f"{_record(result, language)}{_findings(result, language)}"
        f"<p><small>{escape(_LIMITS.say(language))}</small></p>"
        "</main></body></html>\n"
    )


def csv_table(result: AuditResult) -> str:
    """Return findings, facts and rows as one table: kind, then name or place, then values."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["kind", "name", "entry", "item", "value"])
    writer.writerow(["verdict", result.verdict.value, "", "", ""])
    for name, count in result.facts.items():
        writer.writerow(["fact", name, "", "", count])
    for finding in result.findings:
        writer.writerow(["finding", finding.problem.value, finding.entry, finding.item, ""])
    for row in result.rows:
        for name, value in zip(result.columns, row, strict=True):
            writer.writerow(["row", name, row[0], "", _inert(value)])
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
    """Return the lines of the yearly record: who asked what, when, of how many."""
    if result.subject is not Subject.ANNUAL or not result.rows:
        return ""
    shown = "".join(
        f'<tr><th scope="row">{escape(str(period))}, {escape(fact(str(what), language))}</th>'
        f"<td>{escape(str(count))}</td></tr>"
        for period, what, count in result.rows[-MAX_ROWS:]
    )
    hidden = len(result.rows) - MAX_ROWS
    more = f"<p>{hidden} {escape(_ROWS_MORE.say(language))}</p>" if hidden > 0 else ""
    return f"<h2>{escape(_DETAIL.say(language))}</h2><table>{shown}</table>{more}"


def _inert(value: str | int) -> str | int:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
