"""Put positionfixes into a database as imports do, for tests of what comes after."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from personal_store.db import positionfixes
from personal_store.db.fix_rows import fix_row
from personal_store.db.units import to_ms
from personal_store.ingest.positionfix import Positionfix


def add_fixes(
    connection: Connection, fixes: Sequence[Positionfix], *, received_at: datetime
) -> int:
    """Return how many of the fixes were new."""
    rows = [fix_row(fix, to_ms(received_at)) for fix in fixes]
    return positionfixes.add_rows(connection, rows)
