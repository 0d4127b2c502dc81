"""Purposes and clear bodies: strict in, canonical out, bound by their commitment."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from consents.canonical import canonical_bytes, sha256_hex
from consents.errors import RecordError
from consents.records.receipt import ConsentBody, ConsentedPurpose, EventType, Party, Purpose


def test_a_purpose_comes_back_from_its_bytes(purpose):
    assert Purpose.parse(purpose.to_bytes()) == purpose


def test_a_purpose_s_digest_is_that_of_its_bytes(purpose):
    assert purpose.digest == sha256_hex(purpose.to_bytes())


def test_one_changed_letter_makes_another_purpose(purpose):
    assert replace(purpose, text_en=purpose.text_en + ".").digest != purpose.digest


SPOILED_PURPOSES = {
    "an empty title": {"title_fr": " "},
    "a text that is a number": {"text_en": 1},
    "no field": {"fields": []},
    "a field twice": {"fields": ["km", "km"]},
    "fields that are a text": {"fields": "km"},
    "a field that is a number": {"fields": [1]},
    "epsilon of zero": {"epsilon_week_micro": 0},
    "epsilon as a float": {"epsilon_week_micro": 0.5},
    "epsilon as a truth value": {"epsilon_week_micro": True},
    "no retention": {"retention_days": 0},
    "a version that is a number": {"version": 1},
    "a member too many": {"colour": "red"},
}


@pytest.mark.parametrize("change", SPOILED_PURPOSES.values(), ids=SPOILED_PURPOSES)
def test_a_purpose_that_breaks_the_schema_is_refused(purpose, change):
    content = canonical_bytes({**json.loads(purpose.to_bytes()), **change})
    with pytest.raises(RecordError):
        Purpose.parse(content)


def test_another_spelling_of_a_purpose_is_refused(purpose):
    with pytest.raises(RecordError, match="canonical"):
        Purpose.parse(json.dumps(json.loads(purpose.to_bytes())).encode())


@pytest.mark.parametrize("content", [b"", b"[]", b"{}"])
def test_bytes_that_are_no_purpose_are_refused(content):
    with pytest.raises(RecordError):
        Purpose.parse(content)


def test_a_body_comes_back_from_its_bytes(body):
    assert ConsentBody.parse(body.to_bytes()) == body


def test_a_body_without_limits_comes_back_from_its_bytes(body):
    withdrawn = replace(body, event_type=EventType.WITHDRAWN, limits=None)
    assert ConsentBody.parse(withdrawn.to_bytes()) == withdrawn


def test_a_body_opens_its_own_commitment_only(body):
    key = bytes(range(32))
    other = replace(body, language="en")
    assert body.commitment(key=key) != other.commitment(key=key)


def test_a_body_hides_the_resident_from_its_representation(body):
    shown = repr(body)
    assert body.pii_principal_id not in shown
    assert body.record_id not in shown


def test_times_of_a_body_are_kept_in_utc_to_the_second(body):
    paris = timezone(timedelta(hours=1))
    at = datetime(2026, 11, 9, 8, 30, 0, 999, tzinfo=paris)
    kept = replace(body, event_time=at).event_time
    assert (kept, kept.tzinfo) == (datetime(2026, 11, 9, 7, 30, tzinfo=UTC), UTC)


def test_a_body_carries_the_members_that_ts_27560_makes_mandatory(body):
    assert set(body.to_mapping()) == {
        "schema_version",
        "record_id",
        "pii_principal_id",
        "privacy_notice",
        "language",
        "purposes",
        "party_identification",
        "event_time",
        "validity_duration_s",
        "event_type",
        "limits",
    }


SPOILED_BODIES = {
    "no record id": {"record_id": ""},
    "a resident that is a number": {"pii_principal_id": 7},
    "a notice without digest": {"privacy_notice": {"url": "u", "version": "1", "sha256": ""}},
    "a notice that is a text": {"privacy_notice": "https://aggregator.example"},
    "no purpose": {"purposes": []},
    "purposes that are an object": {"purposes": {}},
    "a purpose without digest": {
        "purposes": [{"purpose_digest": "", "dpv_purpose": "dpv:X", "lawful_basis": "b"}]
    },
    "no party": {"party_identification": []},
    "a party without a name": {"party_identification": [{"party_id": "1"}]},
    "an event of the operator": {"event_type": "batch.committed"},
    "an unknown event": {"event_type": "consent.assumed"},
    "a time without zone": {"event_time": "2026-11-09T07:30:00"},
    "a negative validity": {"validity_duration_s": -1},
    "a consent without limits": {"limits": None},
    "limits that are a text": {"limits": "none"},
    "a validity shorter than the limits": {"validity_duration_s": 1},
    "a member too many": {"name": "somebody"},
}


@pytest.mark.parametrize("change", SPOILED_BODIES.values(), ids=SPOILED_BODIES)
def test_a_body_that_breaks_the_schema_is_refused(body, change):
    content = canonical_bytes({**json.loads(body.to_bytes()), **change})
    with pytest.raises(RecordError):
        ConsentBody.parse(content)


SPOILED_LIMITS = {
    "a negative epsilon": {"epsilon_week_micro": -1},
    "epsilon as a float": {"epsilon_total_micro": 0.5},
    "a field twice": {"fields": ["km", "km"]},
    "an expiry without zone": {"expires_at": "2027-11-09"},
}


@pytest.mark.parametrize("change", SPOILED_LIMITS.values(), ids=SPOILED_LIMITS)
def test_limits_that_break_the_schema_are_refused(body, change):
    value = json.loads(body.to_bytes())
    value["limits"].update(change)
    with pytest.raises(RecordError):
        ConsentBody.parse(canonical_bytes(value))


def test_a_body_built_with_a_time_without_zone_is_refused(body):
    with pytest.raises(RecordError, match="aware"):
        replace(body, event_time=datetime(2026, 11, 9))  # noqa: DTZ001  # the very fault


@pytest.mark.parametrize(
    "change", [{"purposes": []}, {"purposes": ("digest",)}, {"event_type": "consent.assumed"}]
)
def test_a_body_built_with_other_types_is_refused(body, change):
    with pytest.raises(RecordError):
        replace(body, **change)


def test_the_lawful_basis_is_consent_unless_said_otherwise():
    purpose = ConsentedPurpose(purpose_digest="00" * 32, dpv_purpose="dpv:X")
    assert purpose.lawful_basis == "eu-gdpr:A6-1-a"


def test_a_party_must_be_reachable():
    with pytest.raises(RecordError, match="party_contact"):
        Party(
            party_id="1",
            party_name="Coopérative",
            party_role="controller",
            party_type="data-cooperative",
            party_address="La Rochelle",
            party_contact="",
        )


def test_bytes_that_are_no_body_are_refused():
    with pytest.raises(RecordError, match="UTF-8 JSON"):
        ConsentBody.parse(b"\xff")
