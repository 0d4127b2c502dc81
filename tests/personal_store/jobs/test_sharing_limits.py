"""Sharing: what costs no privacy because it is not sent, and what the budget does not allow."""

from dataclasses import replace
from datetime import timedelta

import pytest

from carbon.modes import TransportMode
from contributions.measures import Coordinate, Measure
from contributions.task import Zone
from contributions.weeks import week_period
from personal_store.db.connection import writing
from personal_store.db.contributions import ContributionState
from personal_store.errors import (
    GateClosed,
    LedgerRefused,
    NotAnswerable,
)
from personal_store.jobs import sharing

CAR, BIKE, UNKNOWN = TransportMode.CAR, TransportMode.BIKE, TransportMode.UNKNOWN
BIKE_KM = Coordinate(measure=Measure.KILOMETRES, label="bike", weight=200)


class TestQuestions:
    """A question that the cooperative would not take an answer to costs no privacy."""

    @pytest.fixture(autouse=True)
    def _consented(self, resident):
        resident.give()

    def refused(self, resident, task):
        with pytest.raises(NotAnswerable) as refusal:
            resident.send(task)
        assert resident.cooperative.reports == []
        assert resident.ledger() == []
        assert "rien ne part" in refusal.value.fr
        return refusal.value.en

    def test_a_week_that_is_not_over(self, resident):
        assert "not over" in self.refused(resident, resident.asked(week="2026-W47"))

    def test_the_last_moment_of_the_week_is_too_early_and_the_next_is_not(
        self, resident, clock, cooperative
    ):
        task = resident.asked(week="2026-W47")
        clock.at = task.period.end - timedelta(milliseconds=1)
        with pytest.raises(NotAnswerable):
            resident.send(task)
        clock.at = task.period.end
        resident.send(task)
        assert len(cooperative.reports) == 1

    def test_a_deadline_that_has_passed(self, resident, task, clock):
        clock.at = task.report_deadline
        assert "closed" in self.refused(resident, task)

    def test_a_zone_that_is_not_home(self, resident):
        elsewhere = resident.asked(zones=(Zone(code="17028", name="Aytré"),))
        assert "home zone" in self.refused(resident, elsewhere)

    def test_a_label_that_is_no_mode_group(self, resident):
        odd = resident.asked(coordinates=(replace(BIKE_KM, label="hovercraft"),))
        assert "cannot do" in self.refused(resident, odd)

    def test_a_task_about_some_modes_only_is_answered_about_those(self, resident):
        resident.travel({CAR: 120.0, BIKE: 30.0, UNKNOWN: 5.0})
        some = resident.asked(coordinates=(BIKE_KM,))
        assert resident.send(some).exact == (150,)


class TestBudget:
    """Privacy is spent before the first byte leaves, and never beyond what was accepted."""

    def test_two_questions_about_one_week_share_the_week(self, resident, cooperative):
        resident.give()
        resident.send(resident.asked())
        with pytest.raises(GateClosed, match="confidentialité"):
            resident.send(resident.asked(title_fr="La même semaine, encore"))
        assert len(cooperative.reports) == 1

    def test_two_questions_fit_into_a_week_when_together_they_cost_no_more(
        self, resident, cooperative
    ):
        resident.give()
        resident.send(resident.asked(epsilon_micro=2_000_000))
        resident.send(resident.asked(epsilon_micro=2_000_000, title_fr="La même semaine, encore"))
        assert len(cooperative.reports) == 2

    def test_a_consent_given_anew_does_not_open_the_week_anew(self, resident, cooperative):
        resident.give()
        resident.send(resident.asked())
        resident.withdraw()
        resident.give()
        with pytest.raises(GateClosed, match="confidentialité"):
            resident.send(resident.asked(title_fr="La même semaine, encore"))
        assert len(cooperative.reports) == 1

    def test_a_draft_costs_nothing(self, resident, cooperative):
        resident.give()
        resident.preview(resident.asked(title_fr="Regardée, jamais envoyée"))
        resident.send(resident.asked())
        assert len(cooperative.reports) == 1

    @pytest.fixture
    def nearly_spent(self, resident):
        """Return a store that has 3.9 of its 208 left, spent in the weeks before W46."""
        resident.give()
        first = resident.send(resident.asked(week="2026-W45"))
        with writing(resident.store.engine) as connection:
            connection.exec_driver_sql("UPDATE contribution SET epsilon_micro = 204100000")
        return first

    def test_over_the_yearly_cap_nothing_leaves(self, resident, nearly_spent, task, cooperative):
        with pytest.raises(LedgerRefused):
            resident.send(task)
        assert cooperative.reports == [nearly_spent.report]
        # The refusal is written down, for good, and costs nothing.
        states = [row.state for row in resident.ledger()]
        assert states == [ContributionState.SENT, ContributionState.REFUSED]
        assert not ContributionState.REFUSED.spends
        assert resident.preview(task).kept is None

    @pytest.mark.usefixtures("nearly_spent")
    def test_what_was_refused_stays_refused_a_year_later(self, resident, clock, cooperative):
        late = resident.asked(report_deadline=week_period("2026-W46").end + timedelta(weeks=80))
        for _ in range(2):
            with pytest.raises(LedgerRefused):
                resident.send(late)
            clock.advance(timedelta(weeks=51))
            # Even with the budget back, the decision stands.
            with writing(resident.store.engine) as connection:
                connection.exec_driver_sql(
                    "UPDATE contribution SET epsilon_micro = 1 WHERE state = 'sent'"
                )
        assert len(cooperative.reports) == 1

    @pytest.mark.usefixtures("nearly_spent")
    def test_exactly_the_yearly_cap_may_be_spent(self, resident, task, cooperative):
        with writing(resident.store.engine) as connection:
            connection.exec_driver_sql("UPDATE contribution SET epsilon_micro = 204000000")
        resident.send(task)
        assert len(cooperative.reports) == 2

    def test_the_budget_is_reserved_before_the_first_byte_leaves(self, resident, task, cooperative):
        """P4: The store MUST debit its ledger before the first byte leaves."""
        resident.give()
        seen = []

        class Watching:
            def exchange(self, method, path, body):
                seen.append([row.state for row in resident.ledger()])
                return cooperative.exchange(method, path, body)

        resident.preview(task)
        sharing.run_once(
            replace(resident.store, connect=lambda _: Watching()), resident.member, task
        )
        assert seen == [[ContributionState.RESERVED]]
