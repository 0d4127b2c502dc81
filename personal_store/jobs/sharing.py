"""Prepare, show and send the contribution of one week: what is shown is what leaves.

`prepare` draws the noise once and keeps the bytes; `preview` and `send` use those bytes. Sending
goes reserve, send, sent: the budget is spent before the first byte leaves, and a crash or a lost
answer in between resends the same bytes (the cooperative keeps one of them). Two keepers are sent
one share each, the leader first; until both have theirs the contribution stays reserved, and is
completed by the next attempt or dropped by both at the deadline.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from contributions.budget import EntryState, LedgerEntry, decide, mark_sent
from contributions.measurement import encode
from contributions.sealed_report import Upload
from contributions.task import Task, TrustMode
from personal_store import cooperative
from personal_store.choices import consent_events, fork_watch
from personal_store.contribute import contribute, read_own
from personal_store.db import checkpoints, consents, contributions, presumptions
from personal_store.db.connection import writing
from personal_store.db.consents import Consent
from personal_store.db.contributions import ContributionState, KeptContribution
from personal_store.errors import (
    GateClosed,
    LedgerRefused,
    LogForked,
    NotAnswerable,
    PreviewChanged,
    StoreError,
)
from personal_store.gate import Covering, Permitted, WeekFigures, permit_week
from personal_store.jobs.counting import week_of_task
from personal_store.jobs.ledger import entries, entry_of
from personal_store.membership import Membership
from personal_store.store import Store
from personal_store.wording import week

# ε of 52 weeks: a resident's own ceiling. At ε = 4 a week a full year comes to 208.
YEARLY_CAP_EPSILON_MICRO = 208_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Everything that a contribution comes down to.

    `exact` is the vector before noise and never leaves; `kept` holds the bytes that would leave,
    None while nothing would, and then `closed` says why.
    """

    task: Task
    week: WeekFigures
    exact: tuple[int, ...] = field(repr=False)
    clipped: bool
    kept: KeptContribution | None
    closed: StoreError | None


def preview(store: Store, member: Membership, task: Task) -> Preview:
    """Show what would leave for a task, drawing the noise if it was not drawn yet.

    Nothing leaves and nothing is spent. Raises NotAnswerable when there is nothing to show.
    """
    with writing(store.engine) as connection:
        week = _week(connection, member, task)
        exact = encode(week.figures, task)
        kept = contributions.find(connection, task.digest)
        closed: StoreError | None = None
        if kept is None or kept.state is ContributionState.PREPARED:
            try:
                kept = _prepared(connection, store, member, week, task)
            except (GateClosed, LogForked, NotAnswerable) as error:
                kept, closed = None, error
        elif kept.state is ContributionState.REFUSED:
            kept, closed = None, _over_the_cap()
        return Preview(
            task=task,
            week=week,
            exact=exact.vector,
            clipped=exact.clipped,
            kept=kept,
            closed=closed,
        )


def run_once(
    store: Store, member: Membership, task: Task, *, shown_sha256: str | None = None
) -> KeptContribution:
    """Send the contribution of a task's week, once: the bytes that `preview` showed, or nothing.

    `shown_sha256` is the hex digest of the bytes that the resident saw; without it, those of the
    last preview count. Raises PreviewChanged when nothing was shown or other bytes would leave,
    GateClosed without a covering consent, NotAnswerable outside the task's zones or times,
    LedgerRefused over the yearly cap, TransportError when the cooperative cannot be reached;
    sending again later resends the same bytes.
    """
    now = store.clock.now()
    with writing(store.engine) as connection:
        shown = contributions.find(connection, task.digest)
        if shown is not None and shown.state is ContributionState.SENT:
            return shown
        if shown is not None and shown.state is ContributionState.REFUSED:
            raise _over_the_cap()
        kept = _prepared(connection, store, member, _week(connection, member, task), task)
        if shown is None:
            raise _never_shown()
        seen_sha256 = shown_sha256 or sha256(shown.report).hexdigest()
        if sha256(kept.report).hexdigest() != seen_sha256:
            raise _preview_changed()
        decided = _decide(connection, kept, now=now)
    if decided.state is EntryState.REFUSED:
        raise _over_the_cap()
    # The write lock is held while the bytes leave, and the gate asked once more under it: a
    # withdrawal is signed either before them, and stops them, or after they have left.
    with writing(store.engine) as connection:
        _prepared(connection, store, member, _week(connection, member, task), task)
        _send(store, member, kept, task)
        sent = ContributionState(mark_sent(decided).state.value)
        contributions.advance(connection, task.digest, to=sent, at=now)
    return replace(kept, state=sent, changed_at=now)


def _send(store: Store, member: Membership, kept: KeptContribution, task: Task) -> None:
    if task.trust_mode is TrustMode.LOCAL:
        cooperative.send_report(store.connect(member.url), kept.report)
        return
    assert kept.sealed_leader, "a two-keeper contribution is kept with both shares"
    assert kept.sealed_helper, "a two-keeper contribution is kept with both shares"
    leader, helper = task.keepers
    admission = cooperative.send_to_leader(
        store.connect(leader.url),
        Upload(statement=kept.report, sealed=kept.sealed_leader, admission=None),
    )
    cooperative.send_to_helper(
        store.connect(helper.url),
        Upload(statement=kept.report, sealed=kept.sealed_helper, admission=admission),
    )


def _prepared(
    connection: Connection, store: Store, member: Membership, week: WeekFigures, task: Task
) -> KeptContribution:
    """Return the kept bytes of a task while the gate is open, drawing them where needed."""
    now = store.clock.now()
    if checkpoints.fork_of(connection, member.url) is not None:
        raise fork_watch.forked()
    _check_answerable(task, member, now=now)
    consent = consents.newest_for(connection, url=member.url, purpose_digest=task.purpose_digest)
    spent = [
        each
        for each in contributions.every(connection)
        if each.state.spends and each.task_digest != task.digest
    ]
    covering = _covering(connection, consent, spent, task, member)
    permitted = permit_week(week, task=task, covering=covering, now=now)
    assert consent is not None, "the gate opens for no one without a consent"
    n = sum(each.cid == consent.cid for each in spent)
    kept = contributions.find(connection, task.digest)
    _expect_unshared(connection, kept, task)
    if kept is not None:
        if _still_holds(kept, permitted, n=n, task=task):
            return kept
        contributions.drop_prepared(connection, task.digest)
    made = contribute(
        permitted,
        task=task,
        n=n,
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
        sealed_leader=made.sealed.leader if made.sealed else None,
        sealed_helper=made.sealed.helper if made.sealed else None,
    )
    contributions.add(connection, new)
    return new


def _expect_unshared(connection: Connection, kept: KeptContribution | None, task: Task) -> None:
    """Raise NotAnswerable for a draft of a week that was over when the store was restored."""
    restored_at = presumptions.restored_at(connection)
    is_draft = kept is None or kept.state is ContributionState.PREPARED
    if is_draft and restored_at is not None and task.period.end <= restored_at:
        raise NotAnswerable(
            fr=f"Cet espace vient d'une sauvegarde restaurée : la semaine {week(task.week, 'fr')} "
            "a pu être envoyée entre-temps, donc rien ne part pour elle. Les semaines suivantes "
            "partiront.",
            en=f"This store was restored from a backup: the week of {week(task.week, 'en')} may "
            "have been sent in between, so nothing leaves for it. The next weeks will leave.",
        )


def _still_holds(
    kept: KeptContribution, permitted: Permitted[WeekFigures], *, n: int, task: Task
) -> bool:
    """Tell whether kept bytes are still those to send; a draft that is not was never sent.

    Raises GateClosed for bytes already reserved under a consent that ended since.
    """
    same_consent = kept.head == permitted.grant.head
    if kept.state is not ContributionState.PREPARED:
        if not same_consent:
            raise _drawn_under_another_consent()
        return True
    return (
        same_consent
        and kept.exact == encode(permitted.value.figures, task).vector
        and read_own(kept.report, task).n == n
    )


def _check_answerable(task: Task, member: Membership, *, now: datetime) -> None:
    """Refuse, before anything is spent, what the cooperative would refuse for certain."""
    if task.zone(member.zone) is None:
        raise NotAnswerable(
            fr="Cette question ne porte pas sur votre commune : rien ne part.",
            en="This question is not about your home zone: nothing leaves.",
        )
    if now < task.period.end:
        raise NotAnswerable(
            fr=f"La semaine {week(task.week, 'fr')} n'est pas finie : rien ne part avant qu'elle "
            "soit entière.",
            en=f"The week of {week(task.week, 'en')} is not over: nothing leaves until it is "
            "complete.",
        )
    if now >= task.report_deadline:
        raise NotAnswerable(
            fr="Cette question est close : rien ne part. Vous pourrez répondre à la suivante.",
            en="This question is closed: nothing leaves. You can answer the next one.",
        )


def _covering(
    connection: Connection,
    consent: Consent | None,
    spent: Sequence[KeptContribution],
    task: Task,
    member: Membership,
) -> Covering | None:
    chain = consents.chain(connection, consent.cid) if consent else []
    choice = consent_events.last_choice(chain)
    if consent is None or choice is None:
        return None
    # A consent given anew for the same purpose does not open the week a second time.
    same_purpose = {
        each.cid
        for each in consents.every(connection)
        if each.purpose_digest == task.purpose_digest
    }
    return Covering(
        events=[event.signed for event in chain],
        body=choice.body,
        commitment_key=choice.commitment_key,
        spent_week_micro=sum(
            each.epsilon_micro
            for each in spent
            if each.week == task.week and each.cid in same_purpose
        ),
        spent_total_micro=sum(each.epsilon_micro for each in spent if each.cid == consent.cid),
        origins=member.origins,
    )


def _week(connection: Connection, member: Membership, task: Task) -> WeekFigures:
    consent = consents.newest_for(connection, url=member.url, purpose_digest=task.purpose_digest)
    chain = consents.chain(connection, consent.cid) if consent else []
    choice = consent_events.last_choice(chain)
    limits = choice.body.limits if choice is not None and choice.body is not None else None
    return week_of_task(connection, task, member.zone, limits)


def _never_shown() -> PreviewChanged:
    return PreviewChanged(
        fr="Vous n'avez pas encore vu ce qui partirait : rien n'est parti. Regardez l'aperçu "
        "(« preview »), puis envoyez.",
        en="You have not seen yet what would leave: nothing has left. Look at the preview "
        "(“preview”), then send.",
    )


def _preview_changed() -> PreviewChanged:
    return PreviewChanged(
        fr="L'aperçu a changé depuis que vous l'avez vu : rien n'est parti. Relisez-le, puis "
        "envoyez.",
        en="The preview has changed since you saw it: nothing has left. Read it again, then send.",
    )


def _drawn_under_another_consent() -> GateClosed:
    return GateClosed(
        fr="Cette semaine avait été préparée sous un accord retiré depuis, ou dont la clé a "
        "changé : elle ne partira pas. Les semaines suivantes partiront sous l'accord en cours.",
        en="This week was prepared under a consent that you have withdrawn since, or whose key has "
        "changed: it will not leave. The next weeks will leave under the consent in force.",
    )


def _over_the_cap() -> LedgerRefused:
    return LedgerRefused(
        fr="Votre budget de confidentialité sur 52 semaines ne permet pas cette "
        "contribution : rien n'est parti, et elle ne partira pas. D'autres semaines "
        "redeviendront possibles quand les plus anciennes sortiront du décompte.",
        en="Your 52-week privacy budget does not allow this contribution: nothing has left, "
        "and it will not leave. Other weeks become possible again when the oldest leave the "
        "count.",
    )


def _decide(connection: Connection, kept: KeptContribution, *, now: datetime) -> LedgerEntry:
    """Return the ledger's decision about a contribution, made once and kept with it."""
    if kept.state is not ContributionState.PREPARED:
        return entry_of(kept)
    decided = decide(
        entries(contributions.every(connection), presumptions.every(connection)),
        week=kept.week,
        task_digest=kept.task_digest,
        epsilon_micro=kept.epsilon_micro,
        cap_micro=YEARLY_CAP_EPSILON_MICRO,
    )
    to = ContributionState(decided.state.value)
    contributions.advance(connection, kept.task_digest, to=to, at=now)
    return decided
