"""The resident's own log: every choice and contribution, its proof in words, its receipts."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from stewards_in_memory import STEWARD, STEWARDS_URL, Stewards, serve_cosigned_proof

from carbon.modes import TransportMode
from consents.receipts.personal_receipt import PersonalReceipt
from consents.tlog.policy import policy_text
from contributions.weeks import week_period
from personal_store.choices import consenting, erasing, rekeying
from personal_store.choices.consent_events import EXPIRY_NOTICE, VALIDITY
from personal_store.db import consents
from personal_store.db.connection import reading, writing
from personal_store.db.trust import Trust
from personal_store.web import consent_contexts

PASSPHRASE = "trois mots au hasard"
MONDAY = week_period("2026-W46").start + timedelta(hours=8)


@pytest.fixture
def stewards(clock):
    return Stewards(clock)


@pytest.fixture
def joined(joined, cooperative, stewards):
    """Return the store of a resident who also reaches stewards, and believes none yet."""
    ways = {cooperative.url: cooperative, STEWARDS_URL: stewards}
    return replace(joined, connect=ways.__getitem__)


@pytest.fixture
def trusting(joined, member, stewards):
    text = policy_text(log_vkey=member.log_vkey, witness_vkeys=[stewards.vkey])
    consenting.pin_trust(joined, member, Trust(policy_text=text, stewards_url=STEWARDS_URL))


@pytest.fixture
def log(browser, read):
    """Return a function that reads the page of consents."""
    return lambda path="/fr/consents": read(browser.get(path).text)


def detail(page):
    return next(each for each in page.attributes("href") if re.search(r"consents/\w{32}/", each))


def test_a_resident_who_never_chose_is_told_so(log) -> None:
    assert "Aucun choix pour l'instant." in log().text


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("fr", "vous n'avez dit croire aucun témoin"), ("en", "you have named no steward to believe")],
)
@pytest.mark.usefixtures("asked")
def test_a_logged_choice_without_stewards_says_whom_to_ask(give, log, language, sentence) -> None:
    give()
    assert sentence in log(f"/{language}/consents").text


@pytest.mark.usefixtures("asked", "trusting")
def test_a_countersigned_choice_names_the_witnesses(
    browser, give, log, cooperative, stewards
) -> None:
    give()
    serve_cosigned_proof(cooperative, stewards)
    assert browser.post("/fr/consents/deliver").headers["location"] == "/fr/consents"
    said = log().text
    assert "Prouvé, au plus tard le" in said
    assert "Transmettre" not in said
    choice = re.search(r'href="(/fr/consents/\w{32}/0)"', browser.get("/fr/consents").text)[1]
    assert f"inscrit au rang 0 du journal, et contresigné par {STEWARD}" in log(choice).text


@pytest.mark.usefixtures("asked")
def test_a_promise_says_by_whom_and_by_when(give, log, cooperative) -> None:
    cooperative.patient = True
    give()
    assert re.search(r"Promis par Coopérative avant le \d+ \w+ 20\d\d à \d\d:\d\d", log().text)


@pytest.mark.usefixtures("asked")
def test_a_broken_promise_says_expected_seen_and_what_to_do(give, log, cooperative, clock) -> None:
    cooperative.patient = True
    give()
    clock.at += timedelta(hours=2)
    page = log()
    assert "Promesse non tenue. Attendu : inscrit avant le" in page.text
    assert "Vu : rien." in page.text
    assert "portez-le aux témoins" in page.text


@pytest.mark.usefixtures("asked", "trusting")
def test_a_false_proof_is_told_and_never_passed_over(give, log, joined) -> None:
    give()
    with reading(joined.engine) as connection:
        (kept,) = consents.every(connection)
        (event,) = consents.chain(connection, kept.cid)
    # The log's own signature is over another tree: the path leads nowhere.
    forged = replace(event.receipt, index=0, hashes=(b"x" * 32,), size=2)
    with writing(joined.engine) as connection:
        consents.keep_receipt(connection, cid=kept.cid, n=0, receipt=forged)
    assert "Preuve fausse. Attendu" in log().text


@pytest.mark.usefixtures("asked")
def test_withdrawing_offline_stops_here_and_says_that_it_will_be_delivered(
    browser, give, log, cooperative
) -> None:
    give()
    cooperative.offline = True
    answer = browser.post("/fr/sharing/withdraw", data={"back": "consents"})
    assert answer.headers["location"] == "/fr/consents"
    page = log()
    assert "Vous ne partagez rien." in page.text
    assert "Plus rien ne part." in page.text
    assert "Il lui sera transmis" in page.text


@pytest.mark.usefixtures("asked", "trusting")
def test_a_withdrawal_left_with_the_stewards_says_that_it_counts(
    browser, give, log, cooperative
) -> None:
    give()
    cooperative.offline = True
    browser.post("/fr/sharing/withdraw", data={"back": "consents"})
    assert "Déposé chez les témoins le" in log().text


@pytest.mark.usefixtures("asked")
def test_handing_over_to_nobody_says_that_the_choice_holds(
    browser, give, read, cooperative
) -> None:
    cooperative.offline = True
    give()
    answer = browser.post("/fr/consents/deliver")
    assert answer.status_code == 409
    assert "Vos choix valent ici" in read(answer.text).text


@pytest.mark.usefixtures("asked")
def test_withdrawing_takes_as_many_forms_and_fields_as_giving(log) -> None:
    page = log()
    forms = [each["action"] for tag, each in page.elements if tag == "form"]
    assert forms.count("/fr/consents/choose") == forms.count("/fr/sharing/withdraw") == 1
    assert not [each for tag, each in page.elements if tag == "input" and each["type"] != "hidden"]


@pytest.mark.usefixtures("asked")
def test_lines_come_newest_first(browser, give, log, clock) -> None:
    give()
    clock.at += timedelta(hours=1)
    browser.post("/fr/sharing/withdraw")
    said = log().text
    assert said.index("accord retiré") < said.index("accord donné")


@pytest.mark.usefixtures("asked")
def test_a_contribution_is_a_line_of_its_own(browser, give, joined, travel, log) -> None:
    travel(joined, {TransportMode.CAR: 120.0}, at=MONDAY)
    give()
    html = browser.get("/fr/sharing").text
    assert "réponse pour la semaine" not in log().text, "a preview is no contribution"
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', html))
    assert browser.post("/fr/sharing/contribute", data=form).status_code == 303
    said = "réponse pour la semaine du 9 au 15 novembre 2026 Envoyée et reçue ; ε = 4,0."
    assert said in log().text


@pytest.mark.usefixtures("asked")
def test_a_long_log_comes_in_pages_that_hold_every_line_once(browser, give, log, clock) -> None:
    for _ in range(consent_contexts.LINES_SHOWN):
        give()
        browser.post("/fr/sharing/withdraw")
        clock.at += timedelta(minutes=1)
    pages = [log(f"/fr/consents?page={number}") for number in (1, 2)]
    shown = [
        href
        for page in pages
        for href in page.attributes("href")
        if re.search(r"consents/\w{32}/", href)
    ]
    assert len(set(shown)) == len(shown) == 2 * consent_contexts.LINES_SHOWN
    assert "/fr/consents?page=2" in pages[0].attributes("href")
    assert len(pages[0].elements) <= 300


@pytest.mark.usefixtures("asked")
def test_a_choice_shows_the_exact_text_its_limits_and_its_expiry(give, log, cooperative) -> None:
    give()
    page = log(detail(log()))
    assert "Une somme par commune et par semaine." in page.text
    assert "Au plus ε = 4,0 par semaine, 212,0 en tout" in page.text
    assert re.search(r"Jusqu'au \d+ \w+ 2027", page.text)
    assert next(iter(cooperative.purposes)) in page.text


@pytest.mark.usefixtures("asked")
def test_every_receipt_is_a_file_made_from_the_same_bytes(browser, give, log) -> None:
    give()
    at = detail(log())
    links = [each for each in log(at).attributes("href") if each.startswith(at + "/")]
    files = {each.partition(".")[2]: browser.get(each) for each in links}
    assert set(files) == {"receipt.json", "jsonld", "fr.html", "en.html", "tlog-proof"}
    kept = PersonalReceipt.parse(files["receipt.json"].content)
    head = kept.opening.event.head
    assert json.loads(files["jsonld"].content)["mec:leafSha256"] == head
    assert head in files["fr.html"].text
    assert all(
        each.headers["content-disposition"].startswith("attachment; filename=")
        and each.headers["cache-control"] == "no-store"
        for each in files.values()
    )


@pytest.mark.parametrize(
    "path",
    [
        "/consents/" + "0" * 32 + "/0",
        "/consents/x/0",
        "/consents/" + "0" * 32 + "/0/receipt.json",
    ],
)
def test_what_is_not_there_is_not_found(browser, path) -> None:
    assert browser.get(f"/fr{path}").status_code == 404


@pytest.mark.usefixtures("asked")
def test_no_other_file_than_a_receipt_can_be_asked_for(browser, give, log) -> None:
    give()
    assert browser.get(detail(log()) + "/vault.json").status_code == 404


@pytest.mark.usefixtures("asked")
def test_a_stranger_sees_neither_log_nor_receipt(give, log, stranger) -> None:
    give()
    at = detail(log())
    for path in ("/fr/consents", at, f"{at}/x.receipt.json"):
        assert stranger.get(path).headers["location"] == "/fr/login"
    assert stranger.post("/fr/consents/deliver").headers["location"] == "/fr/login"


@pytest.mark.usefixtures("asked")
def test_reading_the_log_asks_nobody(give, log, cooperative) -> None:
    give()
    before = len(cooperative.requests)
    log(detail(log()))
    assert len(cooperative.requests) == before


@pytest.mark.usefixtures("asked")
def test_a_form_cannot_lead_elsewhere(browser) -> None:
    answer = browser.post("/fr/sharing/withdraw", data={"back": "//elsewhere.example"})
    assert answer.status_code == 400


@pytest.mark.usefixtures("asked")
def test_a_change_of_key_has_its_words_and_its_page(give, log, joined, member) -> None:
    give()
    with reading(joined.engine) as connection:
        cid = consents.every(connection)[-1].cid
    rekeying.rotate(joined, member, cid[:8])
    assert log().text.count("changement de clé") == 2
    page = log(f"/fr/consents/{cid}/1").text
    assert "changement de clé" in page
    assert "n'est plus ici" not in page


@pytest.mark.usefixtures("asked")
def test_what_was_erased_still_has_its_line(browser, give, log, joined) -> None:
    give()
    browser.post("/fr/sharing/withdraw")
    erasing.erase(joined)
    assert "accord retiré" in log().text
    assert "accord donné" in log(detail_of_the_first(log)).text


def detail_of_the_first(log):
    return next(each for each in log().attributes("href") if re.search(r"consents/\w{32}/0$", each))


@pytest.mark.usefixtures("asked")
def test_the_end_of_a_consent_is_said_thirty_days_before(browser, give, log, clock) -> None:
    give()
    assert "Votre accord expire" not in log().text
    clock.advance(VALIDITY - EXPIRY_NOTICE)
    # The session has ended by then.
    assert browser.post("/fr/login", data={"passphrase": PASSPHRASE}).status_code == 303
    assert "Votre accord expire" in log().text
