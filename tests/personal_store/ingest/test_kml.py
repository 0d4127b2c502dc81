"""KML: what carries a time, with `xml.etree` as the independent reader of tracks."""

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.errors import HostileFile, UnreadableFile
from personal_store.ingest.positionfix import EvidenceKind, Positionfix, Rejected, RejectReason

GX = "http://www.google.com/kml/ext/2.2"
AT = datetime(2024, 4, 21, 9, 7, 31, tzinfo=UTC)
WHEN = "<when>2024-04-21T09:07:31Z</when>"
SPAN = "<TimeSpan><begin>2024-04-21T09:07:31Z</begin><end>2024-04-21T10:00:00Z</end></TimeSpan>"
POINT = "<Point><coordinates>-1.15,46.16,7</coordinates></Point>"
LINE = "<LineString><coordinates>-1.15,46.16 -1.2,46.2\n-1.3,46.3</coordinates></LineString>"


def document(*placemarks: str) -> bytes:
    body = "".join(f"<Placemark>{placemark}</Placemark>" for placemark in placemarks)
    namespaces = f'xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="{GX}"'
    return f"<kml {namespaces}><Document><name>x</name>{body}</Document></kml>".encode()


def test_a_point_with_a_time_is_a_positionfix(read_bytes):
    extra = (
        '<ExtendedData><Data name="speed"><value>5.5</value></Data>'
        '<Data name="Accuracy"><value>10</value></Data></ExtendedData>'
    )
    (fix,) = read_bytes(document(f"<TimeStamp>{WHEN}</TimeStamp>{POINT}{extra}")).entries
    assert (fix.at, fix.lat, fix.lon, fix.altitude_m) == (AT, 46.16, -1.15, 7)
    assert (fix.speed_mps, fix.accuracy_m) == (5.5, 10)


def test_a_time_after_the_point_counts_as_well(read_bytes):
    (fix,) = read_bytes(document(f"{POINT}<TimeStamp>{WHEN}</TimeStamp>")).entries
    assert fix.at == AT


def test_the_time_of_a_placemark_does_not_pass_to_the_next(read_bytes):
    content = document(f"<TimeStamp>{WHEN}</TimeStamp>{POINT}", POINT)
    assert list(read_bytes(content).entries)[1] == Rejected(reason=RejectReason.NO_TIME)


def test_a_point_over_a_span_is_a_position_and_a_visit(read_bytes):
    fix, visit = read_bytes(document(f"<name>Work</name>{SPAN}{POINT}")).entries
    assert isinstance(fix, Positionfix)
    assert (visit.kind, visit.start, visit.origin.name) == (EvidenceKind.VISIT, AT, "Work")


def test_a_line_over_a_span_is_a_leg_and_its_vertices_have_no_time(read_bytes):
    category = '<ExtendedData><Data name="Category"><value>Cycling</value></Data></ExtendedData>'
    *vertices, leg = read_bytes(document(f"{SPAN}{category}{LINE}")).entries
    assert vertices == [Rejected(reason=RejectReason.NO_TIME)] * 3
    assert (leg.kind, leg.mode) == (EvidenceKind.LEG, "Cycling")
    assert (leg.origin.lat, leg.destination.lat) == (46.16, 46.3)


def test_a_day_is_no_instant(read_bytes):
    day = WHEN.replace("T09:07:31Z", "")
    content = document(f"<TimeStamp>{day}</TimeStamp>{POINT}")
    assert list(read_bytes(content).entries) == [Rejected(reason=RejectReason.NO_TIME)]


def test_a_drawing_gives_nothing(read_bytes):
    ring = "<LinearRing><coordinates>1,1 2,2 1,1</coordinates></LinearRing>"
    content = document(f"<Polygon><outerBoundaryIs>{ring}</outerBoundaryIs></Polygon>")
    assert list(read_bytes(content).entries) == []


@pytest.mark.parametrize("width", [1, 7, 30])
def test_every_vertex_of_a_line_longer_than_any_text_is_counted(read_bytes, width):
    vertices = "\n".join(f"{1:.{width}f},2" for _ in range(60_000))
    line = f"<LineString><coordinates>{vertices}</coordinates></LineString>"
    assert len(list(read_bytes(document(line)).entries)) == 60_000


def test_a_vertex_without_end_is_hostile(read_bytes):
    line = f"<LineString><coordinates>{'1' * 40_000}</coordinates></LineString>"
    with pytest.raises(HostileFile):
        list(read_bytes(document(line)).entries)


def test_an_entity_is_hostile(read_bytes):
    with pytest.raises(HostileFile):
        list(read_bytes(b"<!DOCTYPE kml [<!ENTITY a 'b'>]>" + document(POINT)).entries)


def test_a_cut_file_is_unreadable(read_bytes):
    with pytest.raises(UnreadableFile):
        list(read_bytes(document(POINT)[:-20]).entries)


moments = st.integers(1_000_000_000, 1_700_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))
angles = st.floats(-89, 89).filter(lambda value: abs(value) > 1e-3)


@settings(max_examples=40)
@given(st.lists(st.tuples(moments, angles, angles), max_size=5), st.booleans())
def test_etree_finds_the_same_track(read_bytes, track, interleaved):
    whens = [f"<when>{at.isoformat()}</when>" for at, _, _ in track]
    coords = [f"<gx:coord>{lon} {lat} 1</gx:coord>" for _, lat, lon in track]
    pairs = [a + b for a, b in zip(whens, coords, strict=True)] if interleaved else whens + coords
    content = document(f"<gx:Track>{''.join(pairs)}</gx:Track>")
    root = ET.fromstring(content)
    times = [node.text for node in root.iter("{http://www.opengis.net/kml/2.2}when")]
    places = [node.text.split() for node in root.iter(f"{{{GX}}}coord")]
    theirs = [
        (datetime.fromisoformat(at), float(place[1]), float(place[0]))
        for at, place in zip(times, places, strict=True)
    ]
    assert [(fix.at, fix.lat, fix.lon) for fix in read_bytes(content).entries] == theirs


def test_a_track_with_more_times_than_places_counts_the_rest(read_bytes):
    track = f"<gx:Track>{WHEN}{WHEN}<gx:coord>-1 46 0</gx:coord></gx:Track>"
    assert list(read_bytes(document(track)).entries)[1:] == [
        Rejected(reason=RejectReason.NO_POSITION)
    ]
