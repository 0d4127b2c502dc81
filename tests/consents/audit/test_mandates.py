"""Delegates and recovery keys before an auditor: within their mandate they count, outside never."""

from datetime import timedelta

import pytest

from consents.mandate import Mandate


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


def test_a_recovery_by_the_key_named_for_it_ends_the_consent(city, auditor, new_key):
    person = city.person("careful")
    person.say("consent.given")
    person.say("recovery.named", names=new_key("paper"))
    task = city.ask()
    report = person.report(task)
    person.say("key.recovered", key=new_key("paper"), names=new_key("second"))
    person.say("consent.withdrawn", key=new_key("second"))
    assert auditor.audit("coverage") == (0, [])
    city.later()
    city.commit(task, [report])
    assert auditor.audit("coverage") == (2, ["withdrawn"])


def test_a_recovery_by_a_key_that_nobody_named_makes_the_log_unsound(city, auditor, new_key):
    person = city.person("careful")
    person.say("consent.given")
    person.say("key.recovered", key=new_key("thief"), names=new_key("second"))
    assert auditor.audit("coverage") == (2, ["log"])
