"""Figures with their intervals, and the table that sets ours beside those of other tools.

The parts of `trips_scorecard.py` return rows; this lays them out as one Markdown table, on the
terminal and in a page. It measures nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from trips_labelled import bootstrap

TOOLS = ("trackintel", "scikit-mobility", "infostop")
OPENS, CLOSES = "<!-- trips_scorecard.py -->", "<!-- end -->"

Day = TypeVar("Day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured value; `low` and `high` bound it where a bootstrap or several runs say so."""

    value: float
    low: float | None = None
    high: float | None = None

    def said(self, digits: int) -> str:
        """Return the figure and its interval with this many decimals."""
        told = f"{self.value:,.{digits}f}"
        if self.low is None or self.high is None:
            return told
        return f"{told} [{self.low:,.{digits}f}, {self.high:,.{digits}f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measure on some data: our figure, and those of the tools that can be asked for it."""

    measure: str
    data: str
    ours: Figure
    peers: Mapping[str, Figure] = field(default_factory=dict)
    digits: int = 2


def figure(days: Sequence[Day], score: Callable[[Sequence[Day]], float]) -> Figure:
    """Return a score over days with its 95 % interval over resampled days."""
    low, high = bootstrap(days, score)
    return Figure(value=score(days), low=low, high=high)


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a Markdown table with a column for each tool that answered anything."""
    tools = [tool for tool in TOOLS if any(tool in row.peers for row in rows)]
    lines = [_line(("measure", "data", "ours", *tools)), _line(["---"] * (3 + len(tools)))]
    for row in rows:
        others = [row.peers[tool].said(row.digits) if tool in row.peers else "–" for tool in tools]
        lines.append(_line((row.measure, row.data, row.ours.said(row.digits), *others)))
    return lines


def put_into(page: Path, lines: Sequence[str]) -> None:
    """Replace what a page holds between the two marks by some lines.

    Raises:
        ValueError: the page lacks one of the marks.

    """
    before, opened, rest = page.read_text("utf-8").partition(OPENS)
    _, closed, after = rest.partition(CLOSES)
    if not opened or not closed:
        raise ValueError(f"expected {OPENS} and {CLOSES} in {page.name}: add the two marks")
    page.write_text("\n".join((before + OPENS, "", *lines, "", CLOSES + after)), "utf-8")


def _line(cells: Sequence[str]) -> str:
    """Return one line of the table."""
    return "| " + " | ".join(cells) + " |"
