"""How long signed contributions are kept: what an operator erases by, and an auditor judges by.

A purpose states days; they count from the close of each question, which its task states. Sums that
were published, and the log, have no such end.
"""

from datetime import UTC, datetime, timedelta

from consents.records.record import Purpose


def erased_from(purpose: Purpose, *, closed_at: datetime) -> datetime:
    """Return from when the contributions to a question that closed at this time must be gone.

    Days beyond the calendar end with it: such a purpose keeps them for ever.
    """
    last = datetime.max.replace(tzinfo=UTC)
    if purpose.retention_days > (last - closed_at).days:
        return last
    return closed_at + timedelta(days=purpose.retention_days)
