"""What a file is: told from its content, and said in one sentence where it is a wrong one."""

import gzip
import io
import json
import zipfile

import pytest

from personal_store.errors import HostileFile, UnreadableFile, WrongFile
from personal_store.ingest.detect import detect
from personal_store.ingest.positionfix import SourceFormat

SEGMENT = {"startTime": "2024-06-15T09:00:00Z", "endTime": "2024-06-15T10:00:00Z"}
RECORD = {"latitudeE7": 1, "longitudeE7": 1, "timestamp": "2024-06-15T09:00:00Z"}
GPX = b'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk/></gpx>'
REC = b'2024-03-01T09:03:09Z\t*                 \t{"_type":"location"}\n'


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def zipped(content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("Records.json", content)
    return archive.getvalue()


HISTORIES = {
    "GPX": (GPX, SourceFormat.GPX),
    "GPX after a declaration and a comment": (
        b"<?xml version='1.0'?><!-- gpx --> " + GPX,
        SourceFormat.GPX,
    ),
    "GPX after a mark and blank lines": (b"\xef\xbb\xbf\n\n" + GPX, SourceFormat.GPX),
    "GPX in UTF-16": (
        ('<?xml version="1.0" encoding="UTF-16"?>' + GPX.decode()).encode("utf-16"),
        SourceFormat.GPX,
    ),
    "GPX longer than its head": (
        GPX.replace(b"<trk/>", b"<trk/>" * 100_000),
        SourceFormat.GPX,
    ),
    "an OwnTracks log": (REC, SourceFormat.OWNTRACKS_REC),
    "an OwnTracks log that begins with a will": (
        b"2015-08-24T05:55:14Z\t-                 \t{}\n" + REC,
        SourceFormat.OWNTRACKS_REC,
    ),
    "an OwnTracks log spaced out": (REC.replace(b"\t", b"  "), SourceFormat.OWNTRACKS_REC),
    "records": (as_json({"locations": [RECORD]}), SourceFormat.GOOGLE_RECORDS),
    "records after a mark": (
        b"\xef\xbb\xbf " + as_json({"locations": [RECORD]}),
        SourceFormat.GOOGLE_RECORDS,
    ),
    "records that begin with one without position": (
        as_json({"locations": [{"timestamp": "2024-06-15T09:00:00Z"}]}),
        SourceFormat.GOOGLE_RECORDS,
    ),
    "records of nobody": (as_json({"locations": []}), SourceFormat.GOOGLE_RECORDS),
    "an Android timeline": (
        as_json({"semanticSegments": [SEGMENT]}),
        SourceFormat.GOOGLE_TIMELINE_ANDROID,
    ),
    "an Android timeline that begins with its signals": (
        as_json({"rawSignals": [{}], "semanticSegments": [SEGMENT]}),
        SourceFormat.GOOGLE_TIMELINE_ANDROID,
    ),
    "an Android timeline that begins with its profile": (
        as_json({"userLocationProfile": {}, "semanticSegments": [SEGMENT]}),
        SourceFormat.GOOGLE_TIMELINE_ANDROID,
    ),
    "a month of Google's semantic history": (
        as_json({"timelineObjects": [{"placeVisit": {}}]}),
        SourceFormat.GOOGLE_SEMANTIC,
    ),
    "an Overland batch": (as_json({"locations": [{"type": "Feature"}]}), SourceFormat.OVERLAND),
    "GeoJSON": (
        as_json({"type": "FeatureCollection", "features": [{}]}),
        SourceFormat.GEOJSON,
    ),
    "one GeoJSON feature": (
        as_json({"type": "Feature", "geometry": None, "properties": {}}),
        SourceFormat.GEOJSON,
    ),
    "KML": (b'<kml xmlns="http://www.opengis.net/kml/2.2"/>', SourceFormat.KML),
    "TCX": (b"<TrainingCenterDatabase/>", SourceFormat.TCX),
    "FIT": (b"\x0e\x10\x43\x08\x78\x00\x00\x00.FIT\x00\x00", SourceFormat.FIT),
    "a table of positions": (b"time,lat,lon\n", SourceFormat.CSV),
    "a table with semicolons and quotes": (b'"Time";"Lat";"Lon"\r\n', SourceFormat.CSV),
    "a log of sentences": (b"$GPGGA,1,2*00\n", SourceFormat.NMEA),
    "Polarsteps locations": (
        as_json({"locations": [{"lat": 1, "lon": 1, "time": "x"}]}),
        SourceFormat.POLARSTEPS,
    ),
    "a Cozy document": (as_json({"source": "x", "series": [{}]}), SourceFormat.COZY),
    "a list of Cozy rows": (as_json([{"doc": {"series": []}}]), SourceFormat.COZY),
    "e-mission entries": (
        as_json([{"metadata": {"key": "background/location"}, "data": {}}]),
        SourceFormat.E_MISSION,
    ),
    "the carpool register": (
        b"journey_id;journey_start_datetime;journey_end_datetime\n",
        SourceFormat.CARPOOL_REGISTER,
    ),
    "a carpool journey": (
        as_json({"operator_journey_id": "a", "start": {}, "end": {}}),
        SourceFormat.CARPOOL_JOURNEYS,
    ),
    "a table of taps": (b"tap_at,line\n", SourceFormat.TRANSIT_TAPS),
    "the events of a card": (
        as_json({"card": "a", "events": [{"EventDateStamp": 1, "EventCode": 17}]}),
        SourceFormat.INTERCODE_EVENTS,
    ),
    "an iOS timeline": (as_json([SEGMENT]), SourceFormat.GOOGLE_TIMELINE_IOS),
}


@pytest.mark.parametrize(("content", "source"), HISTORIES.values(), ids=HISTORIES)
def test_a_history_is_known_by_its_content(content, source):
    assert detect(io.BytesIO(content)).format is source


WRONG = {
    "an empty file": (b"", "empty file"),
    "a file of blank lines": (b"\n \r\n", "empty file"),
    "a zip archive": (zipped(as_json({"locations": [RECORD]})), "zip archive"),
    "an empty zip archive": (b"PK\x05\x06" + b"\x00" * 18, "zip archive"),
    "a gzip archive": (gzip.compress(GPX), "gzip archive"),
    "a PDF": (b"%PDF-1.7\n", "PDF"),
    "a web page": (b"<!DOCTYPE html>\n<html></html>", "web page"),
    "a web page in capitals": (b"\n<HTML><BODY>GPX</BODY></HTML>", "web page"),
    "a web page as XML": (
        b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>',
        "web page",
    ),
    "the note of an encrypted timeline": (
        b"You have encrypted Timeline backups stored on Google servers.",
        "encrypted Google Timeline",
    ),
    "Google's settings": (
        as_json({"gaiaId": "1", "createdTime": "x", "deviceSettings": [{"deviceTag": 1}]}),
        "settings file",
    ),
    "Google's edits": (as_json({"timelineEdits": [{}]}), "list of edits"),
    "an OwnTracks message": (as_json({"_type": "location", "lat": 1}), "single OwnTracks message"),
    "an empty array": (b"[]", "without any entry"),
    "an empty object": (b"{}", "without any entry"),
    "an unknown object": (as_json({"name": "x"}), "JSON file of another kind"),
    "an unknown array": (as_json([1, 2]), "JSON file of another kind"),
    "locations of another program": (
        as_json({"locations": [{"lat": 1, "lon": 1, "when": "x"}]}),
        "JSON file of another kind",
    ),
    "unknown XML": (b"<svg/>", "XML file of another kind"),
    "markup that is no XML": (b"<<<", "XML file of another kind"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "binary file"),
    "NULs": (b"\x00" * 100, "binary file"),
    "a table without places": (b"time,steps\n2024-01-01T00:00:00Z,12\n", "text of another kind"),
    "a table without times": (b"name,lat,lon\nhome,46.16,-1.15\n", "text of another kind"),
    "the story of a Polarsteps trip": (as_json({"all_steps": [{}]}), "Polarsteps trip"),
    "a poem": ("Demain, dès l’aube".encode(), "text of another kind"),
}


@pytest.mark.parametrize(("content", "seen"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_refused_with_what_it_is(content, seen):
    with pytest.raises(WrongFile) as refusal:
        detect(io.BytesIO(content))
    assert seen in refusal.value.en.split(";")[1]


GOOGLE_WRONG = ["Google's settings", "Google's edits"]


@pytest.mark.parametrize("name", GOOGLE_WRONG)
def test_a_wrong_file_of_a_google_export_says_where_the_history_is(name):
    with pytest.raises(WrongFile) as refusal:
        detect(io.BytesIO(WRONG[name][0]))
    assert "Records.json of the same export" in refusal.value.en.split(";")[2]


@pytest.mark.parametrize("content", [c for c, _ in WRONG.values()], ids=WRONG)
def test_a_refusal_is_one_line_in_each_language(content):
    with pytest.raises(WrongFile) as refusal:
        detect(io.BytesIO(content))
    error = refusal.value
    assert error.fr != error.en
    assert "\n" not in error.fr + error.en
    assert (error.fr.count(" ; "), error.en.count("; ")) == (2, 2)


def test_a_history_cut_in_its_first_entry_is_unreadable():
    with pytest.raises(UnreadableFile):
        detect(io.BytesIO(as_json({"locations": [RECORD]})[:30]))


def test_a_document_nested_without_end_is_hostile():
    with pytest.raises(HostileFile):
        detect(io.BytesIO(b'{"locations": ' + b"[" * 100_000))
