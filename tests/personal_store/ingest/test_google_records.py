"""Google's Records.json."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.errors import UnreadableFile
from personal_store.ingest.positionfix import Positionfix, Rejected, RejectReason, SourceFormat

RECORD = {
    "latitudeE7": 461600000,
    "longitudeE7": -11500000,
    "accuracy": 22,
    "velocity": 3,
    "altitude": 12,
    "source": "WIFI",
    "deviceTag": 1184882232,
    "timestamp": "2013-03-01T05:17:39.849Z",
    "activity": [
        {
            "timestamp": "2013-03-01T05:17:40Z",
            "activity": [
                {"type": "STILL", "confidence": 10},
                {"type": "ON_BICYCLE", "confidence": 83},
            ],
        }
    ],
}


def document(*records: object) -> bytes:
    return json.dumps({"locations": records}).encode()


def without(key: str) -> dict[str, object]:
    return {name: value for name, value in RECORD.items() if name != key}


def test_a_record_becomes_a_positionfix(read_bytes):
    assert list(read_bytes(document(RECORD)).entries) == [
        Positionfix(
            at=datetime(2013, 3, 1, 5, 17, 39, 849000, tzinfo=UTC),
            lat=46.16,
            lon=-1.15,
            source=SourceFormat.GOOGLE_RECORDS,
            device="1184882232",
            accuracy_m=22.0,
            speed_mps=3.0,
            altitude_m=12.0,
            activity="ON_BICYCLE",
            activity_confidence=0.83,
        )
    ]


def test_milliseconds_of_older_exports_are_read(read_bytes):
    record = {**without("timestamp"), "timestampMs": "1742844302585"}
    (fix,) = read_bytes(document(record)).entries
    assert fix.at == datetime(2025, 3, 24, 19, 25, 2, 585000, tzinfo=UTC)


def test_the_phones_of_one_account_stay_apart(read_bytes):
    fixes = read_bytes(document(RECORD, {**RECORD, "deviceTag": -7}, without("deviceTag"))).entries
    assert [fix.device for fix in fixes] == ["1184882232", "-7", "google"]


def test_a_western_longitude_written_as_an_unsigned_word_is_undone(read_bytes):
    record = {**RECORD, "longitudeE7": 2**32 - 11500000}
    (fix,) = read_bytes(document(record)).entries
    assert fix.lon == -1.15


NO_ACTIVITIES = {
    "absent": None,
    "no detection": [],
    "no candidate": [{"activity": []}],
    "candidates that are words": [{"activity": ["STILL"]}],
    "an object": {"type": "STILL"},
    "text": "STILL",
}


@pytest.mark.parametrize("activity", NO_ACTIVITIES.values(), ids=NO_ACTIVITIES)
def test_a_record_without_a_usable_activity_keeps_its_position(read_bytes, activity):
    (fix,) = read_bytes(document({**RECORD, "activity": activity})).entries
    assert (fix.activity, fix.activity_confidence) == (None, None)


REJECTED = {
    "no time": (without("timestamp"), RejectReason.NO_TIME),
    "a null time": ({**RECORD, "timestamp": None}, RejectReason.NO_TIME),
    "a time without offset": (
        {**RECORD, "timestamp": "2013-03-01T05:17:39"},
        RejectReason.TIME_WITHOUT_OFFSET,
    ),
    "a time in 1970": (
        {**RECORD, "timestamp": "1970-01-01T00:00:00Z"},
        RejectReason.BEFORE_1990,
    ),
    "a time in the future": (
        {**RECORD, "timestamp": "2036-01-01T00:00:00Z"},
        RejectReason.IN_THE_FUTURE,
    ),
    "no latitude": (without("latitudeE7"), RejectReason.NO_POSITION),
    "a latitude past the pole": (
        {**RECORD, "latitudeE7": 900000001},
        RejectReason.IMPOSSIBLE_COORDINATES,
    ),
    "a latitude that is true": ({**RECORD, "latitudeE7": True}, RejectReason.UNREADABLE_ENTRY),
    "a latitude in words": ({**RECORD, "latitudeE7": "north"}, RejectReason.UNREADABLE_ENTRY),
    "a vast longitude": ({**RECORD, "longitudeE7": 10**400}, RejectReason.UNREADABLE_ENTRY),
    "zeros without accuracy": (
        {**without("accuracy"), "latitudeE7": 0, "longitudeE7": 0},
        RejectReason.NO_POSITION,
    ),
    "a number for a record": (7, RejectReason.UNREADABLE_ENTRY),
    "null for a record": (None, RejectReason.UNREADABLE_ENTRY),
    "a list for a record": ([RECORD], RejectReason.UNREADABLE_ENTRY),
}


@pytest.mark.parametrize(("record", "reason"), REJECTED.values(), ids=REJECTED)
def test_a_bad_record_is_rejected_and_the_rest_goes_in(read_bytes, record, reason):
    entries = list(read_bytes(document(RECORD, record, RECORD)).entries)
    assert [type(entry) for entry in entries] == [Positionfix, Rejected, Positionfix]
    assert entries[1].reason is reason


def test_a_number_of_five_thousand_digits_costs_one_record(read_bytes):
    content = document(RECORD, RECORD, RECORD).replace(b"461600000", b"9" * 5000, 2)
    entries = list(read_bytes(content).entries)
    assert [type(entry) for entry in entries] == [Rejected, Rejected, Positionfix]


def test_other_sections_of_the_document_are_not_positions(read_bytes):
    content = json.dumps({"locations": [RECORD], "version": 2, "places": [RECORD]}).encode()
    assert len(list(read_bytes(content).entries)) == 1


def test_a_history_without_records_is_empty(read_bytes):
    assert list(read_bytes(document()).entries) == []


@pytest.mark.parametrize("missing_bytes", [1, 2, 30, 300])
def test_a_truncated_history_is_unreadable(read_bytes, missing_bytes):
    content = document(*[RECORD] * 10)[:-missing_bytes]
    with pytest.raises(UnreadableFile, match="s’arrête avant la fin"):
        list(read_bytes(content).entries)


E7 = {"latitudeE7": st.integers(1, 900_000_000), "longitudeE7": st.integers(-(10**9), 10**9)}


@settings(max_examples=40)
@given(
    st.lists(
        st.fixed_dictionaries(
            {**E7, "timestampMs": st.integers(10**12, 17 * 10**11).map(str)},
            optional={"accuracy": st.integers(1, 5000), "velocity": st.integers(0, 90)},
        ),
        min_size=1,
    ),
    st.sampled_from([None, 0, 2]),
)
def test_every_record_is_read_as_plain_arithmetic_says(read_bytes, generated, indent):
    content = json.dumps({"locations": generated}, indent=indent).encode()
    expected = [
        (
            int(record["timestampMs"]),
            record["latitudeE7"] / 1e7,
            record["longitudeE7"] / 1e7,
            record.get("accuracy"),
            record.get("velocity"),
        )
        for record in generated
    ]
    assert [
        (round(fix.at.timestamp() * 1000), fix.lat, fix.lon, fix.accuracy_m, fix.speed_mps)
        for fix in read_bytes(content).entries
    ] == expected
