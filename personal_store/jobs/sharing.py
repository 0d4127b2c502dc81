"""Prepare, show and send the contribution of one week: what is shown is what leaves.

`prepare` draws the noise once and keeps the bytes; `preview` and `send` use those bytes. Sending
goes reserve, send, sent: the budget is spent before the first byte leaves, and a crash or a lost
answer in between resends the same bytes (the cooperative keeps one of them).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from sqlalchemy import Connection

from carbon.modes import ModeGroup
from contributions.budget import EntryState, LedgerEntry, check_budget
from contributions.errors import ContributionsError
from contributions.measurement import encode
from contributions.task import Task
from personal_store import cooperative
from personal_store.contribute import contribute
from personal_store.cooperative import Membership
from personal_store.db import consents, contributions, trips
from personal_store.db.connection import writing
from personal_store.db.consents import Consent
from personal_store.db.contributions import ContributionState, KeptContribution
from personal_store.errors import GateClosed, LedgerRefused
from personal_store.footprint import distance_by_group, one_traveller
from personal_store.gate import Covering, WeekKilometres, permit_week
from personal_store.store import Store

# ε of 52 weeks: a resident's own ceiling. At ε = 4 a week a full year comes to 208.
YEARLY_CAP_EPSILON_MICRO = 208_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Everything that a contribution comes down to.

    `exact` is the vector before noise and never leaves; `kept` holds the bytes that would leave,
    None while the gate is closed, and then `closed` says why.
    """

    task: Task
    kilometres: WeekKilometres
    exact: tuple[int, ...]
    clipped: bool
    kept: KeptContribution | None
    closed: GateClosed | None


def week_kilometres(connection: Connection, task: Task, zone: str) -> WeekKilometres:
    """Return the kilometres of the task's week by mode group, from the stored trips."""
    period = task.period
    stored = trips.between(connection, start=period.start, end=period.end)
    legs = [leg for trip in one_traveller([each.trip for each in stored]) for leg in trip.triplegs]
    metres = distance_by_group(legs)
    return WeekKilometres(
        week=task.week,
        zone=zone,
        kilometres={group.value: Fraction(metres[group]) / 1000 for group in ModeGroup},
    )


def preview(store: Store, member: Membership, task: Task) -> Preview:
    """Show what would leave for a task, drawing the noise if it was not drawn yet.

    Nothing leaves and nothing is spent.
    """
    with writing(store.engine) as connection:
        week = week_kilometres(connection, task, member.zone)
        exact = encode(week.kilometres, task)
        kept = contributions.find(connection, task.digest)
        closed: GateClosed | None = None
        if kept is None or kept.state is ContributionState.PREPARED:
            try:
                kept = _prepared(connection, store, member, week, task)
            except GateClosed as error:
                kept, closed = None, error
        return Preview(
            task=task,
            kilometres=week,
            exact=exact.vector,
            clipped=exact.clipped,
            kept=kept,
            closed=closed,
        )


def run_once(store: Store, member: Membership, task: Task) -> KeptContribution:
    """Send the contribution of a task's week, once.

    Raises GateClosed without a covering consent, LedgerRefused over the yearly cap, TransportError
    when the cooperative cannot be reached; sending again later resends the same bytes.
    """
    now = store.clock.now()
    with writing(store.engine) as connection:
        kept = contributions.find(connection, task.digest)
        if kept is not None and kept.state is ContributionState.SENT:
            return kept
        # The gate is asked again even for bytes already reserved: a withdrawal stops them too.
        week = week_kilometres(connection, task, member.zone)
        kept = _prepared(connection, store, member, week, task)
        if kept.state is ContributionState.PREPARED:
            _reserve(connection, kept, now=now)
    cooperative.send_report(store.connect(member.url), kept.report)
    with writing(store.engine) as connection:
        contributions.advance(connection, task.digest, to=ContributionState.SENT, at=now)
    return replace(kept, state=ContributionState.SENT, changed_at=now)


def _prepared(
    connection: Connection, store: Store, member: Membership, week: WeekKilometres, task: Task
) -> KeptContribution:
    """Return the kept bytes of a task while the gate is open, drawing them where needed."""
    now = store.clock.now()
    consent = consents.newest_for(connection, url=member.url, purpose_digest=task.purpose_digest)
    ledger = contributions.every(connection)
    permitted = permit_week(
        week, task=task, covering=_covering(connection, consent, ledger, task), now=now
    )
    assert consent is not None, "the gate opens for no one without a consent"
    kept = contributions.find(connection, task.digest)
    if kept is not None:
        same_consent = kept.head == permitted.grant.head
        if kept.state is not ContributionState.PREPARED and not same_consent:
            raise _drawn_under_another_consent()
        exact = encode(week.kilometres, task).vector
        if same_consent and (kept.state is not ContributionState.PREPARED or kept.exact == exact):
            return kept
        # The trips or the consent changed since the draft, of which nothing has left: draw anew.
        contributions.drop_prepared(connection, task.digest)
    made = contribute(
        permitted,
        task=task,
        n=len(_spent_under(consent, ledger, besides=task)),
        consent_key=consent.key,
        noise=store.noise,
        randomness=store.randomness,
        now=now,
    )
    new = KeptContribution(
        task_digest=task.digest,
        week=task.week,
        cid=consent.cid,
        head=permitted.grant.head,
        epsilon_micro=task.epsilon_micro,
        state=ContributionState.PREPARED,
        exact=made.exact.vector,
        report=made.jws,
        changed_at=now,
    )
    contributions.add(connection, new)
    return new


def _covering(
    connection: Connection,
    consent: Consent | None,
    ledger: Sequence[KeptContribution],
    task: Task,
) -> Covering | None:
    chain = consents.chain(connection, consent.cid) if consent else []
    if consent is None or not chain:
        return None
    spent = _spent_under(consent, ledger, besides=task)
    return Covering(
        events=[event.signed for event in chain],
        body=chain[-1].body,
        commitment_key=chain[-1].commitment_key,
        spent_micro=sum(each.epsilon_micro for each in spent),
    )


def _spent_under(
    consent: Consent, ledger: Sequence[KeptContribution], *, besides: Task
) -> list[KeptContribution]:
    return [
        each
        for each in ledger
        if each.cid == consent.cid
        and each.state is not ContributionState.PREPARED
        and each.task_digest != besides.digest
    ]


def _drawn_under_another_consent() -> GateClosed:
    return GateClosed(
        fr="Cette semaine avait été préparée sous un accord retiré depuis : elle ne partira pas. "
        "Les semaines suivantes partiront sous le nouvel accord.",
        en="This week was prepared under a consent that you have withdrawn since: it will not "
        "leave. The next weeks will leave under the new consent.",
    )


def _reserve(connection: Connection, kept: KeptContribution, *, now: datetime) -> None:
    entries = [
        LedgerEntry(
            week=each.week,
            task_digest=each.task_digest,
            epsilon_micro=each.epsilon_micro,
            state=EntryState(each.state.value),
        )
        for each in contributions.every(connection)
        if each.state is not ContributionState.PREPARED
    ]
    try:
        check_budget(
            entries,
            week=kept.week,
            epsilon_micro=kept.epsilon_micro,
            cap_micro=YEARLY_CAP_EPSILON_MICRO,
        )
    except ContributionsError as error:
        raise LedgerRefused(
            fr="Votre budget de confidentialité sur 52 semaines ne permet pas cette "
            "contribution : rien n'est parti. Elle sera possible quand d'anciennes semaines "
            "sortiront du décompte.",
            en="Your 52-week privacy budget does not allow this contribution: nothing has left. "
            "It will be possible when older weeks leave the count.",
        ) from error
    contributions.advance(connection, kept.task_digest, to=ContributionState.RESERVED, at=now)
