"""The page of what is shared: the choice, the exact preview, and the very bytes."""

import hashlib
import re
from datetime import timedelta

import pytest

from carbon.modes import TransportMode
from contributions.measures import Coordinate, Measure
from contributions.weeks import week_period
from personal_store.db import contributions, memberships
from personal_store.db.connection import reading, writing

CAR, BIKE = TransportMode.CAR, TransportMode.BIKE
MONDAY = week_period("2026-W46").start + timedelta(hours=8)


class TestSharing:
    def test_without_a_task_it_says_that_nothing_leaves(self, browser, read) -> None:
        page = read(browser.get("/fr/sharing").text)
        assert "rien ne part" in page.text
        assert "form" in [tag for tag, _ in page.elements]  # to close the session

    @pytest.mark.usefixtures("asked", "cooperative")
    def test_it_shows_the_purpose_word_for_word(self, browser, read) -> None:
        assert "Une somme par commune et par semaine." in read(browser.get("/fr/sharing").text).text
        assert "One sum a zone and a week." in read(browser.get("/en/sharing").text).text

    @pytest.mark.usefixtures("asked")
    def test_without_consent_it_shows_the_week_and_no_way_to_send_it(
        self, browser, joined, travel, read
    ) -> None:
        travel(joined, {CAR: 120.0}, at=MONDAY)
        page = read(browser.get("/fr/sharing").text)
        assert "Vous ne partagez rien." in page.text
        assert "Vous n'avez pas donné votre accord : rien ne part." in page.text
        assert "voiture 120,0 km 200" in page.text
        assert "/fr/sharing/contribute" not in page.attributes("action")

    @pytest.mark.usefixtures("asked")
    def test_giving_and_withdrawing_take_one_button_each(self, browser, give, read) -> None:
        assert give().headers["location"] == "/fr/sharing"
        assert "Vous partagez" in read(browser.get("/fr/sharing").text).text
        assert browser.post("/fr/sharing/withdraw").headers["location"] == "/fr/sharing"
        page = read(browser.get("/fr/sharing").text)
        assert "Vous ne partagez rien." in page.text
        assert "/fr/consents" in page.attributes("href")

    @pytest.mark.usefixtures("asked")
    def test_only_the_button_that_does_something_is_enabled(self, browser, give, read) -> None:
        def enabled():
            page = read(browser.get("/fr/sharing").text)
            buttons = [each for tag, each in page.elements if tag == "button"]
            return ["disabled" not in each for each in buttons[:2]]

        assert enabled() == [True, False]
        give()
        assert enabled() == [False, True]

    @pytest.mark.usefixtures("asked")
    def test_a_new_wording_can_be_accepted_and_the_old_one_withdrawn(
        self, browser, give, ask, read
    ) -> None:
        give()
        ask({"version": "2", "title_fr": "Autrement"}, week="2026-W48")
        page = read(browser.get("/fr/sharing").text)
        assert "Autrement" in page.text
        buttons = [each for tag, each in page.elements if tag == "button"]
        assert all("disabled" not in each for each in buttons[:2])
        browser.post("/fr/sharing/withdraw")
        assert "Vous ne partagez rien." in read(browser.get("/fr/sharing").text).text

    @pytest.mark.parametrize(
        ("language", "sentence"),
        [("fr", "rien n'a été signé"), ("en", "nothing was signed")],
    )
    @pytest.mark.usefixtures("asked")
    def test_a_text_that_changed_since_it_was_read_is_not_signed(
        self, browser, cooperative, read, language, sentence
    ) -> None:
        html = browser.get(f"/{language}/sharing").text
        form = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', html))
        other = cooperative.publish(text_fr="Tout autre chose.", text_en="Something else.")
        cooperative.ask(other, week="2026-W48")
        answer = browser.post(f"/{language}/sharing/give", data=form)
        assert answer.status_code == 409
        page = read(answer.text)
        assert sentence in page.text
        assert (other.text_fr if language == "fr" else other.text_en) in page.text
        assert cooperative.leaves.size() == 0

    @pytest.mark.usefixtures("asked")
    def test_a_form_that_names_no_text_signs_nothing(self, browser, cooperative) -> None:
        assert browser.post("/fr/sharing/give").status_code == 409
        assert cooperative.leaves.size() == 0

    @pytest.mark.usefixtures("asked")
    def test_a_choice_made_offline_holds_and_waits(self, browser, give, read, cooperative) -> None:
        cooperative.offline = True
        assert give().status_code == 303
        page = read(browser.get("/fr/sharing").text)
        assert "Vous partagez" in page.text
        assert "Pas encore prouvé" in read(browser.get("/fr/consents").text).text

    @pytest.mark.usefixtures("asked", "given")
    def test_what_the_page_shows_is_what_is_sent(
        self, browser, joined, travel, read, cooperative
    ) -> None:
        travel(joined, {CAR: 120.0}, at=MONDAY)
        html = browser.get("/fr/sharing").text
        shown = re.search(r"<code>([\w.-]+)</code>", html)[1]
        form = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', html))
        assert form["shown_sha256"] == hashlib.sha256(shown.encode()).hexdigest()
        assert browser.post("/fr/sharing/contribute", data=form).status_code == 303
        assert cooperative.reports == [shown.encode()]
        after = read(browser.get("/fr/sharing").text)
        assert "Envoyé. Ces mêmes octets, une seule fois." in after.text
        assert "cette réponse est écartée" in after.text
        assert "4,0 dépensé, pour un plafond de 208,0" in after.text

    @pytest.mark.usefixtures("asked", "given")
    def test_bytes_that_changed_since_the_page_was_made_are_not_sent(
        self, browser, joined, travel, read, cooperative
    ) -> None:
        travel(joined, {CAR: 120.0}, at=MONDAY)
        html = browser.get("/fr/sharing").text
        form = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', html))
        travel(joined, {CAR: 240.0}, at=MONDAY)
        answer = browser.post("/fr/sharing/contribute", data=form)
        assert answer.status_code == 409
        assert "L'aperçu a changé" in read(answer.text).text
        assert cooperative.reports == []

    def test_sending_without_having_seen_is_refused(
        self, browser, give, asked, cooperative
    ) -> None:
        give()
        assert (
            browser.post("/fr/sharing/contribute", data={"task": asked.digest}).status_code == 400
        )
        assert cooperative.reports == []

    @pytest.mark.usefixtures("asked", "read")
    def test_a_refusal_of_the_cooperative_is_shown_as_text(
        self, browser, give, cooperative
    ) -> None:
        give()
        html = browser.get("/fr/sharing").text
        form = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', html))
        hostile = '{"detail": "<script>alert(1)</script>", "detail_en": "<b>"}'
        cooperative.scripted["/v1/reports"] = type(cooperative._answer("GET", "", None))(
            status=422, body=hostile.encode()
        )
        answer = browser.post("/fr/sharing/contribute", data=form)
        assert answer.status_code == 409
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
        assert "<script" not in answer.text

    def test_a_hostile_wording_is_shown_as_text(self, browser, ask, read) -> None:
        hostile = "<img src=x onerror=alert(1)>"
        ask({"title_fr": hostile, "text_fr": hostile}, title_fr=hostile)
        html = browser.get("/fr/sharing").text
        assert "<img" not in html
        assert hostile in read(html).text

    @pytest.mark.parametrize(
        "terms",
        [
            {
                "coordinates": (
                    Coordinate(measure=Measure.KILOMETRES, label="hovercraft", weight=10),
                )
            },
        ],
        ids=["unknown label"],
    )
    @pytest.mark.usefixtures("asked")
    def test_a_question_that_is_not_served_leaves_the_page_and_the_withdrawal_working(
        self, browser, give, ask, read, terms
    ) -> None:
        give()
        ask(week="2026-W48", **terms)
        answer = browser.get("/fr/sharing")
        assert answer.status_code == 200
        assert "ne sait pas faire" in read(answer.text).text
        assert browser.post("/fr/sharing/withdraw").status_code == 303

    @pytest.mark.usefixtures("asked")
    def test_a_week_that_is_not_over_is_shown_without_a_button(
        self, browser, give, ask, read
    ) -> None:
        give()
        ask(week="2026-W47")
        page = read(browser.get("/fr/sharing").text)
        assert "n'est pas finie" in page.text
        assert "/fr/sharing/contribute" not in page.attributes("action")

    @pytest.mark.usefixtures("asked")
    def test_looking_spends_nothing_and_asks_nobody(
        self, browser, give, joined, cooperative
    ) -> None:
        give()
        before = len(cooperative.requests)
        for _ in range(3):
            browser.get("/fr/sharing")
        assert len(cooperative.requests) == before
        with reading(joined.engine) as connection:
            assert len(contributions.every(connection)) == 1
        assert joined.noise.draws == 1

    def test_a_week_over_the_cap_says_by_how_much_it_is_reduced(
        self, browser, joined, travel, read, asked
    ) -> None:
        car = next(each for each in asked.coordinates if each.label == "car")
        full_km = float(car.weight * asked.scale)
        said = {"fr": "sont réduits de 75 % avant", "en": "are reduced by 75% before"}
        for language, sentence in said.items():
            # Four times what fills the cap by itself: three quarters are cut.
            travel(joined, {CAR: 4 * full_km}, at=MONDAY)
            assert sentence in read(browser.get(f"/{language}/sharing").text).text
            travel(joined, {CAR: full_km}, at=MONDAY)
            assert sentence[:12] not in read(browser.get(f"/{language}/sharing").text).text

    @pytest.mark.usefixtures("asked")
    def test_a_member_of_before_the_keepers_is_told_how_to_pin_them(
        self, browser, joined, read, request
    ) -> None:
        for language in ("fr", "en"):
            assert "personal-store keepers" in read(browser.get(f"/{language}/sharing").text).text
        keepers = request.getfixturevalue("keepers")
        with writing(joined.engine) as connection:
            member = memberships.every(connection)[-1]
            memberships.pin_keepers(connection, member, keepers.cards)
        assert "personal-store keepers" not in read(browser.get("/fr/sharing").text).text
