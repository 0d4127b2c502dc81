"""The database's units: milliseconds of Unix time, and 1e-7 degrees."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
E7 = 10_000_000


def to_ms(at: datetime) -> int:
    """Return integer milliseconds since the Unix epoch, rounded down.

    >>> to_ms(datetime(1970, 1, 2, tzinfo=UTC))
    86400000
    """
    return (at - EPOCH) // timedelta(milliseconds=1)


def from_ms(milliseconds: int) -> datetime:
    """Return the aware UTC time.

    >>> from_ms(86400000)
    datetime.datetime(1970, 1, 2, 0, 0, tzinfo=datetime.timezone.utc)
    """
    return EPOCH + timedelta(milliseconds=milliseconds)
