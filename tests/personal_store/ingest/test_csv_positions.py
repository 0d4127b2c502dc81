"""Tables of positions; the standard csv module writes them."""

import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.errors import HostileFile, UnreadableFile, WrongFile
from personal_store.ingest.limits import LINE_BYTES
from personal_store.ingest.positionfix import Positionfix, Rejected, RejectReason
from personal_store.ingest.read import read_file

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


NAIVE = "2024-06-15 10:30:00,46.16,-1.15\n"


def test_a_time_without_offset_is_utc_where_its_column_says_so(read_bytes):
    assert only(read_bytes, "utc_time,lat,lon\n" + NAIVE).at == AT


@pytest.mark.parametrize("name", ["time", "Horodatage", "Date"])
def test_a_table_of_times_without_offset_is_refused_with_its_column(read_bytes, name):
    with pytest.raises(WrongFile, match=f"« {name.lower()} »") as refused:
        list(read_bytes(f"{name},lat,lon\n{NAIVE}".encode()).entries)
    assert "--local-times" in refused.value.fr
    assert "--local-times" in refused.value.en


def test_a_later_time_without_offset_has_a_reason_of_its_own(read_bytes):
    entries = list(read_bytes(f"{HEADER}{ROW}{NAIVE}".encode()).entries)
    assert entries[1] == Rejected(reason=RejectReason.TIME_WITHOUT_OFFSET)


AT_HOME = {
    "winter": ("2024-01-15 10:30:00", "2024-01-15T09:30:00Z", 60),
    "summer": ("2024-06-15 12:30:00", "2024-06-15T10:30:00Z", 120),
    "an hour that comes twice is the first": ("2024-10-27 02:30:00", "2024-10-27T00:30:00Z", 120),
    "an hour that never came": ("2024-03-31 02:30:00", "2024-03-31T01:30:00Z", 120),
    "its own offset is stronger": ("2024-06-15T12:30:00-04:00", "2024-06-15T16:30:00Z", -240),
    "a count says UTC": ("1718447400", "2024-06-15T10:30:00Z", None),
}


@pytest.mark.parametrize(("written", "utc", "offset_min"), AT_HOME.values(), ids=AT_HOME)
def test_the_times_of_home_are_read_where_the_resident_says_so(
    tmp_path, now, written, utc, offset_min
):
    path = tmp_path / "file"
    path.write_text(f"time,lat,lon\n{written},46.16,-1.15\n")
    (fix,) = read_file(path, now=now, local_zone=ZoneInfo("Europe/Paris")).entries
    assert (fix.at, fix.utc_offset_min) == (datetime.fromisoformat(utc), offset_min)


FRENCH = {
    "one column": (
        "Horodatage;Latitude (°);Longitude (°);Précision (m);Vitesse (km/h);Altitude (m)",
        "15/06/2024 12:30:00;46,16;-1,15;8;5,4;7",
    ),
    "a day and an hour": (
        "Date;Heure;Latitude;Longitude;Précision;Vitesse;Altitude",
        "15/06/2024;12:30:00;46,16;-1,15;8;1,5;7",
    ),
    "an hour without its zero, nor seconds": (
        "Jour;Heure;Latitude;Longitude;Précision;Vitesse;Altitude",
        "15-06-2024;12:30;46,16;-1,15;8;1,5;7",
    ),
    "a day first in the order of ISO": (
        "date heure;latitude;longitude;precision;vitesse_kmh;altitude",
        "2024-06-15 12:30:00;46,16;-1,15;8;5,4;7",
    ),
    "the separator is stated": (
        "sep=;\nHorodatage;Latitude;Longitude;Précision;Vitesse (m/s);Altitude",
        "2024-06-15T12:30:00;46,16;-1,15;8;1,5;7",
    ),
}
ENCODINGS = ["utf-8", "utf-8-sig", "cp1252", "utf-16"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(("names", "row"), FRENCH.values(), ids=FRENCH)
def test_a_french_table_is_read_however_it_was_saved(tmp_path, now, names, row, encoding):
    path = tmp_path / "file"
    path.write_bytes(f"{names}\r\n{row}\r\n".encode(encoding))
    (fix,) = read_file(path, now=now, local_zone=ZoneInfo("Europe/Paris")).entries
    assert (fix.at, fix.lat, fix.lon) == (AT, 46.16, -1.15)
    assert (fix.accuracy_m, fix.speed_mps, fix.altitude_m) == (8, 1.5, 7)


def test_a_day_that_stands_first_is_not_guessed_in_another_language(read_bytes):
    with_offset = "06/07/2024 10:30:00+00:00,46.16,-1.15\n"
    assert only(read_bytes, f"time,lat,lon\n{with_offset}") == Rejected(
        reason=RejectReason.UNREADABLE_ENTRY
    )


def test_a_wide_text_that_is_cut_within_a_letter_is_unreadable(read_bytes):
    with pytest.raises(UnreadableFile):
        list(read_bytes((HEADER + ROW).encode("utf-16")[:-1]).entries)


def test_a_wide_line_without_end_is_hostile(read_bytes):
    with pytest.raises(HostileFile):
        list(read_bytes((HEADER + "1" * (LINE_BYTES * 2)).encode("utf-16")).entries)


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


def test_a_line_in_no_known_encoding_is_unreadable(read_bytes):
    with pytest.raises(UnreadableFile):
        list(read_bytes((HEADER + ROW).encode() + b"\x81\x8d\n").entries)


rows = st.lists(
    st.tuples(
        st.integers(1_000_000_000, 1_700_000_000),
        st.floats(-90, 90).filter(lambda value: value and "e" not in repr(value)),
        st.floats(-180, 180).filter(lambda value: value and "e" not in repr(value)),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8),
    ),
    max_size=5,
)


@settings(max_examples=60)
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
