"""Delegates and recovery keys before an auditor: within their mandate they count, outside never."""

from datetime import timedelta

import pytest

from consents.records.mandate import Mandate
from consents.records.receipt import read_event


@pytest.fixture
def helped(city, new_key):
    """Return a resident whose delegate may withdraw for two hours from now on."""
    person = city.person("helped")
    person.say("consent.given")
    mandate = Mandate(starts_at=city.now, ends_at=city.now + timedelta(hours=2))
    person.say("delegate.named", names=new_key("helper"), m=mandate)
    city.later()
    city.witness()
    return person


def frozen(city, person):
    """Freeze a batch that counts the resident, an hour after what came before."""
    task = city.ask()
    report = person.report(task)
    city.later()
    city.commit(task, [report])


def test_a_delegate_s_withdrawal_ends_what_it_ended(city, auditor, helped, new_key):
    task = city.ask()
    report = helped.report(task)
    helped.say("consent.withdrawn", key=new_key("helper"))
    assert auditor.audit("coverage") == (0, [])
    city.later()
    city.commit(task, [report])
    assert auditor.audit("coverage") == (2, ["withdrawn"])


def test_a_delegate_s_leaf_from_after_the_mandate_makes_the_log_unsound(
    city, auditor, helped, new_key
):
    city.later(timedelta(hours=3))
    helped.say("consent.withdrawn", key=new_key("helper"))
    assert auditor.audit("coverage") == (2, ["log"])


def test_a_revoked_delegate_s_leaf_makes_the_log_unsound(auditor, helped, new_key):
    helped.say("delegate.revoked", names=new_key("helper"))
    assert auditor.audit("coverage") == (0, [])
    helped.say("consent.withdrawn", key=new_key("helper"))
    assert auditor.audit("coverage") == (2, ["log"])


def test_a_delegate_s_slip_that_the_operator_ignored_is_found(city, auditor, helped, new_key):
    slip = city.slip(helped.leaf("consent.withdrawn", key=new_key("helper")))
    city.later()
    city.witness()
    frozen(city, helped)
    found = auditor.audit("after-withdrawal", *auditor.evidence(slip))
    assert found == (2, ["evidence-ignored"])


def test_a_delegate_s_slip_counts_though_the_mandate_was_taken_back_later(
    city, auditor, helped, new_key
):
    slip = city.slip(helped.leaf("consent.withdrawn", key=new_key("helper")))
    city.later()
    city.witness()
    frozen(city, helped)
    city.later()
    helped.say("delegate.revoked", names=new_key("helper"))
    found = auditor.audit("after-withdrawal", *auditor.evidence(slip))
    assert found == (2, ["evidence-ignored"])


def test_a_slip_of_a_delegate_whose_mandate_was_taken_back_accuses_nobody(
    city, auditor, helped, new_key
):
    helped.say("delegate.revoked", names=new_key("helper"))
    slip = city.slip(helped.leaf("consent.withdrawn", key=new_key("helper")))
    city.later()
    city.witness()
    frozen(city, helped)
    assert auditor.audit("after-withdrawal", *auditor.evidence(slip)) == (0, [])


@pytest.mark.parametrize("honest_date", [True, False], ids=["dated", "dated back"])
def test_a_slip_from_after_the_mandate_accuses_nobody(city, auditor, helped, new_key, honest_date):
    in_time = city.now
    city.later(timedelta(hours=3))
    at = city.now if honest_date else in_time
    slip = city.slip(helped.leaf("consent.withdrawn", key=new_key("helper"), at=at))
    city.witness()
    frozen(city, helped)
    for subject in ("after-withdrawal", "promises"):
        workspace = ("--workspace", auditor.folder / "work")
        for _ in range(2):
            evidence = auditor.evidence(slip)
            assert auditor.audit(subject, *evidence, *workspace) == (0, [])


def test_a_withdrawal_by_the_key_named_for_a_loss_ends_the_consent(city, auditor, new_key):
    person = city.person("careful")
    person.say("consent.given")
    person.say("recovery.named", names=new_key("paper"))
    task = city.ask()
    report = person.report(task)
    person.say("consent.withdrawn", key=new_key("paper"))
    assert auditor.audit("coverage") == (0, [])
    city.later()
    city.commit(task, [report])
    assert auditor.audit("coverage") == (2, ["withdrawn"])


def test_a_slip_by_the_key_named_for_a_loss_that_the_operator_ignored_is_found(
    city, auditor, new_key
):
    person = city.person("careful")
    person.say("consent.given")
    person.say("recovery.named", names=new_key("paper"))
    city.later()
    city.witness()
    slip = city.slip(person.leaf("consent.withdrawn", key=new_key("paper")))
    city.later()
    city.witness()
    frozen(city, person)
    for _ in range(2):
        evidence = auditor.evidence(slip)
        workspace = ("--workspace", auditor.folder / "work")
        found = auditor.audit("after-withdrawal", *evidence, *workspace)
        assert found == (2, ["evidence-ignored"])


@pytest.mark.parametrize("kind", ["key.recovered", "consent.withdrawn"])
def test_a_recovery_by_a_key_that_nobody_named_makes_the_log_unsound(city, auditor, new_key, kind):
    person = city.person("careful")
    person.say("consent.given")
    person.say(kind, key=new_key("thief"), names=new_key("second"))
    assert auditor.audit("coverage") == (2, ["log"])


@pytest.mark.parametrize(
    "changes", [{"n": 99, "p": "ab" * 32}, {"n": 1}, {"p": "ab" * 32}], ids=["both", "n", "p"]
)
def test_a_resident_s_withdrawal_that_fits_nowhere_accuses_nobody(city, auditor, helped, changes):
    slip = city.slip(helped.leaf("consent.withdrawn", **changes))
    later = ("--at", "2027-01-20T08:00:00Z")
    assert auditor.audit("promises", *auditor.evidence(slip), *later) == (0, [])
    frozen(city, helped)
    assert auditor.audit("after-withdrawal", *auditor.evidence(slip)) == (0, [])


def test_a_key_that_was_changed_accuses_nobody(city, auditor, helped, new_key):
    helped.say("key.rotated", names=new_key("next"))
    helped.say("key.rotated", key=new_key("next"), names=helped.key)
    slip = city.slip(helped.leaf("consent.withdrawn"))
    later = ("--at", "2027-01-20T08:00:00Z")
    assert auditor.audit("promises", *auditor.evidence(slip), *later) == (0, [])


def test_a_withdrawal_that_continues_what_was_promised_alone_is_owed(city, auditor, helped):
    limited = read_event(helped.leaf("consent.limited"))
    promised = {"leaf": limited.leaf.decode(), "promise": city.promise(limited.leaf)}
    helped.events.append(limited)
    evidence = auditor.evidence(city.slip(helped.leaf("consent.withdrawn")), promised)
    later = ("--at", "2027-01-20T08:00:00Z")
    assert auditor.audit("promises", *evidence, *later) == (2, ["promise-broken"] * 2)


@pytest.mark.parametrize("kind", ["consent.expired", "consent.limited"])
def test_an_event_logged_in_place_of_a_slip_s_excuses_nobody(city, auditor, helped, kind):
    slip = city.slip(helped.leaf("consent.withdrawn"))
    frozen(city, helped)
    helped.say(kind, key=city.key if kind == "consent.expired" else None)
    found = auditor.audit("after-withdrawal", *auditor.evidence(slip))
    assert found == (2, ["evidence-ignored"])


def test_a_withdrawal_beside_an_event_that_stood_before_it_accuses_nobody(city, auditor, helped):
    other = helped.leaf("consent.withdrawn")
    helped.say("consent.limited")
    city.later()
    frozen(city, helped)
    found = auditor.audit("after-withdrawal", *auditor.evidence(city.slip(other)))
    assert found == (0, [])
