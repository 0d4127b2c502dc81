"""What the resident's own rides teach, read from the words they said and the legs they rode."""

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Final

from sqlalchemy import Connection, select

from carbon.modes import TransportMode
from personal_store.db import corrections
from personal_store.db.tables import correction, trip, tripleg
from personal_store.trips.corrections import CorrectionKind
from personal_store.trips.own_history import is_enough, learned_odds
from personal_store.trips.timeline import ModeProbability, ModeSource

NEWEST: Final = 1000
"""Legs that are read, the newest ones: about a year of them, so that a page waits for no decade."""


def odds(connection: Connection) -> Mapping[TransportMode, float]:
    """Return by which factor each vehicle's odds change; empty where too little was confirmed."""
    confirmed = corrections.modes_said(connection)
    # Most residents confirm little: their pages read no legs for it.
    return learned_odds(confirmed, _unconfirmed(connection)) if is_enough(confirmed) else {}


def _unconfirmed(connection: Connection) -> Iterator[tuple[ModeProbability, ...]]:
    """Yield the modes of the newest legs that motion alone judged and no word is about."""
    said = _times_said(connection)
    query = (
        select(trip.c.device, tripleg.c.start_ms, tripleg.c.end_ms, tripleg.c.modes)
        .join(trip)
        .where(tripleg.c.mode_source == ModeSource.MOTION.value)
        .order_by(trip.c.start_ms.desc(), trip.c.device, tripleg.c.position)
        .execution_options(yield_per=NEWEST)
    )
    with connection.execute(query) as legs:
        others = (
            leg
            for leg in legs
            if not _holds(said.get(leg.device, []), (leg.start_ms + leg.end_ms) / 2)
        )
        for leg in islice(others, NEWEST):
            yield tuple(
                ModeProbability(mode=TransportMode(mode), probability=probability)
                for mode, probability in json.loads(leg.modes)
            )


def _times_said(connection: Connection) -> Mapping[str, list[tuple[int, int]]]:
    """Return the times that words on modes are about, by device, apart and in order.

    The database would look through all words for each of a decade's legs: seconds a page.
    """
    query = (
        select(correction.c.device, correction.c.start_ms, correction.c.end_ms)
        .where(correction.c.kind == CorrectionKind.MODE.value)
        .order_by(correction.c.start_ms)
    )
    times: dict[str, list[tuple[int, int]]] = {}
    for device, start_ms, end_ms in connection.execute(query):
        own = times.setdefault(device, [])
        if own and start_ms <= own[-1][1]:
            own[-1] = own[-1][0], max(own[-1][1], end_ms)
        else:
            own.append((start_ms, end_ms))
    return times


def _holds(times: Sequence[tuple[int, int]], at_ms: float) -> bool:
    """Tell whether one of these half-open times, apart and in order, holds an instant."""
    after = bisect_right(times, at_ms, key=itemgetter(0))
    return after > 0 and at_ms < times[after - 1][1]
