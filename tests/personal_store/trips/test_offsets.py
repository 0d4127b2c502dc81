"""A trip has the offset that was stated where it began, and none where nobody said."""

from datetime import UTC, datetime, timedelta

import pytest

from personal_store.ingest.positionfix import Positionfix, SourceFormat
from personal_store.trips.offsets import with_offsets
from personal_store.trips.timeline import Timeline, Trip

NOON = datetime(2026, 11, 9, 12, tzinfo=UTC)
TIMELINE = Timeline(
    device="d",
    staypoints=(),
    trips=(Trip(device="d", start=NOON, end=NOON + timedelta(hours=1), triplegs=()),),
)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({}, None),
        ({-10: None, 10: None}, None),
        ({-10: 60, 10: 120}, 60),
        ({0: 60, 10: 120}, 60),
        ({10: 120, 20: 180}, 120),
        ({-13 * 60: 60}, None),
        ({-13 * 60: 60, 30: 540}, 540),
        ({61: 120}, None),
    ],
)
def test_the_offset_of_a_trip_is_the_one_stated_nearest_to_its_start(stated, expected):
    fixes = [
        Positionfix(
            at=NOON + timedelta(minutes=minute),
            lon=0,
            lat=46,
            source=SourceFormat.GPX,
            device="d",
            utc_offset_min=offset_min,
        )
        for minute, offset_min in stated.items()
    ]
    (trip,) = with_offsets(TIMELINE, fixes).trips
    assert trip.utc_offset_min == expected
