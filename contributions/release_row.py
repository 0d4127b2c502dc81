"""One figure of a release, and the noise that it carries, as they travel.

Figures travel as decimal strings with exactly one decimal ("1234.5"), the precision at which a
noisy figure is still worth writing. Published values may be negative, as unbiased noise makes them.
It is not the release: that one states what qualifies all of them (`release`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from contributions.errors import Malformed
from contributions.measures import LABEL, Key, Measure, expect_unit
from contributions.task import ZONE_CODE
from contributions.wire import expect_integer, expect_keys, expect_match, expect_member

MAX_COUNT = 10**9
"""More reports than one release ever sums."""

_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,12})\.\d", re.ASCII)
_LIMIT = 1e12


class Quality(StrEnum):
    """Whether a row is published or held back for want of reports."""

    PUBLISHED = "published"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """One figure: one coordinate, one week, one zone (None: the whole territory).

    `value`, both ends of the interval and `noise_sd`, the standard deviation of the noise in this
    very figure, are rounded to one decimal; the 95 % interval covers that noise, not sampling nor
    clipping. A suppressed row holds None instead of each figure and of the count `n` of reports.
    Raises `Malformed`.
    """

    zone: str | None
    measure: Measure
    label: str
    value: float | None
    ci95_low: float | None
    ci95_high: float | None
    noise_sd: float | None
    n: int | None
    quality: Quality

    def __post_init__(self) -> None:
        """Check every bound and round the figures to one decimal."""
        if self.zone is not None:
            expect_match(self.zone, "row.zone", ZONE_CODE)
        _expect_key(self.measure, self.label, "row")
        if not isinstance(self.quality, Quality):
            raise Malformed("expected row.quality as a member of Quality")
        figures = (self.value, self.ci95_low, self.ci95_high, self.noise_sd, self.n)
        if self.quality is Quality.SUPPRESSED:
            if any(figure is not None for figure in figures):
                raise Malformed("expected no figure and no count in a suppressed row")
            return
        if self.value is None or self.ci95_low is None or self.ci95_high is None:
            raise Malformed("expected a value and both ends of the interval in a published row")
        if self.noise_sd is None or self.noise_sd < 0:
            raise Malformed("expected the noise of a published row, and no negative one")
        if not self.ci95_low <= self.value <= self.ci95_high:
            raise Malformed("expected ci95_low <= value <= ci95_high")
        expect_integer(self.n, "row.n", low=1, high=MAX_COUNT)
        for name, value in (
            ("value", self.value),
            ("ci95_low", self.ci95_low),
            ("ci95_high", self.ci95_high),
            ("noise_sd", self.noise_sd),
        ):
            object.__setattr__(self, name, one_decimal(value, name))

    @property
    def key(self) -> Key:
        """The coordinate that the figure is of."""
        return self.measure, self.label

    def to_json(self) -> dict[str, object]:
        """Return the row as it stands in the release."""
        return {
            "zone": self.zone,
            "measure": self.measure.value,
            "unit": self.measure.unit.value,
            "label": self.label,
            "value": decimal_text(self.value),
            "ci95_low": decimal_text(self.ci95_low),
            "ci95_high": decimal_text(self.ci95_high),
            "noise_sd": decimal_text(self.noise_sd),
            "n": self.n,
            "quality": self.quality.value,
        }

    @classmethod
    def from_json(cls, value: object) -> "ReleaseRow":
        """Read a row of a release; raises `Malformed`."""
        fields = expect_keys(
            value,
            "rows",
            frozenset(
                {
                    "ci95_high",
                    "ci95_low",
                    "label",
                    "measure",
                    "n",
                    "noise_sd",
                    "quality",
                    "unit",
                    "value",
                    "zone",
                }
            ),
        )
        zone, n = fields["zone"], fields["n"]
        return cls(
            zone=None if zone is None else expect_match(zone, "row.zone", ZONE_CODE),
            measure=_read_measure(fields, "row"),
            label=expect_match(fields["label"], "row.label", LABEL),
            value=_read_optional_decimal(fields["value"], "row.value"),
            ci95_low=_read_optional_decimal(fields["ci95_low"], "row.ci95_low"),
            ci95_high=_read_optional_decimal(fields["ci95_high"], "row.ci95_high"),
            noise_sd=_read_optional_decimal(fields["noise_sd"], "row.noise_sd"),
            n=None if n is None else expect_integer(n, "row.n", low=1, high=MAX_COUNT),
            quality=expect_member(Quality, fields["quality"], "row.quality"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinateNoise:
    """What one coordinate's figure for the territory carries: W and the noise's sd, in its unit."""

    measure: Measure
    label: str
    weight: int
    noise_sd: float

    def __post_init__(self) -> None:
        """Check every bound and round the sd to one decimal."""
        _expect_key(self.measure, self.label, "noise")
        expect_integer(self.weight, "noise.weight", low=1, high=100_000)
        object.__setattr__(self, "noise_sd", one_decimal(self.noise_sd, "noise_sd"))
        if self.noise_sd < 0:
            raise Malformed("expected noise_sd not to be negative")

    @property
    def key(self) -> Key:
        """The coordinate that it is about."""
        return self.measure, self.label

    def to_json(self) -> dict[str, object]:
        """Return the statement as it stands in the release."""
        return {
            "measure": self.measure.value,
            "unit": self.measure.unit.value,
            "label": self.label,
            "weight": self.weight,
            "noise_sd": decimal_text(self.noise_sd),
        }

    @classmethod
    def from_json(cls, value: object) -> "CoordinateNoise":
        """Read a statement of a release; raises `Malformed`."""
        fields = expect_keys(
            value, "noise", frozenset({"label", "measure", "noise_sd", "unit", "weight"})
        )
        return cls(
            measure=_read_measure(fields, "noise"),
            label=expect_match(fields["label"], "noise.label", LABEL),
            weight=expect_integer(fields["weight"], "noise.weight", low=1, high=100_000),
            noise_sd=read_decimal(fields["noise_sd"], "noise.noise_sd"),
        )


def _expect_key(measure: object, label: object, where: str) -> None:
    if not isinstance(measure, Measure):
        raise Malformed(f"expected {where}.measure as a member of Measure")
    expect_match(label, f"{where}.label", LABEL)


def _read_measure(fields: Mapping[str, object], where: str) -> Measure:
    measure = expect_member(Measure, fields["measure"], f"{where}.measure")
    expect_unit(measure, fields["unit"], f"{where}.unit")
    return measure


def one_decimal(value: float, where: str) -> float:
    """Return a figure rounded to one decimal; raises `Malformed` unless below 1e12."""
    # A NaN fails the comparison; adding 0.0 turns -0.0 into 0.0, which has one spelling.
    if not -_LIMIT < value < _LIMIT:
        raise Malformed(f"expected a figure below 1e12 in magnitude at {where}")
    return round(float(value), 1) + 0.0


def decimal_text(value: float | None) -> str | None:
    """Return a figure with exactly one decimal, None for none."""
    return None if value is None else f"{value:.1f}"


def read_decimal(value: object, where: str) -> float:
    """Read a figure in its only spelling; raises `Malformed`."""
    text = expect_match(value, where, _DECIMAL)
    if text == "-0.0":
        raise Malformed(f"expected zero without a sign at {where}")
    return float(text)


def _read_optional_decimal(value: object, where: str) -> float | None:
    return None if value is None else read_decimal(value, where)
