"""GPX: the points of tracks, with gpxpy as the independent reader."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import gpxpy
import pytest
from gpxpy.gpx import GPX, GPXTrack, GPXTrackPoint, GPXTrackSegment
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.errors import HostileFile, UnreadableFile, WrongFile
from personal_store.ingest.positionfix import Positionfix, Rejected, RejectReason, SourceFormat

GPX_11 = "http://www.topografix.com/GPX/1/1"
GPX_10 = "http://www.topografix.com/GPX/1/0"
GARMIN = "http://www.garmin.com/xmlschemas/TrackPointExtension/v2"
TIME = "<time>2024-04-21T09:07:31Z</time>"
POINT = f'<trkpt lat="46.16" lon="-1.15"><ele>7.5</ele>{TIME}</trkpt>'


def document(body: str, *, namespace: str = GPX_11, start: str = "") -> bytes:
    return (
        f'{start}<gpx version="1.1" creator="Logger 3" xmlns="{namespace}" xmlns:g="{GARMIN}">'
        f"{body}</gpx>"
    ).encode()


def track(points: str) -> str:
    return f"<trk><trkseg>{points}</trkseg></trk>"


def only(entries: Iterator[Positionfix | Rejected]) -> Positionfix | Rejected:
    (entry,) = entries
    return entry


def test_a_track_point_becomes_a_positionfix(read_bytes):
    assert only(read_bytes(document(track(POINT))).entries) == Positionfix(
        at=datetime(2024, 4, 21, 9, 7, 31, tzinfo=UTC),
        lat=46.16,
        lon=-1.15,
        source=SourceFormat.GPX,
        device="Logger 3",
        altitude_m=7.5,
    )


DRESSES = {
    "GPX 1.1": document(track(POINT)),
    "GPX 1.0": document(track(POINT), namespace=GPX_10),
    "no namespace": document(track(POINT)).replace(b"xmlns=", b"title="),
    "a prefix for everything": (
        f'<x:gpx xmlns:x="{GPX_11}" creator="Logger 3"><x:trk><x:trkseg>'
        '<x:trkpt lat="46.16" lon="-1.15"><x:ele>7.5</x:ele>'
        "<x:time>2024-04-21T09:07:31Z</x:time></x:trkpt></x:trkseg></x:trk></x:gpx>"
    ).encode(),
    "a byte order mark": b"\xef\xbb\xbf" + document(track(POINT)),
    "blank lines before the declaration": document(
        track(POINT), start="\n\n<?xml version='1.0' encoding='UTF-8'?>\n"
    ),
    "UTF-16": document(track(POINT), start='<?xml version="1.0" encoding="UTF-16"?>')
    .decode()
    .encode("utf-16"),
    "Windows-1252 with an accent": document(
        track(POINT) + "<desc>été</desc>",
        start='<?xml version="1.0" encoding="windows-1252"?>',
    )
    .decode()
    .encode("windows-1252"),
    "comments and space inside": document(
        track(POINT).replace(">7.5<", "> 7.5 <!-- ! --><").replace("<time>", "<time>\n ")
    ),
    "a point written as character data": document(track(POINT).replace("7.5", "<![CDATA[7.5]]>")),
}


@pytest.mark.parametrize("content", DRESSES.values(), ids=DRESSES)
def test_the_same_point_is_read_in_every_dress(read_bytes, content):
    fix = only(read_bytes(content).entries)
    assert (fix.lat, fix.lon, fix.altitude_m, fix.device) == (46.16, -1.15, 7.5, "Logger 3")


SPEEDS = {
    "GPX 1.0": "<speed>2.8</speed>",
    "Garmin": "<extensions><g:TrackPointExtension><g:speed>2.8</g:speed>"
    "</g:TrackPointExtension></extensions>",
    "a direct extension": "<extensions><g:speed>2.8</g:speed></extensions>",
}


@pytest.mark.parametrize("extra", SPEEDS.values(), ids=SPEEDS)
def test_speed_is_read_where_each_program_puts_it(read_bytes, extra):
    content = document(track(POINT.replace("</trkpt>", f"{extra}</trkpt>")))
    assert only(read_bytes(content).entries).speed_mps == 2.8


def test_the_time_of_an_extension_is_not_the_time_of_the_point(read_bytes):
    point = POINT.replace(TIME, f"<extensions>{TIME}</extensions>")
    assert only(read_bytes(document(track(point))).entries) == Rejected(reason=RejectReason.NO_TIME)


REJECTED = {
    "no time": (POINT.replace(TIME, ""), RejectReason.NO_TIME),
    "an empty time": (POINT.replace(TIME, "<time/>"), RejectReason.NO_TIME),
    "a time in words": (
        POINT.replace("2024-04-21T09:07:31Z", "yesterday at nine"),
        RejectReason.UNREADABLE_ENTRY,
    ),
    "a time in 1970": (POINT.replace("2024", "1970"), RejectReason.BEFORE_1990),
    "a time in the future": (POINT.replace("2024", "2124"), RejectReason.IN_THE_FUTURE),
    "no latitude": (POINT.replace('lat="46.16"', ""), RejectReason.NO_POSITION),
    "an empty longitude": (POINT.replace("-1.15", ""), RejectReason.UNREADABLE_ENTRY),
    "a latitude past the pole": (
        POINT.replace("46.16", "91"),
        RejectReason.IMPOSSIBLE_COORDINATES,
    ),
    "a latitude that is not a number": (
        POINT.replace("46.16", "NaN"),
        RejectReason.IMPOSSIBLE_COORDINATES,
    ),
    "zeros before the first fix": (
        POINT.replace("46.16", "0.0").replace("-1.15", "0"),
        RejectReason.NO_POSITION,
    ),
    "a field of a hundred thousand characters": (
        POINT.replace("2024-04-21T09:07:31Z", "2" * 100_000),
        RejectReason.UNREADABLE_ENTRY,
    ),
}


@pytest.mark.parametrize(("point", "reason"), REJECTED.values(), ids=REJECTED)
def test_a_bad_point_is_rejected_and_the_rest_goes_in(read_bytes, point, reason):
    entries = list(read_bytes(document(track(POINT + point + POINT))).entries)
    assert entries[1] == Rejected(reason=reason)
    assert [type(entry) for entry in entries] == [Positionfix, Rejected, Positionfix]


COMPANY = {
    "common": POINT,
    "with a speed": POINT.replace("</trkpt>", "<speed>2.5</speed></trkpt>"),
    "with a speed below zero": POINT.replace("</trkpt>", "<speed>-1</speed></trkpt>"),
    "with a speed in words": POINT.replace("</trkpt>", "<speed>fast</speed></trkpt>"),
    "without altitude": POINT.replace("<ele>7.5</ele>", ""),
    "with an infinite altitude": POINT.replace("7.5", "inf"),
    "with space around": POINT.replace(">7.5<", "> 7.5\n<").replace("<time>", "<time> "),
    "on the equator": POINT.replace("46.16", "0.0"),
    "in another zone": POINT.replace("31Z", "31+02:00"),
    "with a short year": POINT.replace("2024-04-21T09:07:31Z", "24-04-21T09:07:31Z"),
    "in a long number": POINT.replace("46.16", "46.16" + "0" * 200),
    "in digits that only Python reads": POINT.replace("46.16", "4_6.16"),
    "in digits of another script": POINT.replace("46.16", "\u0664\u0666"),
    "another document within": f'<gpx creator="second">{POINT}</gpx>',
    **{name: point for name, (point, _) in REJECTED.items()},
}


@settings(max_examples=100)
@given(st.lists(st.sampled_from(sorted(COMPANY)), max_size=4))
def test_a_point_is_read_alike_in_whatever_company(read_bytes, names):
    def read(*points: str) -> list[object]:
        # The last device named goes on: so it does for each point alone.
        return [replace_device(e) for e in read_bytes(document(track("".join(points)))).entries]

    def replace_device(entry: object) -> object:
        return replace(entry, device="") if isinstance(entry, Positionfix) else entry

    points = [COMPANY[name] for name in names]
    assert read(*points) == [entry for point in points for entry in read(point)]


def test_the_points_of_a_document_within_are_of_its_own_device(read_bytes):
    body = track(POINT + f'<gpx creator="second">{POINT}</gpx>')
    devices = [fix.device for fix in read_bytes(document(body)).entries]
    assert devices == ["Logger 3", "second"]


def test_a_time_without_offset_is_utc_as_the_specification_says(read_bytes):
    content = document(track(POINT.replace("31Z", "31")))
    assert only(read_bytes(content).entries).at == datetime(2024, 4, 21, 9, 7, 31, tzinfo=UTC)


def test_tracks_and_segments_are_read_in_order_with_the_empty_ones(read_bytes):
    body = "<trk><name>first</name><trkseg/></trk>" + "".join(
        f"<trk><trkseg>{POINT.replace('46.16', lat)}</trkseg><trkseg></trkseg></trk>"
        for lat in ("1", "2", "3")
    )
    assert [fix.lat for fix in read_bytes(document(body)).entries] == [1, 2, 3]


def test_waypoints_and_routes_beside_a_track_are_not_positions(read_bytes):
    marks = f'<wpt lat="1" lon="1">{TIME}</wpt><rte><rtept lat="2" lon="2">{TIME}</rtept></rte>'
    assert only(read_bytes(document(marks + track(POINT))).entries).lat == 46.16


MARKS_ALONE = {
    "a waypoint": f'<wpt lat="1" lon="1">{TIME}</wpt>',
    "a route": '<rte><rtept lat="2" lon="2"/></rte>',
}


@pytest.mark.parametrize("body", MARKS_ALONE.values(), ids=MARKS_ALONE)
def test_a_file_of_marks_alone_says_that_the_track_is_missing(read_bytes, body):
    with pytest.raises(WrongFile, match="trace"):
        list(read_bytes(document(body)).entries)


def test_a_file_with_empty_tracks_holds_no_position(read_bytes):
    assert list(read_bytes(document("<trk><trkseg/></trk>")).entries) == []


BROKEN = {
    "cut in a tag": document(track(POINT))[:-9],
    "cut in a point": document(track(POINT))[:180],
    "cut after a point": document("").replace(b"</gpx>", track(POINT).encode()),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_truncated_file_is_called_so(read_bytes, content):
    with pytest.raises(UnreadableFile, match="s’arrête avant la fin"):
        list(read_bytes(content).entries)


DAMAGED = {
    "tags that cross": document("<trk><trkseg></trk></trkseg>"),
    "two roots": document(track(POINT)) + b"<gpx/>",
    "an unknown entity": document(track(POINT) + "<name>&who;</name>"),
    "a byte of another encoding": document(track(POINT)).replace(b"Logger", b"L\xe9gger"),
    "a NUL": document(track(POINT) + "\x00"),
    "an encoding that does not exist": document(
        track(POINT), start='<?xml version="1.0" encoding="klingon"?>'
    ),
    "an encoding of several bytes": document(
        track(POINT), start='<?xml version="1.0" encoding="shift_jis"?>'
    ),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_broken_xml_is_refused_in_one_sentence(read_bytes, content):
    with pytest.raises((UnreadableFile, WrongFile)):
        list(read_bytes(content).entries)


DOCTYPES = {
    "entities that expand a billion times": "<!DOCTYPE gpx [<!ENTITY a 'aaaaaaaaaa'>"
    + "".join(
        f"<!ENTITY {after} '{f'&{before};' * 10}'>"
        for before, after in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + "]>",
    "an entity from a file": "<!DOCTYPE gpx [<!ENTITY j SYSTEM 'file:///etc/hostname'>]>",
    "a document type from a network": "<!DOCTYPE gpx SYSTEM 'http://example.invalid/gpx.dtd'>",
}


@pytest.mark.parametrize("doctype", DOCTYPES.values(), ids=DOCTYPES)
def test_a_document_type_is_hostile(read_bytes, doctype):
    content = document(track(POINT) + "<name>&j;</name>", start=doctype)
    with pytest.raises(HostileFile, match="DOCTYPE"):
        list(read_bytes(content).entries)


def test_the_points_before_the_damage_are_given_before_the_error(read_bytes):
    # Longer than a chunk, so that the first points come out before the end is read.
    entries = read_bytes(document(track(POINT * 5000))[:-3]).entries
    assert isinstance(next(entries), Positionfix)
    with pytest.raises(UnreadableFile):
        list(entries)


points = st.builds(
    GPXTrackPoint,
    latitude=st.floats(-90, 90, allow_subnormal=False),
    longitude=st.floats(-180, 180, allow_subnormal=False),
    elevation=st.none() | st.floats(-500, 9000),
    speed=st.none() | st.floats(0, 100),
    time=st.none()
    | st.builds(
        lambda epoch_s, offset_min: datetime.fromtimestamp(
            epoch_s, timezone(timedelta(minutes=offset_min))
        ),
        st.integers(1_000_000_000, 1_700_000_000),
        st.integers(-12 * 60, 14 * 60),
    ),
)
segments = st.lists(points, max_size=4).map(GPXTrackSegment)


@st.composite
def documents(draw):
    gpx = GPX()
    gpx.creator = "gpxpy"
    for track_segments in draw(st.lists(st.lists(segments, max_size=3), min_size=1, max_size=3)):
        gpx_track = GPXTrack()
        gpx_track.segments = track_segments
        gpx.tracks.append(gpx_track)
    return gpx.to_xml(version=draw(st.sampled_from(["1.0", "1.1"])))


@settings(max_examples=60)
@given(documents())
def test_gpxpy_reads_the_same_points(read_bytes, xml):
    expected = [
        (point.time.astimezone(UTC), point.latitude, point.longitude, point.elevation, point.speed)
        for gpx_track in gpxpy.parse(xml).tracks
        for segment in gpx_track.segments
        for point in segment.points
        if point.time and (point.latitude or point.longitude)
    ]
    fixes = [e for e in read_bytes(xml.encode()).entries if isinstance(e, Positionfix)]
    seen = [(fix.at, fix.lat, fix.lon, fix.altitude_m, fix.speed_mps) for fix in fixes]
    assert seen == expected


@settings(max_examples=30)
@given(documents())
def test_no_point_is_dropped_without_a_word(read_bytes, xml):
    assert len(list(read_bytes(xml.encode()).entries)) == xml.count("<trkpt")
