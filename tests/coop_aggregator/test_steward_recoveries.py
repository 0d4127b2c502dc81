"""A lost key that one steward replaced, in the audits of another steward."""

from dataclasses import replace

import pytest

from consents.audit.findings import AuditProblem
from consents.jws import thumbprint
from consents.records.chain import key_digest
from consents.records.receipt import EventType, read_event, sign_event
from consents.tlog.checkpoint import NoteKey
from coop_aggregator import intake
from coop_aggregator.errors import AggregatorError
from coop_aggregator.installation import open_helper
from coop_aggregator.jobs import audit


@pytest.fixture
def coop(light_coop, private_key):
    """Return a cooperative that counts another steward among its witnesses."""
    kid = thumbprint(private_key("other").public_key())
    light_coop.leader = replace(light_coop.leader, steward_kids=(kid,))
    return light_coop


@pytest.fixture
def other(private_key):
    """Return the other steward's verifier key."""
    return NoteKey.of_witness("other.example", private_key("other").public_key()).vkey


@pytest.fixture
def handed_over(coop, auditor, private_key):
    """Return an export with a consent whose key the other steward replaced."""
    person, steward = coop.resident(), private_key("other")
    changes = {
        "kid": thumbprint(steward.public_key()),
        "c": key_digest(thumbprint(private_key("new").public_key())),
    }
    payload = read_event(person.leaf(EventType.KEY_RECOVERED)).payload
    leaf = sign_event(replace(payload, **changes), steward)
    intake.receive_event(coop.leader, leaf=leaf, membership=None)
    auditor.hand_over()
    return auditor.export


def problems(report):
    return {each.problem for answer in report.answers for each in answer.findings}


def test_a_steward_s_audit_follows_a_key_that_another_one_replaced(helper, handed_over, other):
    report = audit.run_once(replace(helper, fellows=(other,)), handed_over)
    assert report.readable
    assert problems(report) == set()


def test_a_key_that_nobody_known_replaced_is_found(helper, handed_over):
    assert problems(audit.run_once(helper, handed_over)) == {AuditProblem.LOG}


def test_another_steward_s_cosignature_is_not_taken_for_one_s_own(helper, auditor, other):
    auditor.export_uncosigned()
    report = audit.run_once(replace(helper, fellows=(other,)), auditor.export)
    assert problems(report) == {AuditProblem.NO_QUORUM}


def test_a_steward_s_fellows_are_those_of_the_cooperative_s_list(
    helper, settings_in, tmp_path, other
):
    settings = settings_in(tmp_path / "fresh").model_copy(
        update={
            "data": tmp_path / "stewards",
            "witnesses": f"{helper.who.own_vkey} https://a.example, {other} https://b.example",
        }
    )
    opened = open_helper(settings, helper.clock)
    opened.database.close()
    assert opened.fellows == (other,)


def test_a_list_that_names_nobody_is_refused(helper, settings_in, tmp_path):
    settings = settings_in(tmp_path / "fresh").model_copy(
        update={"data": tmp_path / "stewards", "witnesses": "nobody"}
    )
    with pytest.raises(AggregatorError):
        open_helper(settings, helper.clock)
