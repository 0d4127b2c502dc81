"""What the ledger's commands answer: each week shared and what it cost, as JSON and sentences."""

from collections.abc import Mapping, Sequence
from typing import Final

from contributions.loss import DELTA
from personal_store.db.contributions import ContributionState, KeptContribution
from personal_store.db.presumptions import PresumedWeek
from personal_store.jobs.ledger import yearly_loss
from personal_store.jobs.sharing import YEARLY_CAP_EPSILON_MICRO
from personal_store.settings import Language
from personal_store.wording import number, shortest, week

Document = dict[str, object]
MICRO = 1_000_000


def contribution_document(kept: KeptContribution) -> Document:
    """Return one line of the ledger."""
    return {
        "task": kept.task_digest,
        "week": kept.week,
        "epsilon": kept.epsilon_micro / MICRO,
        "state": kept.state.value,
        "bytes": len(kept.report),
    }


def spent_epsilon(rows: Sequence[KeptContribution], presumed: Sequence[PresumedWeek] = ()) -> float:
    """Return the ε that was reserved, sent or is presumed spent, over all weeks."""
    spent = sum(row.epsilon_micro for row in rows if row.state.spends)
    return (spent + sum(each.epsilon_micro for each in presumed)) / MICRO


def ledger_document(
    rows: Sequence[KeptContribution], presumed: Sequence[PresumedWeek] = ()
) -> Document:
    """Return the document of `ledger --json`."""
    loss = yearly_loss(rows, presumed)
    return {
        "contributions": [contribution_document(row) for row in rows],
        "presumed": [
            {"week": each.week, "epsilon": each.epsilon_micro / MICRO} for each in presumed
        ],
        "epsilon_spent": spent_epsilon(rows, presumed),
        "epsilon_52_weeks": loss.pure,
        "epsilon_52_weeks_pld": round(loss.pld, 3),
        "delta_pld": DELTA,
        "epsilon_cap_52_weeks": YEARLY_CAP_EPSILON_MICRO / MICRO,
    }


STATE_WORDS: Final[Mapping[ContributionState, Mapping[Language, str]]] = {
    ContributionState.PREPARED: {"fr": "préparée", "en": "prepared"},
    ContributionState.RESERVED: {"fr": "partie sans réponse", "en": "left without an answer"},
    ContributionState.SENT: {"fr": "envoyée", "en": "sent"},
    ContributionState.REFUSED: {"fr": "refusée par le budget", "en": "refused by the budget"},
}
"""What the states of a contribution are called on the terminal."""


def ledger_sentences(
    rows: Sequence[KeptContribution], presumed: Sequence[PresumedWeek] = ()
) -> dict[str, str]:
    """Say the ledger, line by line."""
    fr, en = _lines(rows, presumed, "fr"), _lines(rows, presumed, "en")
    loss = yearly_loss(rows, presumed)
    spent, cap = spent_epsilon(rows, presumed), YEARLY_CAP_EPSILON_MICRO / MICRO
    return {
        "fr": f"Budget de confidentialité : {shortest(spent, 'fr')} dépensé, plafond "
        f"{shortest(cap, 'fr')} sur 52 semaines.\nLes 52 semaines les plus chargées : "
        f"ε = {shortest(loss.pure, 'fr')} en les ajoutant, {number(loss.pld, 'fr')} par un calcul "
        f"plus fin (δ = un millionième).\n{fr}".rstrip(),
        "en": f"Privacy budget: {shortest(spent, 'en')} spent, cap {shortest(cap, 'en')} over "
        f"52 weeks.\nThe 52 weeks that cost most: ε = {shortest(loss.pure, 'en')} added up, "
        f"{number(loss.pld, 'en')} by a finer account (δ = one in a million).\n{en}".rstrip(),
    }


def _lines(
    rows: Sequence[KeptContribution], presumed: Sequence[PresumedWeek], language: Language
) -> str:
    restored = {"fr": "supposé dépensé : espace restauré", "en": "presumed spent: restored store"}
    said = [(row.week, row.epsilon_micro, STATE_WORDS[row.state][language]) for row in rows] + [
        (each.week, each.epsilon_micro, restored[language])
        for each in presumed
        if each.epsilon_micro
    ]
    return "\n".join(
        f"  {week(code, language)}  ε {shortest(epsilon_micro / MICRO, language)}  {state}"
        for code, epsilon_micro, state in said
    )
