"""What each page is given: frozen, already in the reader's language, nothing left to compute.

A template prints these fields and decides nothing but its own layout.
"""

from dataclasses import dataclass

from coop_aggregator.settings import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What every page shows: language, names, and the same page in the other language."""

    language: Language
    other_language: Language
    other_path: str
    name: str
    helper: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of the chart, in units of the drawing; `whisker` is an SVG path.

    `hollow` when the interval holds zero: the noise may be all there is.
    """

    label: str
    y: int
    x: int
    width: int
    whisker: str
    hollow: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """Bars from a common zero; `zero` is the SVG path of that line, broken where labels stand."""

    width: int
    height: int
    zero: str
    bars: tuple[Bar, ...]
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One zone of the map: its SVG path and its class, 0 (none published) to 5."""

    path: str
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """The zones drawn together, and what each class of shade stands for."""

    width: int
    height: int
    shapes: tuple[Shape, ...]
    legend: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """One line of a measure's table; texts are empty where it is held back.

    `share` is a dash where the interval holds zero.
    """

    label: str
    value: str
    interval: str
    share: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneRow:
    """One zone in the zones' table; texts are empty where the row is held back."""

    name: str
    value: str
    interval: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of "how it was made": a name and a value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link and its text."""

    href: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureView:
    """One measure of a release. `chart` is None when the territory is held back."""

    name: str
    title: str
    unit: str
    finding: str
    chart: BarChart | None
    rows: tuple[FigureRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseView:
    """One release as a page shows it, one section a measure."""

    week: str
    title: str
    period: str
    finding: str
    sections: tuple[MeasureView, ...]
    trust: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """The latest release, or the reason why there is none; links to the others."""

    site: Site
    title: str
    release: ReleaseView | None
    others: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkGroup:
    """Links under one heading."""

    title: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePage:
    """One release with everything that qualifies it."""

    site: Site
    title: str
    release: ReleaseView
    zone_pages: tuple[LinkGroup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonesPage:
    """One coordinate over the zones: the map and the table that says the same."""

    site: Site
    title: str
    week: str
    finding: str
    map: Map
    unit: str
    rows: tuple[ZoneRow, ...]
    minimum: str
    zone_pages: tuple[LinkGroup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionPage:
    """How it protects: the purpose's own words, the log's checkpoint and its key.

    `local` and `two_keepers` say which ways of hiding answers its questions have used.
    """

    site: Site
    title: str
    local: bool
    two_keepers: bool
    purpose_title: str
    purpose_text: str
    purpose_digest: str
    vkey: str
    checkpoint: str
    leaf_count: str
    cosigned: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessRow:
    """One cosigned checkpoint in the stewards' table."""

    size: str
    root: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HelperPage:
    """What the stewards witnessed."""

    site: Site
    title: str
    origin: str
    log_vkey: str
    own_vkey: str
    rows: tuple[WitnessRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """One question of the auditor: its answer in words, findings, and how many more there are."""

    question: str
    conclusion: str
    sound: bool
    findings: tuple[str, ...]
    hidden: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPage:
    """What the stewards' last audit found; `audited` is None before the first.

    `trouble` says why there is a report that cannot be read. `days` count entries, newest first.
    """

    site: Site
    title: str
    trouble: str
    audited: str | None
    size: str
    sound: bool
    answers: tuple[AnswerRow, ...]
    days: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One entry of a consent: its place in the log, its kind, the day that it claims."""

    entry: str
    kind: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesPage:
    """The entries of one consent; `asked` is what was typed, `malformed` when it is no id."""

    site: Site
    title: str
    asked: str
    malformed: bool
    rows: tuple[EntryRow, ...]
    hidden: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What changed in one member of a purpose: (kind, words) with kind same, gone or new."""

    name: str
    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposesPage:
    """The published purposes, and what one changed from the one before; empty for the first."""

    site: Site
    title: str
    versions: tuple[Link, ...]
    old: str
    new: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPage:
    """There is nothing at this address."""

    site: Site
    title: str
