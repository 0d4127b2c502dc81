"""Sharing: what is shown is what leaves, once, and only while consent holds."""

import hashlib
import threading
from dataclasses import replace

import pytest

from carbon.modes import TransportMode
from contributions.messages import read_report
from contributions.weeks import week_period
from personal_store.choices.consent_events import VALIDITY
from personal_store.db.contributions import ContributionState
from personal_store.errors import (
    GateClosed,
    PreviewChanged,
    TransportError,
)
from personal_store.jobs import sharing

CAR, BIKE, UNKNOWN = TransportMode.CAR, TransportMode.BIKE, TransportMode.UNKNOWN


class TestPreview:
    """A preview draws once, sends nothing and spends nothing."""

    def test_it_shows_the_exact_vector_of_the_week(self, resident, task):
        resident.travel({CAR: 120.0, BIKE: 30.0})
        resident.give()
        shown = resident.preview(task)
        labels = [coordinate.label for coordinate in task.coordinates]
        exact = dict(zip(labels, shown.exact, strict=True))
        assert exact == dict.fromkeys(labels, 0) | {"car": 200, "bike": 150}
        assert not shown.clipped

    def test_it_counts_only_the_trips_that_start_in_the_week(self, resident, task):
        resident.travel({CAR: 120.0}, at=week_period("2026-W46").end)
        resident.give()
        assert sum(resident.preview(task).exact) == 0

    def test_a_quiet_week_is_a_report_like_any_other(self, resident, task):
        resident.give()
        shown = resident.preview(task)
        assert sum(shown.exact) == 0
        assert len(read_report(shown.kept.report).report.vector) == len(task.coordinates)

    def test_a_week_over_the_cap_says_that_it_was_clipped(self, resident, task):
        resident.travel({CAR: 6000.0})
        resident.give()
        shown = resident.preview(task)
        assert shown.clipped
        assert sum(shown.exact) <= task.cap_units

    def test_looking_twice_draws_once(self, resident, task):
        resident.give()
        assert resident.preview(task).kept == resident.preview(task).kept
        assert resident.store.noise.draws == 1

    def test_looking_sends_nothing_and_spends_nothing(self, resident, task, cooperative):
        resident.give()
        before = len(cooperative.requests)
        resident.preview(task)
        assert len(cooperative.requests) == before
        assert [row.state for row in resident.ledger()] == [ContributionState.PREPARED]

    def test_without_consent_it_shows_the_week_and_why_nothing_leaves(self, resident, task):
        resident.travel({CAR: 120.0})
        shown = resident.preview(task)
        assert sum(shown.exact) == 200
        assert shown.kept is None
        assert shown.closed.en == "You have not consented: nothing leaves."
        assert resident.store.noise.draws == 0
        assert resident.ledger() == []

    def test_a_week_that_is_not_over_is_shown_and_not_drawn(self, resident):
        resident.give()
        shown = resident.preview(resident.asked(week="2026-W47"))
        assert shown.kept is None
        assert "not over" in shown.closed.en
        assert resident.store.noise.draws == 0

    def test_trips_that_changed_redraw_a_draft(self, resident, task):
        resident.travel({CAR: 120.0})
        resident.give()
        first = resident.preview(task)
        resident.travel({CAR: 240.0})
        second = resident.preview(task)
        assert sum(second.exact) == 400
        assert second.kept.report != first.kept.report
        assert second.kept.exact == second.exact

    def test_trips_that_changed_within_the_rounding_redraw_nothing(self, resident, task):
        resident.travel({CAR: 120.0})
        resident.give()
        first = resident.preview(task)
        resident.travel({CAR: 120.1})
        assert resident.preview(task).kept == first.kept

    def test_a_shown_preview_shows_no_exact_value_in_a_log(self, resident, task):
        resident.travel({CAR: 120.0})
        resident.give()
        assert "(0, 0, 0, 200" not in repr(resident.preview(task))


class TestSending:
    """The bytes shown are the bytes sent, and sent is final."""

    def test_what_was_shown_is_what_is_sent_byte_for_byte(self, resident, task, cooperative):
        resident.travel({CAR: 120.0})
        resident.give()
        shown = resident.preview(task).kept.report
        sent = resident.send(task, shown_sha256=hashlib.sha256(shown).hexdigest())
        assert sent.report == shown
        assert cooperative.reports == [shown]
        assert resident.store.noise.draws == 1

    def test_sending_without_a_look_sends_what_a_look_then_shows(self, resident, task, cooperative):
        resident.give()
        resident.send(task)
        assert cooperative.reports == [resident.preview(task).kept.report]

    def test_bytes_that_changed_since_they_were_shown_do_not_leave(
        self, resident, task, cooperative
    ):
        resident.travel({CAR: 120.0})
        resident.give()
        shown = hashlib.sha256(resident.preview(task).kept.report).hexdigest()
        resident.travel({CAR: 240.0})
        with pytest.raises(PreviewChanged):
            resident.send(task, shown_sha256=shown)
        assert cooperative.reports == []
        assert [row.state for row in resident.ledger()] == [ContributionState.PREPARED]

    def test_sent_is_final_whatever_the_trips_become(self, resident, task, cooperative):
        resident.give()
        first = resident.send(task)
        resident.travel({CAR: 120.0})
        assert resident.send(task) == first
        assert resident.preview(task).kept == first
        assert len(cooperative.reports) == 1

    def test_sent_stays_sent_after_a_withdrawal(self, resident, task):
        resident.give()
        first = resident.send(task)
        resident.withdraw()
        assert resident.preview(task).kept == first
        assert resident.send(task) == first

    def test_a_crash_before_the_answer_resends_the_same_bytes(self, resident, task, cooperative):
        resident.give()
        cooperative.offline = True
        with pytest.raises(TransportError):
            resident.send(task)
        (reserved,) = resident.ledger()
        assert reserved.state is ContributionState.RESERVED
        cooperative.offline = False
        # Trips that come in meanwhile change nothing any more: the bytes may have left.
        resident.travel({CAR: 120.0})
        assert resident.send(task).report == reserved.report
        assert cooperative.reports == [reserved.report]
        assert resident.store.noise.draws == 1

    def test_a_lost_answer_resends_the_same_bytes_and_counts_as_sent(
        self, resident, task, cooperative
    ):
        resident.give()
        cooperative.lose_answers = True
        with pytest.raises(TransportError):
            resident.send(task)
        cooperative.lose_answers = False
        assert resident.send(task).state is ContributionState.SENT
        assert [row.state for row in resident.ledger()] == [ContributionState.SENT]
        assert len(cooperative.reports) == 1

    def test_a_refused_report_stays_spent_and_is_not_sent(self, resident, task, cooperative):
        resident.give()
        cooperative.scripted["/v1/reports"] = cooperative._answer("GET", "/v1/none", None)
        with pytest.raises(TransportError):
            resident.send(task)
        assert [row.state for row in resident.ledger()] == [ContributionState.RESERVED]

    def test_contributions_of_one_consent_are_counted_from_zero(self, resident, cooperative):
        resident.give()
        tasks = [resident.asked(week=week) for week in ("2026-W44", "2026-W45", "2026-W46")]
        for each in tasks:
            assert (
                read_report(resident.preview(each).kept.report).report.n == 0
            )  # drafts, all of them
        for each in tasks:
            resident.send(each)
        assert [read_report(each).report.n for each in cooperative.reports] == [0, 1, 2]


class TestConsent:
    """Only a consent in force lets anything leave, reserved bytes included."""

    def test_nothing_leaves_without_consent(self, resident, task, cooperative):
        with pytest.raises(GateClosed):
            resident.send(task)
        assert cooperative.reports == []
        assert resident.ledger() == []

    def test_a_withdrawal_stops_a_draft(self, resident, task, cooperative):
        resident.give()
        resident.preview(task)
        resident.withdraw()
        with pytest.raises(GateClosed, match="retiré"):
            resident.send(task)
        assert cooperative.reports == []

    def test_a_withdrawal_stops_bytes_already_reserved(self, resident, task, cooperative):
        resident.give()
        cooperative.offline = True
        with pytest.raises(TransportError):
            resident.send(task)
        cooperative.offline = False
        resident.withdraw()
        with pytest.raises(GateClosed, match="retiré"):
            resident.send(task)
        assert cooperative.reports == []

    def test_reserved_bytes_stay_here_under_a_consent_given_anew(self, resident, task, cooperative):
        resident.give()
        cooperative.offline = True
        with pytest.raises(TransportError):
            resident.send(task)
        cooperative.offline = False
        resident.withdraw()
        resident.give()
        # The week is already spent under this purpose; were it not, the old bytes would not do.
        with pytest.raises(GateClosed):
            resident.send(task)
        assert cooperative.reports == []
        assert resident.store.noise.draws == 1

    def test_a_draft_is_drawn_anew_under_a_consent_given_anew(self, resident, task):
        resident.give()
        first = resident.preview(task).kept
        resident.withdraw()
        resident.give()
        second = resident.preview(task).kept
        assert second.cid != first.cid
        assert read_report(second.report).report.head == second.head != first.head

    def test_the_gate_closes_when_the_consent_runs_out(self, resident, clock):
        resident.give()
        late = resident.asked(report_deadline=clock.now() + 2 * VALIDITY)
        clock.advance(VALIDITY)
        with pytest.raises(GateClosed, match="expiré"):
            resident.send(late)

    def test_a_renewed_consent_opens_the_gate_again(self, resident, clock, cooperative):
        resident.give()
        late = resident.asked(report_deadline=clock.now() + 2 * VALIDITY)
        clock.advance(VALIDITY)
        resident.give()
        resident.send(late)
        assert len(cooperative.reports) == 1

    def test_a_new_wording_of_the_purpose_asks_anew(self, resident, cooperative):
        resident.give()
        reworded = resident.asked(purpose=cooperative.publish(version="2"))
        with pytest.raises(GateClosed):
            resident.send(reworded)


class TestOnlyWhatWasShown:
    """P3: The bytes sent MUST be those previewed. C5: A withdrawal MUST hold once it is signed."""

    def test_a_week_that_nobody_looked_at_does_not_leave(self, resident, task, cooperative):
        resident.give()
        with pytest.raises(PreviewChanged):
            sharing.run_once(resident.store, resident.member, task)
        assert cooperative.reports == []
        assert resident.ledger() == []

    def test_a_trip_that_came_in_after_the_preview_stops_the_sending(
        self, resident, task, cooperative
    ):
        resident.travel({CAR: 120.0})
        resident.give()
        shown = resident.preview(task).kept.report
        resident.travel({BIKE: 30.0})
        for _ in range(2):
            with pytest.raises(PreviewChanged):
                sharing.run_once(resident.store, resident.member, task)
        assert cooperative.reports == []
        assert [row.report for row in resident.ledger()] == [shown]

    def test_a_withdrawal_waits_for_bytes_that_are_leaving(self, resident, task, cooperative):
        resident.give()
        resident.preview(task)
        withdrawal = threading.Thread(target=resident.withdraw)
        signed_while_leaving = []

        class Slow:
            def exchange(self, method, path, body):
                withdrawal.start()
                withdrawal.join(timeout=0.3)
                signed_while_leaving.append(not withdrawal.is_alive())
                return cooperative.exchange(method, path, body)

        slow = replace(resident.store, connect=lambda _: Slow())
        sharing.run_once(slow, resident.member, task)
        withdrawal.join()
        assert signed_while_leaving == [False]
        with pytest.raises(GateClosed):
            resident.send(resident.asked(title_fr="Après le retrait"))
