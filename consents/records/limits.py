"""How far a consent goes: fields, days, places, privacy loss, and until when.

Limits stand in the clear body, which the log only commits to: the resident's store applies them,
and whoever is shown the body can check what others show of them. Times and epsilon are counted
elsewhere (`consents.records.decision`).
"""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from consents.canonical import utc_text
from consents.errors import RecordError
from consents.records.schema import (
    expect_digest,
    expect_integers,
    expect_names,
    read_members,
    read_time,
    read_tuple,
    whole_seconds,
)

_ZONE_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_LEFT_OUT_WHEN_NONE = ("weekdays", "area")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentArea:
    """
    Where a consent goes: zones by their codes, ascending, in outlines known by their digest.

    The rule: a trip counts, whole, when its first and its last point lie in these zones; any other
    trip does not count at all. The way in between is not looked at.
    """

    outlines_sha256: str
    zones: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse an area that names no zone, or one twice."""
        expect_digest(self.outlines_sha256, "limits.area.outlines_sha256")
        expect_names(self.zones, "limits.area.zones")
        if (
            not self.zones
            or not all(_ZONE_CODE.fullmatch(code) for code in self.zones)
            or list(self.zones) != sorted(self.zones)
        ):
            raise RecordError("expected ascending codes of zones in limits.area.zones")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentLimits:
    """
    How far a consent goes: fields, privacy loss in millionths of epsilon, days, and until when.

    `expires_at` is aware UTC, cut to the second; the consent covers times before it. `weekdays` are
    ISO numbers from 1 for Monday to 7, ascending, in local time; None covers every day. `area` is
    where trips count, None everywhere.
    """

    fields: tuple[str, ...]
    epsilon_week_micro: int
    epsilon_total_micro: int
    expires_at: datetime
    weekdays: tuple[int, ...] | None = None
    area: ConsentArea | None = None

    def __post_init__(self) -> None:
        """Refuse limits that do not bound anything."""
        if self.weekdays is not None:
            _expect_weekdays(self.weekdays)
        if self.area is not None and not isinstance(self.area, ConsentArea):
            raise RecordError("expected an area or none in limits.area")
        expect_names(self.fields, "limits.fields")
        expect_integers(self, "limits", "epsilon_week_micro", "epsilon_total_micro", minimum=0)
        object.__setattr__(self, "expires_at", whole_seconds(self.expires_at, "expires_at"))

    def to_mapping(self) -> dict[str, object]:
        """Return the limits as JSON values.

        What limits nothing is left out, so that older bodies keep their bytes.
        """
        mapping: dict[str, object] = asdict(self)
        mapping["expires_at"] = utc_text(self.expires_at)
        for name in _LEFT_OUT_WHEN_NONE:
            if mapping[name] is None:
                del mapping[name]
        return mapping


def read_limits(value: object) -> ConsentLimits | None:
    """Return what the limits of a body say, None without any; raise RecordError."""
    if value is None:
        return None
    given = value
    if isinstance(value, dict):
        given = {name: None for name in _LEFT_OUT_WHEN_NONE if name not in value} | value
    members = read_members(ConsentLimits, given, "body.limits")
    read: dict[str, Any] = {
        "fields": read_tuple(members["fields"], "body.limits.fields"),
        "expires_at": read_time(members["expires_at"], "body.limits.expires_at"),
    }
    if isinstance(value, dict) and "weekdays" in value:
        read["weekdays"] = read_tuple(members["weekdays"], "body.limits.weekdays")
    if isinstance(value, dict) and "area" in value:
        read["area"] = _read_area(members["area"])
    return ConsentLimits(**{**members, **read})


def _read_area(value: object) -> ConsentArea:
    members = read_members(ConsentArea, value, "body.limits.area")
    zones = read_tuple(members["zones"], "body.limits.area.zones")
    return ConsentArea(**{**members, "zones": zones})


def _expect_weekdays(value: object) -> None:
    days = value if isinstance(value, tuple) else ()
    if (
        not days
        or any(type(day) is not int or day not in range(1, 8) for day in days)
        or list(days) != sorted(set(days))
    ):
        raise RecordError("expected ascending days from 1 (Monday) to 7 in limits.weekdays")
