"""The notice as data: what Article 13 of the GDPR has a controller say before a consent.

Its digest stands in the body of the consent (`PrivacyNotice.sha256`), so that what was said is
bound by what was signed. The page that residents see shows the same facts; the digests of its
exact bytes and of its picture are facts among them. It asks nothing and shows nothing.
"""

from dataclasses import asdict, dataclass, fields

from consents.canonical import canonical_bytes, parse_json, sha256_hex
from consents.errors import CanonicalError, RecordError

MAX_NOTICE_BYTES = 65_536
"""Longest notice read."""

_DIGEST_DIGITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """
    One version of the notice; every text is required, `page_sha256` and `picture_sha256` may be "".

    `jurisdiction` is a DPV term such as `loc:FR`, `storage_locations` several of them; `recipients`
    and `transfers` say "none" in words where there are none. Construction raises RecordError.
    """

    version: str
    controller_name: str
    controller_address: str
    controller_contact: str
    dpo_contact: str
    jurisdiction: str
    storage_locations: tuple[str, ...]
    recipients: str
    transfers: str
    withdrawal_url: str
    rights_url: str
    authority: str
    page_sha256: str = ""
    picture_sha256: str = ""

    def __post_init__(self) -> None:
        """Refuse a notice that leaves something unsaid."""
        for member in fields(self):
            value: object = getattr(self, member.name)
            if member.name == "storage_locations":
                if not isinstance(value, tuple) or not value or not all(map(_is_text, value)):
                    raise RecordError("expected at least one place in notice.storage_locations")
            elif member.name.endswith("_sha256"):
                if not isinstance(value, str) or len(value) not in {0, _DIGEST_DIGITS}:
                    raise RecordError(f"expected a SHA-256 in hex, or nothing, in {member.name}")
            elif not _is_text(value):
                raise RecordError(f"expected a text in notice.{member.name}")

    def to_bytes(self) -> bytes:
        """Return the canonical JSON whose digest the body carries."""
        return canonical_bytes(asdict(self))

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hex."""
        return sha256_hex(self.to_bytes())

    @classmethod
    def parse(cls, content: bytes) -> "Notice":
        """Read the canonical bytes; raise RecordError on any others."""
        try:
            value = parse_json(content[: MAX_NOTICE_BYTES + 1])
        except CanonicalError as error:
            raise RecordError("expected a notice as UTF-8 JSON") from error
        if not isinstance(value, dict) or set(value) != {member.name for member in fields(cls)}:
            raise RecordError("expected a notice with exactly its members")
        places = value["storage_locations"]
        if not isinstance(places, list):
            raise RecordError("expected a list in notice.storage_locations")
        notice = cls(**{**value, "storage_locations": tuple(places)})
        if notice.to_bytes() != content:
            raise RecordError("expected the canonical bytes of the notice, seen another spelling")
        return notice


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
