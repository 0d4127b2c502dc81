"""Name another key for a consent whose own is lost: a steward's word, which the log keeps.

The steward who knows the person signs `key.recovered` with their cosigning key. From then on the
lost key is worth nothing, and the one that was named can withdraw, nothing else: nobody gives a
consent, or goes on with one, by this way. Who asks, and whether it is their consent, is between
people; nothing here can tell.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from consents.audit.files import Export
from consents.audit.grown import claims
from consents.canonical import canonical_bytes, parse_json, utc_text
from consents.errors import CanonicalError, ConsentsError
from consents.jws import thumbprint, thumbprint_of_raw
from consents.records.chain import ConsentState, key_digest
from consents.records.decision import consent_state
from consents.records.receipt import EventType, LeafPayload, SignedEvent, read_event, sign_event
from consents.tlog.checkpoint import NoteKey
from consents.tlog.promise import check_promise
from coop_aggregator.errors import RecoveryRefused
from coop_aggregator.installation import Helper
from coop_aggregator.jobs.witness import Answer
from coop_aggregator.tlog.audit_report import followed_logs, own_policy_text

SHEET_VERSION = 2
_ANSWERED = frozenset({200, 201, 202})


class Cooperative(Protocol):
    """The way to the cooperative."""

    def hand_over(self, body: bytes) -> Answer:
        """POST an event. Raises RecoveryRefused when there is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was logged, or promised to be: the steward's entry, and the operator's promise."""

    leaf: bytes
    promise: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The consent `cid` whose key is lost, and the thumbprint `kid` of the one that ends it."""

    cid: str
    kid: str


def run_once(helper: Helper, cooperative: Cooperative, export: Path, lost: Lost) -> Recovery:
    """
    Read a consent's chain from an export, sign the recovery, hand it over.

    Asked again for the same key with a newer export, it hands the same entry over. Raises
    RecoveryRefused for what is no consent in force, no thumbprint, or not to be done.
    """
    logs, now = followed_logs(helper), helper.clock.now()
    chain = _chain(export, lost)
    state = _state(helper, chain, logs)
    done = state.status is EventType.KEY_RECOVERED and state.kid == lost.kid
    leaf = chain[-1].leaf if done else _signed(helper, lost, state, now)
    answer = _answer(cooperative, leaf)
    promise = str(answer.get("promise")).encode("utf-8", "replace")
    since = read_event(leaf).payload.at_time
    for vkey in logs:
        with suppress(ConsentsError):
            check_promise(promise, leaf, kid=_kid(vkey), now=now, since=since)
            return Recovery(leaf=leaf, promise=promise)
    raise _out_of_protocol()


def sheet_for(helper: Helper, *, url: str) -> bytes:
    """Return the file with which the person withdraws: where, under which keys, who vouched."""
    document = {
        "v": SHEET_VERSION,
        "cooperative": url,
        "log_vkeys": list(followed_logs(helper)),
        "stewards": {"url": None, "policy": own_policy_text(helper)},
        "consents": [],
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def _chain(export: Path, lost: Lost) -> list[SignedEvent]:
    """Return a consent's events as an export holds them."""
    found: list[SignedEvent] = []
    try:
        for each in Export(folder=export).logs():
            mine = (leaf for leaf in each.entries() if claims(leaf, lost.cid))
            found += map(read_event, mine)
    except (ConsentsError, OSError, UnicodeDecodeError) as error:
        raise RecoveryRefused(
            fr="L'export ne se lit pas. Attendu : le dossier écrit par « coop-aggregator export "
            "log », tel que la coopérative l'a remis.",
            en="The export cannot be read. Expected: the folder written by 'coop-aggregator "
            "export log', as the cooperative handed it over.",
        ) from error
    return found


def _state(helper: Helper, chain: Sequence[SignedEvent], logs: Sequence[str]) -> ConsentState:
    """Return where the consent stands, once its chain is seen to be sound and in force."""
    *earlier, origin = (NoteKey.parse(vkey).name for vkey in logs)
    stewards = (thumbprint(helper.key.public_key()),)
    try:
        state = consent_state(
            chain,
            log_origin=origin,
            earlier=earlier,
            operator_kids=tuple(map(_kid, logs)),
            steward_kids=stewards,
        )
    except ConsentsError as error:
        raise RecoveryRefused(
            fr="Les événements de cet accord ne se suivent pas dans l'export, ou un autre témoin "
            "a déjà remplacé sa clé. Lancez « coop-aggregator audit » sur l'export.",
            en="The events of this consent do not follow each other in the export, or another "
            "steward replaced its key already. Run 'coop-aggregator audit' on the export.",
        ) from error
    if state is None or (not state.status.permits and state.status is not EventType.KEY_RECOVERED):
        raise RecoveryRefused(
            fr="L'export ne contient pas cet accord, ou il n'est pas en vigueur : il n'y a rien à "
            "retirer. Rien n'a été signé. Vérifiez le numéro, en entier.",
            en="The export does not hold this consent, or it is not in force: there is nothing to "
            "withdraw. Nothing was signed. Check its number, all of it.",
        )
    return state


def _signed(helper: Helper, lost: Lost, state: ConsentState, now: datetime) -> bytes:
    try:
        if lost.kid in state.known_kids:
            raise RecoveryRefused(
                fr="Cet accord connaît déjà cette clé. Demandez à la personne d'en faire une autre "
                "(« personal-store consents mandate key FICHIER »). Rien n'a été signé.",
                en="This consent knows this key already. Have the person make another one "
                "('personal-store consents mandate key FILE'). Nothing was signed.",
            )
        payload = LeafPayload(
            t=EventType.KEY_RECOVERED,
            o=state.log_origin,
            cid=state.cid,
            n=state.next_n,
            p=state.head,
            pd=state.purpose_digest,
            c=key_digest(lost.kid),
            at=utc_text(now),
            kid=thumbprint(helper.key.public_key()),
        )
        return sign_event(payload, helper.key)
    except ConsentsError as error:
        raise RecoveryRefused(
            fr="Ceci n'est pas l'empreinte d'une clé. Attendu : 43 lettres, telles que « consents "
            "mandate key » les affiche. Rien n'a été signé.",
            en="This is not a key's thumbprint. Expected: 43 letters, as 'consents mandate key' "
            "prints them. Nothing was signed.",
        ) from error


def _answer(cooperative: Cooperative, leaf: bytes) -> Mapping[str, Any]:
    answer = cooperative.hand_over(canonical_bytes({"leaf": leaf.decode("ascii")}))
    try:
        document = parse_json(answer.text.encode())
    except CanonicalError as error:
        raise _out_of_protocol() from error
    if answer.status not in _ANSWERED or not isinstance(document, dict):
        raise RecoveryRefused(
            fr="La coopérative refuse. Demandez-lui un nouvel export, et qu'elle compte votre clé "
            "parmi ses témoins (COOP_AGGREGATOR_WITNESSES) ; puis relancez.",
            en="The cooperative refuses. Ask it for a new export, and to count your key among its "
            "witnesses (COOP_AGGREGATOR_WITNESSES); then run this again.",
        )
    return document


def _kid(vkey: str) -> str:
    return thumbprint_of_raw(NoteKey.parse(vkey).public_key)


def _out_of_protocol() -> RecoveryRefused:
    return RecoveryRefused(
        fr="La réponse de la coopérative n'est pas celle que son journal doit donner. Gardez-la, "
        "et demandez-lui pourquoi ; la commande peut être relancée.",
        en="The cooperative's answer is not the one that its log must give. Keep it, and ask "
        "why; the command can be run again.",
        status=502,
    )
