"""Ask a question: draft a task from the territory and a purpose, then sign it. Both are kept.

Not the task itself (`contributions.task`). A draft is not served to stores; a signed task is served
for ever as the bytes that were signed.
"""

import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from carbon.identity import newest_set
from consents.records.record import Purpose
from contributions.errors import ContributionsError
from contributions.keeper import Keeper
from contributions.measures import FactorSetName, Measure, coordinates_for
from contributions.prio3.prio3 import VERIFY_KEY_BYTES
from contributions.task import Adjacency, Task, TrustMode, Zone, sign_task
from contributions.weeks import week_period
from coop_aggregator.asking.territory import ZoneOutline, territory_document
from coop_aggregator.db import questions as db
from coop_aggregator.db.identity import Identity, lock
from coop_aggregator.db.keepers import both_keepers
from coop_aggregator.db.members import member_count
from coop_aggregator.db.shards import load_shards
from coop_aggregator.db.territories import keep_outlines, load_zones
from coop_aggregator.errors import TaskRefused

REPORTING_DELAY = timedelta(days=7)
"""By default stores have one week after the week to report: a holiday, an unplugged machine."""

DEFAULT_EPSILON = {TrustMode.LOCAL: Fraction(4), TrustMode.TWO_KEEPERS: Fraction(1)}
"""ε of a week where the operator names none: what each mode's noise leaves something to read at."""


DEFAULT_CAP_UNITS = 2**14 - 1
"""Q: finer than the noise of 100 000 residents, and no bit of a proof unused (ADR 0014)."""

_SCALES = ((30_000, Fraction(2)), (1_000, Fraction(3, 2)), (0, Fraction(3, 4)))
"""From so many members a measure, S of one measure. Source: design page on privacy, section (b)
step 14; `benchmarks/contributions_accuracy.py` shows what it comes to."""

_NAMES_FR = {
    Measure.KILOMETRES: "kilomètres par mode",
    Measure.TRIPS: "trajets par mode",
    Measure.KG_CO2E: "kgCO2e par mode",
    Measure.DEPARTURES: "départs par heure",
    Measure.SHORT_CAR_TRIPS: "trajets courts en voiture",
    Measure.ACTIVE_MINUTES: "minutes à pied et à vélo",
    Measure.FLOWS: "trajets par zone d'arrivée",
}
_NAMES_EN = {
    Measure.KILOMETRES: "kilometres by mode",
    Measure.TRIPS: "trips by mode",
    Measure.KG_CO2E: "kgCO2e by mode",
    Measure.DEPARTURES: "departures by hour",
    Measure.SHORT_CAR_TRIPS: "short trips by car",
    Measure.ACTIVE_MINUTES: "minutes walked and cycled",
    Measure.FLOWS: "trips by the zone where they end",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an operator decides about one week; the rest follows from the cooperative itself.

    `measures` share one cap and one ε. `report_deadline` None means one week after the end of the
    week; `epsilon` None the default of the trust mode, `scale` None `default_scale`.
    `territory_share` is the part of ε that the territory's figures have, in ]0, 1[;
    `adjacency` and it count with two keepers only.
    """

    week: str
    measures: tuple[Measure, ...] = (Measure.KILOMETRES,)
    epsilon: Fraction | None = None
    min_batch_size: int = 30
    scale: Fraction | None = None
    cap_units: int = DEFAULT_CAP_UNITS
    trust_mode: TrustMode = TrustMode.LOCAL
    adjacency: Adjacency = Adjacency.ZERO_OUT
    territory_share: Fraction = Fraction(1, 2)
    report_deadline: datetime | None = None
    purpose_digest: str | None = None


def default_scale(mode: TrustMode, *, measures: int, members: int) -> Fraction:
    """Return S for so many measures (1 to 7) asked of so many members, who are not all to answer.

    Measures share one cap, which grows with them so that no week is cut more. More members outweigh
    more noise: a larger S then cuts fewer weeks. Under `local` noise grows with members too. How
    many there are is all that is looked at; releases tell about as much.
    """
    if mode is TrustMode.LOCAL:
        return _SCALES[-1][1] * measures
    return next(scale for least, scale in _SCALES if members >= least * measures) * measures


def draft_task(connection: Connection, who: Identity, question: Question) -> Task:
    """Keep a draft task and return it. Raises TaskRefused; nothing is kept then."""
    lock(connection)
    if db.task_by_week(connection, question.week) is not None:
        raise TaskRefused(
            fr=f"Une question existe déjà pour {question.week} : une seule par semaine.",
            en=f"There is a question for {question.week} already: one a week.",
        )
    purpose = _purpose(connection, question.purpose_digest)
    # Drawn before any report exists, and committed to in the task: see `keepers.cosigning`.
    two = question.trust_mode is TrustMode.TWO_KEEPERS
    verify_key = secrets.token_bytes(VERIFY_KEY_BYTES) if two else None
    task = _task(connection, who, question, purpose=purpose, verify_key=verify_key)
    expect_within(task, purpose)
    db.add_task(
        connection,
        digest=task.digest,
        week=task.week,
        body=task.to_bytes(),
        report_deadline=task.report_deadline,
        verify_key=verify_key,
    )
    return task


def expect_within(task: Task, purpose: Purpose) -> None:
    """Raise TaskRefused unless the purpose allows the task's ε and everything that it measures."""
    if task.epsilon_micro > purpose.epsilon_week_micro:
        raise TaskRefused(
            fr="La question demande plus d'ε que sa finalité n'en promet "
            f"({purpose.epsilon_week_micro} millionièmes). Baissez --epsilon.",
            en="The question asks for more ε than its purpose promises "
            f"({purpose.epsilon_week_micro} millionths). Lower --epsilon.",
        )
    missing = {measure.purpose_field for measure in task.measures} - set(purpose.fields)
    if missing:
        listed = ", ".join(sorted(missing))
        raise TaskRefused(
            fr=f"La finalité ne couvre pas {listed}. Publiez-en une qui le dise aux résidents.",
            en=f"The purpose does not cover {listed}. Publish one that tells residents so.",
        )


def sign_draft(connection: Connection, week: str, key: Ed25519PrivateKey) -> db.StoredTask:
    """Sign the `local` draft of `week`; a signed task stays as it is. Raises TaskRefused.

    A task of two keepers takes both signatures: `keepers.cosigning`.
    """
    lock(connection)
    stored = db.task_by_week(connection, week)
    if stored is None:
        raise TaskRefused(
            fr=f"Aucune question pour {week}. Créez-la par « coop-aggregator task create ».",
            en=f"No question for {week}. Create it with 'coop-aggregator task create'.",
        )
    if Task.parse(stored.body).trust_mode is not TrustMode.LOCAL:
        raise TaskRefused(
            fr="Cette question a deux gardiens : il faut aussi la signature du second.",
            en="This question has two keepers: the second one's signature is needed too.",
        )
    if stored.jws is None:
        jws = sign_task(Task.parse(stored.body), key).decode("ascii")
        db.set_task_signature(connection, stored.digest, jws)
        stored = db.StoredTask(
            digest=stored.digest,
            week=stored.week,
            body=stored.body,
            jws=jws,
            report_deadline=stored.report_deadline,
        )
    return stored


def _purpose(connection: Connection, digest: str | None) -> Purpose:
    known = db.purpose_digests(connection)
    chosen = digest if digest is not None else (known[-1] if known else None)
    body = None if chosen is None else db.purpose_body(connection, chosen)
    if body is None:
        raise TaskRefused(
            fr="Finalité inconnue. Publiez-la par « coop-aggregator purpose publish ».",
            en="Unknown purpose. Publish it with 'coop-aggregator purpose publish'.",
        )
    return Purpose.parse(body)


def _keepers(connection: Connection, question: Question) -> tuple[Keeper, ...]:
    if question.trust_mode is TrustMode.LOCAL:
        return ()
    cards = both_keepers(connection)
    if not cards:
        raise TaskRefused(
            fr="Il manque la fiche d'un des deux gardiens. Échangez-les par « coop-aggregator "
            "keeper card » et « keeper pair », ou choisissez --trust-mode local.",
            en="One of the two keepers' cards is missing. Exchange them with 'coop-aggregator "
            "keeper card' and 'keeper pair', or choose --trust-mode local.",
        )
    return cards


def _task(
    connection: Connection,
    who: Identity,
    question: Question,
    *,
    purpose: Purpose,
    verify_key: bytes | None,
) -> Task:
    outlines = _outlines(connection)
    zones = tuple(Zone(code=zone.code, name=zone.name) for zone in outlines)
    year, _, number = question.week.partition("-W")
    local = question.trust_mode is TrustMode.LOCAL
    epsilon = question.epsilon or DEFAULT_EPSILON[question.trust_mode]
    epsilon_micro = math.floor(epsilon * 1_000_000)
    keepers = _keepers(connection, question)
    measures = question.measures
    try:
        deadline = question.report_deadline or week_period(question.week).end + REPORTING_DELAY
        return Task(
            title_fr=f"{_listed(measures, _NAMES_FR)}, semaine {number} de {year}",
            title_en=f"{_listed(measures, _NAMES_EN)}, week {number} of {year}",
            week=question.week,
            zones=zones,
            coordinates=coordinates_for(measures, zone_codes=[zone.code for zone in zones]),
            factor_set=_factor_set(measures),
            territory_sha256=_territory_sha256(connection, measures, outlines),
            scale=question.scale or _scale(connection, question),
            cap_units=question.cap_units,
            epsilon_micro=epsilon_micro,
            epsilon_territory_micro=0
            if local
            else math.floor(epsilon_micro * question.territory_share),
            adjacency=Adjacency.REPLACEMENT if local else question.adjacency,
            trust_mode=question.trust_mode,
            keepers=keepers,
            verify_key_sha256="" if verify_key is None else sha256(verify_key).hexdigest(),
            min_batch_size=question.min_batch_size,
            purpose_digest=purpose.digest,
            log_origin=load_shards(connection).current.origin,
            aggregator_name=who.name,
            report_deadline=deadline.astimezone(UTC).replace(microsecond=0),
        )
    except ContributionsError as error:
        raise TaskRefused(
            fr=f"La question ne peut pas être posée ainsi ({error}).",
            en=f"The question cannot be asked like this ({error}).",
        ) from error


def _scale(connection: Connection, question: Question) -> Fraction:
    asked, members = len(set(question.measures)), member_count(connection)
    return default_scale(question.trust_mode, measures=asked, members=members)


def _outlines(connection: Connection) -> tuple[ZoneOutline, ...]:
    outlines = load_zones(connection)
    if not outlines:
        raise TaskRefused(
            fr="Le territoire n'a pas de zone. Lancez « coop-aggregator territory import ».",
            en="The territory has no zone. Run 'coop-aggregator territory import'.",
        )
    return outlines


def _factor_set(measures: Sequence[Measure]) -> FactorSetName | None:
    if Measure.KG_CO2E not in measures:
        return None
    newest = newest_set()
    return FactorSetName(name=newest.name, sha256=newest.sha256)


def _territory_sha256(
    connection: Connection, measures: Sequence[Measure], outlines: Sequence[ZoneOutline]
) -> str:
    if Measure.FLOWS not in measures:
        return ""
    return keep_outlines(connection, territory_document(outlines))


def _listed(measures: Sequence[Measure], names: Mapping[Measure, str]) -> str:
    text = ", ".join(names[measure] for measure in Measure if measure in measures)
    return text[:1].upper() + text[1:]
