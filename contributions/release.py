"""What is published: kilometres by mode, with intervals, and everything that qualifies them.

A `Release` states its privacy unit, adjacency, ε, δ, weekly and 52-week totals, mechanism, noise,
count, trust assumption and software version, so that a reader needs no other page to judge it.
JSON bytes are canonical (see `wire`); published figures travel as decimal strings with exactly
one decimal ("1234.5"), the precision at which a noisy kilometre is still worth writing.

It computes nothing: see `estimate`. Published values may be negative, as unbiased noise makes
them; clamping them would bias every sum.
"""

import csv
import io
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from contributions.errors import Malformed
from contributions.task import (
    MAX_COORDINATES,
    MAX_EPSILON_MICRO,
    MODE_LABEL,
    ZONE_CODE,
    Adjacency,
    TrustMode,
)
from contributions.weeks import week_monday
from contributions.wire import (
    HEX_32_BYTES,
    canonical_bytes,
    expect_integer,
    expect_keys,
    expect_list,
    expect_match,
    expect_member,
    expect_text,
    fraction_text,
    read_fraction,
    read_object,
)

RELEASE_LIMIT_BYTES = 4_194_304
"""Room for 2 000 zones of 8 modes."""
PRIVACY_UNIT = "resident-week"
INDICATOR = "distance_km"
CSV_COLUMNS = (
    "period",
    "zone",
    "indicator",
    "mode",
    "value",
    "ci95_low",
    "ci95_high",
    "n_noisy",
    "epsilon",
    "mechanism",
    "quality",
    "method_version",
    "ef_version",
)
"""Columns of the published table. `zone` is empty for the whole territory; `n_noisy` counts
reports, exactly under trust mode `local`, where taking part is not hidden; `ef_version` is empty
because kilometres use no emission factor."""

_VERSION = 1
_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,12})\.\d", re.ASCII)
_LIMIT_KM = 1e12
_MAX_COUNT = 10**9


class Quality(StrEnum):
    """Whether a row is published or held back for want of reports."""

    PUBLISHED = "published"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """One figure: kilometres of one mode, one week, one zone (None: the whole territory).

    `km`, `ci95_low` and `ci95_high` are rounded to one decimal; the 95 % interval covers the
    privacy noise, not sampling nor clipping. A suppressed row holds None instead of each figure
    and of the count `n` of reports. Raises `Malformed`.
    """

    zone: str | None
    mode: str
    km: float | None
    ci95_low: float | None
    ci95_high: float | None
    n: int | None
    quality: Quality

    def __post_init__(self) -> None:
        """Check every bound and round the figures to one decimal."""
        if self.zone is not None:
            expect_match(self.zone, "row.zone", ZONE_CODE)
        expect_match(self.mode, "row.mode", MODE_LABEL)
        if not isinstance(self.quality, Quality):
            raise Malformed("expected row.quality as a member of Quality")
        figures = (self.km, self.ci95_low, self.ci95_high, self.n)
        if self.quality is Quality.SUPPRESSED:
            if any(figure is not None for figure in figures):
                raise Malformed("expected no figure and no count in a suppressed row")
            return
        if self.km is None or self.ci95_low is None or self.ci95_high is None:
            raise Malformed("expected km and both ends of the interval in a published row")
        if not self.ci95_low <= self.km <= self.ci95_high:
            raise Malformed("expected ci95_low <= km <= ci95_high")
        expect_integer(self.n, "row.n", low=1, high=_MAX_COUNT)
        for name, value in (
            ("km", self.km),
            ("ci95_low", self.ci95_low),
            ("ci95_high", self.ci95_high),
        ):
            object.__setattr__(self, name, _one_decimal(value, name))

    def to_json(self) -> dict[str, object]:
        """Return the row as it stands in the release."""
        return {
            "zone": self.zone,
            "mode": self.mode,
            "km": _decimal_text(self.km),
            "ci95_low": _decimal_text(self.ci95_low),
            "ci95_high": _decimal_text(self.ci95_high),
            "n": self.n,
            "quality": self.quality.value,
        }

    @classmethod
    def from_json(cls, value: object) -> "ReleaseRow":
        """Read a row of a release; raises `Malformed`."""
        fields = expect_keys(
            value,
            "rows",
            frozenset({"ci95_high", "ci95_low", "km", "mode", "n", "quality", "zone"}),
        )
        zone, n = fields["zone"], fields["n"]
        return cls(
            zone=None if zone is None else expect_match(zone, "row.zone", ZONE_CODE),
            mode=expect_match(fields["mode"], "row.mode", MODE_LABEL),
            km=_read_optional_decimal(fields["km"], "row.km"),
            ci95_low=_read_optional_decimal(fields["ci95_low"], "row.ci95_low"),
            ci95_high=_read_optional_decimal(fields["ci95_high"], "row.ci95_high"),
            n=None if n is None else expect_integer(n, "row.n", low=1, high=_MAX_COUNT),
            quality=expect_member(Quality, fields["quality"], "row.quality"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeNoise:
    """What one mode's figure for the territory carries: W in km and the noise's sd in km."""

    mode: str
    weight_km: int
    noise_sd_km: float

    def __post_init__(self) -> None:
        """Check every bound and round the sd to one decimal."""
        expect_match(self.mode, "noise.mode", MODE_LABEL)
        expect_integer(self.weight_km, "noise.weight_km", low=1, high=100_000)
        object.__setattr__(self, "noise_sd_km", _one_decimal(self.noise_sd_km, "noise_sd_km"))
        if self.noise_sd_km < 0:
            raise Malformed("expected noise_sd_km not to be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The answer to a task, with every statement that qualifies it.

    `epsilon_micro` is ε of this task, `epsilon_week_micro` of all tasks of the week and
    `epsilon_52_weeks_micro` of 52 such weeks under pure composition, each in millionths per
    resident-week; δ is 0. `noise` gives W and the sd of the noise of the territory's figure by
    mode. `n` counts the reports summed. `noise_vs_two_keepers` is the sd of the territory's noise
    divided by what two keepers would add at the same ε: what the missing partner costs.
    Raises `Malformed`.
    """

    task_digest: str
    week: str
    adjacency: Adjacency
    trust_mode: TrustMode
    epsilon_micro: int
    epsilon_week_micro: int
    epsilon_52_weeks_micro: int
    mechanism: str
    scale: Fraction
    cap_units: int
    min_batch_size: int
    n: int
    noise: tuple[ModeNoise, ...]
    noise_vs_two_keepers: float
    trust_fr: str
    trust_en: str
    software_version: str
    rows: tuple[ReleaseRow, ...]

    def __post_init__(self) -> None:
        """Check every bound; see the class."""
        expect_match(self.task_digest, "task_digest", HEX_32_BYTES)
        week_monday(self.week)
        expect_integer(self.epsilon_micro, "epsilon_micro", low=1, high=MAX_EPSILON_MICRO)
        weekly = expect_integer(
            self.epsilon_week_micro, "epsilon_week_micro", low=self.epsilon_micro, high=10**9
        )
        expect_integer(
            self.epsilon_52_weeks_micro, "epsilon_52_weeks_micro", low=weekly, high=52 * weekly
        )
        expect_text(self.mechanism, "mechanism", longest=64)
        expect_text(self.trust_fr, "trust_fr", longest=1_000)
        expect_text(self.trust_en, "trust_en", longest=1_000)
        expect_text(self.software_version, "software_version", longest=100)
        read_fraction(fraction_text(self.scale), "scale")
        expect_integer(self.cap_units, "cap_units", low=1, high=10**6)
        expect_integer(self.min_batch_size, "min_batch_size", low=2, high=10**6)
        expect_integer(self.n, "n", low=0, high=_MAX_COUNT)
        ratio = _one_decimal(self.noise_vs_two_keepers, "noise_vs_two_keepers")
        object.__setattr__(self, "noise_vs_two_keepers", ratio)
        self._check_rows()

    def _check_rows(self) -> None:
        modes = [level.mode for level in self.noise]
        if not 1 <= len(modes) <= MAX_COORDINATES or len(set(modes)) != len(modes):
            raise Malformed("expected the noise of each mode once")
        places = [(row.zone, row.mode) for row in self.rows]
        if len(set(places)) != len(places) or not {mode for _zone, mode in places} <= set(modes):
            raise Malformed("expected one row a zone and mode, of modes whose noise is stated")
        if any(row.n is not None and row.n < self.min_batch_size for row in self.rows):
            raise Malformed("expected rows below min_batch_size to be suppressed")

    def to_bytes(self) -> bytes:
        """Return the canonical bytes (RFC 8785) of the release."""
        return canonical_bytes(
            {
                "v": _VERSION,
                "task_digest": self.task_digest,
                "week": self.week,
                "indicator": INDICATOR,
                "privacy_unit": PRIVACY_UNIT,
                "adjacency": self.adjacency.value,
                "trust_mode": self.trust_mode.value,
                "epsilon_micro": self.epsilon_micro,
                "epsilon_week_micro": self.epsilon_week_micro,
                "epsilon_52_weeks_micro": self.epsilon_52_weeks_micro,
                "delta": "0",
                "mechanism": self.mechanism,
                "scale": fraction_text(self.scale),
                "cap_units": self.cap_units,
                "min_batch_size": self.min_batch_size,
                "n": self.n,
                "noise": [
                    {
                        "mode": level.mode,
                        "weight_km": level.weight_km,
                        "noise_sd_km": _decimal_text(level.noise_sd_km),
                    }
                    for level in self.noise
                ],
                "noise_vs_two_keepers": _decimal_text(self.noise_vs_two_keepers),
                "trust_fr": self.trust_fr,
                "trust_en": self.trust_en,
                "software_version": self.software_version,
                "rows": [row.to_json() for row in self.rows],
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "Release":
        """Read a release from untrusted canonical bytes; raises `Malformed`."""
        fields = expect_keys(read_object(data, limit_bytes=RELEASE_LIMIT_BYTES), "release", _KEYS)
        for name, fixed in _FIXED.items():
            if fields[name] != fixed or isinstance(fields[name], bool):
                raise Malformed(f"expected {name} to be {fixed}; this version reads no other")
        texts = {name: expect_text(fields[name], name, longest=1_000) for name in _TEXTS}
        integers = {
            name: expect_integer(fields[name], name, low=0, high=52 * 10**9) for name in _INTEGERS
        }
        return cls(
            task_digest=texts["task_digest"],
            week=texts["week"],
            mechanism=texts["mechanism"],
            trust_fr=texts["trust_fr"],
            trust_en=texts["trust_en"],
            software_version=texts["software_version"],
            epsilon_micro=integers["epsilon_micro"],
            epsilon_week_micro=integers["epsilon_week_micro"],
            epsilon_52_weeks_micro=integers["epsilon_52_weeks_micro"],
            cap_units=integers["cap_units"],
            min_batch_size=integers["min_batch_size"],
            n=integers["n"],
            adjacency=expect_member(Adjacency, fields["adjacency"], "adjacency"),
            trust_mode=expect_member(TrustMode, fields["trust_mode"], "trust_mode"),
            scale=read_fraction(fields["scale"], "scale"),
            noise=tuple(_read_noise(item) for item in expect_list(fields["noise"], "noise")),
            noise_vs_two_keepers=_read_decimal(
                fields["noise_vs_two_keepers"], "noise_vs_two_keepers"
            ),
            rows=tuple(ReleaseRow.from_json(item) for item in expect_list(fields["rows"], "rows")),
        )

    def csv_rows(self) -> tuple[tuple[str, ...], ...]:
        """Return the rows under `CSV_COLUMNS`, as texts; a figure held back is empty."""
        epsilon = f"{Decimal(self.epsilon_micro).scaleb(-6).normalize():f}"
        return tuple(
            (
                self.week,
                row.zone or "",
                INDICATOR,
                row.mode,
                _decimal_text(row.km) or "",
                _decimal_text(row.ci95_low) or "",
                _decimal_text(row.ci95_high) or "",
                "" if row.n is None else str(row.n),
                epsilon,
                self.mechanism,
                row.quality.value,
                self.software_version,
                "",
            )
            for row in self.rows
        )

    def to_csv(self) -> bytes:
        """Return the table as CSV (RFC 4180, UTF-8, header first)."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(CSV_COLUMNS)
        writer.writerows(self.csv_rows())
        return text.getvalue().encode("utf-8")


_TEXTS = ("task_digest", "week", "mechanism", "trust_fr", "trust_en", "software_version")
_INTEGERS = (
    "epsilon_micro",
    "epsilon_week_micro",
    "epsilon_52_weeks_micro",
    "cap_units",
    "min_batch_size",
    "n",
)
_FIXED = {"v": _VERSION, "indicator": INDICATOR, "privacy_unit": PRIVACY_UNIT, "delta": "0"}
_KEYS = frozenset(
    {
        *_TEXTS,
        *_INTEGERS,
        *_FIXED,
        "adjacency",
        "trust_mode",
        "scale",
        "noise",
        "noise_vs_two_keepers",
        "rows",
    }
)


def _read_noise(item: object) -> ModeNoise:
    fields = expect_keys(item, "noise", frozenset({"mode", "noise_sd_km", "weight_km"}))
    return ModeNoise(
        mode=expect_match(fields["mode"], "noise.mode", MODE_LABEL),
        weight_km=expect_integer(fields["weight_km"], "noise.weight_km", low=1, high=100_000),
        noise_sd_km=_read_decimal(fields["noise_sd_km"], "noise.noise_sd_km"),
    )


def _one_decimal(value: float, where: str) -> float:
    # A NaN fails the comparison; adding 0.0 turns -0.0 into 0.0, which has one spelling.
    if not -_LIMIT_KM < value < _LIMIT_KM:
        raise Malformed(f"expected a figure below 1e12 in magnitude at {where}")
    return round(float(value), 1) + 0.0


def _decimal_text(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f}"


def _read_decimal(value: object, where: str) -> float:
    text = expect_match(value, where, _DECIMAL)
    if text == "-0.0":
        raise Malformed(f"expected zero without a sign at {where}")
    return float(text)


def _read_optional_decimal(value: object, where: str) -> float | None:
    return None if value is None else _read_decimal(value, where)
