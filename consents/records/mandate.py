"""A mandate: what a delegate may sign for a resident, from when to when.

It stands in clear in the leaf that names the delegate's key, so that whoever reads the log can
judge each act by it, and in no other leaf. A delegate only takes rights away: never gives consent,
names no key, sends no contribution. The resident may revoke it at any time (`delegate.revoked`).
Who the delegate is, the log does not say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from consents.canonical import utc_text, utc_time
from consents.errors import CanonicalError, MalformedLeaf

WITHDRAW = "consent.withdrawn"
"""The one act that a mandate may be for; another would let somebody speak as the resident."""

_MEMBERS = {"acts", "from", "until"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """The acts of a mandate (event types) and its time, half open, cut to the second in UTC."""

    starts_at: datetime
    ends_at: datetime
    acts: tuple[str, ...] = (WITHDRAW,)

    def __post_init__(self) -> None:
        """Refuse a mandate without end, or for anything but ending a consent."""
        if self.acts != (WITHDRAW,):
            raise MalformedLeaf(f"expected a mandate for {WITHDRAW} alone")
        for name in ("starts_at", "ends_at"):
            at: datetime = getattr(self, name)
            if at.utcoffset() is None or at.microsecond:
                raise MalformedLeaf("expected aware times in whole seconds in a mandate")
        if self.ends_at <= self.starts_at:
            raise MalformedLeaf("expected a mandate to end after it starts")

    def covers(self, act: str, *, at: datetime) -> bool:
        """Tell whether an act at this time is within the mandate."""
        return act in self.acts and self.starts_at <= at < self.ends_at

    def to_mapping(self) -> dict[str, object]:
        """Return the mandate as JSON values: times as text."""
        return {
            "acts": list(self.acts),
            "from": utc_text(self.starts_at),
            "until": utc_text(self.ends_at),
        }

    @classmethod
    def from_value(cls, value: object) -> "Mandate":
        """Read the JSON value of a mandate; raise MalformedLeaf."""
        if not isinstance(value, Mapping) or set(value) != _MEMBERS:
            raise MalformedLeaf("expected a mandate with exactly acts, from and until")
        acts = value["acts"]
        if not isinstance(acts, list):
            raise MalformedLeaf("expected a list of acts in a mandate")
        try:
            return cls(
                starts_at=utc_time(str(value["from"])),
                ends_at=utc_time(str(value["until"])),
                acts=tuple(acts),
            )
        except CanonicalError as error:
            raise MalformedLeaf("expected times such as 2026-11-09T07:30:00Z") from error
