"""The consent gate: every refusal in plain words, and no other maker of a `Permitted`."""

import ast
import copy
import pickle
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from consents.records.decision import Reason
from consents.records.limits import ConsentLimits
from consents.records.record import EventType
from contributions.measures import Measure
from personal_store import gate
from personal_store.choices import consenting
from personal_store.choices.consent_events import VALIDITY, Choice
from personal_store.errors import GateClosed
from personal_store.gate import Covering, Grant, Permitted, WeekFigures, permit_week

WEEK = WeekFigures(
    week="2026-W46", zone="17300", figures={(Measure.KILOMETRES, "car"): Fraction(123)}
)


@pytest.fixture
def purpose(cooperative):
    return cooperative.publish()


@pytest.fixture
def task(cooperative, purpose):
    return cooperative.ask(purpose)


@pytest.fixture
def given(joined, member, purpose, cooperative):
    """Return a consent as kept, and the moment when it was given."""
    told = cooperative.notice(purpose)
    choice = Choice(membership=member, purpose=purpose, notice=told, language="fr")
    return consenting.give(
        joined.engine, choice, now=joined.clock.now(), randomness=joined.randomness
    )


@pytest.fixture
def covering(given) -> Covering:
    return Covering(
        events=[given.signed],
        body=given.body,
        commitment_key=given.commitment_key,
        spent_week_micro=0,
        spent_total_micro=0,
    )


def refusal(task, covering, now, week=WEEK) -> GateClosed:
    with pytest.raises(GateClosed) as closed:
        permit_week(week, task=task, covering=covering, now=now)
    assert closed.value.fr.endswith(".")
    assert closed.value.en.endswith(".")
    return closed.value


def test_a_consent_lets_the_week_out_under_its_own_name(task, covering, given, clock) -> None:
    permitted = permit_week(WEEK, task=task, covering=covering, now=clock.now())
    assert permitted.value is WEEK
    assert permitted.grant == Grant(
        cid=given.signed.payload.cid,
        head=given.signed.head,
        purpose_digest=task.purpose_digest,
    )


def test_who_never_chose_shares_nothing(task, clock) -> None:
    assert refusal(task, None, clock.now()).en == "You have not consented: nothing leaves."


def test_a_withdrawal_closes_the_gate_at_once(joined, member, task, covering, clock) -> None:
    (end,) = consenting.withdraw(
        joined.engine, member, language="fr", now=clock.now(), randomness=joined.randomness
    )
    ended = replace(
        covering,
        events=[*covering.events, end.signed],
        body=end.body,
        commitment_key=end.commitment_key,
    )
    closed = refusal(task, ended, clock.now())
    assert closed.fr == "Vous avez retiré votre accord : rien ne part."
    assert closed.en == "You have withdrawn your consent: nothing leaves."


def test_a_consent_that_ran_out_closes_the_gate(task, covering, clock) -> None:
    clock.advance(VALIDITY)
    assert "expired" in refusal(task, covering, clock.now()).en


def test_a_consent_lets_out_until_its_last_second(task, covering, clock) -> None:
    last = clock.now() + VALIDITY - timedelta(seconds=1)
    assert permit_week(WEEK, task=task, covering=covering, now=last).value is WEEK


def test_another_purpose_closes_the_gate(cooperative, covering, clock) -> None:
    other = cooperative.ask(cooperative.publish(version="2"))
    assert "another purpose" in refusal(other, covering, clock.now()).en


def test_a_task_of_another_log_closes_the_gate(task, covering, clock) -> None:
    elsewhere = replace(task, log_origin="elsewhere.example/log")
    assert "does not cover" in refusal(elsewhere, covering, clock.now()).en


def test_another_week_than_the_one_asked_closes_the_gate(task, covering, clock) -> None:
    other = replace(WEEK, week="2026-W45")
    assert "not the one" in refusal(task, covering, clock.now(), week=other).en


def test_more_privacy_loss_than_accepted_for_a_week_closes_the_gate(
    cooperative, purpose, covering, clock
) -> None:
    greedy = cooperative.ask(purpose, epsilon_micro=4_000_001)
    assert "privacy loss" in refusal(greedy, covering, clock.now()).en


def test_what_the_week_already_cost_counts(task, covering, clock) -> None:
    spent = replace(covering, spent_week_micro=1)
    assert "privacy loss" in refusal(task, spent, clock.now()).en


def test_what_the_consent_already_cost_counts(task, covering, clock) -> None:
    cap = covering.body.limits.epsilon_total_micro
    full = replace(covering, spent_total_micro=cap - task.epsilon_micro + 1)
    assert "privacy loss" in refusal(task, full, clock.now()).en
    room = replace(covering, spent_total_micro=cap - task.epsilon_micro)
    assert permit_week(WEEK, task=task, covering=room, now=clock.now()).value is WEEK


def test_a_field_that_was_not_consented_to_closes_the_gate(
    joined, member, cooperative, clock
) -> None:
    narrow = cooperative.publish(fields=("zone_of_residence",))
    told = cooperative.notice(narrow)
    choice = Choice(membership=member, purpose=narrow, notice=told, language="fr")
    given = consenting.give(joined.engine, choice, now=clock.now(), randomness=joined.randomness)
    covering = Covering(
        events=[given.signed],
        body=given.body,
        commitment_key=given.commitment_key,
        spent_week_micro=0,
        spent_total_micro=0,
    )
    assert "more than you accepted" in refusal(cooperative.ask(narrow), covering, clock.now()).en


def test_a_body_that_the_leaf_does_not_commit_to_closes_the_gate(task, covering, clock) -> None:
    limits: ConsentLimits = covering.body.limits
    widened = replace(covering.body, limits=replace(limits, epsilon_week_micro=9_000_000))
    assert "does not cover" in refusal(task, replace(covering, body=widened), clock.now()).en


def test_a_chain_without_its_beginning_closes_the_gate(
    joined, member, task, covering, clock
) -> None:
    (end,) = consenting.withdraw(
        joined.engine, member, language="fr", now=clock.now(), randomness=joined.randomness
    )
    cut = replace(covering, events=[end.signed])
    assert "does not cover" in refusal(task, cut, clock.now()).en


def test_a_consent_from_the_future_closes_the_gate(task, covering, clock) -> None:
    before = clock.now() - timedelta(days=1)
    assert "dated later" in refusal(task, covering, before).en


def test_no_reason_of_a_refusal_is_left_without_words() -> None:
    for reason in set(Reason) - {Reason.COVERED}:
        closed = gate._closed(reason)
        assert "rien ne part" in closed.fr
        assert "nothing leaves" in closed.en


@pytest.mark.parametrize("seal", [None, object(), "seal", True], ids=repr)
def test_nobody_else_can_make_a_permitted(seal) -> None:
    grant = Grant(cid="c", head="h", purpose_digest="p")
    with pytest.raises(TypeError, match="only the consent gate"):
        Permitted(WEEK, grant, seal=seal)


def test_a_permitted_cannot_be_made_without_a_seal() -> None:
    with pytest.raises(TypeError):
        Permitted(WEEK, Grant(cid="c", head="h", purpose_digest="p"))


def test_a_permitted_cannot_be_given_another_value(task, covering, clock) -> None:
    permitted = permit_week(WEEK, task=task, covering=covering, now=clock.now())
    with pytest.raises(AttributeError):
        permitted.value = replace(WEEK, zone="17000")
    with pytest.raises(AttributeError):
        permitted.grant = None


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_permitted_cannot_be_copied_or_written_down(task, covering, clock, duplicate) -> None:
    permitted = permit_week(WEEK, task=task, covering=covering, now=clock.now())
    with pytest.raises(TypeError):
        duplicate(permitted)


def test_a_permitted_shows_nothing_of_what_it_holds(task, covering, clock) -> None:
    permitted = permit_week(WEEK, task=task, covering=covering, now=clock.now())
    for shown in (repr(permitted), str(permitted), f"{permitted}"):
        assert "123" not in shown
        assert "17300" not in shown
        assert permitted.grant.cid not in shown


def test_a_week_and_a_covering_show_no_kilometres_and_no_key(covering) -> None:
    assert "123" not in repr(WEEK)
    assert repr(covering.commitment_key)[2:-1] not in repr(covering)


def test_only_the_gate_makes_a_permitted_in_the_whole_tree(repository) -> None:
    packages = ("personal_store", "coop_aggregator", "carbon", "consents", "contributions", "demo")
    makers = {
        path.relative_to(repository).as_posix()
        for package in packages
        for path in (repository / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if _makes_permitted(node)
    }
    assert makers == {"personal_store/gate.py"}


def test_the_seal_never_leaves_the_gate(repository) -> None:
    users = {
        path.relative_to(repository).as_posix()
        for path in (repository / "personal_store").rglob("*.py")
        if "_SEAL" in path.read_text()
    }
    assert users == {"personal_store/gate.py"}


def _makes_permitted(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    made = node.func.value if isinstance(node.func, ast.Subscript) else node.func
    return (isinstance(made, ast.Name) and made.id == "Permitted") or (
        isinstance(made, ast.Attribute)
        and (made.attr == "Permitted" or _names_permitted(made.value))
    )


def _names_permitted(value: ast.AST) -> bool:
    return isinstance(value, ast.Name) and value.id == "Permitted"


def test_the_scan_would_see_another_maker() -> None:
    spellings = (
        "Permitted(1, 2, seal=3)",
        "gate.Permitted(1, 2, seal=3)",
        "Permitted[int](1, 2, seal=3)",
        "Permitted.__new__(Permitted)",
    )
    for spelling in spellings:
        assert any(_makes_permitted(node) for node in ast.walk(ast.parse(spelling))), spelling


def test_an_event_of_each_kind_that_permits_opens_and_no_other() -> None:
    assert {each for each in EventType if each.permits} == {
        EventType.GIVEN,
        EventType.LIMITED,
        EventType.RENEWED,
    }
