"""Raw values: what is a number, an instant, a name, and what is not."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personal_store.ingest.positionfix import RejectReason
from personal_store.ingest.values import (
    Refused,
    degrees_from_e7,
    instant_from_epoch_s,
    instant_from_iso,
    label,
    measure,
    number,
)

NUMBERS = {
    "an integer": (46, 46.0),
    "a float": (46.16, 46.16),
    "text with a point": ("46.16", 46.16),
    "text with spaces around": (" -1.15\n", -1.15),
    "an exponent": ("4.616e1", 46.16),
    "a bare fraction": (".5", 0.5),
    "a trailing point": ("46.", 46.0),
    "a plus sign": ("+3", 3.0),
    "an integer of three hundred digits": (10**300, 1e300),
}

NOT_NUMBERS = {
    "true": True,
    "nothing": None,
    "a word": "north",
    "empty text": "",
    "a list": [46.16],
    "an object": {"lat": 46.16},
    "a decimal comma": "46,16",
    "digit separators": "1_000",
    "digits of another script": "٤٦",
    "hexadecimal": "0x2e",
    "an integer past every float": 10**400,
    "text past every legal length": "1" * 1000,
    "two numbers": "46 16",
}


@pytest.mark.parametrize(("raw", "value"), NUMBERS.values(), ids=NUMBERS)
def test_a_number_is_read_from_a_number_or_its_text(raw, value):
    assert number(raw) == value


@pytest.mark.parametrize("raw", NOT_NUMBERS.values(), ids=NOT_NUMBERS)
def test_what_is_not_a_number_is_refused_as_unreadable(raw):
    with pytest.raises(Refused) as refusal:
        number(raw)
    assert refusal.value.reason is RejectReason.UNREADABLE_ENTRY


def test_not_a_number_is_read_as_itself_so_that_coordinates_can_refuse_it():
    assert math.isnan(number("NaN"))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_any_float_is_read_back_exactly(value):
    assert number(repr(value)) == value


UNKNOWN_MEASURES = {
    "absent": None,
    "a word": "high",
    "infinite": float("inf"),
    "not a number": float("nan"),
    "the -1 of unknown": -1,
    "true": True,
}


@pytest.mark.parametrize("raw", UNKNOWN_MEASURES.values(), ids=UNKNOWN_MEASURES)
def test_an_unusable_side_measure_is_unknown(raw):
    assert measure(raw, at_least=0) is None


def test_a_measure_of_zero_is_known():
    assert measure(0, at_least=0) == 0.0


E7 = {
    "north": (461_600_000, 46.16),
    "west": (-11_500_000, -1.15),
    "text": ("461600000", 46.16),
    "west written as an unsigned word": (4_294_967_296 - 11_500_000, -1.15),
    "the antimeridian, below the wrap": (1_800_000_000, 180.0),
    "absent": (None, None),
}


@pytest.mark.parametrize(("raw", "degrees"), E7.values(), ids=E7)
def test_ten_millionths_become_degrees(raw, degrees):
    assert degrees_from_e7(raw) == degrees


INSTANTS = {
    "zulu": ("2024-03-01T09:03:09Z", datetime(2024, 3, 1, 9, 3, 9, tzinfo=UTC)),
    "milliseconds": (
        "2013-03-01T05:17:39.849Z",
        datetime(2013, 3, 1, 5, 17, 39, 849000, tzinfo=UTC),
    ),
    "an offset east": ("2024-12-18T08:44:09+07:00", datetime(2024, 12, 18, 1, 44, 9, tzinfo=UTC)),
    "an offset that changes the day": (
        "2023-08-27T20:04:26-05:00",
        datetime(2023, 8, 28, 1, 4, 26, tzinfo=UTC),
    ),
    "an offset without colon": ("2015-10-01T08:00:00-0700", datetime(2015, 10, 1, 15, tzinfo=UTC)),
}


@pytest.mark.parametrize(("raw", "at"), INSTANTS.values(), ids=INSTANTS)
def test_a_time_with_its_offset_becomes_utc(raw, at):
    assert instant_from_iso(raw) == at


@pytest.mark.parametrize("raw", [text for text, _ in INSTANTS.values()], ids=INSTANTS)
def test_every_time_carries_utc_itself(raw):
    assert instant_from_iso(raw).tzinfo is UTC


NOT_INSTANTS = {
    "a bare date": "2024-03-01",
    "a thirteenth month": "2024-13-01T09:03:09Z",
    "a number": 1709283789,
    "true": True,
    "words": "on the first of March in the morning",
    "an hour before the first year": "0001-01-01T00:00:00+14:00",
    "text past every legal length": "2" * 1000,
}


@pytest.mark.parametrize("raw", NOT_INSTANTS.values(), ids=NOT_INSTANTS)
def test_what_is_no_instant_is_refused_as_unreadable(raw):
    with pytest.raises(Refused) as refusal:
        instant_from_iso(raw)
    assert refusal.value.reason is RejectReason.UNREADABLE_ENTRY


@pytest.mark.parametrize("raw", [None, ""], ids=["absent", "empty"])
@pytest.mark.parametrize("read", [instant_from_iso, instant_from_epoch_s])
def test_an_absent_time_is_refused_as_absent(read, raw):
    with pytest.raises(Refused) as refusal:
        read(raw)
    assert refusal.value.reason is RejectReason.NO_TIME


def test_a_time_without_offset_is_utc_where_the_specification_says_so():
    at = instant_from_iso("2024-03-01T09:03:09", naive_in=UTC)
    assert at == datetime(2024, 3, 1, 9, 3, 9, tzinfo=UTC)


@given(st.floats(0, 4e9), st.integers(-14 * 60, 14 * 60))
def test_the_instant_does_not_depend_on_the_offset_it_is_written_in(epoch_s, offset_min):
    at = datetime.fromtimestamp(epoch_s, UTC)
    written = at.astimezone(timezone(timedelta(minutes=offset_min)))
    assert instant_from_iso(written.isoformat()) == at


EPOCHS = {
    "seconds": (1709283789, 1, datetime(2024, 3, 1, 9, 3, 9, tzinfo=UTC)),
    "milliseconds as text": (
        "1742844302585",
        1000,
        datetime(2025, 3, 24, 19, 25, 2, 585000, tzinfo=UTC),
    ),
}


@pytest.mark.parametrize(("raw", "units_per_s", "at"), EPOCHS.values(), ids=EPOCHS)
def test_a_count_since_1970_becomes_utc(raw, units_per_s, at):
    assert instant_from_epoch_s(raw, units_per_s=units_per_s) == at


IMPLAUSIBLE_EPOCHS = {
    "zero": (0, RejectReason.BEFORE_1990),
    "before the calendar": (-(10**15), RejectReason.BEFORE_1990),
    "after the calendar": (10**15, RejectReason.IN_THE_FUTURE),
    "infinite": (float("inf"), RejectReason.IN_THE_FUTURE),
    "not a number": (float("nan"), RejectReason.UNREADABLE_ENTRY),
    "true": (True, RejectReason.UNREADABLE_ENTRY),
}


@pytest.mark.parametrize(("raw", "reason"), IMPLAUSIBLE_EPOCHS.values(), ids=IMPLAUSIBLE_EPOCHS)
def test_an_impossible_count_since_1970_is_refused_with_its_reason(raw, reason):
    with pytest.raises(Refused) as refusal:
        instant_from_epoch_s(raw)
    assert refusal.value.reason is reason


LABELS = {
    "text": ("iPhone 12 Pro", "iPhone 12 Pro"),
    "an integer": (-1184882232, "-1184882232"),
    "a vast integer": (10**30, None),
    "true": (True, None),
    "spaces alone": ("  ", None),
    "a list": (["a"], None),
    "control characters": ("a\x1b[31mb\n", "a[31mb"),
    "a lone surrogate": ("a\ud800", "a"),
    "a name past the limit": ("x" * 1000, "x" * 64),
}


@pytest.mark.parametrize(("raw", "name"), LABELS.values(), ids=LABELS)
def test_a_label_is_short_and_printable(raw, name):
    assert label(raw) == name


def test_a_time_without_offset_has_a_reason_of_its_own():
    with pytest.raises(Refused) as refusal:
        instant_from_iso("2024-03-01T09:03:09")
    assert refusal.value.reason is RejectReason.TIME_WITHOUT_OFFSET
