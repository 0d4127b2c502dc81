"""What the resident's own rides teach, read from the words they said and the legs they rode."""

import json
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, exists, select

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


def _unconfirmed(connection: Connection) -> list[tuple[ModeProbability, ...]]:
    """Return the modes of the newest legs that motion alone judged and no word is about."""
    middle_ms = (tripleg.c.start_ms + tripleg.c.end_ms) / 2
    said = exists().where(
        correction.c.kind == CorrectionKind.MODE.value,
        correction.c.device == trip.c.device,
        correction.c.start_ms <= middle_ms,
        correction.c.end_ms > middle_ms,
    )
    query = (
        select(tripleg.c.modes)
        .join(trip)
        .where(tripleg.c.mode_source == ModeSource.MOTION.value, ~said)
        .order_by(trip.c.start_ms.desc(), trip.c.device, tripleg.c.position)
        .limit(NEWEST)
    )
    return [
        tuple(
            ModeProbability(mode=TransportMode(mode), probability=probability)
            for mode, probability in json.loads(modes)
        )
        for modes in connection.scalars(query)
    ]
