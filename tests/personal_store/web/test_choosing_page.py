"""Where a consent is given: age, parent, days and places are asked as the terminal asks them."""

import re

import pytest

from consents.records.decision import consent_state
from consents.records.record import EventType
from personal_store.choices import own_log
from personal_store.choices.parent_key import new_parent_key
from personal_store.db import consents
from personal_store.db.connection import reading
from personal_store.transport import Answer

OUTLINES = (
    b'{"features":[{"properties":{"code":"17028","nom":"Aytr\xc3\xa9"},"geometry":{}},'
    b'{"properties":{"code":"17300","nom":"La Rochelle"},"geometry":{}}]}'
)
ADULT = {"age": "15", "days": list("1234567"), "where": "everywhere"}
FAMILY = ADULT | {"age": "under", "child": "true", "parent": "true"}


@pytest.fixture
def served(cooperative, asked):
    """Have the cooperative serve its outlines beside the task."""
    cooperative.scripted["/v1/territory"] = Answer(status=200, body=OUTLINES)
    return asked


@pytest.fixture
def send(browser, served):
    """Return a function that reads the page and sends its form."""
    assert served

    def send(form, *, key=None, language="fr"):
        html = browser.get(f"/{language}/consents/choose").text
        digest = re.search(r'name="purpose" value="(\w+)"', html)[1]
        files = None if key is None else {"parent_key": ("parent.pem", key)}
        return browser.post(
            f"/{language}/sharing/give", data=form | {"purpose": digest}, files=files
        )

    return send


@pytest.fixture
def chains(joined):
    def chains():
        with reading(joined.engine) as connection:
            return [consents.chain(connection, each.cid) for each in consents.every(connection)]

    return chains


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("fr", ("Une somme par commune", "dpo@cooperative.example", "15 ans ou plus", "samedi")),
        ("en", ("One sum a zone", "dpo@cooperative.example", "15 or older", "Saturday")),
    ],
)
def test_the_page_shows_the_text_the_notice_and_every_choice(browser, read, language, parts):
    text = read(browser.get(f"/{language}/consents/choose").text).text
    assert [part for part in (*parts, "Aytré (17028)") if part not in text] == []


def test_who_says_their_age_consents_to_everything_that_is_ticked(send, chains):
    assert send(ADULT).status_code == 303
    ((event,),) = chains()
    limits = event.body.limits
    assert (limits.weekdays, limits.area) == (None, None)


REFUSED = {
    "without an age": ({"age": ""}, "15 ans ou plus"),
    "a child alone": ({"age": "under", "child": "true"}, "tous les deux"),
    "a parent alone": ({"age": "under", "parent": "true"}, "tous les deux"),
    "without the parent's key": (
        {"age": "under", "child": "true", "parent": "true"},
        "mandataire",
    ),
    "without a day": ({"days": []}, "au moins un jour"),
    "on a day that is none": ({"days": ["8"]}, "au moins un jour"),
    "without the home zone": ({"where": "zones", "zones": ["17028"]}, "Votre commune"),
    "in a zone that is none": (
        {"where": "zones", "zones": ["17300"], "codes": "75056"},
        "75056",
    ),
}


@pytest.mark.parametrize(("changes", "why"), REFUSED.values(), ids=REFUSED)
def test_what_the_terminal_refuses_the_page_refuses(send, chains, changes, why):
    answer = send(ADULT | changes)
    assert answer.status_code == 409
    assert why in answer.text
    assert chains() == []


def test_days_and_zones_are_signed_and_shown_again(send, chains, browser, read):
    limited = ADULT | {"days": ["1", "5"], "where": "zones", "zones": ["17300", "17028"]}
    assert send(limited).status_code == 303
    ((event,),) = chains()
    assert event.body.limits.weekdays == (1, 5)
    assert event.body.limits.area.zones == ("17028", "17300")
    said = read(browser.get("/fr/consents").text).text
    assert "lundi, vendredi" in said
    assert "Aytré, La Rochelle" in said
    page = read(browser.get("/fr/consents/choose").text)
    ticked = [
        (attributes["name"], attributes["value"])
        for tag, attributes in page.elements
        if tag == "input" and "checked" in attributes
    ]
    assert ticked == [
        ("days", "1"),
        ("days", "5"),
        ("where", "zones"),
        ("zones", "17028"),
        ("zones", "17300"),
    ]


def test_a_child_and_a_parent_sign_and_the_parent_withdraws(send, chains, browser, member):
    key = browser.post("/fr/consents/parent-key").content
    assert send(FAMILY, key=key).status_code == 303
    (chain,) = chains()
    assert [each.signed.payload.t.value for each in chain] == [
        "signer.joined",
        "consent.given",
        "consent.given",
    ]
    other = {"parent_key": ("parent.pem", new_parent_key())}
    assert browser.post("/fr/consents/withdraw-as-parent", files=other).status_code == 409
    own = {"parent_key": ("parent.pem", key)}
    assert browser.post("/fr/consents/withdraw-as-parent", files=own).status_code == 303
    (chain,) = chains()
    signed = [each.signed for each in chain]
    state = consent_state(signed, log_origin=member.log_origin)
    assert state.status is EventType.WITHDRAWN
    assert signed[-1].payload.kid == signed[-2].payload.kid != signed[1].payload.kid


def test_a_parent_s_key_is_another_each_time_and_kept_nowhere(browser, joined):
    one, two = (browser.post("/fr/consents/parent-key") for _ in range(2))
    assert one.content != two.content
    assert one.headers["cache-control"] == "no-store"
    stored = b"".join(each.read_bytes() for each in joined.folder.rglob("*") if each.is_file())
    assert one.content not in stored


@pytest.mark.usefixtures("served")
def test_offline_the_page_still_gives(browser, send, chains, cooperative, joined):
    browser.get("/fr/consents/choose")
    cooperative.offline = True
    answer = send(ADULT | {"where": ""})
    assert answer.status_code == 303
    assert len(chains()) == 1
    assert "La coopérative ne répond pas" in browser.get("/fr/consents/choose").text
    assert joined


def test_without_a_task_there_is_nothing_to_give(browser):
    assert browser.get("/fr/consents/choose").status_code == 409


@pytest.mark.parametrize("path", ["/fr/consents/parent-key", "/fr/consents/withdraw-as-parent"])
def test_a_stranger_gets_no_key_and_withdraws_nothing(stranger, path):
    assert stranger.post(path).headers["location"] == "/fr/login"


def test_receipts_on_the_page_are_those_that_the_terminal_writes(
    send, chains, browser, joined, tmp_path
):
    send(ADULT | {"where": "zones", "zones": ["17300"]})
    ((event,),) = chains()
    written = {path.name: path.read_bytes() for path in own_log.write_receipts(joined, tmp_path)}
    payload = event.signed.payload
    page = browser.get(f"/fr/consents/{payload.cid}/{payload.n}").text
    named = set(re.findall(rf"/{payload.cid}/{payload.n}/([^\"]+)\"", page))
    assert named
    served = {
        name: browser.get(f"/fr/consents/{payload.cid}/{payload.n}/{name}").content
        for name in named
    }
    assert served == {name: written[name] for name in named}
    assert set(written) - named == {
        f"{payload.cid[:8]}-{payload.n}.opening.json",
        own_log.EVIDENCE_FILE,
    }
