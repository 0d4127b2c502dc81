"""Tables of positions; the standard csv module writes them."""

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personal_store.errors import HostileFile, UnreadableFile
from personal_store.ingest.limits import LINE_BYTES
from personal_store.ingest.positionfix import Positionfix, Rejected, RejectReason

AT = datetime(2024, 6, 15, 10, 30, tzinfo=UTC)
HEADER = "time,lat,lon,speed\n"
ROW = "2024-06-15T10:30:00Z,46.16,-1.15,1.5\n"


def only(read_bytes, text: str) -> Positionfix | Rejected:
    (entry,) = read_bytes(text.encode()).entries
    return entry


TIMES = {
    "ISO with Z": "2024-06-15T10:30:00Z",
    "ISO with an offset": "2024-06-15T12:30:00+02:00",
    "a space before the offset": "2024-06-15 12:30:00 +0200",
    "seconds": "1718447400",
    "seconds with a fraction": "1718447400.0",
    "milliseconds": "1718447400000",
}


@pytest.mark.parametrize("written", TIMES.values(), ids=TIMES)
def test_a_time_is_read_in_every_spelling(read_bytes, written):
    assert only(read_bytes, f"time,lat,lon\n{written},46.16,-1.15\n").at == AT


PLACES = {
    "degrees": ("46.16", "-1.15"),
    "ten-millionths": ("461600000", "-11500000"),
    "letters": ("46.16N", "1.15W"),
    "letters after a sign": ("46.16 ° n", "1.15° w"),
    "decimal commas in quotes": ('"46,16"', '"-1,15"'),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_place_is_read_in_every_spelling(read_bytes, place):
    fix = only(read_bytes, f"timestamp,Latitude,LNG\n1718447400,{place[0]},{place[1]}\n")
    assert (fix.lat, fix.lon) == (46.16, -1.15)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_leave_the_comma_to_decimals(read_bytes, separator):
    row = separator.join(["2024-06-15T10:30:00Z", "46,16", "-1,15", "1,5"])
    fix = only(read_bytes, HEADER.replace(",", separator) + row)
    assert (fix.lat, fix.lon, fix.speed_mps) == (46.16, -1.15, 1.5)


def test_a_speed_in_km_per_hour_is_one_by_its_name(read_bytes):
    assert only(read_bytes, "time,lat,lon,speed_kmh\n1718447400,46,-1,36\n").speed_mps == 10


def test_a_time_without_offset_is_refused_unless_its_column_says_utc(read_bytes):
    naive = "2024-06-15 10:30:00,46.16,-1.15\n"
    assert only(read_bytes, "utc_time,lat,lon\n" + naive).at == AT
    assert only(read_bytes, "time,lat,lon\n" + naive) == Rejected(
        reason=RejectReason.UNREADABLE_ENTRY
    )


def test_a_decimal_comma_that_is_not_quoted_is_refused_and_not_guessed(read_bytes):
    row = "2024-06-15T10:30:00Z,46,16,-1,15,1.5\n"
    assert only(read_bytes, HEADER + row) == Rejected(reason=RejectReason.UNREADABLE_ENTRY)


REJECTED = {
    "no time": (",46.16,-1.15,1", RejectReason.NO_TIME),
    "no longitude": ("1718447400,46.16,,1", RejectReason.NO_POSITION),
    "a row cut short": ("1718447400,46.16", RejectReason.NO_POSITION),
    "words": ("1718447400,north,-1.15,1", RejectReason.UNREADABLE_ENTRY),
    "zeros": ("1718447400,0.0,0.0,1", RejectReason.NO_POSITION),
    "past the pole": ("1718447400,91,-1.15,1", RejectReason.IMPOSSIBLE_COORDINATES),
    "a clock of 1970": ("12,46.16,-1.15,1", RejectReason.BEFORE_1990),
}


@pytest.mark.parametrize(("row", "reason"), REJECTED.values(), ids=REJECTED)
def test_a_bad_row_is_rejected_and_the_rest_goes_in(read_bytes, row, reason):
    entries = list(read_bytes(f"{HEADER}{ROW}{row}\n\n{ROW}".encode()).entries)
    assert entries[1] == Rejected(reason=reason)
    assert len(entries) == 3


def test_a_line_without_end_is_hostile(read_bytes):
    with pytest.raises(HostileFile):
        list(read_bytes(HEADER.encode() + b"1" * (LINE_BYTES + 2)).entries)


def test_a_quote_that_never_closes_is_unreadable(read_bytes):
    with pytest.raises(UnreadableFile):
        list(read_bytes((HEADER + '"' + ROW * 4000).encode()).entries)


def test_another_encoding_is_unreadable(read_bytes):
    with pytest.raises(UnreadableFile):
        list(read_bytes((HEADER + ROW + "été").encode("latin-1")).entries)


rows = st.lists(
    st.tuples(
        st.integers(1_000_000_000, 1_700_000_000),
        st.floats(-90, 90).filter(lambda value: value and "e" not in repr(value)),
        st.floats(-180, 180).filter(lambda value: value and "e" not in repr(value)),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8),
    ),
    max_size=5,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows, st.sampled_from(",;\t|"), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_what_the_csv_module_writes_comes_back(read_bytes, written, separator, quoting):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, quoting=quoting)
    writer.writerows([("timestamp", "lat", "lon", "annotation"), *written])
    seen = [
        (int(fix.at.timestamp()), fix.lat, fix.lon)
        for fix in read_bytes(text.getvalue().encode()).entries
    ]
    assert seen == [row[:3] for row in written]
