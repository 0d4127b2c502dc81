"""The pages of delegates and of the withdrawal code, over a real cooperative in this process."""

import io
import json
import re
import zipfile

import httpx
import pytest

from personal_store import vault
from personal_store.app import create_app
from personal_store.choices import erasing, naming
from tests.in_process import InProcess

PASSPHRASE = "trois mots au hasard"
OTHERS, FOR_ANOTHER = "/fr/consents/others", "/fr/consents/for-another"


@pytest.fixture
def given(resident):
    resident.give()
    resident.hand_over()
    return resident


@pytest.fixture
def browse(tmp_path):
    """Return a function that opens a browser on the pages of a store."""

    def browse(store):
        made = tmp_path / f"vault-{store.folder.name}"
        vault.create_vault(made, PASSPHRASE, randomness=store.randomness)
        (made / vault.VAULT_FILE).rename(store.folder / vault.VAULT_FILE)
        browser = httpx.Client(transport=InProcess(create_app(store)), base_url="http://127.0.0.1")
        assert browser.post("/fr/login", data={"passphrase": PASSPHRASE}).status_code == 303
        return browser

    return browse


@pytest.fixture
def browser(given, browse):
    return browse(given.store)


@pytest.fixture
def elsewhere(open_store, browse):
    """Return a browser on a store of somebody else, who joined nothing."""
    return browse(open_store())


def cid_of(resident):
    return resident.chains()[0][0].signed.payload.cid


def kinds(resident):
    return [each.signed.payload.t.value for each in resident.chains()[0]]


def name(browser, resident, kid, **changes):
    terms = {"cid": cid_of(resident), "key": kid, "since": "2026-11-18", "until": "2026-11-20"}
    return browser.post(OTHERS + "/name", data=terms | changes)


def make_key(browser):
    """Make a delegate's key on its page; return its thumbprint and the file."""
    shown = browser.post(FOR_ANOTHER + "/key").text
    kid = re.search(r"<code>([\w-]{43})</code>", shown)[1]
    link = re.search(r'href="([^"]*/files/[^"]*)"', shown)[1]
    answer = browser.get(link)
    assert answer.headers["content-disposition"] == 'attachment; filename="mandataire.pem"'
    return kid, answer.content


def test_somebody_is_named_withdraws_from_their_own_store_and_keeps_the_proofs(
    given, browser, elsewhere
):
    kid, pem = make_key(elsewhere)
    assert name(browser, given, kid).status_code == 303
    page = browser.get(OTHERS).text
    assert f"Clé {kid[:8]}…" in page
    assert "mercredi 18 novembre 2026" in page
    assert "vendredi 20 novembre 2026" in page
    sheet = browser.get(re.search(r'href="([^"]*mandat\.json)"', page)[1]).content
    files = {"sheet": ("mandat.json", sheet), "key": ("mandataire.pem", pem)}
    shown = elsewhere.post(FOR_ANOTHER + "/mandate", files=files).text
    assert "promesse vérifiée\u00a0: 1." in shown
    packed = elsewhere.get(re.search(r'href="([^"]*/files/[^"]*)"', shown)[1]).content
    names = zipfile.ZipFile(io.BytesIO(packed)).namelist()
    assert sorted(each.partition(".")[2] for each in names) == [
        "jsonl",
        "opening.json",
        "tlog-proof",
    ]
    again = elsewhere.post(FOR_ANOTHER + "/mandate", files=files).text
    assert "déjà fait" in again


def test_a_mandate_is_taken_back_from_the_page(given, browser, elsewhere):
    kid, _ = make_key(elsewhere)
    name(browser, given, kid)
    revoked = browser.post(OTHERS + "/revoke", data={"cid": cid_of(given), "key": kid})
    assert revoked.status_code == 303
    assert kinds(given)[-1] == "delegate.revoked"
    assert "Personne pour l" in browser.get(OTHERS).text


@pytest.mark.parametrize(
    "changes", [{"key": "x"}, {"until": ""}, {"until": "2026-11-17"}, {"cid": "ab"}]
)
def test_what_cannot_be_named_is_said_and_signs_nothing(given, browser, elsewhere, changes):
    kid, _ = make_key(elsewhere)
    refused = name(browser, given, kid, **changes)
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    assert kinds(given) == ["consent.given"]


def test_a_cooperative_that_is_down_names_nobody_and_it_is_said(given, browser, elsewhere, network):
    kid, _ = make_key(elsewhere)
    network.down = True
    assert "pas de réseau" in name(browser, given, kid).text
    assert kinds(given) == ["consent.given"]


def test_the_code_is_made_printed_and_withdraws_from_another_store(given, browser, elsewhere):
    assert browser.post(OTHERS + "/code").headers["location"] == OTHERS + "/sheet"
    page = browser.get(OTHERS + "/sheet").text
    code = naming.code_letters(given.store)
    assert code in page
    key = "".join(re.findall(r"Clé du journal.*?<code>(.*?)</code>", page, re.DOTALL)[0].split())
    assert key.replace("&#43;", "+") == given.member.log_vkey
    # As people copy it: in small letters, with the spaces of the paper.
    copied = {
        "code": code.lower().replace("-", " "),
        "url": "https://coop.test/",
        "log_key": given.member.log_vkey[:20] + " " + given.member.log_vkey[20:],
    }
    shown = elsewhere.post(FOR_ANOTHER + "/code", data=copied).text
    assert "promesse vérifiée\u00a0: 1." in shown


@pytest.mark.parametrize(
    "changes", [{"code": "ABCD"}, {"log_key": "coop"}, {"url": "coop"}, {"url": "", "log_key": ""}]
)
def test_a_sheet_that_is_badly_copied_is_said_and_withdraws_nothing(
    given, browser, elsewhere, changes
):
    browser.post(OTHERS + "/code")
    copied = {
        "code": naming.code_letters(given.store),
        "url": "https://coop.test",
        "log_key": given.member.log_vkey,
    }
    refused = elsewhere.post(FOR_ANOTHER + "/code", data=copied | changes)
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    assert elsewhere.post(FOR_ANOTHER + "/code", data=copied).status_code == 200


def test_the_file_of_the_code_holds_no_code(given, browser):
    browser.post(OTHERS + "/code")
    answer = browser.post(OTHERS + "/retrait.json")
    assert json.loads(answer.content)["cooperative"] == given.member.url
    assert naming.code_letters(given.store) not in answer.text


def test_another_code_takes_the_place_of_the_first(given, browser):
    browser.post(OTHERS + "/code")
    first = naming.code_letters(given.store)
    browser.post(OTHERS + "/code", data={"anew": "true"})
    assert naming.code_letters(given.store) != first
    assert kinds(given) == ["consent.given", "recovery.named", "recovery.named"]


def test_without_a_code_there_is_no_sheet_and_without_a_cooperative_no_page(browser, elsewhere):
    assert browser.get(OTHERS + "/sheet").headers["location"] == OTHERS
    assert elsewhere.get(OTHERS).status_code == 409
    assert elsewhere.get(FOR_ANOTHER).status_code == 200


@pytest.mark.parametrize("path", ["", "/sheet", "/0/mandat.json"])
def test_a_stranger_sees_none_of_it(given, path):
    stranger = httpx.Client(
        transport=InProcess(create_app(given.store)), base_url="http://127.0.0.1"
    )
    assert stranger.get(OTHERS + path).headers["location"] == "/fr/login"
    assert stranger.get(FOR_ANOTHER).headers["location"] == "/fr/login"
    assert stranger.post(OTHERS + "/code").headers["location"] == "/fr/login"
    assert naming.code_letters(given.store) is None


def test_files_that_were_never_handed_out_are_not_found(browser):
    assert browser.get(FOR_ANOTHER + "/files/x").status_code == 404
    assert browser.get(OTHERS + "/ab/mandat.json").status_code == 404


def test_the_log_says_who_ended_a_consent_and_what_was_erased(given, browser, elsewhere):
    kid, pem = make_key(elsewhere)
    name(browser, given, kid)
    sheet = browser.get(f"{OTHERS}/{cid_of(given)}/mandat.json").content
    files = {"sheet": ("mandat.json", sheet), "key": ("mandataire.pem", pem)}
    elsewhere.post(FOR_ANOTHER + "/mandate", files=files)
    browser.post("/fr/consents/deliver")
    assert "Signé par la personne que vous aviez nommée." in browser.get("/fr/consents").text
    erasing.erase(given.store)
    assert browser.get("/fr/consents").text.count("Son contenu a été effacé") == 2


def test_the_log_says_that_the_code_ended_a_consent(given, browser, elsewhere):
    browser.post(OTHERS + "/code")
    copied = {
        "code": naming.code_letters(given.store),
        "url": "https://coop.test",
        "log_key": given.member.log_vkey,
    }
    elsewhere.post(FOR_ANOTHER + "/code", data=copied)
    browser.post("/fr/consents/deliver")
    assert "Signé avec votre code de retrait." in browser.get("/fr/consents").text
