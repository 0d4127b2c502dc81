"""Make the signed events of a resident's consents: choices with their bodies, and changes of keys.

Nothing is kept or sent here, and no rule about what may follow what is checked:
`consents.records.chain` says it, and `consenting` and `rekeying` keep what is made here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.canonical import utc_text
from consents.jws import thumbprint
from consents.records.chain import key_digest
from consents.records.limits import ConsentArea, ConsentLimits
from consents.records.mandate import Mandate
from consents.records.notice import Notice
from consents.records.receipt import LeafPayload, SignedEvent, read_event, sign_event
from consents.records.record import (
    ConsentBody,
    ConsentedPurpose,
    EventType,
    Party,
    PrivacyNotice,
    Purpose,
)
from personal_store.db.consents import Consent, KeptEvent
from personal_store.membership import Membership

# Asked again every year (CNIL and EDPB 05/2020: refresh at intervals).
VALIDITY = timedelta(days=365)
EXPIRY_NOTICE = timedelta(days=30)
"""How long before its end a consent is said to expire soon."""
WEEKS_OF_VALIDITY = 53  # a year of 365 days touches at most 53 ISO weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the resident is asked to consent to, and the language in which it was shown.

    `weekdays` are the days to count, ISO numbers from 1 for Monday to 7; None counts every day.
    `area` is where trips count, None everywhere; its outlines must be kept.
    """

    membership: Membership
    purpose: Purpose
    notice: Notice
    language: str
    weekdays: tuple[int, ...] | None = None
    area: ConsentArea | None = None


def last_choice(chain: Sequence[KeptEvent]) -> KeptEvent | None:
    """Return the newest event that is a choice, None without any: events about keys are none."""
    return next((each for each in reversed(chain) if each.signed.payload.t.of_consent), None)


def sign_choice(
    consent: Consent,
    chain: Sequence[KeptEvent],
    body: ConsentBody,
    *,
    origin: str,
    key: bytes,
    signer: Ed25519PrivateKey | None = None,
) -> KeptEvent:
    """Return the choice that `body` says, signed by the consent's key or another `signer`.

    `key` is the fresh secret of the commitment, 32 bytes.
    """
    signed_by = signer or consent.key
    payload = _payload(
        consent,
        chain,
        kind=body.event_type,
        origin=origin,
        commitment=body.commitment(key=key),
        at=body.event_time,
        signer=signed_by,
    )
    return KeptEvent(
        signed=read_event(sign_event(payload, signed_by)),
        body=body,
        commitment_key=key,
        signed_at=body.event_time,
        receipt=None,
    )


def sign_keys(
    consent: Consent,
    chain: Sequence[KeptEvent],
    kind: EventType,
    *,
    names: str,
    signer: Ed25519PrivateKey,
    origin: str,
    at: datetime,
    mandate: Mandate | None = None,
) -> KeptEvent:
    """Return an event about keys, by which `signer` names another key's thumbprint; no body."""
    payload = _payload(
        consent,
        chain,
        kind=kind,
        origin=origin,
        commitment=key_digest(names),
        at=at,
        signer=signer,
        mandate=mandate,
    )
    return kept_event(read_event(sign_event(payload, signer)))


def kept_event(event: SignedEvent) -> KeptEvent:
    """Return a signed event without a body, as a store keeps it."""
    return KeptEvent(
        signed=event,
        body=None,
        commitment_key=None,
        signed_at=event.payload.at_time,
        receipt=None,
    )


def _payload(
    consent: Consent,
    chain: Sequence[KeptEvent],
    *,
    kind: EventType,
    origin: str,
    commitment: str,
    at: datetime,
    signer: Ed25519PrivateKey,
    mandate: Mandate | None = None,
) -> LeafPayload:
    return LeafPayload(
        t=kind,
        o=origin,
        cid=consent.cid,
        n=len(chain),
        p=chain[-1].signed.head if chain else "",
        pd=consent.purpose_digest,
        c=commitment,
        at=utc_text(at),
        kid=thumbprint(signer.public_key()),
        m=mandate,
    )


def choice_body(
    choice: Choice, consent: Consent, chain: Sequence[KeptEvent], *, now: datetime
) -> ConsentBody:
    """Return what the next choice of a chain says: given, or renewed where it was given before."""
    purpose = choice.purpose
    last = last_choice(chain)
    before = last.body.limits if last is not None and last.body is not None else None
    limits = ConsentLimits(
        fields=purpose.fields,
        epsilon_week_micro=purpose.epsilon_week_micro,
        # A renewal adds a year to what the same consent allowed before.
        epsilon_total_micro=WEEKS_OF_VALIDITY * purpose.epsilon_week_micro
        + (before.epsilon_total_micro if before else 0),
        expires_at=now + VALIDITY,
        weekdays=choice.weekdays,
        area=choice.area,
    )
    ended = ended_body(
        consent,
        len(chain),
        purpose=purpose,
        notice=choice.notice,
        origin=choice.membership.log_origin,
        language=choice.language,
        now=now,
    )
    kind = EventType.RENEWED if last else EventType.GIVEN
    return replace(ended, event_type=kind, limits=limits)


def ended_body(
    consent: Consent,
    n: int,
    *,
    purpose: Purpose,
    notice: Notice,
    origin: str,
    language: str,
    now: datetime,
) -> ConsentBody:
    """Return what the event `n` of a consent says when it ends it: a withdrawal, without limits."""
    return ConsentBody(
        record_id=f"{consent.cid}-{n}",
        # Fresh with every consent, so that two cooperatives cannot compare residents.
        pii_principal_id=consent.cid,
        privacy_notice=PrivacyNotice(
            url=f"{consent.url}/v1/purposes/{purpose.digest}/notice",
            version=notice.version,
            sha256=notice.digest,
        ),
        language=language,
        purposes=(
            ConsentedPurpose(purpose_digest=purpose.digest, dpv_purpose=purpose.dpv_purpose),
        ),
        party_identification=(
            Party(
                party_id=origin,
                party_name=purpose.controller_name,
                party_role="dpv:DataController",
                party_type="eu-dga:DataCooperative",
                party_address=consent.url,
                party_contact=purpose.controller_contact,
            ),
        ),
        event_time=now,
        validity_duration_s=int(VALIDITY.total_seconds()),
        event_type=EventType.WITHDRAWN,
    )
