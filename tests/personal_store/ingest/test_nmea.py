"""NMEA: sentences made here with their checksums, read back by plain arithmetic."""

from datetime import UTC, datetime
from functools import reduce
from operator import xor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.ingest.positionfix import Positionfix, Rejected, RejectReason, SourceFormat


def sentence(body: str, end: str = "\r\n") -> bytes:
    return f"${body}*{reduce(xor, body.encode()):02X}{end}".encode()


BODY = "GPRMC,090731.50,A,4609.6000,N,00109.0000,W,10.0,90.0,210424,,,A"
GGA = sentence("GPGGA,090731.50,4609.6000,N,00109.0000,W,1,08,0.9,12.0,M,47.0,M,,")


def test_a_recommended_minimum_becomes_a_positionfix(read_bytes):
    assert list(read_bytes(sentence(BODY)).entries) == [
        Positionfix(
            at=datetime(2024, 4, 21, 9, 7, 31, 500_000, tzinfo=UTC),
            lat=46 + 9.6 / 60,
            lon=-(1 + 9 / 60),
            source=SourceFormat.NMEA,
            device="nmea",
            speed_mps=10 * 1852 / 3600,
        )
    ]


def test_a_sentence_without_a_day_gives_nothing(read_bytes):
    assert list(read_bytes(GGA * 3).entries) == []


@pytest.mark.parametrize("talker", ["GN", "GL", "GA", "BD"])
def test_every_constellation_is_read(read_bytes, talker):
    assert len(list(read_bytes(GGA + sentence(talker + BODY[2:])).entries)) == 1


def test_a_year_of_the_last_century_is_one(read_bytes):
    (fix,) = read_bytes(sentence(BODY.replace("210424", "210498"))).entries
    assert fix.at.year == 1998


REJECTED = {
    "a wrong checksum": (sentence(BODY)[:-4] + b"00\r\n", RejectReason.UNREADABLE_ENTRY),
    "no checksum": (f"${BODY}\n".encode(), RejectReason.UNREADABLE_ENTRY),
    "a receiver without a fix": (sentence(BODY.replace(",A,", ",V,")), RejectReason.NO_POSITION),
    "no day": (sentence(BODY.replace("210424", "")), RejectReason.NO_TIME),
    "a thirteenth month": (
        sentence(BODY.replace("210424", "211324")),
        RejectReason.UNREADABLE_ENTRY,
    ),
    "no latitude": (sentence(BODY.replace("4609.6000", "")), RejectReason.NO_POSITION),
    "sixty minutes": (sentence(BODY.replace("4609.6", "4660.0")), RejectReason.UNREADABLE_ENTRY),
    "a letter that is no side": (
        sentence(BODY.replace(",N,", ",X,")),
        RejectReason.UNREADABLE_ENTRY,
    ),
    "past the pole": (sentence(BODY.replace("4609", "9109")), RejectReason.IMPOSSIBLE_COORDINATES),
    "too few fields": (sentence("GPRMC,090731,A"), RejectReason.UNREADABLE_ENTRY),
}


@pytest.mark.parametrize(("line", "reason"), REJECTED.values(), ids=REJECTED)
def test_a_bad_sentence_is_rejected_and_the_rest_goes_in(read_bytes, line, reason):
    entries = list(read_bytes(sentence(BODY) + line + sentence(BODY)).entries)
    assert entries[1] == Rejected(reason=reason)
    assert len(entries) == 3


@settings(max_examples=60)
@given(st.integers(-5_399_999, 5_399_999), st.integers(-10_799_999, 10_799_999))
def test_minutes_and_hundredths_of_any_angle_come_back(read_bytes, lat_milli, lon_milli):
    def written(milliminutes: int, width: int) -> str:
        degrees, minutes = divmod(abs(milliminutes), 60_000)
        return f"{degrees:0{width}d}{minutes / 1000:06.3f}"

    north_south, east_west = "NS"[lat_milli < 0], "EW"[lon_milli < 0]
    place = f"{written(lat_milli, 2)},{north_south},{written(lon_milli, 3)},{east_west}"
    body = BODY.replace("4609.6000,N,00109.0000,W", place)
    (fix,) = read_bytes(sentence(body)).entries
    if isinstance(fix, Positionfix):
        expected = pytest.approx((lat_milli / 60_000, lon_milli / 60_000))
        assert (fix.lat, fix.lon) == expected
    else:
        assert (lat_milli, lon_milli) == (0, 0)
