"""FIT: files written here byte by byte, and `fitdecode` as the independent reader."""

import io
import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.errors import UnreadableFile, WrongFile
from personal_store.ingest.positionfix import (
    Evidence,
    EvidenceKind,
    Positionfix,
    Rejected,
    RejectReason,
    SourceFormat,
)

EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
AT = datetime(2024, 4, 21, 9, 7, 31, tzinfo=UTC)
AT_S = int((AT - EPOCH).total_seconds())
UINT8, SINT32, UINT16, UINT32, UINT32Z, STRING = 0x02, 0x85, 0x84, 0x86, 0x8C, 0x07
CODES = {UINT8: "B", SINT32: "i", UINT16: "H", UINT32: "I", UINT32Z: "I", 0x00: "B"}
FILE_ID = (0, [(0, 0x00), (3, UINT32Z)])
RECORD = (20, [(253, UINT32), (0, SINT32), (1, SINT32), (2, UINT16), (6, UINT16), (31, UINT8)])
ACTIVITY = (34, [(253, UINT32), (5, UINT32)])
SESSION = (18, [(253, UINT32), (2, UINT32), (5, 0x00), (7, UINT32), (9, UINT32)])


def semicircles(degrees: float) -> int:
    return round(degrees * 2**31 / 180)


def definition(local: int, message, *, order: str = "<") -> bytes:
    number, fields = message
    head = struct.pack(f"{order}BBHB", 0, int(order == ">"), number, len(fields))
    sizes = b"".join(bytes([f, struct.calcsize(CODES[base]), base]) for f, base in fields)
    return bytes([0x40 | local]) + head + sizes


def data(local: int, message, *values: int, order: str = "<") -> bytes:
    codes = "".join(CODES[base] for _, base in message[1])
    return bytes([local]) + struct.pack(order + codes, *values)


def crc16(content: bytes) -> int:
    # The bit-by-bit form of the checksum, where the reader has a table.
    crc = 0
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def fit(*records: bytes, kind: int = 4) -> bytes:
    body = definition(0, FILE_ID) + data(0, FILE_ID, kind, 77) + b"".join(records)
    head = struct.pack("<BBHI4s", 14, 0x20, 2195, len(body), b".FIT")
    whole = head + struct.pack("<H", crc16(head)) + body
    return whole + struct.pack("<H", crc16(whole))


def record(at_s: int = AT_S, lat: float = 46.16, lon: float = -1.15, order: str = "<") -> bytes:
    where = (semicircles(lat), semicircles(lon))
    return data(1, RECORD, at_s, *where, (500 + 7) * 5, 2800, 4, order=order)


TRACK = fit(definition(1, RECORD), record(), record(AT_S + 1))


def test_a_record_becomes_a_positionfix(read_bytes):
    first = next(read_bytes(TRACK).entries)
    assert first == Positionfix(
        at=AT,
        lat=semicircles(46.16) * 180 / 2**31,
        lon=semicircles(-1.15) * 180 / 2**31,
        source=SourceFormat.FIT,
        device="fit 77",
        accuracy_m=4.0,
        speed_mps=2.8,
        altitude_m=7.0,
    )


def test_big_endian_records_say_the_same(read_bytes):
    big = fit(definition(1, RECORD, order=">"), record(order=">"), record(AT_S + 1, order=">"))
    assert list(read_bytes(big).entries) == list(read_bytes(TRACK).entries)


def test_two_files_in_a_chain_are_read_one_after_the_other(read_bytes):
    assert len(list(read_bytes(TRACK + TRACK).entries)) == 4


def test_a_compressed_time_counts_on_from_the_last_one(read_bytes):
    short = (20, RECORD[1][1:])
    place = (semicircles(46.16), semicircles(-1.15), 2500, 0, 4)
    five_later = bytes([0x80 | 2 << 5 | (AT_S + 5) % 32]) + data(2, short, *place)[1:]
    content = fit(definition(1, RECORD), record(), definition(2, short), five_later, five_later)
    times = [fix.at - AT for fix in read_bytes(content).entries]
    assert times == [timedelta(0), timedelta(seconds=5), timedelta(seconds=5)]


def test_a_record_without_position_gives_nothing(read_bytes):
    unknown = data(1, RECORD, AT_S, 0x7FFFFFFF, 0x7FFFFFFF, 0xFFFF, 0xFFFF, 0xFF)
    assert list(read_bytes(fit(definition(1, RECORD), unknown)).entries) == []


def test_a_session_is_evidence_of_a_leg_in_its_sport(read_bytes):
    session = data(3, SESSION, AT_S + 600, AT_S, 2, 540_000, 250_000)
    (leg,) = read_bytes(fit(definition(3, SESSION), session)).entries
    assert (leg.kind, leg.mode, leg.distance_m) == (EvidenceKind.LEG, "cycling", 2500.0)
    assert (leg.start, leg.end) == (AT, AT + timedelta(seconds=540))


def test_a_time_since_the_device_was_switched_on_is_no_time(read_bytes):
    assert list(read_bytes(fit(definition(1, RECORD), record(at_s=900))).entries) == [
        Rejected(reason=RejectReason.NO_TIME)
    ]


@pytest.mark.parametrize("kind", [2, 5, 6, 15])
def test_settings_and_plans_are_refused_as_such(read_bytes, kind):
    with pytest.raises(WrongFile, match="parcours"):
        list(read_bytes(fit(definition(1, RECORD), record(), kind=kind)).entries)


@pytest.mark.parametrize("cut", [1, 2, 3, 20, 60])
def test_a_file_that_stops_short_is_unreadable(read_bytes, cut):
    with pytest.raises(UnreadableFile):
        list(read_bytes(TRACK[:-cut]).entries)


@pytest.mark.parametrize("at", range(14, len(TRACK)))
def test_a_flipped_bit_anywhere_after_the_header_is_found(read_bytes, at):
    flipped = bytearray(TRACK)
    flipped[at] ^= 0x10
    with pytest.raises((UnreadableFile, WrongFile)):
        list(read_bytes(bytes(flipped)).entries)


points = st.tuples(
    st.integers(0, 700_000_000), st.floats(-89, 89).filter(bool), st.floats(-179, 179).filter(bool)
)


@settings(max_examples=30)
@given(st.lists(points, max_size=5), st.sampled_from("<>"))
def test_fitdecode_reads_the_same_records(read_bytes, where, order):
    fitdecode = pytest.importorskip(
        "fitdecode", reason="the independent reader of FIT is not in the lock yet"
    )
    times = [0x20000000 + seconds for seconds, _, _ in where]
    records = [record(at, lat, lon, order) for at, (_, lat, lon) in zip(times, where, strict=True)]
    content = fit(definition(1, RECORD, order=order), *records)
    theirs = [
        (
            frame.get_value("timestamp"),
            frame.get_value("position_lat") * 180 / 2**31,
            frame.get_value("position_long") * 180 / 2**31,
            frame.get_value("altitude"),
            frame.get_value("speed"),
        )
        for frame in fitdecode.FitReader(io.BytesIO(content))
        if isinstance(frame, fitdecode.FitDataMessage) and frame.name == "record"
    ]
    ours = [
        (fix.at, fix.lat, fix.lon, fix.altitude_m, fix.speed_mps)
        for fix in read_bytes(content).entries
        if isinstance(fix, Positionfix)
    ]
    # The store refuses what is a day ahead and 0, 0; the other reader has no opinion.
    assert ours == [row for row in theirs if row[0] < datetime(2026, 11, 2, 12, tzinfo=UTC)]


def test_evidence_never_prints_a_place_or_a_time(read_bytes):
    session = data(3, SESSION, AT_S + 600, AT_S, 2, 540_000, 250_000)
    (leg,) = read_bytes(fit(definition(3, SESSION), session)).entries
    assert isinstance(leg, Evidence)
    assert "2024" not in repr(leg)


def ended(local_less_utc_s: int) -> bytes:
    """Return what a watch writes at the end of an activity: its clock, in UTC and on the wall."""
    clocks = data(4, ACTIVITY, AT_S + 60, AT_S + 60 + local_less_utc_s)
    return definition(4, ACTIVITY) + clocks


@pytest.mark.parametrize(
    ("local_less_utc_s", "minutes"),
    {3600: 60, 7200: 120, -12600: -210, 20700: 345, 32400: 540, 7199: 120, 7230: 120}.items(),
)
def test_the_wall_clock_of_a_watch_tells_the_local_day(read_bytes, local_less_utc_s, minutes):
    content = fit(definition(1, RECORD), record(), record(AT_S + 1), ended(local_less_utc_s))
    assert [fix.utc_offset_min for fix in read_bytes(content).entries] == [minutes, minutes]


@pytest.mark.parametrize("local_less_utc_s", [0, 1, 100, 500, 15 * 3600, -15 * 3600, -AT_S - 60])
def test_a_wall_clock_that_no_place_on_earth_has_tells_nothing(read_bytes, local_less_utc_s):
    content = fit(definition(1, RECORD), record(), ended(local_less_utc_s))
    assert [fix.utc_offset_min for fix in read_bytes(content).entries] == [None]


def test_each_file_of_a_chain_has_its_own_wall_clock(read_bytes):
    home, abroad = (
        fit(definition(1, RECORD), record(), ended(offset_s)) for offset_s in (3600, 32400)
    )
    silent = fit(definition(1, RECORD), record())
    offsets = [fix.utc_offset_min for fix in read_bytes(home + silent + abroad).entries]
    assert offsets == [60, None, 540]


def test_a_file_cut_before_its_end_still_gives_what_it_holds(read_bytes):
    content = fit(definition(1, RECORD), record(), record(AT_S + 1), ended(3600))[:-30]
    read = []
    with pytest.raises(UnreadableFile):
        read.extend(read_bytes(content).entries)
    assert len(read) == 1
