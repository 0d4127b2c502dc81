"""The purpose that a new cooperative starts with, and publishing one: text first, then its leaf.

Not a consent: a resident's store shows these words and binds its consent to their digest. The text
states what Article 13 of the GDPR asks for; a cooperative adapts it and publishes another version.
"""

import json
from dataclasses import fields
from pathlib import Path

from sqlalchemy import Connection

from consents.errors import ConsentsError
from consents.records.notice import Notice
from consents.records.record import EventType, Purpose
from contributions.measures import Measure
from coop_aggregator.db.questions import add_notice, add_purpose, purpose_body
from coop_aggregator.errors import AggregatorError
from coop_aggregator.tlog.log import LeaderLog

DEFAULT_EPSILON_WEEK_MICRO = 4_000_000
"""ε = 4 a week and a resident under `replacement`: the local mode's price (privacy design, §2)."""
DEFAULT_RETENTION_DAYS = 400
DEFAULT_MEASURES = (
    Measure.KILOMETRES,
    Measure.TRIPS,
    Measure.KG_CO2E,
    Measure.SHORT_CAR_TRIPS,
    Measure.ACTIVE_MINUTES,
)
_MAX_FILE_BYTES = 262_144

_TEXT_FR = (
    "{name} publie chaque semaine des sommes sur les déplacements du territoire et de ses zones "
    ": kilomètres, trajets et émissions (kgCO2e) par mode, trajets courts en voiture, minutes à "
    "pied et à vélo ; chaque question dit lesquelles. Votre espace personnel calcule vos "
    "chiffres de la semaine, les cache (par un bruit aléatoire ajouté chez vous, ou en deux "
    "moitiés scellées que deux gardiens ne peuvent lire qu'ensemble et additionnent avec leur "
    "bruit), et n'envoie que cela avec votre zone de résidence : jamais de trajet, de lieu ni "
    "d'horaire. Chaque réponse porte aussi un numéro propre à votre accord : la coopérative peut "
    "relier vos réponses d'une semaine à l'autre. Responsable : {name} ({contact}). Base : votre "
    "consentement. Destinataires : la coopérative et, à deux gardiens, le second ; les sommes "
    "sont publiques. Aucun transfert hors de l'Union européenne, aucune décision automatisée. "
    "Conservation : {days} jours après la clôture de chaque question pour les réponses "
    "brouillées et leurs déclarations signées, sans limite pour les sommes publiées et le "
    "journal des consentements. Vous pouvez retirer votre consentement à tout moment depuis "
    "votre espace, aussi simplement que vous l'avez donné : les réponses non encore sommées sont "
    "exclues, mais une somme publiée ne peut plus être rappelée. Perte de confidentialité : au "
    "plus ε = {epsilon} par semaine, {year} par an. Plus ce nombre est grand, moins vous êtes "
    "protégé ; {year} par an est une protection faible. Une zone n'est publiée qu'au-dessus d'un "
    "nombre minimal de réponses, écrit dans chaque question. Droits d'accès, de rectification et "
    "d'effacement : {contact} ; réclamation : CNIL."
)
_TEXT_EN = (
    "{name} publishes every week sums about travel in the territory and its zones: kilometres, "
    "trips and emissions (kgCO2e) by mode, short trips by car, minutes walked and cycled; each "
    "question says which. Your personal store computes your figures of the week, hides them (by "
    "random noise added on your machine, or in two sealed halves that two keepers can read only "
    "together and add up with their noise), and sends only that with your zone of residence: "
    "never a trip, a place or a time. Each answer also carries a number made for your consent: the "
    "cooperative can link your answers from week to week. "
    "Controller: {name} ({contact}). Basis: your consent. "
    "Recipients: the cooperative and, with two keepers, the second; the sums are public. No "
    "transfer outside the European Union, no automated decision. "
    "Retention: {days} days after each question closed for noised answers and their signed "
    "statements, no limit for published sums and the consent log. "
    "You may withdraw at any time from your store, as simply as you consented: answers not yet "
    "summed are left out, but a published sum cannot be recalled. Privacy loss: at most ε = "
    "{epsilon} a week, {year} a year. The larger this number, the weaker the protection; {year} a "
    "year is weak. A zone is published only above a minimum number of "
    "answers, written in each question. Rights of access, rectification and erasure: {contact}; "
    "complaints: CNIL, the French authority."
)

_RECIPIENTS = (
    "La coopérative et, à deux gardiens, le second ; les sommes sont publiques. / "
    "The cooperative and, with two keepers, the second; the sums are public."
)
_TRANSFERS = "Aucun hors de l'Union européenne. / None outside the European Union."


def default_purpose(*, name: str, contact: str) -> Purpose:
    """Return the purpose of a new cooperative: weekly sums by mode for the territory.

    Departures by hour and trips by zone of arrival tell more: they take a purpose of their own.
    """
    epsilon = DEFAULT_EPSILON_WEEK_MICRO // 1_000_000
    facts = {
        "name": name,
        "contact": contact,
        "days": DEFAULT_RETENTION_DAYS,
        "epsilon": epsilon,
        "year": 52 * epsilon,
    }
    return Purpose(
        title_fr="Sommes hebdomadaires des déplacements",
        title_en="Weekly sums of travel",
        text_fr=_TEXT_FR.format(**facts),
        text_en=_TEXT_EN.format(**facts),
        dpv_purpose="dpv:ImproveTransportMobility",
        controller_name=name,
        controller_contact=contact,
        fields=(*(measure.purpose_field for measure in DEFAULT_MEASURES), "zone_of_residence"),
        epsilon_week_micro=DEFAULT_EPSILON_WEEK_MICRO,
        retention_days=DEFAULT_RETENTION_DAYS,
        version="1",
    )


def default_notice(purpose: Purpose, *, origin: str) -> Notice:
    """Return the notice (GDPR Article 13) that a cooperative's own settings make for a purpose.

    `origin` names its log, and begins with its host. A cooperative with a protection officer or
    processors writes its own (`read_notice`).
    """
    contact = purpose.controller_contact
    site = f"https://{origin.split('/', 1)[0]}/"
    return Notice(
        version=purpose.version,
        controller_name=purpose.controller_name,
        controller_address=site,
        controller_contact=contact,
        dpo_contact=contact,
        jurisdiction="loc:FR",
        storage_locations=("loc:FR",),
        recipients=_RECIPIENTS,
        transfers=_TRANSFERS,
        withdrawal_url=site,
        rights_url=f"mailto:{contact}" if "@" in contact else contact,
        authority="CNIL, https://www.cnil.fr/plaintes",
    )


def read_notice(path: Path) -> Notice:
    """Read a notice written by hand as a JSON object, in any spelling. Raises AggregatorError."""
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(_MAX_FILE_BYTES))
        return Notice(**{**value, "storage_locations": tuple(value["storage_locations"])})
    except (OSError, ValueError, TypeError, KeyError, RecursionError, ConsentsError) as error:
        listed = ", ".join(sorted(member.name for member in fields(Notice)))
        raise AggregatorError(
            fr=f"Notice refusée. Attendu : un objet JSON avec {listed}.",
            en=f"Notice refused. Expected: a JSON object with {listed}.",
        ) from error


def read_purpose(path: Path) -> Purpose:
    """Read a purpose written by hand as a JSON object, in any spelling. Raises AggregatorError."""
    names = {member.name for member in fields(Purpose)}
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(_MAX_FILE_BYTES))
        return Purpose(**{**value, "fields": tuple(value["fields"])})
    except (OSError, ValueError, TypeError, KeyError, RecursionError, ConsentsError) as error:
        listed = ", ".join(sorted(names))
        raise AggregatorError(
            fr=f"Finalité refusée. Attendu : un objet JSON avec exactement {listed}.",
            en=f"Purpose refused. Expected: a JSON object with exactly {listed}.",
        ) from error


def publish_purpose(
    connection: Connection, log: LeaderLog, purpose: Purpose, notice: Notice | None = None
) -> str:
    """Publish a purpose with its notice and append its leaf, which commits to both digests.

    Without `notice`, the default one of its log's origin. Returns the purpose's digest. Publishing
    twice is refused: another notice asks for another version, hence for another consent.
    """
    shown = notice or default_notice(purpose, origin=log.origin)
    if purpose_body(connection, purpose.digest) is not None:
        raise AggregatorError(
            fr="Cette finalité est déjà publiée, mot pour mot. Changez sa version.",
            en="This purpose is already published, word for word. Change its version.",
        )
    position = log.record(
        EventType.PURPOSE_PUBLISHED,
        purpose_digest=purpose.digest,
        body={"purpose_digest": purpose.digest, "notice_digest": shown.digest},
    )
    add_purpose(connection, digest=purpose.digest, body=purpose.to_bytes(), leaf_index=position)
    add_notice(connection, purpose_digest=purpose.digest, body=shown.to_bytes())
    return purpose.digest
