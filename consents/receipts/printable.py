"""A consent receipt as one printed page, in French or English, from the same bytes as the JSON-LD.

The page stands alone: no script, no font, no image, nothing to fetch. It says what was agreed to or
refused, with whom, how far it goes, how to end it, and what to keep to prove it.
"""

from datetime import datetime
from html import escape

from consents.canonical import utc_text
from consents.receipts.personal_receipt import PersonalReceipt
from consents.records.receipt import EventType
from consents.verify.wording import Language, Words

_STYLE = """
@page { size: A4; margin: 15mm }
body { font: 10pt/1.35 sans-serif; max-width: 44rem; margin: 1rem auto; padding: 0 1rem;
  color: #111; background: #fff }
h1 { font-size: 1.35em; margin: 0 0 .4em } h2 { font-size: 1.05em; margin: .8em 0 .2em }
p { margin: .2em 0 }
dl { margin: 0; display: grid; grid-template-columns: 12rem 1fr; gap: .15em 1em }
dt { font-weight: bold } dd { margin: 0; overflow-wrap: anywhere }
.text { font-size: 9pt; line-height: 1.3 }
"""
_CHOICES = {
    EventType.GIVEN: Words(fr="Accord donné", en="Consent given"),
    EventType.LIMITED: Words(fr="Accord limité", en="Consent limited"),
    EventType.RENEWED: Words(fr="Accord renouvelé", en="Consent renewed"),
    EventType.REFUSED: Words(fr="Refus", en="Refused"),
    EventType.DEFERRED: Words(fr="Réponse reportée", en="Answer deferred"),
    EventType.WITHDRAWN: Words(fr="Accord retiré", en="Consent withdrawn"),
    EventType.EXPIRED: Words(fr="Accord expiré", en="Consent expired"),
}
_TITLE = Words(fr="Reçu de consentement", en="Consent receipt")
_ASKED = Words(fr="Ce qui est demandé", en="What is asked")
_FAR = Words(fr="Jusqu'où cela va", en="How far it goes")
_WHO = Words(fr="Avec qui", en="With whom")
_END = Words(fr="Comment y mettre fin", en="How to end it")
_PROOF = Words(fr="Preuve à garder", en="Proof to keep")
_LABELS = {
    "choice": Words(fr="Choix", en="Choice"),
    "when": Words(fr="Date", en="Date"),
    "purpose": Words(fr="Finalité", en="Purpose"),
    "version": Words(fr="Version", en="Version"),
    "fields": Words(fr="Données", en="Data"),
    "weekdays": Words(fr="Jours, de 1 (lundi) à 7", en="Days, from 1 (Monday) to 7"),
    "area": Words(
        fr="Trajets comptés : début et fin dans les zones",
        en="Trips counted: first and last point in zones",
    ),
    "until": Words(fr="Jusqu'au", en="Until"),
    "epsilon": Words(fr="Vie privée par semaine, au plus", en="Privacy a week, at most"),
    "kept": Words(fr="Conservation", en="Kept for"),
    "controller": Words(fr="Responsable", en="Controller"),
    "dpo": Words(fr="Délégué à la protection", en="Protection officer"),
    "recipients": Words(fr="Destinataires", en="Recipients"),
    "transfers": Words(fr="Transferts", en="Transfers"),
    "places": Words(fr="Lieux de stockage", en="Storage"),
    "withdraw": Words(fr="Retirer son accord", en="Withdraw"),
    "rights": Words(fr="Exercer ses droits", en="Exercise rights"),
    "authority": Words(fr="Réclamation", en="Complaints"),
    "leaf": Words(fr="Empreinte de l'événement", en="Digest of the event"),
    "place": Words(fr="Rang dans le journal", en="Place in the log"),
    "log": Words(fr="Journal", en="Log"),
}
_DAYS = Words(fr="jours", en="days")
_RECALL = Words(
    fr="Retirer son accord arrête tout envoi aussitôt. Une statistique déjà publiée ne peut pas "
    "être reprise.",
    en="Withdrawing stops everything at once. A statistic already published cannot be taken back.",
)
_FROM_STORE = Words(
    fr="Depuis votre espace personnel, même hors ligne, page « Mes consentements »",
    en="From your personal store, offline too, on the page “My consents”",
)
_PENDING = Words(
    fr="Pas encore inscrit au journal : gardez aussi la promesse signée.",
    en="Not in the log yet: keep the signed promise too.",
)
_LONG_TEXT = 2_400
"""Characters of a purpose's text that the page holds; the file has all of it."""


def to_html(receipt: bytes, language: Language) -> str:
    """Return the page of a kept receipt, complete and self-contained; raise RecordError."""
    kept = PersonalReceipt.parse(receipt)
    heading = escape(_TITLE.say(language))
    return (
        f'<!DOCTYPE html>\n<html lang="{language.value}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{heading}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{heading}</h1>"
        f"{_choice(kept, language)}{_purpose(kept, language)}{_limits(kept, language)}"
        f"{_parties(kept, language)}{_ending(kept, language)}{_proof(kept, language)}"
        "</main></body></html>\n"
    )


def _choice(kept: PersonalReceipt, language: Language) -> str:
    body = kept.opening.body
    rows = {
        "choice": _CHOICES[body.event_type].say(language),
        "when": _time(body.event_time),
    }
    return _list(rows, language)


def _purpose(kept: PersonalReceipt, language: Language) -> str:
    purpose = kept.purpose
    french = language is Language.FR
    text = purpose.text_fr if french else purpose.text_en
    shown = text if len(text) <= _LONG_TEXT else text[: _LONG_TEXT - 1] + "…"
    rows = {
        "purpose": purpose.title_fr if french else purpose.title_en,
        "version": purpose.version,
    }
    said = f'<p class="text">{escape(shown)}</p>'
    return _heading(_ASKED, language) + _list(rows, language) + said


def _limits(kept: PersonalReceipt, language: Language) -> str:
    limits, purpose = kept.opening.body.limits, kept.purpose
    fields = purpose.fields if limits is None else limits.fields
    micro = purpose.epsilon_week_micro if limits is None else limits.epsilon_week_micro
    rows = {"fields": ", ".join(fields)}
    if limits is not None:
        if limits.weekdays is not None:
            rows["weekdays"] = ", ".join(str(day) for day in limits.weekdays)
        if limits.area is not None:
            rows["area"] = ", ".join(limits.area.zones)
        rows["until"] = _time(limits.expires_at)
    rows["epsilon"] = f"ε = {micro / 1_000_000:g}"
    rows["kept"] = f"{purpose.retention_days} {_DAYS.say(language)}"
    return _heading(_FAR, language) + _list(rows, language)


def _parties(kept: PersonalReceipt, language: Language) -> str:
    notice = kept.notice
    if notice is None:
        party = kept.opening.body.party_identification[0]
        named = f"{party.party_name}, {party.party_address}, {party.party_contact}"
        return _heading(_WHO, language) + _list({"controller": named}, language)
    rows = {
        "controller": f"{notice.controller_name}, {notice.controller_address}, "
        f"{notice.controller_contact}",
        "dpo": notice.dpo_contact,
        "recipients": notice.recipients,
        "transfers": notice.transfers,
        "places": ", ".join(notice.storage_locations),
    }
    return _heading(_WHO, language) + _list(rows, language)


def _ending(kept: PersonalReceipt, language: Language) -> str:
    notice, said = kept.notice, f"<p>{escape(_RECALL.say(language))}</p>"
    if notice is None:
        contact = kept.opening.body.party_identification[0].party_contact
        rows = {"withdraw": _FROM_STORE.say(language), "rights": contact}
        return _heading(_END, language) + _list(rows, language) + said
    rows = {
        "withdraw": notice.withdrawal_url,
        "rights": notice.rights_url,
        "authority": notice.authority,
    }
    return _heading(_END, language) + _list(rows, language) + said


def _proof(kept: PersonalReceipt, language: Language) -> str:
    proof = kept.log_receipt
    rows = {"log": kept.opening.event.payload.o, "leaf": kept.opening.event.head}
    if proof is None:
        said = f"<p>{escape(_PENDING.say(language))}</p>"
        return _heading(_PROOF, language) + _list(rows, language) + said
    rows["place"] = f"{proof.index} / {proof.size}"
    return _heading(_PROOF, language) + _list(rows, language)


def _heading(words: Words, language: Language) -> str:
    return f"<h2>{escape(words.say(language))}</h2>"


def _list(rows: dict[str, str], language: Language) -> str:
    items = "".join(
        f"<dt>{escape(_LABELS[name].say(language))}</dt><dd>{escape(value)}</dd>"
        for name, value in rows.items()
    )
    return f"<dl>{items}</dl>"


def _time(at: datetime) -> str:
    return utc_text(at).replace("T", " ").replace("Z", " UTC")
