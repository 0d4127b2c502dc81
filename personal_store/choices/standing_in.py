"""End a consent from outside its store: as a delegate, or with the recovery code of a lost one.

Nothing of the store is needed or opened: a public file says where to go and which consents, a key
says who. The cooperative shows the chain to a key that it names, what comes back is verified, the
end is signed and handed over, and what proves it is written as files. It gives nothing and changes
no limit: the chain would not let it (`consents.records.chain`).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.errors import ConsentsError, HandoverError
from consents.jws import thumbprint, thumbprint_of_raw
from consents.records.chain_request import sign_chain_request
from consents.records.decision import ConsentState, consent_state
from consents.records.notice import Notice
from consents.records.receipt import SignedEvent, read_event
from consents.records.record import EventType, Purpose
from consents.tlog.checkpoint import NoteKey
from personal_store import cooperative
from personal_store.answers import accepted, out_of_protocol, read_log_answer
from personal_store.choices import own_log
from personal_store.choices.consent_events import ended_body, sign_choice, sign_keys
from personal_store.choices.naming import recovery_key
from personal_store.db.consents import Consent, KeptEvent
from personal_store.errors import StoreError
from personal_store.settings import Language
from personal_store.transport import Transport

Randomness = Callable[[int], bytes]
COMMITMENT_KEY_LENGTH_BYTES = 32
MAX_SHEET_BYTES = 65_536
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Where consents can be ended: the cooperative, its log's key, and the consents by id.

    It opens nothing by itself: who reads it learns that these consents exist. `later_vkeys` are the
    keys of the logs that followed since, each verified; they are in no file.
    """

    url: str
    log_vkey: str
    cids: tuple[str, ...]
    later_vkeys: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Return the file: one JSON object."""
        document = {
            "v": _VERSION,
            "cooperative": self.url,
            "log_vkey": self.log_vkey,
            "consents": list(self.cids),
        }
        return json.dumps(document, indent=1).encode() + b"\n"

    @property
    def log_vkeys(self) -> tuple[str, ...]:
        """The verifier keys of the logs, one for each year, oldest first."""
        return (self.log_vkey, *self.later_vkeys)

    @property
    def origins(self) -> tuple[str, ...]:
        """The names of the logs, oldest first: their keys bear them."""
        return tuple(NoteKey.parse(vkey).name for vkey in self.log_vkeys)

    @property
    def origin(self) -> str:
        """The name of the open log."""
        return self.origins[-1]


def read_sheet(path: Path) -> Sheet:
    """Read such a file; raise StoreError."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MAX_SHEET_BYTES))
        if document["v"] != _VERSION or not all(
            len(bytes.fromhex(cid)) == len(cid) // 2 == 16 for cid in document["consents"]
        ):
            raise _no_sheet()
        NoteKey.parse(document["log_vkey"])
        return Sheet(
            url=str(document["cooperative"]),
            log_vkey=document["log_vkey"],
            cids=tuple(document["consents"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ConsentsError):
        raise _no_sheet() from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The world around somebody without a store: the way, time, chance, and their language."""

    transport: Transport
    now: datetime
    randomness: Randomness
    language: Language


def withdraw(sheet: Sheet, key: Ed25519PrivateKey, outside: Outside) -> list[KeptEvent]:
    """End the consents of a sheet with a delegate's key; return the events with their proofs.

    One that has ended already is passed over. Raises TransportError, StoreError without a mandate
    in force.
    """
    ended = []
    sheet = _followed(sheet, outside)
    for cid in sheet.cids:
        chain = _chain(sheet, cid, key, outside)
        state = _state(sheet, [each.signed for each in chain])
        assert state is not None, "a chain that was shown has its first event"
        if not state.status.permits:
            continue
        mandate = state.mandate_of(thumbprint(key.public_key()))
        if mandate is None or not mandate.covers(EventType.WITHDRAWN, at=outside.now):
            raise _no_mandate_now()
        ended.append(_end(sheet, chain, key, outside))
    return ended


def recover(sheet: Sheet, secret: bytes, outside: Outside) -> list[KeptEvent]:
    """End the consents of a lost store with the secret of its recovery code; return the events.

    Each first gets a new key, which can only withdraw: whoever has the old store can do nothing
    more with it. One that was ended so already is passed over. Raises TransportError.
    """
    events = []
    sheet = _followed(sheet, outside)
    for cid in sheet.cids:
        paper, fresh = recovery_key(secret, cid), Ed25519PrivateKey.generate()
        chain = _chain(sheet, cid, paper, outside)
        state = _state(sheet, [each.signed for each in chain])
        if state is not None and state.recovered and state.status is EventType.WITHDRAWN:
            continue
        named = sign_keys(
            _consent(sheet, chain, fresh),
            chain,
            EventType.KEY_RECOVERED,
            names=thumbprint(fresh.public_key()),
            signer=paper,
            origin=sheet.origin,
            at=outside.now,
        )
        chain.append(_handed_over(sheet, named, outside))
        events += [chain[-1], _end(sheet, chain, fresh, outside)]
    return events


def write_proofs(events: Sequence[KeptEvent], folder: Path) -> list[Path]:
    """Write what proves these events as files that others' tools read; return them."""
    return own_log.write_files(own_log.proof_files(events), folder)


def _followed(sheet: Sheet, outside: Outside) -> Sheet:
    """Return the sheet with the logs of the years since, each of which the one before it named.

    Nobody's cosignature is asked for: whoever has no store has no policy. Raises TransportError.
    """
    for handover in cooperative.handovers(outside.transport, after=sheet.log_vkeys[-1]):
        try:
            succession = handover.verify(sheet.log_vkeys[-1])
        except HandoverError as error:
            out_of_protocol("log/handovers", error)
        sheet = replace(sheet, later_vkeys=(*sheet.later_vkeys, succession.vkey))
    return sheet


def _chain(sheet: Sheet, cid: str, key: Ed25519PrivateKey, outside: Outside) -> list[KeptEvent]:
    """Return a consent's events as the cooperative shows them, once they are sound."""
    request = sign_chain_request(cid=cid, origin=sheet.origin, key=key, now=outside.now)
    body = json.dumps({"request": request.decode()}).encode()
    document = accepted(outside.transport.exchange("POST", "/v1/chains", body))
    try:
        events = [read_event(str(leaf).encode("ascii")) for leaf in document["leaves"]]
        state = _state(sheet, events)
    except (KeyError, TypeError, ValueError, ConsentsError) as error:
        out_of_protocol("chains", error)
    if state is None or state.cid != cid:
        out_of_protocol("chains", None)
    return [
        KeptEvent(
            signed=event,
            body=None,
            commitment_key=None,
            signed_at=event.payload.at_time,
            receipt=None,
        )
        for event in events
    ]


def _state(sheet: Sheet, chain: Sequence[SignedEvent]) -> ConsentState | None:
    operators = [thumbprint_of_raw(NoteKey.parse(vkey).public_key) for vkey in sheet.log_vkeys]
    return consent_state(
        chain, log_origin=sheet.origin, earlier=sheet.origins, operator_kids=operators
    )


def _end(
    sheet: Sheet, chain: Sequence[KeptEvent], key: Ed25519PrivateKey, outside: Outside
) -> KeptEvent:
    consent = _consent(sheet, chain, key)
    purpose = Purpose.parse(cooperative.purpose(outside.transport, consent.purpose_digest))
    told = cooperative.notice(outside.transport, consent.purpose_digest)
    if told is None:
        out_of_protocol("notice", None)
    body = ended_body(
        consent,
        len(chain),
        purpose=purpose,
        notice=Notice.parse(told),
        origin=sheet.origin,
        language=outside.language,
        now=outside.now,
    )
    secret = outside.randomness(COMMITMENT_KEY_LENGTH_BYTES)
    event = sign_choice(consent, chain, body, origin=sheet.origin, key=secret)
    return _handed_over(sheet, event, outside)


def _consent(sheet: Sheet, chain: Sequence[KeptEvent], key: Ed25519PrivateKey) -> Consent:
    first = chain[0].signed.payload
    return Consent(
        cid=first.cid,
        url=sheet.url,
        purpose_digest=first.pd,
        key=key,
        opened_at=first.at_time,
    )


def _handed_over(sheet: Sheet, event: KeptEvent, outside: Outside) -> KeptEvent:
    body = json.dumps({"leaf": event.signed.leaf.decode()}).encode()
    document = accepted(outside.transport.exchange("POST", "/v1/events", body))
    answer = read_log_answer(
        document,
        event.signed.leaf,
        log_vkeys=sheet.log_vkeys,
        signed_at=event.signed_at,
        now=outside.now,
    )
    return replace(event, promise=answer.promise, receipt=answer.receipt)


def _no_sheet() -> StoreError:
    return StoreError(
        fr="Ce fichier ne dit pas où retirer quel accord. Attendu : le fichier écrit par "
        "« consents recovery prepare » ou « consents delegates name ».",
        en="This file does not say where to withdraw which consent. Expected: the file written by "
        "“consents recovery prepare” or “consents delegates name”.",
    )


def _no_mandate_now() -> StoreError:
    return StoreError(
        fr="Cette clé n'a pas de mandat en cours pour cet accord : rien n'a été signé. La personne "
        "qui l'a donné peut en donner un autre.",
        en="This key has no mandate in force for this consent: nothing was signed. Whoever gave it "
        "can give another.",
    )
