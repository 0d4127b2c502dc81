"""What the resident said of modes is counted, and teaches about other rides."""

from datetime import UTC, datetime, timedelta

from carbon.modes import TransportMode
from personal_store.db import corrections
from personal_store.db.connection import reading, writing
from personal_store.trips.corrections import Correction, CorrectionKind

START = datetime(2026, 11, 9, 7, 30, tzinfo=UTC)


def said(hours: int, value: str, kind: CorrectionKind = CorrectionKind.MODE) -> Correction:
    start = START + timedelta(hours=hours)
    return Correction(
        number=0,
        kind=kind,
        device="d",
        start=start,
        end=start + timedelta(minutes=9),
        value=value,
    )


def test_the_last_word_about_a_leg_counts_once(store):
    words = [
        *(said(0, "car"), said(0, "train"), said(1, "train")),
        said(2, "work", CorrectionKind.PURPOSE),
    ]
    with writing(store.engine) as connection:
        for word in words:
            corrections.add(connection, word, at=START)
    with reading(store.engine) as connection:
        assert corrections.modes_said(connection) == {TransportMode.TRAIN: 2}
