"""What the sharing commands answer: tasks, previews, ledger, consents, as JSON and as sentences."""

from dataclasses import asdict
from datetime import datetime
from math import ceil

from consents.records.notice import Notice
from consents.records.record import EventType, Purpose
from contributions.measures import Unit
from contributions.task import Task
from personal_store.choices.consent_events import EXPIRY_NOTICE
from personal_store.choices.proofs import ProofState, ProofStatus
from personal_store.db.consents import KeptEvent
from personal_store.db.contributions import KeptContribution
from personal_store.documents.ledger import MICRO, contribution_document
from personal_store.jobs.catching_up import Attempt
from personal_store.jobs.sharing import Preview
from personal_store.local_time import home_timezone
from personal_store.vocabulary import (
    MEASURE_NAMES,
    MEASURE_NAMES_EN,
    UNIT_NAMES,
    part_name,
    part_name_en,
    unit_name,
)
from personal_store.wording import NARROW, number, shortest, week

Document = dict[str, object]


def task_document(task: Task) -> Document:
    """Return one task as `tasks --json` lists it."""
    return {
        "digest": task.digest,
        "week": task.week,
        "title_fr": task.title_fr,
        "title_en": task.title_en,
        "trust_mode": task.trust_mode.value,
        "epsilon": task.epsilon_micro / MICRO,
        "purpose_digest": task.purpose_digest,
        "report_deadline": task.report_deadline.isoformat(),
    }


def purpose_document(asked: Purpose, told: Notice) -> Document:
    """Return the document of `consents show --json`: the text and the notice, word for word."""
    return {
        "digest": asked.digest,
        "title_fr": asked.title_fr,
        "title_en": asked.title_en,
        "text_fr": asked.text_fr,
        "text_en": asked.text_en,
        "controller_name": asked.controller_name,
        "controller_contact": asked.controller_contact,
        "epsilon_week": asked.epsilon_week_micro / MICRO,
        "notice": {**asdict(told), "digest": told.digest},
    }


def purpose_sentences(asked: Purpose) -> dict[str, str]:
    """Say what a consent is to: text, controller, privacy loss, and the digest that is signed."""
    epsilon = asked.epsilon_week_micro / MICRO
    controller = f"{asked.controller_name} ({asked.controller_contact})"
    return {
        "fr": f"{asked.title_fr}\n\n{asked.text_fr}\n\nResponsable : {controller}\n"
        f"Perte de confidentialité par semaine : ε = {shortest(epsilon, 'fr')}\n"
        f"Empreinte du texte : {asked.digest}",
        "en": f"{asked.title_en}\n\n{asked.text_en}\n\nController: {controller}\n"
        f"Privacy loss a week: ε = {shortest(epsilon, 'en')}\nDigest of the text: {asked.digest}",
    }


def notice_sentences(told: Notice) -> dict[str, str]:
    """Say what Article 13 asks for and the text leaves out: where, for whom, what rights."""
    places = ", ".join(told.storage_locations)
    return {
        "fr": f"Protection des données : {told.dpo_contact}\nDestinataires : {told.recipients}\n"
        f"Transferts : {told.transfers}\nStockage : {places}\nRetrait : {told.withdrawal_url}\n"
        f"Droits : {told.rights_url}\nRéclamation : {told.authority}\n"
        f"Empreinte de la notice : {told.digest}",
        "en": f"Data protection: {told.dpo_contact}\nRecipients: {told.recipients}\n"
        f"Transfers: {told.transfers}\nStorage: {places}\nWithdrawal: {told.withdrawal_url}\n"
        f"Rights: {told.rights_url}\nComplaints: {told.authority}\n"
        f"Digest of the notice: {told.digest}",
    }


def preview_document(shown: Preview) -> Document:
    """Return the document of `preview --json`: the exact vector, and the bytes that would leave."""
    kept = shown.kept
    return {
        "task": shown.task.digest,
        "week": shown.task.week,
        "zone": shown.week.zone,
        "figures": [
            {
                "measure": coordinate.measure.value,
                "unit": coordinate.measure.unit.value,
                "label": coordinate.label,
                "value": round(float(shown.week.figures[coordinate.key]), 3),
            }
            for coordinate in shown.task.coordinates
        ],
        "weekdays": None if shown.week.weekdays is None else list(shown.week.weekdays),
        "zones": None if shown.week.area is None else list(shown.week.area.zones),
        "trips_left_out": shown.week.trips_left_out,
        "exact_vector": list(shown.exact),
        "clipped": shown.clipped,
        "epsilon": shown.task.epsilon_micro / MICRO,
        "leaves": None if kept is None else kept.report.decode(),
        "bytes": None if kept is None else len(kept.report),
        "sealed": None
        if kept is None or kept.sealed_leader is None or kept.sealed_helper is None
        else {
            "leader_bytes": len(kept.sealed_leader),
            "helper_bytes": len(kept.sealed_helper),
        },
        "state": None if kept is None else kept.state.value,
        "closed": None if shown.closed is None else {"fr": shown.closed.fr, "en": shown.closed.en},
    }


def reduction_percent(shown: Preview) -> int:
    """Return by how much the common cap reduces the week, in whole percent, 0 when it does not."""
    if not shown.clipped:
        return 0
    caps = sum(
        shown.week.figures[coordinate.key] / (coordinate.weight * shown.task.scale)
        for coordinate in shown.task.coordinates
    )
    return ceil(100 * (1 - 1 / caps))


def reduction_sentences(shown: Preview) -> dict[str, str]:
    """Say that the common cap reduces the week; nothing when it does not."""
    percent = reduction_percent(shown)
    if not percent:
        return {"fr": "", "en": ""}
    return {
        "fr": "Votre semaine dépasse le plafond commun : tous vos chiffres sont réduits de "
        f"{percent}{NARROW}% avant le bruit.\n",
        "en": "Your week goes over the common cap: all your figures are reduced by "
        f"{percent}% before the noise.\n",
    }


def _rows(shown: Preview) -> dict[str, str]:
    """Return a heading a measure and a line a coordinate, in words and in units of the cap."""
    fr, en = [], []
    headed = None
    for coordinate, units in zip(shown.task.coordinates, shown.exact, strict=True):
        measure = coordinate.measure
        if measure is not headed:
            headed = measure
            fr.append(f" {MEASURE_NAMES[measure]}")
            en.append(f" {MEASURE_NAMES_EN[measure]}")
        value = float(shown.week.figures[coordinate.key])
        unit_fr = unit_name(measure.unit, value)
        unit_en = "trips" if measure.unit is Unit.TRIP else UNIT_NAMES[measure.unit]
        counted = {each: number(units, each, decimals=0) for each in ("fr", "en")}
        fr.append(
            f"  {part_name(coordinate, shown.task):<21} {number(value, 'fr'):>9} {unit_fr:<7}"
            f" {counted['fr']:>6}"
        )
        en.append(
            f"  {part_name_en(coordinate, shown.task):<21} {number(value, 'en'):>9} {unit_en:<7}"
            f" {counted['en']:>6}"
        )
    return {"fr": "\n".join(fr), "en": "\n".join(en)}


def preview_sentences(shown: Preview) -> dict[str, str]:
    """Say what would leave: the exact vector stays, the noised bytes leave."""
    week_fr, week_en = week(shown.task.week, "fr"), week(shown.task.week, "en")
    rows = _rows(shown)
    reduced = reduction_sentences(shown)
    if shown.kept is None:
        closed = shown.closed
        return {
            "fr": f"Semaine {week_fr}, vecteur exact (ne part jamais) :\n{rows['fr']}\n"
            f"{reduced['fr']}Rien ne partirait : {closed.fr if closed else ''}",
            "en": f"Week of {week_en}, exact vector (never leaves):\n{rows['en']}\n"
            f"{reduced['en']}Nothing would leave: {closed.en if closed else ''}",
        }
    leaves = shown.kept.report.decode()
    if shown.kept.sealed_leader is not None and shown.kept.sealed_helper is not None:
        leader, helper = shown.task.keepers
        sizes = len(shown.kept.sealed_leader), len(shown.kept.sealed_helper)
        return {
            "fr": f"Semaine {week_fr}, vecteur exact (ne part jamais entier) :\n"
            f"{rows['fr']}\n{reduced['fr']}Ce qui part : une moitié scellée pour {leader.name} "
            f"({sizes[0]} octets), l'autre pour {helper.name} ({sizes[1]} octets), illisibles "
            f"l'une sans l'autre, et à chacun cet énoncé signé ({len(leaves)} octets) :\n{leaves}",
            "en": f"Week of {week_en}, exact vector (never leaves whole):\n{rows['en']}\n"
            f"{reduced['en']}What leaves: one half sealed for {leader.name} ({sizes[0]} bytes), "
            f"the other for {helper.name} ({sizes[1]} bytes), unreadable without each other, and "
            f"to each this signed statement ({len(leaves)} bytes):\n{leaves}",
        }
    return {
        "fr": f"Semaine {week_fr}, vecteur exact (ne part jamais) :\n{rows['fr']}\n"
        f"{reduced['fr']}Ce qui part, bruit compris, octet pour octet ({len(leaves)}) :\n{leaves}",
        "en": f"Week of {week_en}, exact vector (never leaves):\n{rows['en']}\n"
        f"{reduced['en']}What leaves, noise included, byte for byte ({len(leaves)}):\n{leaves}",
    }


def attempt_document(attempt: Attempt) -> Document:
    """Return what became of one due week: its line of the ledger, or why nothing left."""
    refusal = attempt.refusal
    return {
        "week": attempt.week,
        "sent": None if attempt.sent is None else contribution_document(attempt.sent),
        "refusal": None if refusal is None else {"fr": refusal.fr, "en": refusal.en},
    }


def attempt_sentences(attempt: Attempt) -> dict[str, str]:
    """Say what became of one due week."""
    if attempt.refusal is not None:
        return {
            "fr": f"Semaine {week(attempt.week, 'fr')} : {attempt.refusal.fr}",
            "en": f"Week of {week(attempt.week, 'en')}: {attempt.refusal.en}",
        }
    return {
        "fr": f"Semaine {week(attempt.week, 'fr')} envoyée.",
        "en": f"Week of {week(attempt.week, 'en')} sent.",
    }


def event_document(event: KeptEvent, status: ProofStatus) -> Document:
    """Return one consent event as `consents list --json` shows it."""
    receipt = event.receipt
    return {
        "cid": event.signed.payload.cid,
        "n": event.signed.payload.n,
        "type": event.signed.payload.t.value,
        "at": event.signed.payload.at,
        "purpose_digest": event.signed.payload.pd,
        "leaf": event.signed.leaf.decode(),
        "state": status.state.value,
        "witnesses": list(status.witnesses),
        "promise": None if event.promise is None else event.promise.decode(),
        "slip": None if event.slip is None else event.slip.decode(),
        "proof": None
        if receipt is None
        else {
            "index": receipt.index,
            "size": receipt.size,
            "hashes": [node.hex() for node in receipt.hashes],
        },
        "checkpoint": None if receipt is None else receipt.checkpoint,
    }


def event_sentences(event: KeptEvent, status: ProofStatus) -> dict[str, str]:
    """Say one consent event in a line, and what proves it."""
    at = event.signed_at.astimezone(home_timezone())
    payload = event.signed.payload
    kind_fr, kind_en = EVENT_WORDS[payload.t]
    fr, en = PROOF_WORDS[status.state]
    index = "" if event.receipt is None else str(event.receipt.index)
    names = ", ".join(status.witnesses)
    start = f"{at:%Y-%m-%d %H:%M}  {payload.cid[:8]}  "
    return {
        "fr": f"{start}{kind_fr} : {fr.format(index=index, names=names)}",
        "en": f"{start}{kind_en}: {en.format(index=index, names=names)}",
    }


def covered_sentences(row: KeptContribution) -> dict[str, str]:
    """Say under which consent a week was sent, and what tells the rest of it."""
    at = row.changed_at.astimezone(home_timezone())
    start, epsilon = f"{at:%Y-%m-%d %H:%M}  {row.cid[:8]}  ", row.epsilon_micro / MICRO
    return {
        "fr": f"{start}contribution de la semaine {week(row.week, 'fr')}, "
        f"ε = {shortest(epsilon, 'fr')} (voir « ledger »)",
        "en": f"{start}contribution of the week of {week(row.week, 'en')}, "
        f"ε = {shortest(epsilon, 'en')} (see “ledger”)",
    }


def ends_soon(event: KeptEvent, *, now: datetime) -> bool:
    """Tell whether the consent that a choice permits ends within thirty days of `now`."""
    limits = None if event.body is None else event.body.limits
    return limits is not None and limits.expires_at - now <= EXPIRY_NOTICE


def ending_sentences(event: KeptEvent) -> dict[str, str]:
    """Say when a consent in force ends, and what that stops."""
    assert event.body is not None, "a consent in force has its body"
    assert event.body.limits is not None, "a permission has limits"
    until = event.body.limits.expires_at.astimezone(home_timezone())
    cid = event.signed.payload.cid[:8]
    return {
        "fr": f"L'accord {cid} expire le {until:%d/%m/%Y} : passé ce jour, rien ne part tant que "
        "vous ne l'avez pas renouvelé (« consents give »).",
        "en": f"Consent {cid} expires on {until:%Y-%m-%d}: after that day, nothing leaves until "
        "you renew it (“consents give”).",
    }


EVENT_WORDS = {
    EventType.GIVEN: ("accord donné", "consent given"),
    EventType.LIMITED: ("accord restreint", "consent limited"),
    EventType.RENEWED: ("accord renouvelé", "consent renewed"),
    EventType.REFUSED: ("refus", "refused"),
    EventType.DEFERRED: ("choix remis à plus tard", "choice put off"),
    EventType.WITHDRAWN: ("accord retiré", "consent withdrawn"),
    EventType.EXPIRED: ("accord expiré", "consent expired"),
    EventType.KEY_ROTATED: ("changement de clé", "change of key"),
    EventType.KEY_RECOVERED: ("clé remplacée après une perte", "key replaced after a loss"),
    EventType.SIGNER_JOINED: ("signature d'un parent demandée", "a parent's signature asked for"),
    EventType.DELEGATE_NAMED: ("personne nommée pour retirer", "person named to withdraw"),
    EventType.DELEGATE_REVOKED: ("mandat repris", "mandate revoked"),
    EventType.RECOVERY_NAMED: (
        "code de retrait lié à l'accord",
        "withdrawal code tied to the consent",
    ),
}
"""How each event of a resident's chain is said, in French and English."""
PROOF_WORDS = {
    ProofState.SIGNED: (
        "signé ici, en attente d'inscription",
        "signed here, waiting to be logged",
    ),
    ProofState.LEFT: (
        "déposé chez les témoins, qui en attestent",
        "left with the stewards, who vouch for it",
    ),
    ProofState.PROMISED: (
        "reçu par la coopérative, qui a promis de l'inscrire",
        "received by the cooperative, which promised to log it",
    ),
    ProofState.LOGGED: ("inscrit, rang {index}", "logged at index {index}"),
    ProofState.WITNESSED: (
        "inscrit, rang {index}, cosigné par {names}",
        "logged at index {index}, cosigned by {names}",
    ),
    ProofState.OVERDUE: (
        "promis et pas inscrit à temps : parlez-en aux témoins",
        "promised and not logged in time: tell the stewards",
    ),
    ProofState.FALSE: (
        "la preuve gardée est fausse : parlez-en aux témoins",
        "the proof that is kept is false: tell the stewards",
    ),
}
"""How each state of proof is said, in French and English."""
