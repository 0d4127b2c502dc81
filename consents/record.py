"""Records: event types, purposes and the clear body of a consent event.

A purpose is public, word for word; its digest is what leaves refer to. A body names a person and
stays beside the log: with its key it opens the commitment of one leaf, without it nothing does.
It signs nothing and stores nothing. Field names follow ISO/IEC TS 27560:2023 through the W3C DPV
guide (Final Community Group Report of 2026-02-15).
"""

from dataclasses import asdict, dataclass, fields
from enum import StrEnum

from consents.canonical import canonical_bytes, parse_json, sha256_hex
from consents.errors import CanonicalError, RecordError


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

    @property
    def of_consent(self) -> bool:
        """Tell a resident's consent event from an act of the operator."""
        return self.value.startswith("consent.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """
    One version of what a controller asks for, word for word.

    Titles and texts are what is shown, in both languages. `dpv_purpose` is a DPV term such as
    `dpv:ImproveTransportMobility`. `fields` names what may be used, without repetition.
    `epsilon_week_micro` is the most privacy loss of one week in millionths; `retention_days` how
    long the sums are kept. Construction raises RecordError.
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
        for name in _PURPOSE_TEXTS:
            value: object = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise RecordError(f"expected a text in purpose.{name}")
        for name in ("epsilon_week_micro", "retention_days"):
            if not _is_integer(getattr(self, name), minimum=1):
                raise RecordError(f"expected a positive integer in purpose.{name}")
        members: object = self.fields
        if (
            not isinstance(members, tuple)
            or not members
            or not all(isinstance(member, str) and member for member in members)
            or len(set(members)) != len(members)
        ):
            raise RecordError("expected distinct names in purpose.fields, as a tuple")

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
        try:
            value = parse_json(content)
        except CanonicalError as error:
            raise RecordError("expected a purpose as UTF-8 JSON") from error
        names = {member.name for member in fields(cls)}
        if not isinstance(value, dict) or set(value) != names:
            raise RecordError(f"expected a purpose with exactly {', '.join(sorted(names))}")
        members = value["fields"]
        if not isinstance(members, list):
            raise RecordError("expected a list in purpose.fields")
        purpose = cls(**{**value, "fields": tuple(members)})
        if purpose.to_bytes() != content:
            raise RecordError("expected the canonical bytes of the purpose, seen another spelling")
        return purpose


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


def _is_integer(value: object, *, minimum: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum
