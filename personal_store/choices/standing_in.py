"""End consents from outside their store: as a delegate, or with the withdrawal code of a lost one.

Nothing of the store is needed or opened: a sheet says where to go, a key says who. The cooperative
shows the consents to a key that they name; each is verified, its end signed and handed over. Where
the cooperative does not answer, or hides them, what the sheet knows is signed on and left with the
stewards, from whose receipt it counts. It gives nothing and changes no limit: the chain would not
let it (`consents.chain`).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
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
from personal_store.choices import own_log, withdrawal_code
from personal_store.choices.consent_events import ended_body, kept_event, sign_choice
from personal_store.choices.sheets import KnownConsent, Sheet, kept_events
from personal_store.db.consents import Consent, KeptEvent
from personal_store.errors import StoreError, TransportError
from personal_store.settings import Language
from personal_store.transport import Answer, Transport

Randomness = Callable[[int], bytes]
COMMITMENT_KEY_LENGTH_BYTES = 32

MISSES = 5
"""Numbers in a row under which the cooperative knows no consent, after which a code has no more."""

MOST_NUMBERS = 256
"""Numbers that are ever asked for: more consents than anybody gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The world around somebody without a store: the ways, time, chance, and their language."""

    connect: Callable[[str], Transport]
    now: datetime
    randomness: Randomness
    language: Language


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A consent to end: its events, the key that may, and what the sheet knows of it.

    `shown` tells that the cooperative showed it; it need not be asked about one that it hides.
    """

    chain: list[KeptEvent]
    key: Ed25519PrivateKey
    known: KnownConsent | None
    shown: bool


def withdraw(sheet: Sheet, key: Ed25519PrivateKey, outside: Outside) -> Iterator[KeptEvent]:
    """End the consents that name a delegate's key; yield each event with its proofs, once it holds.

    One that has ended already is passed over, and one that fails holds no other back: the first
    failure is raised at the end. Raises TransportError, StoreError without a mandate in force.
    """

    def found(followed: Sheet) -> list[_Found]:
        answer = _asked(followed, key, outside)
        accepted(answer)
        return _shown(followed, answer, key)

    yield from _ended(sheet, outside, found, kept=[key])


def recover(sheet: Sheet, secret: bytes, outside: Outside) -> Iterator[KeptEvent]:
    """End the consents of a lost store with the secret of its withdrawal code; as `withdraw`."""

    def found(followed: Sheet) -> list[_Found]:
        named, misses = [], 0
        for number in range(MOST_NUMBERS):
            key = withdrawal_code.key_of(secret, number)
            answer = _asked(followed, key, outside)
            if answer.status == HTTPStatus.FORBIDDEN:
                misses += 1
                if misses < MISSES:
                    continue
                break
            accepted(answer)
            named += _shown(followed, answer, key)
            misses = 0
        if not named:
            accepted(answer)
        return named

    most = len(sheet.known) + MISSES
    kept = [withdrawal_code.key_of(secret, number) for number in range(most)]
    yield from _ended(sheet, outside, found, kept=kept)


def write_proofs(events: Sequence[KeptEvent], folder: Path) -> list[Path]:
    """Write what proves these events as files that others' tools read; return them."""
    return own_log.write_files(own_log.proof_files(events), folder)


def _ended(
    sheet: Sheet,
    outside: Outside,
    found: Callable[[Sheet], list[_Found]],
    *,
    kept: Sequence[Ed25519PrivateKey],
) -> Iterator[KeptEvent]:
    named: list[_Found] = []
    refusal: TransportError | None = None
    try:
        sheet = _followed(sheet, outside)
        named = found(sheet)
    except TransportError as error:
        refusal = error
    if sheet.trust is not None:
        shown = {each.chain[0].signed.payload.cid for each in named}
        hidden = _known_to(sheet, kept)
        named += [each for each in hidden if each.chain[0].signed.payload.cid not in shown]
    if refusal is not None and not named:
        raise refusal
    failed: StoreError | None = None
    for each in named:
        try:
            event = _signed_end(sheet, each, outside)
            if event is not None:
                yield _delivered(sheet, event, outside, ask=each.shown)
        except StoreError as error:
            failed = failed or error
    if failed is not None:
        raise failed


def _followed(sheet: Sheet, outside: Outside) -> Sheet:
    """Return the sheet with the logs of the years since, each of which the one before it named.

    Nobody's cosignature is asked for: a sheet of paper has no policy. Raises TransportError.
    """
    transport = outside.connect(sheet.url)
    for handover in cooperative.handovers(transport, after=sheet.log_vkeys[-1]):
        try:
            succession = handover.verify(sheet.log_vkeys[-1])
        except HandoverError as error:
            out_of_protocol("log/handovers", error)
        sheet = replace(sheet, log_vkeys=(*sheet.log_vkeys, succession.vkey))
    return sheet


def _asked(sheet: Sheet, key: Ed25519PrivateKey, outside: Outside) -> Answer:
    request = sign_chain_request(origin=sheet.origin, key=key, now=outside.now)
    body = json.dumps({"request": request.decode()}).encode()
    return outside.connect(sheet.url).exchange("POST", "/v1/chains", body)


def _shown(sheet: Sheet, answer: Answer, key: Ed25519PrivateKey) -> list[_Found]:
    """Return the consents that the cooperative shows, at least one, once each is sound."""
    known = {each.cid: each for each in sheet.known}
    found = []
    try:
        for leaves in answer.document["chains"]:
            events = [read_event(str(leaf).encode("ascii")) for leaf in leaves]
            state = _state(sheet, events)
            if state is None or thumbprint(key.public_key()) not in state.known_kids:
                out_of_protocol("chains", None)
            own = known.get(state.cid)
            if own is not None and own.events != tuple(events[: len(own.events)]):
                out_of_protocol("chains", None)
            chain = [kept_event(each) for each in events]
            found.append(_Found(chain=chain, key=key, known=own, shown=True))
    except (KeyError, TypeError, ValueError, ConsentsError) as error:
        out_of_protocol("chains", error)
    if not found:
        # Nothing to show is a refusal: an empty list would pass for consents that ended already.
        out_of_protocol("chains", None)
    return found


def _known_to(sheet: Sheet, keys: Sequence[Ed25519PrivateKey]) -> list[_Found]:
    """Return the consents that a sheet knows to name one of these keys."""
    by_kid = {thumbprint(key.public_key()): key for key in keys}
    found = []
    for known in sheet.known:
        try:
            state = _state(sheet, known.events)
        except ConsentsError:
            continue
        kids = set() if state is None else state.known_kids & by_kid.keys()
        found += [
            _Found(chain=kept_events(known), key=by_kid[kid], known=known, shown=False)
            for kid in sorted(kids)
        ]
    return found


def _state(sheet: Sheet, chain: Sequence[SignedEvent]) -> ConsentState | None:
    stewards = () if sheet.trust is None else sheet.trust.policy.witnesses.values()
    return consent_state(
        chain,
        log_origin=sheet.origin,
        earlier=sheet.origins,
        operator_kids=_kids(sheet.log_vkeys),
        steward_kids=_kids(stewards),
    )


def _kids(vkeys: Iterable[str]) -> list[str]:
    return [thumbprint_of_raw(NoteKey.parse(vkey).public_key) for vkey in vkeys]


def _signed_end(sheet: Sheet, found: _Found, outside: Outside) -> KeptEvent | None:
    """Return the signed end of a consent, None where it has ended; raise StoreError."""
    state = _state(sheet, [each.signed for each in found.chain])
    assert state is not None, "a chain that was shown has its first event"
    own = thumbprint(found.key.public_key())
    recovered = state.status is EventType.KEY_RECOVERED and state.kid == own
    if not state.status.permits and not recovered:
        return None
    mandate = state.mandate_of(own)
    if mandate is not None and not mandate.covers(EventType.WITHDRAWN, at=outside.now):
        raise _no_mandate_now()
    first = found.chain[0].signed.payload
    consent = Consent(
        cid=first.cid,
        url=sheet.url,
        purpose_digest=first.pd,
        key=found.key,
        opened_at=first.at_time,
    )
    known = found.known or _told(sheet, first.pd, found.chain, outside)
    body = ended_body(
        consent,
        len(found.chain),
        purpose=known.purpose,
        notice=known.notice,
        origin=sheet.origin,
        language=outside.language,
        now=outside.now,
    )
    secret = outside.randomness(COMMITMENT_KEY_LENGTH_BYTES)
    return sign_choice(consent, found.chain, body, origin=sheet.origin, key=secret)


def _told(sheet: Sheet, digest: str, chain: Sequence[KeptEvent], outside: Outside) -> KnownConsent:
    """Return a consent with its texts as the cooperative publishes them; raise TransportError."""
    transport = outside.connect(sheet.url)
    purpose = Purpose.parse(cooperative.purpose(transport, digest))
    told = cooperative.notice(transport, digest)
    if told is None:
        out_of_protocol("notice", None)
    events = tuple(each.signed for each in chain)
    return KnownConsent(events=events, purpose=purpose, notice=Notice.parse(told))


def _delivered(sheet: Sheet, event: KeptEvent, outside: Outside, *, ask: bool) -> KeptEvent:
    """Return an event with the cooperative's word for it, else with the stewards' slip.

    The cooperative is asked where `ask` says so. Raises TransportError where nobody takes it in.
    """
    if sheet.trust is None or sheet.trust.stewards_url is None:
        return _handed_over(sheet, event, outside)
    if ask:
        with suppress(TransportError):
            return _handed_over(sheet, event, outside)
    stewards = outside.connect(sheet.trust.stewards_url)
    slip = cooperative.leave_withdrawal(stewards, event.signed.leaf, sheet.trust.policy)
    return replace(event, slip=slip)


def _handed_over(sheet: Sheet, event: KeptEvent, outside: Outside) -> KeptEvent:
    body = json.dumps({"leaf": event.signed.leaf.decode()}).encode()
    document = accepted(outside.connect(sheet.url).exchange("POST", "/v1/events", body))
    answer = read_log_answer(
        document,
        event.signed.leaf,
        log_vkeys=sheet.log_vkeys,
        signed_at=event.signed_at,
        now=outside.now,
    )
    return replace(event, promise=answer.promise, receipt=answer.receipt)


def _no_mandate_now() -> StoreError:
    return StoreError(
        fr="Cette clé n'a pas de mandat en cours pour cet accord : rien n'a été signé. La personne "
        "qui l'a donné peut en donner un autre.",
        en="This key has no mandate in force for this consent: nothing was signed. Whoever gave it "
        "can give another.",
    )
