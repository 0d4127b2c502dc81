"""What time it is, as a value that a caller hands over.

Not a calendar: ISO weeks belong to `contributions`. Tests and simulations pass a clock of their
own; only the composition root uses `SystemClock`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """Return the present instant as an aware UTC datetime."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present instant as an aware UTC datetime."""
        return datetime.now(UTC)
