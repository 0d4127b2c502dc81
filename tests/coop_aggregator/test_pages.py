"""Pages: in the reader's language, light, readable by all, with nothing from elsewhere."""

import gzip
import itertools
from html.parser import HTMLParser

import pytest

from consents.tlog.checkpoint import read_checkpoint
from consents.tlog.witness import AddCheckpoint
from coop_aggregator.app import STATIC
from coop_aggregator.asking.purposes import DEFAULT_MEASURES
from coop_aggregator.asking.questions import Question, draft_task, sign_draft
from coop_aggregator.asking.territory import read_territory
from coop_aggregator.db.log import Cosignature, add_cosignature
from coop_aggregator.db.questions import purpose_digests
from coop_aggregator.db.territories import replace_territory
from coop_aggregator.settings import Settings

MAX_NODES = 300
MAX_BYTES_GZIPPED = 30_000


class Page(HTMLParser):
    """What a test asks of a page: its elements, texts and links."""

    def __init__(self, html):
        super().__init__()
        self.elements = []
        self.texts = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def released(light_coop):
    for zone in "AAB":
        light_coop.resident(zone).send_report([40, 90, 3, 900, 120, 60, -80, 2])
    light_coop.release()
    return light_coop


PATHS = [
    "/fr/",
    "/en/",
    "/fr/protection",
    "/en/protection",
    "/fr/publications/2026-W46",
    "/en/publications/2026-W46",
    "/fr/publications/2026-W46/zones/kilometres/car",
    "/en/publications/2026-W46/zones/kilometres/walk",
]


@pytest.fixture(params=PATHS)
def page(request, client):
    request.getfixturevalue("released")
    answer = client.get(request.param)
    assert answer.status_code == 200
    return request.param, Page(answer.text), answer


def test_a_page_says_its_language(page):
    path, parsed, answer = page
    assert parsed.all("html")[0]["lang"] == path[1:3]
    assert answer.headers["content-language"] == path[1:3]


def test_a_page_has_one_title_and_one_main_heading(page):
    _path, parsed, _answer = page
    assert len(parsed.all("h1")) == len(parsed.all("title")) - len(parsed.all("svg")) == 1


def test_headings_go_down_one_level_at_a_time(page):
    _path, parsed, _answer = page
    levels = [int(tag[1]) for tag, _ in parsed.elements if tag in {"h1", "h2", "h3", "h4"}]
    assert all(below - above <= 1 for above, below in itertools.pairwise(levels))


def test_a_page_begins_with_a_link_to_its_content(page):
    _path, parsed, _answer = page
    target = next(link["href"] for link in parsed.all("a"))
    assert target == "#contenu"
    assert [main["id"] for main in parsed.all("main")] == ["contenu"]


def test_a_page_leads_to_itself_in_the_other_language(page, client):
    path, parsed, _answer = page
    other = "/en" if path.startswith("/fr") else "/fr"
    (link,) = [link for link in parsed.all("a") if "hreflang" in link]
    assert link["href"] == other + path[3:]
    assert client.get(link["href"]).status_code == 200


def test_a_page_asks_nothing_of_anybody_else(page):
    _path, parsed, _answer = page
    addresses = [
        value
        for _tag, attributes in parsed.elements
        for name, value in attributes.items()
        if name in {"href", "src", "action", "data", "poster", "srcset"}
    ]
    assert [address for address in addresses if not address.startswith(("/", "#"))] == []
    assert not [address for address in addresses if address.startswith("//")]


def test_a_page_has_no_script_and_no_inline_style(page):
    _path, parsed, _answer = page
    assert not parsed.all("script") + parsed.all("style")
    assert not [a for _tag, a in parsed.elements if "style" in a or any(n[:2] == "on" for n in a)]


def test_every_drawing_has_a_name_and_a_table_beside_it(page):
    _path, parsed, _answer = page
    for drawing in parsed.all("svg"):
        assert drawing["role"] == "img"
        named = drawing["aria-labelledby"].split()
        assert {t.get("id") for t in parsed.all("title") + parsed.all("desc")} >= set(named)
        assert parsed.all("table")


def test_every_table_has_a_caption_and_scoped_headers(page):
    _path, parsed, _answer = page
    assert len(parsed.all("caption")) == len(parsed.all("table"))
    assert all(header.get("scope") in {"row", "col"} for header in parsed.all("th"))


def test_links_on_a_page_lead_somewhere(page, client):
    _path, parsed, _answer = page
    for link in parsed.all("a"):
        if link["href"].startswith("/"):
            assert client.get(link["href"]).status_code == 200, link["href"]


def test_ids_are_unique(page):
    _path, parsed, _answer = page
    ids = [a["id"] for _tag, a in parsed.elements if "id" in a]
    assert len(ids) == len(set(ids))


@pytest.mark.usefixtures("released")
def test_the_home_page_says_what_was_found_in_french(client):
    text = client.get("/fr/").text
    assert (
        "«\u00a0En voiture\u00a0» vient en tête\u00a0: 1\u202f215 km sur la semaine pour 3 réponses"
        in text
    )
    assert "du 9 novembre 2026 au 15 novembre 2026" in text


@pytest.mark.usefixtures("released")
def test_the_home_page_says_what_was_found_in_english(client):
    text = Page(client.get("/en/").text).text
    assert "“By car” comes first: 1,215 km over the week for 3 answers" in text


@pytest.mark.usefixtures("released")
def test_a_negative_value_is_shown_as_it_is(client):
    text = Page(client.get("/en/").text).text
    assert "By plane -540 " in text


@pytest.mark.usefixtures("released")
def test_a_release_states_what_it_costs_in_privacy(client):
    text = Page(client.get("/en/publications/2026-W46").text).text
    for fact in ("ε over 52 weeks 208", "one week replaced by any other", "discrete Laplace"):
        assert fact in text


@pytest.mark.usefixtures("released")
def test_a_zone_below_the_minimum_shows_no_figure(client):
    text = Page(client.get("/fr/publications/2026-W46/zones/kilometres/car").text).text
    assert "Zone A non publié" in text  # held back with B: together they are a lawful group
    assert "Zone B non publié" in text
    assert "Zone C non publié" in text


def test_before_the_first_release_the_page_says_so(client):
    assert "Rien n'est encore publié" in Page(client.get("/fr/").text).text


def test_a_week_below_the_minimum_is_said_and_not_drawn(client, light_coop):
    light_coop.resident().send_report()
    light_coop.release()
    page = Page(client.get("/fr/").text)
    assert "Moins de 2 réponses : rien n'est publié" in page.text
    assert not page.all("svg")


def test_noise_that_hides_every_mode_is_admitted(client, light_coop):
    for zone in "AAB":
        light_coop.resident(zone).send_report([1] * 8)
    light_coop.release()
    assert "too large to say what comes first" in Page(client.get("/en/").text).text


@pytest.mark.parametrize(
    "path",
    [
        "/fr/rien",
        "/en/publications/2026-W01",
        "/fr/publications/2026-W46/zones/kilometres/rocket",
        "/fr/publications/%3Cscript%3E",
    ],
)
@pytest.mark.usefixtures("released")
def test_a_missing_page_is_a_page_and_a_404(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert len(Page(answer.text).all("h1")) == 1
    assert "<script>" not in answer.text


@pytest.mark.parametrize(("header", "place"), [("en-GB", "/en/"), ("fr", "/fr/"), ("", "/fr/")])
def test_the_root_leads_to_the_reader_s_language(client, header, place):
    answer = client.get("/", headers={"Accept-Language": header})
    assert (answer.status_code, answer.headers["location"]) == (302, place)
    assert "Accept-Language" in answer.headers["vary"]


@pytest.fixture
def real_territory(make_leader, clock, reference, tmp_path, serve):
    """Return a client of a cooperative with the 28 communes and a published week."""
    settings = Settings(data=tmp_path / "real")
    leader = make_leader(settings)
    path = reference / "geo" / "larochelle_communes_full.geojson"
    with leader.database.write() as connection:
        replace_territory(connection, read_territory(path), now=clock.now())
        task = draft_task(connection, leader.who, Question(week="2026-W46"))
        sign_draft(connection, "2026-W46", leader.keys.task)
        assert purpose_digests(connection)
    return leader, task, serve(leader, settings)


def test_pages_of_28_communes_stay_within_the_budget(real_territory, publish_counts):
    leader, task, client = real_territory
    publish_counts(leader, task, {zone.code: 40 for zone in task.zones})
    style = (STATIC / "style.css").read_bytes()
    assert len(style) <= 6_000
    for path in (*PATHS[:6], "/fr/publications/2026-W46/zones/kilometres/car"):
        html = client.get(path).text
        assert len(Page(html).elements) <= MAX_NODES, path
        assert len(gzip.compress(html.encode())) <= MAX_BYTES_GZIPPED, path


@pytest.fixture
def every_default_measure(make_leader, clock, reference, tmp_path, serve):
    """Return the 28 communes asked about every measure of the default purpose."""
    settings = Settings(data=tmp_path / "many")
    leader = make_leader(settings)
    path = reference / "geo" / "larochelle_communes_full.geojson"
    with leader.database.write() as connection:
        replace_territory(connection, read_territory(path), now=clock.now())
        question = Question(week="2026-W46", measures=DEFAULT_MEASURES)
        task = draft_task(connection, leader.who, question)
        sign_draft(connection, "2026-W46", leader.keys.task)
    return leader, task, serve(leader, settings)


def test_a_page_of_several_measures_has_a_heading_a_unit_and_a_table_for_each(
    every_default_measure, publish_counts
):
    leader, task, client = every_default_measure
    publish_counts(leader, task, {zone.code: 40 for zone in task.zones})
    page = Page(client.get("/en/publications/2026-W46").text)
    for words in (
        "Kilometres by mode",
        "Trips by mode",
        "Emissions by mode",
        "Short trips by car",
        "Minutes walked and cycled",
    ):
        assert words in page.text
    assert {"km", "trips", "kgCO₂e", "min"} <= set(page.text.replace(",", " ").split())
    assert len(page.all("table")) >= len(task.measures)


@pytest.mark.parametrize(
    "path",
    [
        "/fr/",
        "/fr/publications/2026-W46",
        "/fr/publications/2026-W46/zones/kg_co2e/car",
        "/fr/publications/2026-W46/zones/short_car_trips/km_0_3",
    ],
)
def test_a_page_of_several_measures_stays_light(every_default_measure, publish_counts, path):
    leader, task, client = every_default_measure
    publish_counts(leader, task, {zone.code: 40 for zone in task.zones})
    answer = client.get(path)
    assert answer.status_code == 200
    assert len(gzip.compress(answer.content)) <= MAX_BYTES_GZIPPED


def test_a_map_draws_each_commune_and_shades_what_is_published(real_territory, publish_counts):
    leader, task, client = real_territory
    counts = {zone.code: 40 for zone in task.zones} | {"17300": 4, "17028": 5, "17274": 29}
    publish_counts(leader, task, counts)
    page = Page(client.get("/fr/publications/2026-W46/zones/kilometres/car").text)
    shades = [path["class"] for path in page.all("path")]
    assert len(shades) == 28
    assert shades.count("z0") == 3
    assert page.text.count("non publié") >= 3


@pytest.fixture
def stewards(helper, serve, tmp_path):
    """Return a client of the stewards' application."""
    return serve(helper, Settings(data=tmp_path / "stewards"))


@pytest.mark.parametrize("path", ["/fr/", "/en/"])
def test_the_stewards_page_lists_what_they_cosigned(stewards, helper, coop, path):
    with coop.leader.database.read() as connection:
        note = coop.leader.log(connection).checkpoint()
    request = AddCheckpoint(old_size=0, proof=(), checkpoint=note)
    stewards.post("/add-checkpoint", content=request.to_bytes())
    page = Page(stewards.get(path).text)
    assert page.all("html")[0]["lang"] == path[1:3]
    assert read_checkpoint(note).root.hex() in page.text
    assert helper.who.own_vkey in page.text
    assert len(page.elements) <= MAX_NODES


def test_the_stewards_page_says_when_nothing_was_cosigned(stewards):
    assert "Aucun encore." in Page(stewards.get("/fr/").text).text


def test_the_stewards_serve_no_statistics(stewards):
    assert stewards.get("/fr/protection").status_code == 404
    assert stewards.get("/v1/tasks").status_code == 404


def test_the_protection_page_shows_the_log_and_its_key(client, light_coop):
    page = Page(client.get("/en/protection").text)
    assert light_coop.leader.who.log_vkey in page.text
    assert light_coop.purpose_digest in page.text
    assert "No witness has cosigned it yet." in page.text


SEALED = "deux moitiés scellées, une pour chacun"
BLURRED = "ajoute lui-même à ses totaux"


def test_before_the_first_question_the_protection_page_tells_both_ways_of_hiding(
    make_leader, light_settings, serve
):
    text = Page(serve(make_leader(light_settings)).get("/fr/protection").text).text
    assert (SEALED in text, BLURRED in text) == (True, True)


def test_the_protection_page_promises_no_second_keeper_where_there_is_one_alone(client):
    text = Page(client.get("/fr/protection").text).text
    assert (SEALED in text, BLURRED in text) == (False, True)


def test_the_protection_page_promises_no_noise_at_home_where_two_keepers_add_it(keepers, serve):
    text = Page(serve(keepers.leader).get("/fr/protection").text).text
    assert (SEALED in text, BLURRED in text) == (True, False)


def test_the_protection_page_says_how_much_is_cosigned(client, light_coop):
    with light_coop.leader.database.write() as connection:
        add_cosignature(
            connection,
            Cosignature(size=1, witness="w", line="— w x\n", cosigned_at=light_coop.clock.now()),
        )
    text = Page(client.get("/fr/protection").text).text
    assert "Lignes cosignées par les témoins : 1." in text


@pytest.mark.parametrize("path", ["/fr/", "/en/"])
def test_a_mode_that_may_be_zero_has_no_share_and_a_hollow_bar(client, light_coop, path):
    # Three reports of scale 500 units: of the eight modes, the car alone stands out.
    for zone in "AAB":
        light_coop.resident(zone).send_report([1, 1, 1, 5000, 1, 1, 1, 1])
    light_coop.release()
    page = Page(client.get(path).text)
    drawn = [bar.get("class") for bar in page.all("rect")]
    assert drawn == ["hollow"] * 3 + [None] + ["hollow"] * 4
    assert page.text.count("—") == 7
    assert ("comprend zéro" in page.text) or ("includes zero" in page.text)


@pytest.mark.parametrize(
    "path", ["publications/2026-W46", "publications/2026-W46/zones/kilometres/car"]
)
def test_a_week_below_the_minimum_leads_to_no_map(client, light_coop, path):
    light_coop.resident().send_report()
    light_coop.release()
    page = Page(client.get(f"/fr/{path}").text)
    maps = [link for link in page.all("a") if "/zones/" in link["href"]]
    assert all("hreflang" in link for link in maps)  # the same page in the other language
    assert "Par zone" not in page.text
