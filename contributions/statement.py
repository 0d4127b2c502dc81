"""What every report states, whatever its trust mode: of which week, under which consent, at what ε.

`messages.Report` adds the noised vector of `local`, `sealed_report.SealedReport` the digests of
what is sealed for two keepers. It signs nothing, and is no message of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contributions.errors import Malformed
from contributions.task import MAX_EPSILON_MICRO, ZONE_CODE
from contributions.wire import (
    HEX_16_BYTES,
    HEX_32_BYTES,
    INTEGER_LIMIT,
    expect_integer,
    expect_match,
    read_time,
    time_text,
)

STATED_KEYS = frozenset(
    {"at", "cid", "epsilon_micro", "head", "n", "pd", "report_id", "task_digest", "zone"}
)
"""The members of a report's JSON that `Statement` reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One resident-week's answer to a task, without what it says.

    `report_id` and `cid` (consent id) are 16 bytes in hexadecimal; `task_digest`, `head` (hash
    of the last consent leaf) and `pd` (purpose digest) 32. `n` counts the contributions of this
    consent from 0. `epsilon_micro` is ε in millionths. `at` is kept to the day, at 00:00 UTC: an
    hour would say when this resident uses their store. Raises `Malformed`.
    """

    report_id: str
    task_digest: str
    zone: str
    cid: str
    n: int
    head: str
    pd: str
    epsilon_micro: int
    at: datetime

    def __post_init__(self) -> None:
        """Check every bound and keep the day of `at`."""
        for name in ("report_id", "cid"):
            expect_match(getattr(self, name), name, HEX_16_BYTES)
        for name in ("task_digest", "head", "pd"):
            expect_match(getattr(self, name), name, HEX_32_BYTES)
        expect_match(self.zone, "zone", ZONE_CODE)
        expect_integer(self.n, "n", low=0, high=INTEGER_LIMIT - 1)
        expect_integer(self.epsilon_micro, "epsilon_micro", low=1, high=MAX_EPSILON_MICRO)
        if self.at.tzinfo is None:
            raise Malformed("expected at to be an aware time")
        day = self.at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        object.__setattr__(self, "at", day)

    def stated(self) -> dict[str, object]:
        """Return what is stated, as it stands in a report's JSON."""
        return {name: getattr(self, name) for name in STATED_KEYS - {"at"}} | {
            "at": time_text(self.at)
        }


def read_stated(fields: Mapping[str, object]) -> dict[str, Any]:
    """Return the arguments of a `Statement` from a report's JSON; raises `Malformed`.

    A time of day in `at` is refused, where construction would drop it: signed bytes have one form.
    """
    hexadecimal = {
        name: expect_match(fields[name], name, form)
        for form, names in (
            (HEX_16_BYTES, ("report_id", "cid")),
            (HEX_32_BYTES, ("task_digest", "head", "pd")),
        )
        for name in names
    }
    at = read_time(fields["at"], "at")
    if (at.hour, at.minute, at.second) != (0, 0, 0):
        raise Malformed("expected at to be a day at 00:00:00 UTC")
    return hexadecimal | {
        "zone": expect_match(fields["zone"], "zone", ZONE_CODE),
        "n": expect_integer(fields["n"], "n", low=0, high=INTEGER_LIMIT - 1),
        "epsilon_micro": expect_integer(
            fields["epsilon_micro"], "epsilon_micro", low=1, high=MAX_EPSILON_MICRO
        ),
        "at": at,
    }
