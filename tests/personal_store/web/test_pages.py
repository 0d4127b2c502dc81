"""The pages: what they say, in both languages, within their budget and without anybody else."""

import gzip
import re
from datetime import timedelta

import pytest
from fixes_added import add_fixes

from carbon.modes import TransportMode
from contributions.weeks import week_period
from personal_store.db import timelines, trips
from personal_store.db.connection import reading, writing
from personal_store.ingest.positionfix import Positionfix, SourceFormat
from personal_store.jobs import importing, pipeline
from personal_store.trips.timeline import ModeProbability, ModeSource, Timeline, Trip, Tripleg

CAR, BIKE = TransportMode.CAR, TransportMode.BIKE
MONDAY = week_period("2026-W46").start + timedelta(hours=8)
PAGES = (
    "/{}/",
    "/{}/weeks/2026-W46",
    "/{}/weeks/2026-W01",
    "/{}/sharing",
    "/{}/budget",
    "/{}/login",
)
PAGES_AND_ERRORS = (*PAGES, "/{}/weeks/nonsense")


@pytest.fixture
def busy(joined) -> None:
    """Fill the week with 30 trips of four legs, each leg in doubt between all that moves."""
    moving = [mode for mode in TransportMode if mode is not TransportMode.UNKNOWN]

    def leg(index: int, start):
        first = moving[index % len(moving)]
        others = [mode for mode in moving if mode is not first]
        doubts = [ModeProbability(mode=mode, probability=0.3 / len(others)) for mode in others]
        return Tripleg(
            start=start,
            end=start + timedelta(minutes=5),
            distance_m=2000.0,
            gap_m=0.0,
            modes=(ModeProbability(mode=first, probability=0.7), *doubts),
            mode_source=ModeSource.MOTION,
            track=((-1.15, 46.16), (-1.16, 46.17)),
        )

    def trip(index: int) -> Trip:
        start = MONDAY + timedelta(hours=3 * index)
        legs = tuple(
            leg(4 * index + each, start + timedelta(minutes=5 * each)) for each in range(4)
        )
        return Trip(device="telephone", start=start, end=legs[-1].end, triplegs=legs)

    timeline = Timeline(
        device="telephone",
        staypoints=(),
        trips=tuple(trip(index) for index in range(30)),
    )
    with writing(joined.engine) as connection:
        timelines.replace(connection, timeline)


class TestEveryPage:
    @pytest.mark.parametrize("language", ["fr", "en"])
    @pytest.mark.parametrize("address", PAGES_AND_ERRORS)
    def test_it_says_its_language(self, browser, read, language, address) -> None:
        page = read(browser.get(address.format(language)).text)
        html = next(attributes for tag, attributes in page.elements if tag == "html")
        assert html["lang"] == language
        other = "en" if language == "fr" else "fr"
        switch = next(each for _, each in page.elements if each.get("hreflang") == other)
        assert switch["lang"] == other
        assert switch["href"].startswith(f"/{other}/")
        assert browser.get(switch["href"]).status_code in {200, 404}

    @pytest.mark.parametrize("address", PAGES_AND_ERRORS)
    @pytest.mark.usefixtures("asked", "busy")
    def test_it_is_told_in_two_languages(self, browser, read, address) -> None:
        french = read(browser.get(address.format("fr")).text)
        english = read(browser.get(address.format("en")).text)
        assert [tag for tag, _ in french.elements] == [tag for tag, _ in english.elements]
        assert french.text != english.text
        assert not re.search(r"\b(déplacements?|semaine|accord|cycle de vie)\b", english.text)

    @pytest.mark.parametrize("address", PAGES_AND_ERRORS)
    @pytest.mark.usefixtures("asked", "busy")
    def test_it_calls_nobody_else(self, browser, read, address) -> None:
        html = browser.get(address.format("fr")).text
        page = read(html)
        for name in ("src", "href", "action", "srcset", "data", "poster"):
            for value in page.attributes(name):
                assert value.startswith(("/fr/", "/en/", "/static/", "#")), value
        assert "http://" not in html.replace("http://www.w3.org", "")
        assert "https://" not in html
        assert "<script" not in html
        assert " style=" not in html

    @pytest.mark.parametrize("address", PAGES)
    @pytest.mark.usefixtures("asked", "busy")
    def test_it_keeps_its_budget(self, browser, give, read, address) -> None:
        give()
        html = browser.get(address.format("fr")).text
        assert len(read(html).elements) <= 300
        assert len(gzip.compress(html.encode())) <= 30_000

    @pytest.mark.parametrize("address", PAGES)
    def test_it_has_one_heading_and_a_way_past_the_menu(self, browser, read, address) -> None:
        page = read(browser.get(address.format("fr")).text)
        tags = [tag for tag, _ in page.elements]
        assert tags.count("h1") == tags.count("main") == 1
        identifiers = page.attributes("id")
        assert len(identifiers) == len(set(identifiers))
        for name in ("aria-labelledby", "for"):
            for value in page.attributes(name):
                assert set(value.split()) <= set(identifiers)
        assert "#content" in page.attributes("href")

    def test_the_sheet_is_ours_and_calls_nobody(self, stranger) -> None:
        sheet = stranger.get("/static/style.css")
        assert sheet.status_code == 200
        assert "url(" not in sheet.text
        assert "@import" not in sheet.text

    @pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/"])
    def test_nothing_else_than_the_sheet_is_given_out(self, stranger, path) -> None:
        answer = stranger.get(path, follow_redirects=True)
        assert answer.status_code == 404
        assert "create_app" not in answer.text


class TestWeek:
    def test_it_opens_on_the_week_of_the_newest_trip(self, browser, joined, travel, read) -> None:
        travel(joined, {CAR: 10.0}, at=MONDAY)
        assert "Semaine du 9 au 15 novembre 2026" in read(browser.get("/fr/").text).text

    def test_it_opens_on_this_week_without_trips(self, browser, read) -> None:
        page = read(browser.get("/fr/").text)
        assert "Semaine du 16 au 22 novembre 2026" in page.text
        assert "Aucun déplacement enregistré" in page.text

    def test_it_shows_the_footprint_of_the_week_with_its_interval(
        self, browser, joined, travel, read
    ) -> None:
        travel(joined, {TransportMode.CAR_PETROL: 100.0}, at=MONDAY)
        page = read(browser.get("/fr/weeks/2026-W46").text)
        # Base Carbone: 0.223 kgCO2e per km, life cycle; 100 km.
        assert "22,3 kgCO₂e entre" in page.text
        assert "100,0 km déplacements : 1" in page.text

    def test_a_trip_of_the_next_week_is_not_shown(self, browser, joined, travel, read) -> None:
        travel(joined, {CAR: 10.0}, at=week_period("2026-W46").end)
        assert "Aucun déplacement" in read(browser.get("/fr/weeks/2026-W46").text).text
        assert "Aucun déplacement" not in read(browser.get("/fr/weeks/2026-W47").text).text

    def test_it_leads_to_the_weeks_before_and_after(self, browser, read) -> None:
        hrefs = read(browser.get("/fr/weeks/2026-W53").text).attributes("href")
        assert "/fr/weeks/2026-W52" in hrefs
        assert "/fr/weeks/2027-W01" in hrefs

    @pytest.mark.usefixtures("busy")
    def test_each_mode_has_its_name_and_how_sure_it_is(self, browser, read) -> None:
        page = read(browser.get("/en/weeks/2026-W46").text)
        assert "on foot 2.0 km (71%)" in page.text  # running counts with it
        assert "bike 2.0 km (72%)" in page.text  # e-bike and scooter too

    @pytest.mark.usefixtures("busy")
    def test_a_thirty_first_trip_is_counted_and_not_shown(self, browser, joined, read) -> None:
        with reading(joined.engine) as connection:
            kept = [each.trip for each in trips.between(connection)]
        last = kept[0]
        shift = timedelta(hours=3 * 30)
        legs = tuple(
            type(leg)(
                start=leg.start + shift,
                end=leg.end + shift,
                distance_m=leg.distance_m,
                gap_m=leg.gap_m,
                modes=leg.modes,
                mode_source=leg.mode_source,
                track=leg.track,
            )
            for leg in last.triplegs
        )
        more = Trip(
            device=last.device, start=last.start + shift, end=last.end + shift, triplegs=legs
        )
        timeline = Timeline(device=last.device, staypoints=(), trips=(*kept, more))
        with writing(joined.engine) as connection:
            timelines.replace(connection, timeline)
        page = read(browser.get("/fr/weeks/2026-W46").text)
        assert "Non affichés ici : 1." in page.text

    @pytest.mark.parametrize(
        "week",
        ["2026-W54", "2026-W00", "2025-W53", "nonsense", "2026-W4", "1999-W01", "9999-W52", "0"],
    )
    def test_a_week_that_is_none_is_not_found(self, browser, read, week) -> None:
        answer = browser.get(f"/fr/weeks/{week}")
        assert answer.status_code == 404
        assert "Une semaine s'écrit comme 2026-W47." in read(answer.text).text

    def test_a_language_that_is_not_spoken_is_not_found(self, browser) -> None:
        assert browser.get("/de/").status_code == 404
        assert browser.get("/de/weeks/2026-W46").status_code == 404

    def test_a_week_before_the_factors_says_why_there_is_no_figure(
        self, browser, joined, travel, read
    ) -> None:
        travel(joined, {CAR: 10.0}, at=week_period("2004-W20").start)
        answer = browser.get("/fr/weeks/2004-W20")
        assert answer.status_code == 409
        assert "de 2010 à 2027" in read(answer.text).text

    def test_positions_sent_by_a_phone_show_up(self, browser, joined, outing, read) -> None:
        fixes = [
            Positionfix(at=at, lon=lon, lat=lat, source=SourceFormat.OWNTRACKS_LIVE, device="phone")
            for at, lon, lat in outing().points
        ]
        with writing(joined.engine) as connection:
            add_fixes(connection, fixes, received_at=joined.clock.now())
        assert "Aucun déplacement" not in read(browser.get("/fr/weeks/2026-W46").text).text

    def test_a_hostile_device_name_reaches_no_page(self, browser, joined, tmp_path, outing) -> None:
        file = tmp_path / "hostile.gpx"
        name = "&lt;script&gt;alert(1)&lt;/script&gt;"
        file.write_text(outing().gpx(name))
        importing.run_once(joined.engine, file, clock=joined.clock)
        pipeline.run_once(joined.engine)
        for address in PAGES:
            html = browser.get(address.format("fr")).text
            assert "<script" not in html
            assert "alert(1)" not in html or "&lt;script&gt;" in html


@pytest.mark.parametrize("path", ["/fr/", "/fr/login", "/fr/devices", "/healthz", "/fr/nothing"])
def test_head_answers_as_get_without_its_body(browser, path) -> None:
    whole, head = browser.get(path), browser.head(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert head.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/gpslogger", "/traccar", "/pub", "/overland"])
def test_head_brings_nothing_through_a_live_door(stranger, path) -> None:
    assert stranger.head(path).status_code == 405
