"""The pages about days, trips, corrections and places: what they show, take and give back."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from carbon.modes import TransportMode
from personal_store.db import communes, devices, places, timelines, trips
from personal_store.db.connection import reading, writing
from personal_store.trips.timeline import (
    Gap,
    GapKind,
    ModeProbability,
    ModeSource,
    Staypoint,
    Timeline,
    Trip,
    Tripleg,
)
from personal_store.zones import Zone

CAR, BIKE = TransportMode.CAR, TransportMode.BIKE


@pytest.fixture
def travelled(joined, travel):
    """Return the name of a trip of two legs, by car and then by bike."""
    travel(joined, {CAR: 10.0, BIKE: 2.0})
    with reading(joined.engine) as connection:
        return trips.between(connection)[0].trip_id


def held(store):
    with reading(store.engine) as connection:
        return [each.trip for each in trips.between(connection)]


def say(browser, trip_id, **fields):
    return browser.post(f"/fr/trips/{trip_id}", data=fields)


@pytest.mark.parametrize("address", ["days/2026-11-09", "trips/x", "corrections", "places"])
def test_a_stranger_sees_none_of_them(stranger, address) -> None:
    answer = stranger.get(f"/fr/{address}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/fr/login")


def test_a_stranger_corrects_nothing(stranger, joined, travelled) -> None:
    before = held(joined)
    assert say(stranger, travelled, what="hide").headers["location"] == "/fr/login"
    assert held(joined) == before


def test_a_day_tells_its_trips_and_links_to_them(browser, travelled, read) -> None:
    page = read(browser.get("/fr/days/2026-11-09").text)
    assert "lundi 9 novembre 2026" in page.text
    assert "Déplacement, 12,0 km" in page.text
    assert f"/fr/trips/{travelled}" in page.attributes("href")


def test_a_trip_shows_its_device_under_the_name_it_has_now(
    browser, joined, travelled, read
) -> None:
    device = held(joined)[0].device
    with writing(joined.engine) as connection:
        devices.authorise(
            connection,
            device=device,
            token="token",
            door="door",
            encryption_key=None,
            at=joined.clock.now(),
        )
    assert f"Appareil : {device}" in read(browser.get(f"/fr/trips/{travelled}").text).text
    browser.post("/fr/devices/rename", data={"device": device, "name": "Vélo cargo"})
    assert "Appareil : Vélo cargo" in read(browser.get(f"/fr/trips/{travelled}").text).text


def test_a_day_says_what_is_not_known(browser, joined, travel, read) -> None:
    travel(joined, {CAR: 1.0})
    earlier = held(joined)[0]
    stay = Staypoint(
        start=earlier.start - timedelta(hours=3),
        end=earlier.start - timedelta(hours=2),
        lon=-1.15,
        lat=46.16,
        radius_m=5.0,
    )
    timeline = Timeline(device="telephone", staypoints=(stay,), trips=(earlier,))
    with writing(joined.engine) as connection:
        timelines.replace(connection, timeline)
    text = read(browser.get("/fr/days/2026-11-09").text).text
    assert text.index("Sur place") < text.index("Rien d'enregistré") < text.index("Déplacement,")


SILENCES = {
    GapKind.STAY: "Aucune position de 06:23 à 08:13 : sans doute resté sur place.",
    GapKind.MOVEMENT: (
        "Aucune position de 08:23 à 08:37 : déplacement probable, 3,2 km à vol d'oiseau."
    ),
    GapKind.ABSENCE: "Aucune position de 08:13 à 08:23 ; retrouvé à 3,2 km de là.",
}


@pytest.mark.parametrize("kind", GapKind)
def test_a_day_names_each_silence_for_what_it_most_likely_was(
    browser, joined, kind: GapKind, read
) -> None:
    morning = datetime(2026, 11, 9, 5, 23, tzinfo=UTC)
    left, arrived = morning + timedelta(minutes=120), morning + timedelta(minutes=140)
    leg = Tripleg(
        start=left,
        end=arrived,
        distance_m=5000.0,
        gap_m=3200.0,
        modes=(ModeProbability(mode=CAR, probability=1.0),),
        mode_source=ModeSource.MOTION,
        track=((-1.15, 46.16), (-1.11, 46.16)),
    )
    last = morning + timedelta(minutes=110)
    stay = Staypoint(start=morning, end=last, lon=-1.15, lat=46.16, radius_m=5.0)
    start, end = {
        GapKind.STAY: (morning, last),
        GapKind.MOVEMENT: (left, left + timedelta(minutes=14)),
        GapKind.ABSENCE: (last, left),
    }[kind]
    timeline = Timeline(
        device="telephone",
        staypoints=(stay,),
        trips=(Trip(device="telephone", start=left, end=arrived, triplegs=(leg,)),),
        gaps=(Gap(kind=kind, start=start, end=end, displacement_m=3200.0),),
    )
    with writing(joined.engine) as connection:
        timelines.replace(connection, timeline)
    text = read(browser.get("/fr/days/2026-11-09").text).text
    assert [said in text for said in SILENCES.values()] == [each is kind for each in SILENCES]


@pytest.mark.parametrize(("day", "week"), [("2026-11-15", "2026-W46"), ("2027-01-03", "2026-W53")])
def test_a_day_leads_back_to_its_week(browser, read, day, week) -> None:
    links = read(browser.get(f"/fr/days/{day}").text).attributes("href")
    assert f"/fr/weeks/{week}" in links
    assert browser.get(f"/fr/weeks/{week}").status_code == 200


def test_a_day_that_is_none_is_not_found(browser) -> None:
    assert browser.get("/fr/days/2026-02-31").status_code == 404


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "2201-01-01", "9999-12-31"])
def test_a_day_that_no_trip_can_have_is_not_found(browser, day) -> None:
    assert browser.get(f"/fr/days/{day}").status_code == 404


@pytest.mark.parametrize("day", ["1900-01-01", "2200-12-31"])
def test_the_first_and_the_last_day_have_a_page(browser, day) -> None:
    assert browser.get(f"/fr/days/{day}").status_code == 200


def test_a_trip_says_how_sure_each_leg_is_and_why(browser, travelled, read) -> None:
    page = read(browser.get(f"/fr/trips/{travelled}").text)
    assert "vous l'avez dit" in page.text
    assert "voiture" in page.text


@pytest.mark.parametrize("name", ["nonsense", "20200101-0000-abcdef", "20269999-0000-abcdef"])
def test_a_trip_that_is_none_is_not_found(browser, name) -> None:
    assert browser.get(f"/fr/trips/{name}").status_code == 404


def test_a_mode_is_corrected_for_its_leg_alone(browser, joined, travelled) -> None:
    answer = say(browser, travelled, what="mode", leg="0", value="bus")
    assert answer.headers["location"] == f"/fr/trips/{travelled}"
    modes = [leg.mode.mode for leg in held(joined)[0].triplegs]
    assert modes == [TransportMode.BUS, BIKE]


def test_a_habit_is_kept_and_taken_back(browser, travelled, read) -> None:
    say(browser, travelled, what="mode", leg="0", value="bus", habit="true")
    page = browser.get("/fr/corrections").text
    assert "Mes habitudes" in read(page).text
    habit = re.search(r'name="habit" value="(\d+)"', page)
    assert habit is not None
    browser.post("/fr/corrections/undo", data={"habit": habit[1]})
    assert "Mes habitudes" not in read(browser.get("/fr/corrections").text).text


def test_a_habit_that_a_leg_cannot_keep_is_said_not_to_be_kept(browser, travelled, read) -> None:
    answer = say(browser, travelled, what="mode", leg="1", value="bus", habit="true")
    page = read(browser.get(answer.headers["location"]).text)
    assert "aucune habitude n'en est tirée" in page.text
    assert "Mes habitudes" not in read(browser.get("/fr/corrections").text).text


def test_people_in_the_car_are_kept(browser, joined, travelled) -> None:
    say(browser, travelled, what="occupants", leg="0", value="3")
    assert [leg.occupants for leg in held(joined)[0].triplegs] == [3, None]


def test_words_are_shown_as_words(browser, travelled, read) -> None:
    say(browser, travelled, what="words", value="<b>marché</b>", note="il pleuvait")
    html = browser.get(f"/fr/trips/{travelled}").text
    assert "<b>marché" not in html
    assert "il pleuvait" in read(html).text


def test_a_trip_is_split_at_a_local_time(browser, joined, travelled) -> None:
    start = held(joined)[0].start
    say(browser, travelled, what="split", value="08:10")
    assert [each.start - start for each in held(joined)] == [timedelta(0), timedelta(minutes=10)]


def test_legs_are_joined(browser, joined, travelled) -> None:
    say(browser, travelled, what="merge-legs", leg="0")
    assert [leg.distance_m for leg in held(joined)[0].triplegs] == [12_000.0]


def test_split_trips_are_joined_again(browser, joined, travelled) -> None:
    say(browser, travelled, what="split", value="08:10")
    say(browser, travelled, what="merge-trips")
    assert len(held(joined)) == 1


def test_a_hidden_trip_is_gone_and_comes_back(browser, joined, travelled) -> None:
    assert say(browser, travelled, what="hide").headers["location"] == "/fr/days/2026-11-09"
    assert held(joined) == []
    assert browser.get(f"/fr/trips/{travelled}").status_code == 404
    number = re.search(r'name="correction" value="(\d+)"', browser.get("/fr/corrections").text)
    assert number is not None
    browser.post("/fr/corrections/undo", data={"correction": number[1]})
    assert len(held(joined)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"what": "mode", "value": "broom"},
        {"what": "mode", "leg": "9", "value": "bus"},
        {"what": "occupants", "value": "many"},
        {"what": "split", "value": "25:99"},
        {"what": "split", "value": "03:00"},
        {"what": "merge-trips"},
        {"what": "merge-legs", "leg": "1"},
        {"what": "nonsense"},
    ],
    ids=lambda fields: "-".join(fields.values()),
)
def test_what_does_not_fit_is_refused_in_words(browser, joined, travelled, read, fields) -> None:
    before = held(joined)
    answer = say(browser, travelled, **fields)
    assert answer.status_code == 409
    assert "rien n'a été changé" in read(answer.text).text
    assert held(joined) == before


@pytest.fixture
def at_home(joined, travel):
    """Spend five nights where a trip starts; return the trip's name."""
    travel(joined, {CAR: 10.0, BIKE: 2.0})
    trip = held(joined)[0]
    nights = tuple(
        Staypoint(
            start=trip.start + timedelta(days=day, hours=13),
            end=trip.start + timedelta(days=day, hours=23),
            lon=-1.15,
            lat=46.16,
            radius_m=5.0,
        )
        for day in range(5)
    )
    timeline = Timeline(device="telephone", staypoints=nights, trips=(trip,))
    with writing(joined.engine) as connection:
        timelines.replace(connection, timeline)
        return trips.between(connection)[0].trip_id


@pytest.mark.usefixtures("at_home")
class TestPlaces:
    """Home is proposed, and is only what the resident confirms."""

    def test_home_is_proposed_from_its_nights(self, browser, joined, read) -> None:
        assert "Est-ce votre domicile ?" in read(browser.get("/fr/places").text).text
        with reading(joined.engine) as connection:
            assert places.every(connection) == []

    def test_a_confirmed_home_names_its_stays(self, browser, read) -> None:
        browser.post("/fr/places/confirm", data={"kind": "home", "name": "Chez nous"})
        assert "Chez nous" in read(browser.get("/fr/days/2026-11-10").text).text
        assert "Est-ce votre" not in read(browser.get("/fr/places").text).text

    def test_a_hidden_home_is_named_nowhere(self, browser, read) -> None:
        data = {"kind": "home", "name": "Chez nous", "hidden": "true"}
        browser.post("/fr/places/confirm", data=data)
        for address in ("days/2026-11-10", "places"):
            assert "Chez nous" not in read(browser.get(f"/fr/{address}").text).text

    def test_a_zone_takes_the_track_off_the_page(self, browser, at_home, read) -> None:
        assert "<path" in browser.get(f"/fr/trips/{at_home}").text
        data = {"kind": "home", "name": "Chez nous", "radius_m": "5000"}
        browser.post("/fr/places/confirm", data=data)
        html = browser.get(f"/fr/trips/{at_home}").text
        assert "<path" not in html
        assert "zone de confidentialité" in read(html).text

    def test_a_confirmed_place_is_renamed_then_hidden(self, browser, joined, read) -> None:
        browser.post("/fr/places/confirm", data={"kind": "home", "name": "Chez nous"})
        with reading(joined.engine) as connection:
            number = str(places.every(connection)[0].number)
        browser.post("/fr/places/rename", data={"place": number, "name": "La maison"})
        assert "La maison" in read(browser.get("/fr/days/2026-11-10").text).text
        browser.post("/fr/places/rename", data={"place": number, "name": "x", "hidden": "true"})
        day = read(browser.get("/fr/days/2026-11-10").text).text
        assert "La maison" not in day
        assert "Est-ce votre" not in read(browser.get("/fr/places").text).text

    def test_a_place_is_forgotten(self, browser, joined) -> None:
        browser.post("/fr/places/confirm", data={"kind": "home", "name": "Chez nous"})
        with reading(joined.engine) as connection:
            number = places.every(connection)[0].number
        browser.post("/fr/places/forget", data={"place": str(number)})
        with reading(joined.engine) as connection:
            assert places.every(connection) == []


@pytest.mark.parametrize("address", ["days/2026-11-09", "trips/{}", "corrections", "places"])
def test_each_is_told_in_two_languages(browser, travelled, read, address) -> None:
    say(browser, travelled, what="mode", leg="0", value="bus", habit="true")
    pages = [
        read(browser.get(f"/{each}/{address.format(travelled)}").text) for each in ("fr", "en")
    ]
    assert [tag for tag, _ in pages[0].elements] == [tag for tag, _ in pages[1].elements]
    assert not re.search(r"\b(déplacement|étape|lieux|corriger)\b", pages[1].text.lower())


def test_the_source_of_a_corrected_leg_is_the_resident(browser, joined, travelled) -> None:
    say(browser, travelled, what="mode", leg="1", value="tram")
    assert held(joined)[0].triplegs[1].mode_source is ModeSource.RESIDENT


class TestCommune:
    """The zone used for sharing is what the resident confirms."""

    @pytest.fixture(autouse=True)
    def alone(self, joined) -> None:
        """Leave the cooperative that the other tests are members of."""
        with writing(joined.engine) as connection:
            connection.exec_driver_sql("DELETE FROM membership")

    def test_the_commune_that_is_confirmed_comes_back_in_its_form(
        self, browser, joined, read
    ) -> None:
        browser.post("/fr/places/commune", data={"code": " 17300 ", "name": "La Rochelle"})
        with reading(joined.engine) as connection:
            assert communes.confirmed(connection) == Zone(code="17300", name="La Rochelle")
        assert {"17300", "La Rochelle"} <= set(
            read(browser.get("/fr/places").text).attributes("value")
        )

    def test_the_last_one_counts(self, browser, joined) -> None:
        for code in ("17300", "17028"):
            browser.post("/fr/places/commune", data={"code": code})
        with reading(joined.engine) as connection:
            assert communes.confirmed(connection) == Zone(code="17028", name="17028")

    def test_what_is_no_code_is_refused_in_words_and_kept_nowhere(self, browser, joined) -> None:
        answer = browser.post("/fr/places/commune", data={"code": "La Rochelle"})
        assert answer.status_code == 400
        assert "code officiel" in answer.text
        with reading(joined.engine) as connection:
            assert communes.confirmed(connection) is None


def test_a_member_sees_from_which_commune_they_share(browser, read) -> None:
    page = read(browser.get("/fr/places").text)
    assert "Vous avez adhéré depuis la commune" in page.text
    assert "/fr/places/commune" not in page.attributes("action")
