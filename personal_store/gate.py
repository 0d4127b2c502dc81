"""Step 4 of 9 — consent gate. In: a week's figures. Out: `Permitted[...]`. Next: contribution.

The only way out. `contribute.py` accepts nothing but a `Permitted[WeekFigures]`, and only this
module can make one: the constructor wants a seal that never leaves it. A `Permitted` names the
consent, its head and its purpose, so that what it covers can be proved later.

It decides from the resident's own signed events, offline: a withdrawal closes the gate at once,
whether or not the cooperative has been reached.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Generic, NoReturn, TypeVar, final

from consents.records.decision import Reason, permitted
from consents.records.limits import ConsentArea
from consents.records.receipt import SignedEvent
from consents.records.record import ConsentBody
from contributions.measures import Key
from contributions.task import Task
from personal_store.errors import GateClosed

T = TypeVar("T")
_SEAL = object()
# What every report tells beside its measures, in the words that purposes use for their fields.
ZONE_FIELD = "zone_of_residence"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekFigures:
    """What one ISO week comes down to: a figure a coordinate, in its unit, and the home zone.

    `weekdays` are the days on which the counted trips began (ISO numbers), `area` where they began
    and ended; None where all count. `trips_left_out` were outside of them.
    """

    week: str
    zone: str
    figures: Mapping[Key, Fraction] = field(repr=False)
    weekdays: tuple[int, ...] | None = None
    area: ConsentArea | None = None
    trips_left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The consent that covers a contribution: id, hash of its last leaf, purpose."""

    cid: str
    head: str
    purpose_digest: str


@final
class Permitted(Generic[T]):
    """A value that the resident's consent lets out, with the grant that covers it."""

    __slots__ = ("_grant", "_value")

    def __init__(self, value: T, grant: Grant, *, seal: object) -> None:
        """Refuse every maker but this module's `permit_week`."""
        if seal is not _SEAL:
            raise TypeError("only the consent gate makes a Permitted")
        self._value = value
        self._grant = grant

    @property
    def value(self) -> T:
        """Return what may leave."""
        return self._value

    @property
    def grant(self) -> Grant:
        """Return the consent that covers it."""
        return self._grant

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled: rebuilding would go round the gate."""
        raise TypeError("a Permitted is made by the consent gate and never copied")

    def __repr__(self) -> str:
        """Redact what may leave: a log is not a recipient."""
        return f"<Permitted under consent {self._grant.cid[:8]}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Covering:
    """The consent that the gate reads: its whole chain, oldest first, and its last clear body.

    Body and key are None once erased: nothing is covered then. `origins` are the logs of the
    cooperative that are followed, oldest first; without any, only the task's own.

    `spent_week_micro` and `spent_total_micro` are the privacy loss, in millionths of ε, already
    reserved or sent: about the same week for the same purpose, and under this consent ever.
    """

    events: Sequence[SignedEvent]
    body: ConsentBody | None
    commitment_key: bytes | None = field(repr=False)
    spent_week_micro: int
    spent_total_micro: int
    origins: tuple[str, ...] = ()


def permit_week(
    week: WeekFigures, *, task: Task, covering: Covering | None, now: datetime
) -> Permitted[WeekFigures]:
    """Let a week out for a task, if the resident's consent covers it now.

    Raises GateClosed, with the reason in plain words, in every other case; `covering` is None when
    the resident never chose.
    """
    if week.week != task.week:
        raise GateClosed(
            fr="La semaine préparée n'est pas celle de la question : rien ne part.",
            en="The prepared week is not the one that is asked for: nothing leaves.",
        )
    if covering is None:
        raise _closed(Reason.NEVER_GIVEN)
    if covering.origins and task.log_origin not in covering.origins:
        raise _closed(Reason.WRONG_LOG)
    decision = permitted(
        covering.events,
        log_origin=task.log_origin,
        earlier=covering.origins,
        purpose_digest=task.purpose_digest,
        epsilon_micro=task.epsilon_micro,
        now=now,
        body=covering.body,
        body_key=covering.commitment_key,
        fields=(*(measure.purpose_field for measure in task.measures), ZONE_FIELD),
        zone=week.zone,
        spent_week_micro=covering.spent_week_micro,
        spent_total_micro=covering.spent_total_micro,
    )
    if not decision.permitted:
        raise _closed(decision.reason)
    if covering.body is None or covering.commitment_key is None:
        raise _closed(Reason.BODY_MISMATCH)
    limits = covering.body.limits
    if limits is None or (limits.weekdays, limits.area) != (week.weekdays, week.area):
        raise _other_limits()
    assert decision.head is not None, "a permission names the event that it rests on"
    assert decision.cid is not None, "a permission names its consent"
    grant = Grant(cid=decision.cid, head=decision.head, purpose_digest=task.purpose_digest)
    return Permitted(week, grant, seal=_SEAL)


def _closed(reason: Reason) -> GateClosed:
    fr, en = _WORDS.get(reason, _NOT_COVERED)
    return GateClosed(fr=fr, en=en)


def _other_limits() -> GateClosed:
    return GateClosed(
        fr="La semaine préparée compte d'autres jours ou d'autres lieux que ceux de votre accord : "
        "rien ne part.",
        en="The prepared week counts other days or places than those of your consent: "
        "nothing leaves.",
    )


_NOT_COVERED = (
    "Votre accord ne couvre pas cette demande : rien ne part.",
    "Your consent does not cover this request: nothing leaves.",
)
_WORDS: Mapping[Reason, tuple[str, str]] = {
    Reason.NEVER_GIVEN: (
        "Vous n'avez pas donné votre accord : rien ne part.",
        "You have not consented: nothing leaves.",
    ),
    Reason.REFUSED: (
        "Vous avez refusé : rien ne part.",
        "You refused: nothing leaves.",
    ),
    Reason.DEFERRED: (
        "Vous avez remis votre choix à plus tard : rien ne part.",
        "You put your choice off: nothing leaves.",
    ),
    Reason.KEY_LOST: (
        "La clé de cet accord est perdue : rien ne part. Retirez-le, puis donnez-en un nouveau.",
        "The key of this consent is lost: nothing leaves. Withdraw it, then consent anew.",
    ),
    Reason.NOT_ALL_SIGNED: (
        "Il manque la signature d'un parent ou de l'enfant : rien ne part sans elle.",
        "A parent's or the child's signature is missing: nothing leaves without it.",
    ),
    Reason.FIELDS_EXCEEDED: (
        "Cette demande porte sur plus que ce que vous avez accepté : rien ne part.",
        "This request is about more than you accepted: nothing leaves.",
    ),
    Reason.AREA_EXCEEDED: (
        "Les zones de votre accord ne comprennent pas votre commune, indiquée : rien ne part.",
        "The zones of your consent leave out your home zone, which is told: nothing leaves.",
    ),
    Reason.NOT_YET: (
        "Votre accord est daté de plus tard que maintenant : réglez l'horloge, rien ne part.",
        "Your consent is dated later than now: set the clock, nothing leaves.",
    ),
    Reason.WITHDRAWN: (
        "Vous avez retiré votre accord : rien ne part.",
        "You have withdrawn your consent: nothing leaves.",
    ),
    Reason.EXPIRED: (
        "Votre accord a expiré : rien ne part tant que vous ne l'avez pas renouvelé.",
        "Your consent has expired: nothing leaves until you renew it.",
    ),
    Reason.WRONG_PURPOSE: (
        "Votre accord porte sur une autre finalité : rien ne part.",
        "Your consent is for another purpose: nothing leaves.",
    ),
    Reason.EPSILON_EXCEEDED: (
        "Cette demande dépasse la perte de confidentialité que vous avez acceptée : rien ne part.",
        "This request goes over the privacy loss that you accepted: nothing leaves.",
    ),
}
