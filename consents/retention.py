"""How long signed contributions are kept: what an operator erases by, and an auditor judges by.

A purpose states days; they count from the close of each question, which its task states. Sums that
were published, and the log, have no such end.
"""

from datetime import datetime, timedelta

from consents.record import Purpose


def erased_from(purpose: Purpose, *, closed_at: datetime) -> datetime:
    """Return from when the contributions to a question that closed at this time must be gone."""
    return closed_at + timedelta(days=purpose.retention_days)
