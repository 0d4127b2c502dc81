"""What is asked: one question for one ISO week, immutable once signed.

A `Task` fixes before any resident answers: the week, the zones, the coordinates and their
weights, the cap Q, the privacy parameters, who sums and until when. Its digest is the SHA-256 of
its canonical bytes, and everything else (report, consent, release) names it by that digest.

A task of two keepers names both, with their keys, and counts only when both signed its bytes.

It is not the answer (`measurement`), nor the ledger (`budget`), nor a consent.
Vocabulary: task, report, batch as in draft-ietf-ppm-dap; no wire conformance with it is claimed.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contributions import jws
from contributions.errors import Malformed, SignatureRefused
from contributions.keeper import Keeper
from contributions.measures import (
    DEFAULT_COORDINATES,
    ELSEWHERE,
    MAX_COORDINATES,
    Coordinate,
    FactorSetName,
    Measure,
)
from contributions.weeks import Period, week_monday, week_period
from contributions.wire import (
    HEX_32_BYTES,
    canonical_bytes,
    expect_integer,
    expect_keys,
    expect_list,
    expect_match,
    expect_member,
    expect_text,
    expect_time,
    fraction_text,
    read_fraction,
    read_object,
    read_time,
    sha256_hex,
    time_text,
)

TASK_TYP = "mec-task+jws"
"""`typ` of a signed task."""
TASK_LIMIT_BYTES = 262_144
"""Room for 2 000 zones; a larger file is not a task."""
MAX_CAP_UNITS = 10**6
"""Q beyond this adds no accuracy: rounding to 1/Q of the cap is already far below any noise."""
MAX_EPSILON_MICRO = 10_000_000
"""ε = 10: above it "private" would be the wrong word; a task that asks for more is refused."""
MAX_ZONES = 2_000
"""Zones of one task: more than any French department has communes."""

ZONE_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
"""A zone's code, such as the INSEE code of a commune; no spreadsheet takes it for a formula."""
LOG_ORIGIN = re.compile(r"[!-~]{1,128}")
"""A C2SP checkpoint origin: printable ASCII without spaces."""

_OPTIONAL_DIGEST = re.compile(r"([0-9a-f]{64})?")
_VERSION = 2
_KEYS = frozenset(
    {
        "adjacency",
        "aggregator_name",
        "cap_units",
        "coordinates",
        "epsilon_micro",
        "epsilon_territory_micro",
        "factor_set",
        "keepers",
        "log_origin",
        "min_batch_size",
        "purpose_digest",
        "report_deadline",
        "scale",
        "territory_sha256",
        "title_en",
        "title_fr",
        "trust_mode",
        "v",
        "verify_key_sha256",
        "week",
        "zones",
    }
)


class TrustMode(StrEnum):
    """Whom a resident has to trust for their own report.

    `LOCAL`: nobody, the noise is in the report. `TWO_KEEPERS`: that two keepers do not collude.
    """

    LOCAL = "local"
    TWO_KEEPERS = "two-keepers"


class Adjacency(StrEnum):
    """Which two inputs ε compares: a week against the empty week, or against any other week.

    For the same noise, ε under `REPLACEMENT` is twice ε under `ZERO_OUT`.
    """

    ZERO_OUT = "zero_out"
    REPLACEMENT = "replacement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A zone of residence: the batch label of a report. `code` is stable, `name` is shown."""

    code: str
    name: str

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        expect_match(self.code, "zone.code", ZONE_CODE)
        expect_text(self.name, "zone.name", longest=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One question for one ISO week, with everything that fixes its privacy and its accuracy.

    `scale` S (positive, both terms below 10⁹) and `cap_units` Q (1 to 10⁶) set the joint cap of
    all coordinates of all measures: Σ x/(W·S) ≤ 1 fills Q units. `epsilon_micro` is ε for one
    resident-week in millionths.
    `min_batch_size` (at least 2) is the smallest number of reports that is published.
    `report_deadline` (UTC, whole second) is after the week: a week is reported once it is over.
    Trust mode `local` compares any two weeks, so that its adjacency is `REPLACEMENT`.
    `two-keepers` names its `keepers`, leader then helper, with four distinct keys, and splits ε:
    `epsilon_territory_micro` for the territory's figures, the rest for the zones', each at least
    one millionth. `verify_key_sha256` commits them to the secret key that they check reports with,
    chosen before any report. `local` has none of these.
    `factor_set` names the factors that kgCO2e are computed with, `territory_sha256` the outlines
    that flows are counted in, so that every store counts alike; each is there with its measure
    only. Raises `Malformed` at construction.
    """

    title_fr: str
    title_en: str
    week: str
    zones: tuple[Zone, ...]
    coordinates: tuple[Coordinate, ...] = DEFAULT_COORDINATES
    scale: Fraction
    cap_units: int
    epsilon_micro: int
    adjacency: Adjacency = Adjacency.REPLACEMENT
    trust_mode: TrustMode
    min_batch_size: int
    purpose_digest: str
    log_origin: str
    aggregator_name: str
    report_deadline: datetime
    keepers: tuple[Keeper, ...] = ()
    epsilon_territory_micro: int = 0
    verify_key_sha256: str = ""
    factor_set: FactorSetName | None = None
    territory_sha256: str = ""

    def __post_init__(self) -> None:
        """Check every bound; see the class."""
        expect_text(self.title_fr, "title_fr", longest=200)
        expect_text(self.title_en, "title_en", longest=200)
        expect_text(self.aggregator_name, "aggregator_name", longest=200)
        expect_match(self.log_origin, "log_origin", LOG_ORIGIN)
        expect_match(self.purpose_digest, "purpose_digest", HEX_32_BYTES)
        self._check_question()
        self._check_privacy()
        expect_time(self.report_deadline, "report_deadline")
        if self.report_deadline <= self.period.end:
            raise Malformed("expected report_deadline after the end of the week")

    def _check_question(self) -> None:
        week_monday(self.week)
        codes = [zone.code for zone in self.zones]
        keys = [coordinate.key for coordinate in self.coordinates]
        if not 1 <= len(codes) <= MAX_ZONES or len(set(codes)) != len(codes):
            raise Malformed(f"expected 1 to {MAX_ZONES} zones with distinct codes")
        if not 1 <= len(keys) <= MAX_COORDINATES or len(set(keys)) != len(keys):
            raise Malformed(f"expected 1 to {MAX_COORDINATES} coordinates, each once")
        self._check_references()
        if not isinstance(self.scale, Fraction):
            raise Malformed("expected scale as a Fraction; floats are not exact")
        read_fraction(fraction_text(self.scale), "scale")
        expect_integer(self.cap_units, "cap_units", low=1, high=MAX_CAP_UNITS)
        expect_integer(self.min_batch_size, "min_batch_size", low=2, high=10**6)

    def _check_references(self) -> None:
        measures = self.measures
        if (self.factor_set is not None) != (Measure.KG_CO2E in measures):
            raise Malformed("expected a factor set where kgCO2e are asked, and there only")
        if Measure.FLOWS not in measures:
            if self.territory_sha256:
                raise Malformed("expected no territory where no flow is asked")
            return
        expect_match(self.territory_sha256, "territory_sha256", HEX_32_BYTES)
        if self.zone(ELSEWHERE) is not None:
            raise Malformed(f"expected no zone of code {ELSEWHERE} where flows are asked")

    def _check_privacy(self) -> None:
        expect_integer(self.epsilon_micro, "epsilon_micro", low=1, high=MAX_EPSILON_MICRO)
        if not isinstance(self.adjacency, Adjacency) or not isinstance(self.trust_mode, TrustMode):
            raise Malformed("expected adjacency and trust_mode as members of their enumerations")
        if self.trust_mode is TrustMode.LOCAL and self.adjacency is not Adjacency.REPLACEMENT:
            raise Malformed("expected adjacency replacement: local privacy compares any two weeks")
        if self.trust_mode is TrustMode.LOCAL:
            if self.keepers or self.epsilon_territory_micro != 0 or self.verify_key_sha256:
                raise Malformed("expected no keeper and no split of epsilon in a local task")
            return
        expect_match(self.verify_key_sha256, "verify_key_sha256", HEX_32_BYTES)
        keys = {key for keeper in self.keepers for key in (keeper.hpke_x, keeper.sign_x)}
        if len(self.keepers) != 2 or len(keys) != 4:
            raise Malformed("expected a leader and a helper with four keys of their own")
        expect_integer(
            self.epsilon_territory_micro,
            "epsilon_territory_micro",
            low=1,
            high=self.epsilon_micro - 1,
        )

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is asked, each measure once, in the order of the coordinates."""
        return tuple(dict.fromkeys(coordinate.measure for coordinate in self.coordinates))

    @property
    def epsilon_zone_micro(self) -> int:
        """ε of the zones' figures, in millionths; all of it in trust mode `local`."""
        return self.epsilon_micro - self.epsilon_territory_micro

    @property
    def period(self) -> Period:
        """The week as a half-open interval of UTC times; Monday 00:00 in Europe/Paris."""
        return week_period(self.week)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, which are the only bytes that `parse` accepts."""
        return sha256_hex(self.to_bytes())

    def zone(self, code: str) -> Zone | None:
        """Return the zone of this code, or None when the task does not ask about it."""
        return next((zone for zone in self.zones if zone.code == code), None)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes (RFC 8785) of the task."""
        return canonical_bytes(
            {
                "v": _VERSION,
                "title_fr": self.title_fr,
                "title_en": self.title_en,
                "week": self.week,
                "zones": [{"code": zone.code, "name": zone.name} for zone in self.zones],
                "coordinates": [coordinate.to_json() for coordinate in self.coordinates],
                "factor_set": None if self.factor_set is None else self.factor_set.to_json(),
                "territory_sha256": self.territory_sha256,
                "scale": fraction_text(self.scale),
                "cap_units": self.cap_units,
                "epsilon_micro": self.epsilon_micro,
                "epsilon_territory_micro": self.epsilon_territory_micro,
                "keepers": [keeper.to_json() for keeper in self.keepers],
                "verify_key_sha256": self.verify_key_sha256,
                "adjacency": self.adjacency.value,
                "trust_mode": self.trust_mode.value,
                "min_batch_size": self.min_batch_size,
                "purpose_digest": self.purpose_digest,
                "log_origin": self.log_origin,
                "aggregator_name": self.aggregator_name,
                "report_deadline": time_text(self.report_deadline),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "Task":
        """Read a task from untrusted bytes; raises `Malformed` unless they are canonical."""
        fields = expect_keys(read_object(data, limit_bytes=TASK_LIMIT_BYTES), "task", _KEYS)
        expect_integer(fields["v"], "v", low=_VERSION, high=_VERSION)
        return cls(
            title_fr=expect_text(fields["title_fr"], "title_fr", longest=200),
            title_en=expect_text(fields["title_en"], "title_en", longest=200),
            week=expect_text(fields["week"], "week", longest=8),
            zones=tuple(_zone(item) for item in expect_list(fields["zones"], "zones")),
            coordinates=tuple(
                Coordinate.from_json(item)
                for item in expect_list(fields["coordinates"], "coordinates")
            ),
            factor_set=FactorSetName.from_json(fields["factor_set"]),
            territory_sha256=expect_match(
                fields["territory_sha256"], "territory_sha256", _OPTIONAL_DIGEST
            ),
            scale=read_fraction(fields["scale"], "scale"),
            cap_units=expect_integer(fields["cap_units"], "cap_units", low=1, high=MAX_CAP_UNITS),
            epsilon_micro=expect_integer(
                fields["epsilon_micro"], "epsilon_micro", low=1, high=MAX_EPSILON_MICRO
            ),
            epsilon_territory_micro=expect_integer(
                fields["epsilon_territory_micro"],
                "epsilon_territory_micro",
                low=0,
                high=MAX_EPSILON_MICRO,
            ),
            verify_key_sha256=expect_match(
                fields["verify_key_sha256"], "verify_key_sha256", _OPTIONAL_DIGEST
            ),
            keepers=tuple(
                Keeper.from_json(item) for item in expect_list(fields["keepers"], "keepers")
            ),
            adjacency=expect_member(Adjacency, fields["adjacency"], "adjacency"),
            trust_mode=expect_member(TrustMode, fields["trust_mode"], "trust_mode"),
            min_batch_size=expect_integer(
                fields["min_batch_size"], "min_batch_size", low=2, high=10**6
            ),
            purpose_digest=expect_match(fields["purpose_digest"], "purpose_digest", HEX_32_BYTES),
            log_origin=expect_match(fields["log_origin"], "log_origin", LOG_ORIGIN),
            aggregator_name=expect_text(fields["aggregator_name"], "aggregator_name", longest=200),
            report_deadline=read_time(fields["report_deadline"], "report_deadline"),
        )


def sign_task(task: Task, key: Ed25519PrivateKey) -> bytes:
    """Sign a task with the aggregator's key, or one keeper's, into a compact JWS."""
    return jws.sign(task.to_bytes(), key=key, typ=TASK_TYP)


def join_signatures(leader: bytes, helper: bytes) -> bytes:
    """Return the signed task of two keepers: one compact JWS a line, the leader's first."""
    return leader + b"\n" + helper


def read_task(
    signed: bytes, public_key: Ed25519PublicKey, helper_key: Ed25519PublicKey | None = None
) -> Task:
    """Verify a signed task against keys known from enrolment, and read it.

    A `local` task carries the signature of `public_key`. A two-keeper task carries that and the
    helper's, over the same bytes, and names these two keys as its keepers': one keeper alone can
    change nothing. Raises `Malformed` or `SignatureRefused`, the latter also for other keys.
    """
    lines = signed.split(b"\n")
    if len(lines) > 2:
        raise Malformed("expected one signature, or two on two lines")
    verified = [jws.verify(line, typ=TASK_TYP, limit_bytes=2 * TASK_LIMIT_BYTES) for line in lines]
    if len({each.payload for each in verified}) != 1:
        raise SignatureRefused("expected both keepers to sign the same task; ask the cooperative")
    task = Task.parse(verified[0].payload)
    expected = [public_key]
    if task.trust_mode is TrustMode.TWO_KEEPERS:
        if helper_key is None:
            raise SignatureRefused("expected a helper known from enrolment; join again")
        expected.append(helper_key)
        if [keeper.sign_key for keeper in task.keepers] != expected:
            raise SignatureRefused("expected the keepers given at enrolment; ask the cooperative")
    if [each.public_key for each in verified] != expected:
        raise SignatureRefused("expected the task key given at enrolment; ask the cooperative")
    return task


def _zone(item: object) -> Zone:
    fields = expect_keys(item, "zones", frozenset({"code", "name"}))
    return Zone(
        code=expect_match(fields["code"], "zone.code", ZONE_CODE),
        name=expect_text(fields["name"], "zone.name", longest=100),
    )
