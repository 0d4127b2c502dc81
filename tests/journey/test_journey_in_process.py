"""Steps 4 to 9 in one process: real stores against the real cooperative, and what may go wrong.

Only the network is left out: each store reaches the cooperative's own application, and a test may
lose an answer on the way back, as networks do.
"""

import json
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from consents.records.decision import consent_state
from consents.records.receipt import read_event
from consents.records.record import EventType
from contributions.messages import read_report
from contributions.release import Release
from contributions.task import Task
from coop_aggregator.asking.purposes import publish_purpose
from coop_aggregator.db import log as log_db
from coop_aggregator.db import questions as questions_db
from coop_aggregator.db import reports as reports_db
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.installation import Leader
from coop_aggregator.release import publish
from personal_store import cooperative as protocol
from personal_store.choices.consent_events import VALIDITY
from personal_store.db.contributions import ContributionState
from personal_store.errors import GateClosed, NotAnswerable, StoreError, TransportError
from personal_store.jobs import catalogue, joining, sharing

WEEK = "2026-W46"
URL = "https://coop.test"


def logged(leader: Leader) -> list[bytes]:
    """Return the residents' leaves of the log."""
    with leader.database.read() as connection:
        leaves = [leaf.encode() for leaf in log_db.leaf_range(connection, start=0, end=1000)]
    return [leaf for leaf in leaves if read_event(leaf).payload.t.of_consent]


def received(leader: Leader, task: Task) -> list[bytes]:
    """Return the reports that the cooperative keeps, as received."""
    with leader.database.read() as connection:
        return [each.jws.encode() for each in reports_db.reports_of(connection, task.digest)]


class TestJoining:
    def test_a_code_gives_a_membership_with_the_keys_of_the_cooperative(self, join, leader):
        member = join().member
        assert member.url == URL
        assert member.log_vkey == leader.who.log_vkey
        assert member.log_origin == leader.who.origin
        assert member.task_key == leader.keys.task.public_key()

    def test_a_code_is_used_once(self, open_store, invite):
        """J1: An invitation code MUST enrol one member, once."""
        code = invite()
        joining.run_once(open_store(), url=URL, code=code, zone="17300")
        with pytest.raises(TransportError, match="déjà servi"):
            joining.run_once(open_store(), url=URL, code=code, zone="17300")

    def test_a_zone_outside_of_the_territory_is_refused_and_the_code_kept(self, open_store, invite):
        store, code = open_store(), invite()
        with pytest.raises(TransportError, match="territoire"):
            joining.run_once(store, url=URL, code=code, zone="75056")
        assert joining.run_once(store, url=URL, code=code, zone="17300").zone == "17300"

    def test_joining_twice_keeps_the_second_code(self, join, open_store, invite):
        code = invite()
        with pytest.raises(StoreError, match="déjà adhéré"):
            joining.run_once(join().store, url=URL, code=code, zone="17300")
        assert joining.run_once(open_store(), url=URL, code=code, zone="17300").zone == "17300"

    def test_a_second_cooperative_asks_for_a_second_store(self, join, invite):
        code = invite()
        with pytest.raises(StoreError, match="une à la fois"):
            joining.run_once(join().store, url="https://other.test", code=code, zone="17300")


class TestConsents:
    def test_choices_are_in_the_log_with_proofs_that_verify(self, resident, leader):
        resident.give()
        resident.withdraw()
        resident.give()
        assert resident.hand_over() == 3
        events = [event for chain in resident.chains() for event in chain]
        assert logged(leader) == [event.signed.leaf for event in events]
        for event in events:
            event.receipt.verify(resident.member.log_vkey)

    def test_choices_made_without_network_are_taken_in_order_later(self, resident, leader):
        resident.give()
        resident.network.down = True
        resident.withdraw()
        with pytest.raises(TransportError):
            resident.hand_over()
        resident.network.down = False
        assert resident.hand_over() == 2
        assert [read_event(leaf).payload.t for leaf in logged(leader)] == [
            EventType.GIVEN,
            EventType.WITHDRAWN,
        ]

    def test_an_answer_lost_on_the_way_back_adds_no_second_leaf(self, resident, leader):
        resident.give()
        resident.network.losing_answers = True
        with pytest.raises(TransportError):
            resident.hand_over()
        resident.network.losing_answers = False
        assert resident.hand_over() == 1
        assert len(logged(leader)) == 1
        assert resident.chains()[0][0].receipt is not None

    def test_a_consent_that_ran_out_is_renewed_under_the_same_key(self, resident, leader, clock):
        resident.give()
        clock.at += VALIDITY
        resident.give()
        assert resident.hand_over() == 2
        state = consent_state(
            [read_event(leaf) for leaf in logged(leader)], log_origin=leader.who.origin
        )
        assert state.status is EventType.RENEWED

    def test_withdrawing_reaches_the_log_for_every_wording(self, resident, leader, ask):
        resident.give()
        resident.hand_over()
        with leader.database.write() as connection:
            (first,) = questions_db.purpose_digests(connection)
            wording = type(catalogue.newest_purpose(resident.store.engine, resident.member))
            document = questions_db.purpose_body(connection, first)
            reworded = replace(wording.parse(document), version="2")
            publish_purpose(connection, leader.log(connection), reworded)
        ask("2026-W47", purpose_digest=reworded.digest)
        resident.give()
        resident.withdraw()
        assert resident.hand_over() == 3
        kinds = [read_event(leaf).payload.t for leaf in logged(leader)]
        assert sorted(kinds) == sorted([EventType.GIVEN, EventType.WITHDRAWN] * 2)

    def test_nothing_in_the_log_tells_who_or_where(self, resident, leader):
        resident.give()
        resident.hand_over()
        (leaf,) = logged(leader)
        payload = read_event(leaf).payload.to_bytes().decode()
        assert resident.member.member_id not in payload
        assert "17300" not in payload


class TestContributing:
    def test_the_bytes_shown_are_the_bytes_received(self, resident, task, leader):
        resident.travel(car=120.0, bike=30.0)
        resident.give()
        resident.hand_over()
        shown = resident.preview(task).kept.report
        assert resident.send(task).report == shown
        assert received(leader, task) == [shown]

    def test_a_lost_answer_ends_as_one_report_that_was_sent(self, resident, task, leader):
        resident.give()
        resident.hand_over()
        resident.network.losing_answers = True
        with pytest.raises(TransportError):
            resident.send(task)
        assert [row.state for row in resident.ledger()] == [ContributionState.RESERVED]
        resident.network.losing_answers = False
        assert resident.send(task).state is ContributionState.SENT
        assert len(received(leader, task)) == 1

    def test_a_consent_that_is_not_in_the_log_yet_covers_nothing_there(
        self, resident, task, leader
    ):
        resident.give()
        with pytest.raises(TransportError, match="consentement"):
            resident.send(task)
        assert received(leader, task) == []
        # Handed over, the very same bytes are taken.
        resident.hand_over()
        sent = resident.send(task).report
        assert received(leader, task) == [sent]

    def test_a_withdrawal_closes_both_gates(self, resident, task, leader):
        resident.give()
        resident.hand_over()
        reserved = resident.preview(task).kept.report
        resident.withdraw()
        resident.hand_over()
        with pytest.raises(GateClosed):
            resident.send(task)
        # A store that would send all the same is refused at the other end.
        with pytest.raises(TransportError, match="consentement"):
            protocol.send_report(resident.network, reserved)
        assert received(leader, task) == []

    def test_a_withdrawal_that_is_not_in_the_log_yet_closes_the_gate_here(
        self, resident, task, leader
    ):
        resident.give()
        resident.hand_over()
        resident.withdraw()
        with pytest.raises(GateClosed):
            resident.send(task)
        assert received(leader, task) == []

    def test_after_the_deadline_both_sides_refuse(self, resident, task, leader, clock):
        resident.give()
        resident.hand_over()
        drawn = resident.preview(task).kept.report
        clock.at = task.report_deadline
        with pytest.raises(NotAnswerable):
            resident.send(task)
        assert [row.state for row in resident.ledger()] == [ContributionState.PREPARED]
        with pytest.raises(TransportError, match="close"):
            protocol.send_report(resident.network, drawn)
        assert received(leader, task) == []

    def test_reserved_bytes_are_still_taken_the_next_day(self, resident, task, leader, clock):
        resident.give()
        resident.hand_over()
        resident.network.down = True
        with pytest.raises(TransportError):
            resident.send(task)
        resident.network.down = False
        clock.at += timedelta(days=1)
        resident.travel(car=400.0)
        sent = resident.send(task).report
        assert received(leader, task) == [sent]
        assert read_report(sent).report.vector == (0,) * len(task.coordinates)

    def test_a_renewed_consent_covers_the_weeks_after(self, resident, ask, leader, clock):
        resident.give()
        clock.at += VALIDITY
        late = ask("2027-W45")
        resident.give()
        resident.hand_over()
        catalogue.run_once(resident.store.engine, resident.member, resident.network)
        resident.send(late)
        assert len(received(leader, late)) == 1

    def test_the_cooperative_receives_nothing_else_than_what_the_preview_says(self, resident, task):
        resident.travel(car=120.0)
        resident.give()
        resident.hand_over()
        seen: list[bytes] = []

        class Listening:
            def exchange(self, method, path, body):
                seen.append(body)
                return resident.network.exchange(method, path, body)

        shown = resident.preview(task).kept.report
        listening = replace(resident.store, connect=lambda _url: Listening())
        sharing.run_once(listening, resident.member, task)
        assert [json.loads(body) for body in seen] == [{"report": shown.decode()}]


class TestRelease:
    def test_the_published_sums_are_those_of_the_residents_weeks(self, join, task, leader, clock):
        kilometres = [(120.0, 30.0), (60.0, 0.0), (0.0, 90.0)]
        for car, bike in kilometres:
            resident = join()
            catalogue.run_once(resident.store.engine, resident.member, resident.network)
            resident.travel(car=car, bike=bike)
            resident.give()
            resident.hand_over()
            resident.send(task)
        clock.at = task.report_deadline
        release = Release.parse(publish(leader, WEEK, executor=InlineExecutor()).body)
        territory = {row.label: row for row in release.rows if row.zone is None}
        # Each of the three vectors is rounded down by less than one unit of its coordinate.
        for mode, expected in (("car", 180.0), ("bike", 120.0), ("train", 0.0)):
            row = territory[mode]
            (coordinate,) = (each for each in task.coordinates if each.label == mode)
            unit_km = float(coordinate.weight * Fraction(task.scale) / task.cap_units)
            assert row.n == 3
            assert expected - 3 * unit_km <= float(row.value) <= expected + 0.05
            assert float(row.ci95_low) <= float(row.value) <= float(row.ci95_high)

    def test_a_zone_with_too_few_answers_is_not_published(self, join, task, leader, clock):
        for zone in ("17300", "17300", "17300", "17028"):
            resident = join(zone)
            catalogue.run_once(resident.store.engine, resident.member, resident.network)
            resident.give()
            resident.hand_over()
            resident.send(task)
        clock.at = task.report_deadline
        release = Release.parse(publish(leader, WEEK, executor=InlineExecutor()).body)
        counts = {row.zone: row.n for row in release.rows}
        assert counts[None] == 4
        assert counts["17028"] is None


class TestDeclining:
    @pytest.mark.parametrize("kind", [EventType.REFUSED, EventType.DEFERRED])
    def test_a_refusal_or_a_deferral_is_logged_and_closes_the_gate(
        self, resident, leader, task, kind
    ):
        resident.travel(train=3.0)
        resident.decline(kind)
        assert resident.hand_over() == 1
        assert [read_event(leaf).payload.t for leaf in logged(leader)] == [kind]
        assert isinstance(resident.preview(task).closed, GateClosed)

    def test_consenting_after_a_refusal_opens_the_gate(self, resident, task):
        resident.travel(train=3.0)
        resident.decline(EventType.DEFERRED)
        resident.decline(EventType.REFUSED)
        resident.give()
        assert resident.hand_over() == 3
        assert resident.preview(task).closed is None

    def test_a_consent_in_force_is_withdrawn_and_not_refused(self, resident):
        resident.give()
        with pytest.raises(GateClosed, match="retirez"):
            resident.decline(EventType.REFUSED)
        assert len(resident.chains()[0]) == 1
