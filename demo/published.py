"""The published figures as a table that people read: names in words, whole numbers, one unit a row.

It states what the public CSV states and computes nothing.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from contributions.measures import Measure, Unit
from coop_aggregator.settings import Language
from coop_aggregator.web.wording import wording_for

_COMMUNES = Path(__file__).with_name("communes.csv")
_EVERYWHERE = {False: "Tout le territoire", True: "The whole territory"}
_HEADINGS = {False: ("", "Valeur", "Intervalle à 95 %"), True: ("", "Value", "95% interval")}

_NAMES_WIDTH = 26
"""Characters of the first column: long headings wrap there, so that no number has to."""


def published_table(rows: Sequence[Mapping[str, str]], *, title: str, english: bool) -> Table:
    """Return a table of the rows of a release's CSV that are published, in either language.

    A line names the zone and the figure before their parts, so that 80 columns hold every number.
    """
    wording = wording_for(Language.ENGLISH if english else Language.FRENCH)
    with _COMMUNES.open(encoding="utf-8", newline="") as lines:
        names = {row["code"]: row["name"] for row in csv.DictReader(lines)}
    table = Table(title=title)
    first, *figures = _HEADINGS[english]
    table.add_column(first, max_width=_NAMES_WIDTH)
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    headed = ""
    for row in rows:
        if row["quality"] == "suppressed":
            continue
        measure = Measure(row["indicator"])
        zone = names.get(row["zone"], row["zone"]) or _EVERYWHERE[english]
        heading = f"{zone} · {wording.measure(measure)}"
        if heading != headed:
            headed = heading
            table.add_section()
            table.add_row(heading)
        table.add_row(
            f"  {wording.part((measure, row['label']), names)}",
            wording.amount(float(row["value"]), Unit(row["unit"])),
            wording.interval(float(row["ci95_low"]), float(row["ci95_high"])),
        )
    return table
