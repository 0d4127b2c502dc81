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
_HEADINGS = {
    False: ("Zone", "Chiffre", "Part", "Valeur", "Intervalle à 95 %"),
    True: ("Zone", "Figure", "Part", "Value", "95% interval"),
}


def published_table(rows: Sequence[Mapping[str, str]], *, title: str, english: bool) -> Table:
    """Return a table of the rows of a release's CSV that are published, in either language."""
    wording = wording_for(Language.ENGLISH if english else Language.FRENCH)
    with _COMMUNES.open(encoding="utf-8", newline="") as lines:
        names = {row["code"]: row["name"] for row in csv.DictReader(lines)}
    table = Table(title=title)
    for heading, justify in zip(_HEADINGS[english], ("left",) * 3 + ("right",) * 2, strict=True):
        table.add_column(heading, justify=justify)
    for row in rows:
        if row["quality"] == "suppressed":
            continue
        measure = Measure(row["indicator"])
        table.add_row(
            names.get(row["zone"], row["zone"]) or _EVERYWHERE[english],
            wording.measure(measure),
            wording.part((measure, row["label"]), names),
            wording.amount(float(row["value"]), Unit(row["unit"])),
            wording.interval(float(row["ci95_low"]), float(row["ci95_high"])),
        )
    return table
