"""Ask a question: draft a task from the territory and a purpose, then sign it. Both are kept.

Not the task itself (`contributions.task`). A draft is not served to stores; a signed task is served
for ever as the bytes that were signed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from consents.record import Purpose
from contributions.errors import ContributionsError
from contributions.task import Task, TrustMode, Zone, sign_task
from contributions.weeks import week_period
from coop_aggregator.db import questions as db
from coop_aggregator.db.identity import Identity, lock
from coop_aggregator.db.territories import load_zones
from coop_aggregator.errors import TaskRefused

REPORTING_DELAY = timedelta(days=7)
"""By default stores have one week after the week to report: a holiday, an unplugged machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an operator decides about one week; the rest follows from the cooperative itself.

    `report_deadline` None means one week after the end of the week.
    """

    week: str
    epsilon: Fraction = Fraction(4)
    min_batch_size: int = 30
    scale: Fraction = Fraction(3, 4)
    cap_units: int = 1000
    trust_mode: TrustMode = TrustMode.LOCAL
    report_deadline: datetime | None = None
    purpose_digest: str | None = None


def draft_task(connection: Connection, who: Identity, question: Question) -> Task:
    """Keep a draft task and return it. Raises TaskRefused; nothing is kept then."""
    if question.trust_mode is not TrustMode.LOCAL:
        raise TaskRefused(
            fr="Le mode « two-keepers » n'est pas encore servi : il demande deux gardiens. "
            "Choisissez --trust-mode local.",
            en="Trust mode 'two-keepers' is not served yet: it takes two keepers. "
            "Choose --trust-mode local.",
        )
    lock(connection)
    if db.task_by_week(connection, question.week) is not None:
        raise TaskRefused(
            fr=f"Une question existe déjà pour {question.week} : une seule par semaine.",
            en=f"There is a question for {question.week} already: one a week.",
        )
    purpose = _purpose(connection, question.purpose_digest)
    task = _task(connection, who, question, purpose)
    if task.epsilon_micro > purpose.epsilon_week_micro:
        raise TaskRefused(
            fr="La question demande plus d'ε que sa finalité n'en promet "
            f"({purpose.epsilon_week_micro} millionièmes). Baissez --epsilon.",
            en="The question asks for more ε than its purpose promises "
            f"({purpose.epsilon_week_micro} millionths). Lower --epsilon.",
        )
    db.add_task(
        connection,
        digest=task.digest,
        week=task.week,
        body=task.to_bytes(),
        report_deadline=task.report_deadline,
    )
    return task


def sign_draft(connection: Connection, week: str, key: Ed25519PrivateKey) -> db.StoredTask:
    """Sign the draft of `week`; a signed task stays as it is. Raises TaskRefused."""
    lock(connection)
    stored = db.task_by_week(connection, week)
    if stored is None:
        raise TaskRefused(
            fr=f"Aucune question pour {week}. Créez-la par « coop-aggregator task create ».",
            en=f"No question for {week}. Create it with 'coop-aggregator task create'.",
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


def _task(connection: Connection, who: Identity, question: Question, purpose: Purpose) -> Task:
    zones = tuple(Zone(code=zone.code, name=zone.name) for zone in load_zones(connection))
    if not zones:
        raise TaskRefused(
            fr="Le territoire n'a pas de zone. Lancez « coop-aggregator territory import ».",
            en="The territory has no zone. Run 'coop-aggregator territory import'.",
        )
    year, _, number = question.week.partition("-W")
    epsilon_micro = question.epsilon * 1_000_000
    try:
        deadline = question.report_deadline or week_period(question.week).end + REPORTING_DELAY
        return Task(
            title_fr=f"Kilomètres par mode, semaine {number} de {year}",
            title_en=f"Kilometres by mode, week {number} of {year}",
            week=question.week,
            zones=zones,
            scale=question.scale,
            cap_units=question.cap_units,
            epsilon_micro=epsilon_micro.numerator // epsilon_micro.denominator,
            trust_mode=question.trust_mode,
            min_batch_size=question.min_batch_size,
            purpose_digest=purpose.digest,
            log_origin=who.origin,
            aggregator_name=who.name,
            report_deadline=deadline.astimezone(UTC).replace(microsecond=0),
        )
    except ContributionsError as error:
        raise TaskRefused(
            fr=f"La question ne peut pas être posée ainsi ({error}).",
            en=f"The question cannot be asked like this ({error}).",
        ) from error
