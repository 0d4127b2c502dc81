"""The page of the yearly budget: its weeks, its comparisons, its what-if, and what it refuses."""

import gzip
import re
from datetime import timedelta

import pytest

from carbon.comparators import load_comparators
from carbon.factors import load_factor_set
from carbon.modes import TransportMode
from contributions.weeks import week_of, week_period
from personal_store import vocabulary
from personal_store.db import timelines, trips
from personal_store.db.connection import reading, writing
from personal_store.trips.timeline import ModeProbability, ModeSource, Timeline, Trip, Tripleg
from personal_store.web.budget_contexts import Question, budget_page
from personal_store.whatif import effect_of, scenario_of

PETROL = TransportMode.CAR_PETROL
MONDAY = week_period("2026-W46").start + timedelta(hours=8)
ASKED = "&instead_of=car&under_km=150&by="


@pytest.fixture
def year(joined):
    """Return a function that gives the page of 2026 for a budget."""

    def year(budget_kg: float = 2000.0):
        return budget_page(joined, 2026, budget_kg=budget_kg, question=Question())

    return year


@pytest.fixture
def driven(joined, travel) -> None:
    """Drive 100 km of petrol in one week: 22.3 kg, life cycle, by Base Carbone."""
    travel(joined, {PETROL: 100.0}, at=MONDAY)


def drive_each(store, starts) -> None:
    """Drive 100 km of petrol at each of these times, and at no other."""
    with writing(store.engine) as connection:
        held = tuple(_trip(start) for start in starts)
        timelines.replace(connection, Timeline(device="telephone", staypoints=(), trips=held))


def _trip(start) -> Trip:
    leg = Tripleg(
        start=start,
        end=start + timedelta(hours=1),
        distance_m=100_000.0,
        gap_m=0.0,
        modes=(ModeProbability(mode=PETROL, probability=1.0),),
        mode_source=ModeSource.RESIDENT,
        track=((-1.15, 46.16), (-1.16, 46.17)),
    )
    return Trip(device="telephone", start=leg.start, end=leg.end, triplegs=(leg,))


def test_a_stranger_sees_nothing_of_it(stranger) -> None:
    answer = stranger.get("/fr/budget?year=2026")
    assert (answer.status_code, answer.headers["location"]) == (303, "/fr/login")


def test_a_year_without_trips_says_so(browser, read) -> None:
    page = read(browser.get("/fr/budget").text)
    assert "Mon budget carbone 2026" in page.text
    assert "Aucun déplacement enregistré cette année" in page.text


@pytest.mark.usefixtures("driven")
def test_the_week_leads_to_its_year(browser, read) -> None:
    hrefs = read(browser.get("/en/weeks/2026-W46").text).attributes("href")
    assert "/en/budget?year=2026" in hrefs


@pytest.mark.usefixtures("driven")
def test_the_total_comes_with_its_interval_beside_its_share_of_the_budget(browser, read) -> None:
    page = read(browser.get("/fr/budget?year=2026&budget_kg=1461").text)
    # 0.223 kg a km with 60 % each way at most; 1461 kg a year are 28 a week, 46 weeks 1288.
    assert re.search(r"22 kgCO₂e entre \d+ et \d+", page.text)
    assert "1 288 kgCO₂e soit 28,0 par semaine" in page.text
    assert "Semaines sans déplacement enregistré : 45." in page.text


@pytest.mark.usefixtures("driven")
def test_the_usual_budget_says_that_it_is_for_more_than_travel(browser, read) -> None:
    usual = read(browser.get("/fr/budget").text)
    assert "deux tonnes, qui valent pour tout" in usual.text
    own = read(browser.get("/fr/budget?budget_kg=700").text)
    assert "deux tonnes, qui valent pour tout" not in own.text
    assert "700" in own.attributes("value")


@pytest.mark.usefixtures("driven")
@pytest.mark.parametrize(
    ("budget_kg", "said"),
    [("1", "Au-dessus du budget"), ("100000", "Sous le budget"), ("25", "ne permet pas de dire")],
)
def test_the_verdict_waits_for_the_whole_interval(browser, read, budget_kg, said) -> None:
    assert said in read(browser.get(f"/fr/budget?budget_kg={budget_kg}").text).text


@pytest.mark.usefixtures("driven")
def test_weeks_share_the_error_of_their_factor(joined, year) -> None:
    one = year().total.life_cycle
    drive_each(joined, [MONDAY - timedelta(days=7), MONDAY])
    page = year()
    assert [each.week for each in page.weeks] == ["2026-W45", "2026-W46"]
    two = page.total.life_cycle
    assert two.value == pytest.approx(2 * one.value)
    # Independent errors would shrink the relative width by the root of two.
    assert two.high - two.low > 1.9 * (one.high - one.low)


@pytest.mark.usefixtures("driven")
def test_a_line_under_every_bar_is_a_small_budget(year) -> None:
    small, large = year(10.0).chart, year(100_000.0).chart
    assert small.budget_y > large.budget_y
    assert large.top_kg == pytest.approx(100_000 * 7 / 365.25)


def test_a_year_of_53_weeks_ends_with_its_last(year, joined) -> None:
    assert year().chart.last_week == "2026-W53"
    shorter = budget_page(joined, 2025, budget_kg=2000.0, question=Question())
    assert shorter.chart.last_week == "2025-W52"


@pytest.mark.usefixtures("driven")
def test_a_drawing_of_a_year_names_its_ends_without_codes(browser, read) -> None:
    said = read(browser.get("/fr/budget?year=2026").text).text
    assert "semaine 1 semaine 53" in said
    assert "-W" not in said


@pytest.mark.usefixtures("driven")
def test_comparators_say_what_one_side_alone_counts(browser, read) -> None:
    page = read(browser.get("/fr/budget").text)
    assert "Mobilité moyenne en France : 1 450 kgCO₂e par an." in page.text
    assert "Compté chez eux seulement : les traînées des avions." in page.text
    assert "Tout ce qu'une personne consomme, pas seulement sa mobilité" in page.text


@pytest.mark.usefixtures("driven")
def test_sources_are_named_in_the_language_of_the_page(browser, read) -> None:
    french, english = (
        read(browser.get(f"/{lang}/budget?year=2026").text).text for lang in ("fr", "en")
    )
    assert "Source : SDES, enquête Mobilité des personnes 2019." in french
    assert "Source: SDES, survey of personal mobility 2019." in english
    for source in vocabulary.COMPARATOR_SOURCES.values():
        assert source in french
        assert source not in english


def test_every_comparator_shown_has_a_source_in_french() -> None:
    assert vocabulary.COMPARATOR_SOURCES.keys() == vocabulary.COMPARATOR_NAMES.keys()


def test_no_link_leads_beyond_the_year_under_way(browser, joined) -> None:
    now = int(week_of(joined.clock.now())[:4])
    assert f"year={now + 1}" not in browser.get(f"/fr/budget?year={now}").text
    assert f"year={now}" in browser.get(f"/fr/budget?year={now - 1}").text
    assert "year=1999" not in browser.get("/fr/budget?year=2000").text


def test_what_is_held_against_is_about_whole_persons() -> None:
    known = load_comparators()
    assert set(vocabulary.COMPARATOR_NAMES) == {
        id_
        for id_, each in known.items()
        if each.subject in {"mobility", "local mobility", "everything that a person consumes"}
    }


@pytest.mark.usefixtures("driven")
@pytest.mark.parametrize("by", ["bike", "train", "carpool"])
def test_travelling_otherwise_shows_a_difference_with_its_interval(browser, read, by) -> None:
    page = read(browser.get(f"/fr/budget?year=2026{ASKED}{by}").text)
    found = re.search(r"(-[\d,]+) kgCO₂e, entre (-[\d,]+) et (-[\d,]+)", page.text)
    assert found is not None
    value, low, high = (float(each.replace(",", ".")) for each in found.groups())
    assert low < value < high < 0


def test_the_page_asks_the_same_function_as_the_terminal(browser, joined, travel, read) -> None:
    travel(joined, {PETROL: 4.0}, at=MONDAY)
    with reading(joined.engine) as connection:
        held = [each.trip for each in trips.between(connection)]
    short = scenario_of(next(name for name in vocabulary.SCENARIO_NAMES if "bike" in name.value))
    change = effect_of(held, short, load_factor_set()).difference.life_cycle
    page = read(browser.get("/en/budget?instead_of=car&under_km=5&by=bike").text)
    shown = f"{change.value:.1f} kgCO₂e, between {change.low:.1f} and {change.high:.1f}"
    assert shown in page.text


@pytest.mark.usefixtures("driven")
def test_a_question_that_reaches_nothing_says_so(browser, read) -> None:
    page = read(browser.get("/fr/budget?instead_of=plane&under_km=500&by=train").text)
    assert "Aucune étape de cette année n'est concernée." in page.text


@pytest.mark.usefixtures("driven")
def test_no_price_is_on_the_page(browser, read) -> None:
    page = read(browser.get(f"/fr/budget?year=2026{ASKED}bike").text)
    assert "€" not in page.text
    assert "Aucun prix n'est inventé" in page.text


@pytest.mark.usefixtures("driven")
@pytest.mark.parametrize(
    "query",
    [
        "year=0",
        "year=9999",
        "budget_kg=0",
        "budget_kg=nan",
        "budget_kg=inf",
        "under_km=0&by=bike",
        "under_km=nan&by=bike",
        "by=rocket",
        "instead_of=walk&by=bike",
        "instead_of=broom",
    ],
)
def test_what_no_form_sends_is_refused_without_a_traceback(browser, query) -> None:
    answer = browser.get(f"/fr/budget?{query}")
    assert answer.status_code == 400
    assert answer.text.startswith("Demande mal formée.")


def test_a_year_before_the_factors_says_why_there_is_no_figure(
    browser, joined, travel, read
) -> None:
    travel(joined, {PETROL: 10.0}, at=week_period("2004-W20").start)
    answer = browser.get("/fr/budget?year=2004")
    assert answer.status_code == 409
    assert "de 2010 à 2027" in read(answer.text).text


def test_a_whole_year_keeps_the_budget_of_a_page(browser, joined, read) -> None:
    start = week_period("2026-W01").start + timedelta(days=1)
    drive_each(joined, [start + timedelta(days=7 * week) for week in range(53)])
    html = browser.get(f"/fr/budget?year=2026{ASKED}bike").text
    page = read(html)
    assert sum(tag == "tr" for tag, _ in page.elements) == 53
    assert len(page.elements) <= 300
    assert len(gzip.compress(html.encode())) <= 30_000
