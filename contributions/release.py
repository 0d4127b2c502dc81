"""What is published: each measure's figures, with intervals, and everything that qualifies them.

A `Release` states its privacy unit, adjacency, ε, δ, weekly and 52-week totals, mechanism, noise,
count, trust assumption and software version, so that a reader needs no other page to judge it.
JSON bytes are canonical (see `wire`); published figures travel as decimal strings with exactly
one decimal ("1234.5"), the precision at which a noisy figure is still worth writing.

It computes nothing: see `estimate`. Published values may be negative, as unbiased noise makes
them; clamping them would bias every sum.
"""

import csv
import io
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from contributions.errors import Malformed
from contributions.measures import MAX_COORDINATES, FactorSetName, Measure
from contributions.release_row import (
    MAX_COUNT,
    CoordinateNoise,
    ReleaseRow,
    decimal_text,
    one_decimal,
    read_decimal,
)
from contributions.task import MAX_EPSILON_MICRO, Adjacency, TrustMode
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

RELEASE_LIMIT_BYTES = 16_777_216
"""Room for 1 000 zones of 80 coordinates."""
PRIVACY_UNIT = "resident-week"
DELTA_TEXT = "0.000001"
"""δ of the PLD figure; that of every other ε is 0."""
CSV_COLUMNS = (
    "period",
    "zone",
    "indicator",
    "unit",
    "label",
    "value",
    "ci95_low",
    "ci95_high",
    "noise_sd",
    "n_noisy",
    "epsilon",
    "mechanism",
    "quality",
    "method_version",
    "ef_version",
    "privacy_unit",
    "adjacency",
    "delta",
    "epsilon_week",
    "epsilon_52_weeks",
    "epsilon_52_weeks_pld",
    "delta_pld",
    "trust_mode",
)
"""Columns of the published table. `zone` is empty for the whole territory; `n_noisy` counts
reports, exactly, since taking part is not hidden; `indicator` is a measure, `label` a mode group,
hour, band or zone of it; `ef_version` names the emission factors of kgCO2e and is empty else.
A line taken out of its table still states what qualifies it: whom one has to trust is `trust_mode`
(`local`: nobody; `two-keepers`: one of two), in the words of the release's `trust_fr`."""

_VERSION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The answer to a task, with every statement that qualifies it.

    `epsilon_micro` is ε of this task, `epsilon_week_micro` of all tasks of the week and
    `epsilon_52_weeks_micro` of 52 such weeks under pure composition, each in millionths per
    resident-week; δ is 0. `epsilon_52_weeks_pld_micro` is the same year composed by PLD, at
    δ = one in a million. `noise` gives W and the sd of the noise of the territory's figure by
    coordinate; each row states its own. `factor_set` is what kgCO2e were computed with, None
    without them. `n` counts the reports summed. `noise_vs_two_keepers` is the sd of the territory's
    noise divided by what two keepers would add at the same ε: what the missing partner costs.
    Raises `Malformed`.
    """

    task_digest: str
    week: str
    adjacency: Adjacency
    trust_mode: TrustMode
    epsilon_micro: int
    epsilon_week_micro: int
    epsilon_52_weeks_micro: int
    epsilon_52_weeks_pld_micro: int
    mechanism: str
    scale: Fraction
    cap_units: int
    min_batch_size: int
    n: int
    noise: tuple[CoordinateNoise, ...]
    noise_vs_two_keepers: float
    trust_fr: str
    trust_en: str
    software_version: str
    rows: tuple[ReleaseRow, ...]
    factor_set: FactorSetName | None = None

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
        expect_integer(
            self.epsilon_52_weeks_pld_micro,
            "epsilon_52_weeks_pld_micro",
            low=1,
            high=self.epsilon_52_weeks_micro,
        )
        expect_text(self.mechanism, "mechanism", longest=64)
        expect_text(self.trust_fr, "trust_fr", longest=1_000)
        expect_text(self.trust_en, "trust_en", longest=1_000)
        expect_text(self.software_version, "software_version", longest=100)
        read_fraction(fraction_text(self.scale), "scale")
        expect_integer(self.cap_units, "cap_units", low=1, high=10**6)
        expect_integer(self.min_batch_size, "min_batch_size", low=2, high=10**6)
        expect_integer(self.n, "n", low=0, high=MAX_COUNT)
        ratio = one_decimal(self.noise_vs_two_keepers, "noise_vs_two_keepers")
        object.__setattr__(self, "noise_vs_two_keepers", ratio)
        self._check_rows()

    def _check_rows(self) -> None:
        keys = [level.key for level in self.noise]
        if not 1 <= len(keys) <= MAX_COORDINATES or len(set(keys)) != len(keys):
            raise Malformed("expected the noise of each coordinate once")
        places = [(row.zone, row.key) for row in self.rows]
        if len(set(places)) != len(places) or not {key for _zone, key in places} <= set(keys):
            raise Malformed("expected one row a zone and coordinate, all with their noise stated")
        stated = {level.key: level.noise_sd for level in self.noise}
        whole = [row for row in self.rows if row.zone is None and row.noise_sd is not None]
        if any(row.noise_sd != stated[row.key] for row in whole):
            raise Malformed("expected the territory's rows to carry the noise that is stated")
        if (self.factor_set is not None) != (Measure.KG_CO2E in self.measures):
            raise Malformed("expected a factor set where kgCO2e are published, and there only")
        if any(row.n is not None and row.n < self.min_batch_size for row in self.rows):
            raise Malformed("expected rows below min_batch_size to be suppressed")

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What was asked, each measure once, in the order of the task."""
        return tuple(dict.fromkeys(level.measure for level in self.noise))

    def to_bytes(self) -> bytes:
        """Return the canonical bytes (RFC 8785) of the release."""
        return canonical_bytes(
            {
                "v": _VERSION,
                "task_digest": self.task_digest,
                "week": self.week,
                "privacy_unit": PRIVACY_UNIT,
                "adjacency": self.adjacency.value,
                "trust_mode": self.trust_mode.value,
                "epsilon_micro": self.epsilon_micro,
                "epsilon_week_micro": self.epsilon_week_micro,
                "epsilon_52_weeks_micro": self.epsilon_52_weeks_micro,
                "epsilon_52_weeks_pld_micro": self.epsilon_52_weeks_pld_micro,
                "delta": "0",
                "delta_pld": DELTA_TEXT,
                "mechanism": self.mechanism,
                "scale": fraction_text(self.scale),
                "cap_units": self.cap_units,
                "min_batch_size": self.min_batch_size,
                "n": self.n,
                "noise": [level.to_json() for level in self.noise],
                "factor_set": None if self.factor_set is None else self.factor_set.to_json(),
                "noise_vs_two_keepers": decimal_text(self.noise_vs_two_keepers),
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
            epsilon_52_weeks_pld_micro=integers["epsilon_52_weeks_pld_micro"],
            cap_units=integers["cap_units"],
            min_batch_size=integers["min_batch_size"],
            n=integers["n"],
            adjacency=expect_member(Adjacency, fields["adjacency"], "adjacency"),
            trust_mode=expect_member(TrustMode, fields["trust_mode"], "trust_mode"),
            scale=read_fraction(fields["scale"], "scale"),
            noise=tuple(
                CoordinateNoise.from_json(item) for item in expect_list(fields["noise"], "noise")
            ),
            factor_set=FactorSetName.from_json(fields["factor_set"]),
            noise_vs_two_keepers=read_decimal(
                fields["noise_vs_two_keepers"], "noise_vs_two_keepers"
            ),
            rows=tuple(ReleaseRow.from_json(item) for item in expect_list(fields["rows"], "rows")),
        )

    def csv_rows(self) -> tuple[tuple[str, ...], ...]:
        """Return the rows under `CSV_COLUMNS`, as texts; a figure held back is empty."""
        qualified = (
            PRIVACY_UNIT,
            self.adjacency.value,
            "0",
            _epsilon_text(self.epsilon_week_micro),
            _epsilon_text(self.epsilon_52_weeks_micro),
            _epsilon_text(self.epsilon_52_weeks_pld_micro),
            DELTA_TEXT,
            self.trust_mode.value,
        )
        factors = "" if self.factor_set is None else self.factor_set.name
        return tuple(
            (
                self.week,
                row.zone or "",
                row.measure.value,
                row.measure.unit.value,
                row.label,
                decimal_text(row.value) or "",
                decimal_text(row.ci95_low) or "",
                decimal_text(row.ci95_high) or "",
                decimal_text(row.noise_sd) or "",
                "" if row.n is None else str(row.n),
                _epsilon_text(self.epsilon_micro),
                self.mechanism,
                row.quality.value,
                self.software_version,
                factors if row.measure is Measure.KG_CO2E else "",
                *qualified,
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


def _epsilon_text(micro: int) -> str:
    return f"{Decimal(micro).scaleb(-6).normalize():f}"


_TEXTS = ("task_digest", "week", "mechanism", "trust_fr", "trust_en", "software_version")
_INTEGERS = (
    "epsilon_micro",
    "epsilon_week_micro",
    "epsilon_52_weeks_micro",
    "epsilon_52_weeks_pld_micro",
    "cap_units",
    "min_batch_size",
    "n",
)
_FIXED = {"v": _VERSION, "privacy_unit": PRIVACY_UNIT, "delta": "0", "delta_pld": DELTA_TEXT}
_KEYS = frozenset(
    {
        *_TEXTS,
        *_INTEGERS,
        *_FIXED,
        "adjacency",
        "trust_mode",
        "scale",
        "factor_set",
        "noise",
        "noise_vs_two_keepers",
        "rows",
    }
)
