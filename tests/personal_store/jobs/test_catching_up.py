"""Catching up: quiet weeks are answered, half-delivered ones completed, failures stop nothing."""

import pytest

from contributions.task import TrustMode
from personal_store.db.contributions import ContributionState
from personal_store.errors import GateClosed, TransportError
from personal_store.jobs import catching_up


def _run(resident):
    return catching_up.run_once(resident.store, resident.member)


@pytest.fixture
def consented(resident):
    resident.give()
    return resident


def test_quiet_weeks_are_answered_with_zeros_oldest_first(consented, cooperative):  # P6
    for week in ("2026-W46", "2026-W44", "2026-W45"):
        consented.asked(week=week)
    attempts = _run(consented)
    assert [each.week for each in attempts] == ["2026-W44", "2026-W45", "2026-W46"]
    assert {each.sent.state for each in attempts} == {ContributionState.SENT}
    assert all(not any(each.sent.exact) for each in attempts)
    assert len(cooperative.reports) == 3


def test_what_was_sent_is_not_due_again(consented, cooperative):
    consented.asked()
    assert len(_run(consented)) == 1
    assert _run(consented) == []
    assert len(cooperative.reports) == 1


def test_weeks_that_run_or_are_closed_are_not_due(consented, clock):
    running = consented.asked(week="2026-W47")
    assert _run(consented) == []
    clock.at = running.report_deadline
    assert _run(consented) == []


def test_nothing_is_sent_without_a_consent(resident, cooperative):
    resident.asked()
    (attempt,) = _run(resident)
    assert isinstance(attempt.refusal, GateClosed)
    assert cooperative.reports == []


def test_one_failure_stops_no_other_week(consented, cooperative):
    consented.asked(week="2026-W44", epsilon_micro=4_000_001)
    consented.asked(week="2026-W45")
    first, second = _run(consented)
    assert isinstance(first.refusal, GateClosed)
    assert second.sent is not None
    assert len(cooperative.reports) == 1


class TestHalfDelivered:
    """A report that one keeper missed is completed by the next run, with the same bytes."""

    @pytest.fixture(autouse=True)
    def _joined_with_keepers(self, keepers):
        """Have the cooperative name its keepers before anybody joins."""

    def test_it_is_completed(self, keepers, consented):  # S3
        consented.asked(trust_mode=TrustMode.TWO_KEEPERS)
        keepers.helper.offline = True
        (attempt,) = _run(consented)
        assert isinstance(attempt.refusal, TransportError)
        keepers.helper.offline = False
        (attempt,) = _run(consented)
        assert attempt.sent.state is ContributionState.SENT
        assert len(set(keepers.leader.uploads)) == 1
        assert len(keepers.helper.uploads) == 1
