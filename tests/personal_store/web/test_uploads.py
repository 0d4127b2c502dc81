"""The import page: files come in as they are sent, and it says what became of them."""

from datetime import timedelta

import pytest

from personal_store.db import imports, positionfixes
from personal_store.db.connection import reading, writing
from personal_store.db.imports import Counts, FileImport
from personal_store.ingest.positionfix import SourceFormat
from personal_store.jobs import incoming
from personal_store.web import security, uploads


def take_in(store) -> None:
    incoming.run_once(store.engine, data=store.folder, watched=None, clock=store.clock)


def test_an_uploaded_file_is_imported_and_told(browser, store, outing, read) -> None:
    sent = [("files", ("course.gpx", outing().gpx().encode()))]
    answer = browser.post("/fr/import", files=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, "/fr/import")
    waiting = read(browser.get("/fr/import").text)
    assert "course.gpx" in waiting.text
    assert "5" in waiting.attributes("content")
    take_in(store)
    page = read(browser.get("/fr/import").text)
    assert f"Positions nouvelles : {len(outing().points)}" in page.text
    assert "5" not in page.attributes("content")
    assert not list((store.folder / incoming.UPLOADS).iterdir())


def test_several_files_of_one_sending_are_all_taken(browser, store, outing) -> None:
    sent = [("files", (f"{n}.gpx", outing(speed_mps=n).gpx().encode())) for n in (3, 4, 5)]
    browser.post("/en/import", files=sent)
    assert incoming.waiting_uploads(store.folder) == ["3.gpx", "4.gpx", "5.gpx"]


def test_an_uploaded_file_is_for_its_owner_only(browser, store, outing) -> None:
    browser.post("/fr/import", files=[("files", ("a.gpx", outing().gpx().encode()))])
    (folder,) = (store.folder / incoming.UPLOADS).iterdir()
    (file,) = folder.iterdir()
    assert [each.stat().st_mode & 0o777 for each in (folder.parent, folder, file)] == [
        0o700,
        0o700,
        0o600,
    ]


def test_a_wrong_file_is_refused_with_the_reason_on_the_page(browser, store, read) -> None:
    browser.post("/en/import", files=[("files", ("Settings.json", b'{"deviceSettings": []}'))])
    take_in(store)
    assert "the settings file (Settings.json)" in read(browser.get("/en/import").text).text


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\vault.json", "/vault.json", "...", "a\x00b"]
)
def test_the_name_of_an_upload_leads_nowhere(browser, store, name) -> None:
    before = sorted(each.name for each in store.folder.iterdir())
    browser.post("/fr/import", files=[("files", (name, b"x"))])
    after = sorted(each.name for each in store.folder.iterdir() if each.name != incoming.UPLOADS)
    assert after == before
    for waiting in incoming.waiting_uploads(store.folder):
        assert "/" not in waiting
        assert not waiting.startswith(".")


def test_an_empty_choice_imports_nothing(browser, store) -> None:
    answer = browser.post("/fr/import", files=[("files", ("", b""))])
    assert answer.status_code == 303
    assert incoming.waiting_uploads(store.folder) == []


def test_a_sending_cut_short_leaves_nothing(browser, store, read) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.gpx"\r\n\r\n<gpx>'
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = browser.post("/en/import", content=body, headers=headers)
    assert answer.status_code == 400
    assert "stopped before its end" in read(answer.text).text
    assert not list((store.folder / incoming.UPLOADS).iterdir())


def test_a_form_of_another_kind_is_refused_in_words(browser, read) -> None:
    answer = browser.post("/en/import", data={"files": "x"})
    assert answer.status_code == 400
    assert "choose the files again" in read(answer.text).text


def test_an_upload_over_the_limit_is_413(browser, monkeypatch) -> None:
    monkeypatch.setattr(security, "MAX_UPLOAD_BYTES", 1000)
    answer = browser.post("/fr/import", files=[("files", ("a.gpx", b"x" * 2000))])
    assert answer.status_code == 413


def test_a_full_disk_is_said_in_words(browser, store, monkeypatch, read) -> None:
    monkeypatch.setattr(uploads, "KEEP_FREE_BYTES", 10**18)
    answer = browser.post("/fr/import", files=[("files", ("a.gpx", b"x"))])
    assert answer.status_code == 507
    assert "pas assez de place" in read(answer.text).text
    assert incoming.waiting_uploads(store.folder) == []


def test_a_stranger_sends_nothing(stranger, store) -> None:
    answer = stranger.post("/fr/import", files=[("files", ("a.gpx", b"x"))])
    assert (answer.status_code, answer.headers["location"]) == (303, "/fr/login")
    assert not (store.folder / incoming.UPLOADS).exists()


def test_the_page_says_how_far_an_import_is(browser, store, read) -> None:
    begun = store.clock.now()
    under_way = FileImport(
        digest="d",
        name="Records.json",
        format=SourceFormat.GOOGLE_RECORDS,
        size_bytes=1_000_000_000,
        done_bytes=250_000_000,
        entries=1_000_000,
        started_at=begun,
        changed_at=begun + timedelta(seconds=10),
        counts=Counts(accepted=1_000_000, new=1_000_000),
    )
    with writing(store.engine) as connection:
        imports.add(connection, under_way)
    page = read(browser.get("/en/import").text)
    assert "250 of 1,000 MB read" in page.text
    assert "positions: 1,000,000, about 30 s left" in page.text
    assert ("progress", {"max": "1000000000", "value": "250000000"}) in page.elements


NAIVE = b"time,lat,lon\n2026-11-09 08:00:00,46.16,-1.15\n"


@pytest.mark.parametrize(("ticked", "held"), [({}, 0), ({"local_times": "1"}, 1)])
def test_times_without_offset_are_those_of_home_when_the_box_is_ticked(
    browser, store, ticked, held
) -> None:
    browser.post("/fr/import", data=ticked, files=[("files", ("t.csv", NAIVE))])
    take_in(store)
    with reading(store.engine) as connection:
        assert positionfixes.count(connection) == held


def test_the_refusal_of_times_without_offset_says_which_column_and_which_box(
    browser, store, read
) -> None:
    browser.post("/fr/import", files=[("files", ("t.csv", NAIVE))])
    take_in(store)
    said = read(browser.get("/fr/import").text).text
    assert "« time »" in said
    assert "cochez la case" in said


def test_the_zone_of_home_is_changed_on_the_page(browser, read) -> None:
    answer = browser.post("/fr/home", data={"timezone": "indian/reunion"})
    assert answer.status_code == 303
    assert "Indian/Reunion" in read(browser.get("/fr/import").text).text
    refused = browser.post("/en/home", data={"timezone": "Atlantis"})
    assert refused.status_code == 400
    assert "Europe/Paris" in read(refused.text).text
    browser.post("/fr/home", data={"timezone": "Europe/Paris"})
