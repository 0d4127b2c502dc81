"""The resident's receipt, its JSON-LD and its page, all from the same bytes."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from consents.errors import RecordError
from consents.receipts.jsonld import CONTEXT, to_jsonld
from consents.receipts.personal_receipt import PersonalReceipt
from consents.receipts.printable import to_html
from consents.records.erasure import Opening
from consents.records.limits import ConsentArea
from consents.records.notice import Notice
from consents.records.receipt import EventType, PrivacyNotice
from consents.tlog.log import ConsentLog, MemoryNodes
from consents.verify.wording import Language

KEY = b"k" * 32


@pytest.fixture
def notice():
    return Notice(
        version="1",
        controller_name="Coopérative de données",
        controller_address="La Rochelle",
        controller_contact="contact@aggregator.example",
        dpo_contact="dpo@aggregator.example",
        jurisdiction="loc:FR",
        storage_locations=("loc:FR",),
        recipients="aucun",
        transfers="aucun",
        withdrawal_url="https://aggregator.example/fr/retrait",
        rights_url="https://aggregator.example/fr/droits",
        authority="CNIL, https://www.cnil.fr/plaintes",
        page_sha256="ab" * 32,
    )


@pytest.fixture
def signed(body, notice, resident, purpose):
    """A resident's body that names the notice, and the leaf that commits to it."""
    named = replace(
        body,
        privacy_notice=PrivacyNotice(
            url="https://aggregator.example/fr/notice", version="1", sha256=notice.digest
        ),
    )
    resident.purpose_digest = purpose.digest
    return named, resident.sign("consent.given", c=named.commitment(key=KEY))


@pytest.fixture
def kept(signed, notice, resident, purpose):
    """Make the receipt of another choice, or of another purpose text."""

    def kept(kind="consent.given", **changes):
        asked = replace(purpose, **changes)
        resident.purpose_digest = asked.digest
        consented = replace(signed[0].purposes[0], purpose_digest=asked.digest)
        body = replace(signed[0], event_type=EventType(kind), purposes=(consented,))
        event = resident.sign(kind, c=body.commitment(key=KEY))
        opening = Opening(event=event, body=body, key=KEY)
        return PersonalReceipt(opening=opening, purpose=asked, notice=notice)

    return kept


@pytest.fixture
def receipt(signed, purpose, notice, new_key, origin):
    body, event = signed
    log = ConsentLog(MemoryNodes(), origin, new_key("log"))
    log.append(event.leaf)
    return PersonalReceipt(
        opening=Opening(event=event, body=body, key=KEY),
        purpose=purpose,
        notice=notice,
        log_receipt=log.receipt(0),
    )


def test_a_receipt_reads_back_as_it_was_written(receipt):
    assert PersonalReceipt.parse(receipt.to_bytes()) == receipt


def test_a_receipt_of_another_purpose_is_refused(receipt, purpose):
    with pytest.raises(RecordError):
        replace(receipt, purpose=replace(purpose, text_fr="Autre chose."))


def test_a_receipt_of_another_notice_is_refused(receipt, notice):
    with pytest.raises(RecordError):
        replace(receipt, notice=replace(notice, recipients="un courtier"))


def test_a_receipt_with_another_leafs_proof_is_refused(receipt, leaves):
    with pytest.raises(RecordError):
        replace(receipt, log_receipt=replace(receipt.log_receipt, leaf=leaves[0]))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"opening":1}', b"\xff"])
def test_what_is_no_receipt_is_refused(content):
    with pytest.raises(RecordError):
        PersonalReceipt.parse(content)


def test_a_notice_that_leaves_something_unsaid_is_refused(notice):
    with pytest.raises(RecordError):
        replace(notice, authority=" ")


def test_a_notice_has_one_spelling(notice):
    with pytest.raises(RecordError):
        Notice.parse(b" " + notice.to_bytes())


def members(value):
    """Every key of a JSON value, and every prefixed name among its values."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from members(member)
    elif isinstance(value, list):
        for member in value:
            yield from members(member)


@pytest.fixture
def document(receipt):
    return json.loads(to_jsonld(receipt.to_bytes()))


def test_every_prefix_of_the_json_ld_is_declared_in_it(document):
    assert document["@context"] == dict(CONTEXT)
    body = {name: value for name, value in document.items() if name != "@context"}
    names = [name for name in members(body) if not name.startswith("@")]
    assert {name.partition(":")[0] for name in names} <= set(CONTEXT)


# The guide's table of required fields, by hand: property, and where it stands.
MANDATORY = {
    "receipt": ("dct:conformsTo", "dpv:hasIdentifier", "dpv:hasRecordOfActivity", "dct:created"),
    "record": (
        "dct:conformsTo",
        "dct:identifier",
        "dpv:hasDataSubject",
        "dpv:hasDataController",
        "dpv:hasJurisdiction",
        "dpv:hasProcess",
        "dpv:hasNotice",
        "dpv:hasConsentControl",
        "dpv:hasConsentStatus",
        "dpv:hasLegalBasis",
        "dpv:hasRight",
    ),
    "process": ("dpv:hasPurpose", "dpv:hasPersonalData", "dpv:hasStorageCondition"),
    "status": ("dpv:isIndicatedAtTime", "dpv:isIndicatedBy", "dpv:hasDuration"),
}


def test_the_json_ld_has_every_required_field(document):
    record = document["dpv:hasRecordOfActivity"]
    parts = {
        "receipt": document,
        "record": record,
        "process": record["dpv:hasProcess"][0],
        "status": record["dpv:hasConsentStatus"][0],
    }
    missing = [
        (part, name)
        for part, names in MANDATORY.items()
        for name in names
        if not parts[part].get(name)
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("consent.given", "dpv:ConsentGiven"),
        ("consent.renewed", "dpv:RenewedConsentGiven"),
        ("consent.refused", "dpv:ConsentRefused"),
        ("consent.deferred", "dpv:ConsentRequestDeferred"),
        ("consent.withdrawn", "dpv:ConsentWithdrawn"),
    ],
)
def test_each_choice_has_its_dpv_status(kind, status, kept):
    record = json.loads(to_jsonld(kept(kind).to_bytes()))["dpv:hasRecordOfActivity"]
    assert record["dpv:hasConsentStatus"][0]["@type"][0] == status


def test_the_json_ld_carries_the_leaf_that_proves_it(document, receipt):
    assert document["mec:leaf"].encode() == receipt.opening.event.leaf


class Texts(HTMLParser):
    """The texts, tags and attributes of a page."""

    def __init__(self, page):
        super().__init__()
        self.texts, self.tags, self.attributes = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (Language.FR, ("Accord donné", "Les kilomètres de la semaine, par mode et par zone.")),
        (Language.EN, ("Consent given", "The week's kilometres, by mode and by zone.")),
    ],
)
def test_the_page_says_the_choice_and_the_exact_text(receipt, language, words):
    read = Texts(to_html(receipt.to_bytes(), language))
    assert set(words) <= set(read.texts)


def test_the_page_says_how_to_withdraw_and_where_to_complain(receipt, notice):
    read = Texts(to_html(receipt.to_bytes(), Language.FR))
    assert {notice.withdrawal_url, notice.authority, notice.dpo_contact} <= set(read.texts)


def test_the_page_fetches_nothing_and_runs_nothing(receipt):
    page = to_html(receipt.to_bytes(), Language.FR)
    read = Texts(page)
    assert not {"script", "link", "img", "iframe"} & set(read.tags)
    assert not {"src", "href"} & set(read.attributes)


def test_the_page_shows_markup_in_a_purpose_as_text(kept):
    page = to_html(kept(text_fr="<script>alert(1)</script>").to_bytes(), Language.FR)
    assert "script" not in Texts(page).tags


def test_the_page_says_when_the_event_is_not_logged_yet(receipt):
    kept = replace(receipt, log_receipt=None)
    assert "promise" in to_html(kept.to_bytes(), Language.EN)


@pytest.mark.parametrize("words", [5, 1_000])
def test_the_page_prints_to_one_sheet(words, kept, sheets, tmp_path):
    page = tmp_path / "receipt.html"
    page.write_text(
        to_html(kept(text_fr="Un mot après l'autre. " * words).to_bytes(), Language.FR), "utf-8"
    )
    assert sheets(page) == 1


@pytest.fixture
def own_notice(body, resident, purpose):
    """The receipt of a choice whose notice is the purpose's own text: two files in one."""
    long = replace(purpose, text_fr="Un mot après l'autre. " * 100)
    shown = PrivacyNotice(url="https://aggregator.example/p", version="1", sha256=long.digest)
    consented = replace(body.purposes[0], purpose_digest=long.digest)
    said = replace(body, privacy_notice=shown, purposes=(consented,))
    resident.purpose_digest = long.digest
    event = resident.sign("consent.given", c=said.commitment(key=KEY))
    opening = Opening(event=event, body=said, key=KEY)
    return PersonalReceipt(opening=opening, purpose=long, notice=None)


def test_a_purpose_can_be_its_own_notice(own_notice):
    assert PersonalReceipt.parse(own_notice.to_bytes()) == own_notice


def test_a_receipt_without_the_notice_that_the_body_names_is_refused(receipt):
    with pytest.raises(RecordError):
        replace(receipt, notice=None)


def test_what_no_notice_states_is_left_out_and_not_made_up(own_notice):
    record = json.loads(to_jsonld(own_notice.to_bytes()))["dpv:hasRecordOfActivity"]
    (condition,) = record["dpv:hasProcess"][0]["dpv:hasStorageCondition"]
    assert condition["@type"] == "dpv:StorageDuration"
    assert "dpv:hasRecipient" not in record
    assert set(MANDATORY["record"]) <= set(record)


def test_the_page_of_a_purpose_that_is_its_own_notice_holds_its_whole_text_on_one_sheet(
    own_notice, sheets, tmp_path
):
    page = tmp_path / "receipt.html"
    page.write_text(to_html(own_notice.to_bytes(), Language.FR), "utf-8")
    said = Texts(page.read_text("utf-8")).texts
    assert own_notice.purpose.text_fr in said
    party = own_notice.opening.body.party_identification[0]
    assert f"{party.party_name}, {party.party_address}, {party.party_contact}" in said
    assert sheets(page) == 1


def test_the_area_is_in_the_json_ld_and_on_the_page(receipt, resident):
    area = ConsentArea(outlines_sha256="ab" * 32, zones=("17028", "17300"))
    opening = receipt.opening
    body = replace(opening.body, limits=replace(opening.body.limits, area=area))
    event = resident.sign("consent.given", c=body.commitment(key=KEY))
    limited = replace(
        receipt, opening=Opening(event=event, body=body, key=KEY), log_receipt=None
    ).to_bytes()
    process = json.loads(to_jsonld(limited))["dpv:hasRecordOfActivity"]["dpv:hasProcess"][0]
    assert process["mec:area"]["mec:zones"] == ["17028", "17300"]
    assert process["mec:area"]["mec:outlinesSha256"] == "ab" * 32
    for language in Language:
        assert "17028, 17300" in to_html(limited, language)
        assert "17028" not in to_html(receipt.to_bytes(), language)
