"""Records: event types, purposes and the clear body of a consent event.

A purpose is public, word for word; its digest is what leaves refer to. A body names a person and
stays beside the log: with its key it opens the commitment of one leaf, without it nothing does.
It signs nothing and stores nothing. Field names follow ISO/IEC TS 27560:2023 through the W3C DPV
guide (Final Community Group Report of 2026-02-15).
"""

from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum

from consents.canonical import canonical_bytes, commitment, sha256_hex, utc_text
from consents.errors import RecordError
from consents.records.limits import ConsentLimits, read_limits
from consents.records.schema import (
    expect_digest,
    expect_integers,
    expect_names,
    expect_records,
    expect_texts,
    read_json,
    read_members,
    read_time,
    read_tuple,
    whole_seconds,
)

SCHEMA_VERSION = "https://w3id.org/dpv/schema/dpv-27560"
"""The schema that a consent body follows: ISO/IEC TS 27560 in DPV terms."""

LAWFUL_BASIS_CONSENT = "eu-gdpr:A6-1-a"
"""GDPR Article 6(1)(a), consent, as a DPV term."""


class EventType(StrEnum):
    """What a leaf says has happened."""

    GIVEN = "consent.given"
    REFUSED = "consent.refused"
    DEFERRED = "consent.deferred"
    WITHDRAWN = "consent.withdrawn"
    LIMITED = "consent.limited"
    RENEWED = "consent.renewed"
    EXPIRED = "consent.expired"
    PURPOSE_PUBLISHED = "purpose.published"
    BATCH_COMMITTED = "batch.committed"
    RELEASE_PUBLISHED = "release.published"
    BODY_SHREDDED = "body.shredded"
    KEY_ROTATED = "key.rotated"
    KEY_RECOVERED = "key.recovered"
    SIGNER_JOINED = "signer.joined"
    DELEGATE_NAMED = "delegate.named"
    DELEGATE_REVOKED = "delegate.revoked"
    RECOVERY_NAMED = "recovery.named"
    SHARD_CLOSED = "shard.closed"
    SHARD_OPENED = "shard.opened"
    BATCH_ERASED = "batch.erased"

    @property
    def of_consent(self) -> bool:
        """Tell a resident's consent event from an act of the operator."""
        return self.value.startswith("consent.")

    @property
    def of_keys(self) -> bool:
        """Tell an event about who may sign in a resident's chain from every other."""
        return self in {
            EventType.KEY_ROTATED,
            EventType.KEY_RECOVERED,
            EventType.SIGNER_JOINED,
            EventType.DELEGATE_NAMED,
            EventType.DELEGATE_REVOKED,
            EventType.RECOVERY_NAMED,
        }

    @property
    def of_shards(self) -> bool:
        """Tell the two leaves that join one year's log to the next from every other."""
        return self in {EventType.SHARD_CLOSED, EventType.SHARD_OPENED}

    @property
    def of_resident(self) -> bool:
        """Tell what stands in a resident's chain from the operator's own acts."""
        return self.of_consent or self.of_keys

    @property
    def permits(self) -> bool:
        """Tell the three states under which data may be used (DPV: Given, RenewedConsentGiven)."""
        return self in {EventType.GIVEN, EventType.LIMITED, EventType.RENEWED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """
    One version of what a controller asks for, word for word.

    Titles and texts are what is shown, in both languages. `dpv_purpose` is a DPV term such as
    `dpv:ImproveTransportMobility`. `fields` names what may be used, without repetition.
    `epsilon_week_micro` is the most privacy loss of one week in millionths; `retention_days` how
    long answers are kept once their question closed. Construction raises RecordError.
    """

    title_fr: str
    title_en: str
    text_fr: str
    text_en: str
    dpv_purpose: str
    controller_name: str
    controller_contact: str
    fields: tuple[str, ...]
    epsilon_week_micro: int
    retention_days: int
    version: str

    def __post_init__(self) -> None:
        """Refuse a purpose that could not be shown or counted."""
        expect_texts(self, "purpose", *_PURPOSE_TEXTS)
        expect_integers(self, "purpose", "epsilon_week_micro", "retention_days", minimum=1)
        expect_names(self.fields, "purpose.fields")
        if not self.fields:
            raise RecordError("expected at least one name in purpose.fields")

    def to_bytes(self) -> bytes:
        """Return the canonical JSON that is published and whose digest is consented to."""
        return canonical_bytes(asdict(self))

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hex."""
        return sha256_hex(self.to_bytes())

    @classmethod
    def parse(cls, content: bytes) -> "Purpose":
        """Read published bytes; raise RecordError unless they are the canonical ones."""
        value = read_members(cls, read_json(content), "purpose")
        purpose = cls(**{**value, "fields": read_tuple(value["fields"], "purpose.fields")})
        if purpose.to_bytes() != content:
            raise RecordError("expected the canonical bytes of the purpose, seen another spelling")
        return purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyNotice:
    """The notice that was shown: where it is, its version, and the SHA-256 of its exact bytes."""

    url: str
    version: str
    sha256: str

    def __post_init__(self) -> None:
        """Refuse a notice that could not be found again."""
        expect_texts(self, "privacy_notice", "url", "version")
        expect_digest(self.sha256, "privacy_notice.sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentedPurpose:
    """One purpose that is consented to: digest of its exact words, DPV term, lawful basis."""

    purpose_digest: str
    dpv_purpose: str
    lawful_basis: str = LAWFUL_BASIS_CONSENT

    def __post_init__(self) -> None:
        """Refuse a purpose without its digest or terms."""
        expect_digest(self.purpose_digest, "purposes.purpose_digest")
        expect_texts(self, "purposes", "dpv_purpose", "lawful_basis")


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody who takes part: the controller, a recipient (`party_role`), and how to reach it."""

    party_id: str
    party_name: str
    party_role: str
    party_type: str
    party_address: str
    party_contact: str

    def __post_init__(self) -> None:
        """Refuse a party that could not be named or reached."""
        expect_texts(self, "party_identification", *(member.name for member in fields(self)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentBody:
    """
    The clear text of one consent event, bound to its leaf by a commitment.

    `pii_principal_id` is a pseudonym of the resident towards this controller only. `event_time`
    is aware UTC, cut to the second; `validity_duration_s` counts from it. `limits` is required
    where the event permits something. Construction raises RecordError.
    """

    schema_version: str = SCHEMA_VERSION
    record_id: str = field(repr=False)
    pii_principal_id: str = field(repr=False)
    privacy_notice: PrivacyNotice
    language: str
    purposes: tuple[ConsentedPurpose, ...]
    party_identification: tuple[Party, ...]
    event_time: datetime = field(repr=False)
    validity_duration_s: int
    event_type: EventType
    limits: ConsentLimits | None = None

    def __post_init__(self) -> None:
        """Refuse a record that lacks what TS 27560 makes mandatory, or contradicts itself."""
        expect_texts(self, "body", "schema_version", "record_id", "pii_principal_id", "language")
        expect_integers(self, "body", "validity_duration_s", minimum=0)
        expect_records(self.purposes, ConsentedPurpose, "body.purposes")
        expect_records(self.party_identification, Party, "body.party_identification")
        if self.event_type not in tuple(EventType) or not self.event_type.of_consent:
            raise RecordError("expected a consent event in body.event_type")
        object.__setattr__(self, "event_time", whole_seconds(self.event_time, "event_time"))
        if self.limits is None:
            if self.event_type.permits:
                raise RecordError("expected limits in the body of an event that permits something")
        elif self.limits.expires_at > self.event_time + timedelta(seconds=self.validity_duration_s):
            raise RecordError("expected limits.expires_at within the validity duration")

    def to_mapping(self) -> dict[str, object]:
        """Return the body as JSON values: times as text, no floats."""
        mapping = asdict(self)
        mapping["event_time"] = utc_text(self.event_time)
        mapping["limits"] = None if self.limits is None else self.limits.to_mapping()
        return mapping

    def to_bytes(self) -> bytes:
        """Return the canonical JSON that is kept and committed to."""
        return canonical_bytes(self.to_mapping())

    def commitment(self, *, key: bytes) -> str:
        """Return the `c` of this body's leaf under a fresh `key` of 32 bytes."""
        return commitment(key=key, body=self.to_mapping())

    @classmethod
    def parse(cls, content: bytes) -> "ConsentBody":
        """Read kept bytes; raise RecordError unless they are a whole body."""
        value = read_members(cls, read_json(content), "body")
        purposes = read_tuple(value["purposes"], "body.purposes")
        parties = read_tuple(value["party_identification"], "body.party_identification")
        notice = read_members(PrivacyNotice, value["privacy_notice"], "body.privacy_notice")
        read: dict[str, object] = {
            "privacy_notice": PrivacyNotice(**notice),
            "purposes": tuple(
                ConsentedPurpose(**read_members(ConsentedPurpose, each, "body.purposes"))
                for each in purposes
            ),
            "party_identification": tuple(
                Party(**read_members(Party, each, "body.party_identification")) for each in parties
            ),
            "event_time": read_time(value["event_time"], "body.event_time"),
            "event_type": _read_event_type(value["event_type"]),
            "limits": read_limits(value["limits"]),
        }
        return cls(**{**value, **read})


_PURPOSE_TEXTS = (
    "title_fr",
    "title_en",
    "text_fr",
    "text_en",
    "dpv_purpose",
    "controller_name",
    "controller_contact",
    "version",
)


def _read_event_type(value: object) -> EventType:
    try:
        return EventType(str(value))
    except ValueError as error:
        raise RecordError("expected a known event type in body.event_type") from error
