"""What a restored store shares: nothing that may have been shared already, and the weeks after."""

from dataclasses import replace
from datetime import timedelta

import pytest

from personal_store.db import presumptions
from personal_store.db.connection import reading, writing
from personal_store.db.contributions import ContributionState
from personal_store.errors import LedgerRefused, NotAnswerable, TransportError
from personal_store.jobs import sharing
from personal_store.jobs.ledger import entries, yearly_loss
from personal_store.keeping.restoring import presume


def _restore(resident, backed_up_at):
    """Have the store as it is now be one restored from a backup of then."""
    now = resident.store.clock.now()
    with writing(resident.store.engine) as connection:
        presume(connection, backed_up_at=backed_up_at, restored_at=now)
        return presumptions.every(connection)


def test_a_week_that_was_over_is_not_sent(resident, cooperative):
    resident.give()
    task = resident.asked()
    _restore(resident, resident.store.clock.now())
    shown = resident.preview(task)
    assert shown.kept is None
    assert isinstance(shown.closed, NotAnswerable)
    with pytest.raises(NotAnswerable):
        resident.send(task)
    assert cooperative.reports == []


def test_a_draft_of_before_is_not_sent(resident, cooperative):
    resident.give()
    task = resident.asked()
    resident.preview(task)
    _restore(resident, resident.store.clock.now())
    with pytest.raises(NotAnswerable):
        resident.send(task)
    assert cooperative.reports == []


def test_a_very_late_question_about_a_week_long_over_is_not_answered(resident, cooperative):
    resident.give()
    _restore(resident, resident.store.clock.now())
    with pytest.raises(NotAnswerable):
        resident.send(resident.asked(week="2026-W30"))
    assert cooperative.reports == []


def test_what_was_reserved_leaves_as_the_same_bytes(resident, cooperative):
    resident.give()
    task = resident.asked()
    resident.preview(task)
    cooperative.lose_answers = True
    with pytest.raises(TransportError):
        resident.send(task)
    cooperative.lose_answers = False
    _restore(resident, resident.store.clock.now())
    assert resident.send(task).state is ContributionState.SENT
    assert len(set(cooperative.reports)) == 1


def test_the_next_week_is_sent(resident, clock):
    resident.give()
    _restore(resident, clock.now())
    clock.advance(timedelta(days=7))
    assert resident.send(resident.asked(week="2026-W47")).state is ContributionState.SENT


def test_presumed_weeks_count_against_the_cap(resident, clock, monkeypatch):
    monkeypatch.setattr(sharing, "YEARLY_CAP_EPSILON_MICRO", 20_000_000)
    resident.give()
    weeks = _restore(resident, clock.now())
    assert [each.epsilon_micro for each in weeks] == [4_000_000] * 4
    clock.advance(timedelta(days=14))
    resident.send(resident.asked(week="2026-W47"))
    with pytest.raises(LedgerRefused):
        resident.send(resident.asked(week="2026-W48"))


def test_a_week_that_the_backup_shows_as_sent_counts_once(resident, clock):
    resident.give()
    resident.send(resident.asked())
    weeks = _restore(resident, clock.now())
    counted = {each.week: each.epsilon_micro for each in weeks}
    assert counted["2026-W46"] == 0
    with reading(resident.store.engine) as connection:
        presumed = presumptions.every(connection)
    assert [each.week for each in entries(resident.ledger(), presumed)].count("2026-W46") == 1
    assert yearly_loss(resident.ledger(), presumed).pure == 16


def test_a_question_open_at_the_backup_reaches_as_far_as_it_says(resident, clock):
    resident.give()
    resident.asked(week="2026-W38", report_deadline=clock.now() + timedelta(days=30))
    weeks = [each.week for each in _restore(resident, clock.now())]
    assert weeks == [f"2026-W{number}" for number in range(38, 47)]


def test_two_questions_of_a_week_are_presumed_answered_one_by_one(resident, clock):
    """One was sent before the backup; the other may have been since, and costs its own noise."""
    resident.give()
    resident.send(resident.asked())
    other = resident.asked(cap_units=7)
    counted = {each.week: each.epsilon_micro for each in _restore(resident, clock.now())}
    assert counted["2026-W46"] == other.epsilon_micro


def test_a_week_is_presumed_no_cheaper_than_its_questions(resident, clock):
    resident.give()
    resident.asked(epsilon_micro=9_000_000)
    counted = {each.week: each.epsilon_micro for each in _restore(resident, clock.now())}
    assert counted["2026-W46"] == 9_000_000


@pytest.mark.parametrize(("allowed", "counted"), [(1, 4), (9, 9), (90, 10)])
def test_a_week_counts_for_all_that_a_question_unknown_to_the_backup_may_have_cost(
    resident, cooperative, clock, allowed, counted
):
    """At least an even share of the cap, at most what a question may ask; in whole ε."""
    terms = cooperative.publish(epsilon_week_micro=allowed * 1_000_000)
    dear = replace(resident, purpose=terms)
    dear.asked(week="2026-W45", epsilon_micro=1_000_000)
    dear.give()
    weeks = _restore(dear, clock.now())
    assert [each.epsilon_micro for each in weeks] == [counted * 1_000_000] * 4


def test_a_purpose_that_was_never_consented_to_counts_for_nothing(resident, cooperative, clock):
    other = cooperative.publish(epsilon_week_micro=9_000_000)
    resident.asked(week="2026-W46", purpose=other)
    resident.give()
    assert {each.epsilon_micro for each in _restore(resident, clock.now())} == {4_000_000}


def test_a_question_that_the_ledger_refused_was_not_answered(resident, clock, monkeypatch):
    monkeypatch.setattr(sharing, "YEARLY_CAP_EPSILON_MICRO", 1)
    resident.give()
    with pytest.raises(LedgerRefused):
        resident.send(resident.asked())
    other = resident.asked(cap_units=7)
    counted = {each.week: each.epsilon_micro for each in _restore(resident, clock.now())}
    assert counted["2026-W46"] == other.epsilon_micro
