"""The presumed_week table: weeks that a restored store may have answered after its backup.

Nobody can tell whether it did. So each counts as spent, and no week that was over at the restore
is answered from here again: a second answer would be a second draw of noise over the same week.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert

from personal_store.db.tables import presumed_week
from personal_store.db.units import from_ms, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class PresumedWeek:
    """A week (ISO, such as 2026-W46) and the ε, in millionths, that it counts for."""

    week: str
    epsilon_micro: int


def add(connection: Connection, weeks: Sequence[PresumedWeek], *, restored_at: datetime) -> None:
    """Presume these weeks spent; those presumed already stay as they are."""
    for each in weeks:
        connection.execute(
            insert(presumed_week)
            .values(
                week=each.week,
                epsilon_micro=each.epsilon_micro,
                restored_at_ms=to_ms(restored_at),
            )
            .on_conflict_do_nothing()
        )


def every(connection: Connection) -> list[PresumedWeek]:
    """Return the presumed weeks, oldest first."""
    query = select(presumed_week).order_by(presumed_week.c.week)
    return [
        PresumedWeek(week=row.week, epsilon_micro=row.epsilon_micro)
        for row in connection.execute(query)
    ]


def restored_at(connection: Connection) -> datetime | None:
    """Return when the store was last restored, None where it never was."""
    newest = connection.scalar(select(func.max(presumed_week.c.restored_at_ms)))
    return None if newest is None else from_ms(newest)
