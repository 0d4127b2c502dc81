"""The ledger under concurrency: whoever comes first, the 52-week cap is never overspent."""

import multiprocessing
import threading
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy.exc import DatabaseError

from personal_store.db.connection import is_locked, writing
from personal_store.db.contributions import ContributionState, KeptContribution
from personal_store.errors import LedgerRefused, PreviewChanged
from personal_store.jobs import sharing
from personal_store.jobs.ledger import yearly_loss

WEEKS = [f"2026-W{number}" for number in (41, 42, 43, 44, 45)]


def _at_once(actions):
    """Run every action in a thread of its own, all released together; return what each gave."""
    gate, results = threading.Barrier(len(actions)), [None] * len(actions)

    def run(place, action):
        gate.wait(timeout=300)
        try:
            results[place] = action().state
        except LedgerRefused:
            results[place] = ContributionState.REFUSED

    threads = [threading.Thread(target=run, args=each) for each in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    return results


def _in_processes(resident, actions):
    """Run every action in an operating system's process of its own, all released together."""
    # SQLite's connections must not be taken across a fork: every process opens its own.
    resident.store.engine.dispose()
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(len(actions))

    def run(action):
        gate.wait(timeout=300)
        with suppress(LedgerRefused):
            action()

    processes = [context.Process(target=run, args=(action,)) for action in actions]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=300)
    assert [process.exitcode for process in processes] == [0] * len(actions)


def _look_and_send(resident, task):
    """Send; look again whenever another week left meanwhile, since reports are numbered."""
    for _attempt in range(20):
        try:
            return resident.send(task)
        except PreviewChanged:
            continue
    pytest.fail("five weeks cannot overtake one another twenty times")


@pytest.fixture
def room_for_two(resident, monkeypatch):
    """Return five weekly questions of ε = 4, previewed, under a yearly cap of 8."""
    monkeypatch.setattr(sharing, "YEARLY_CAP_EPSILON_MICRO", 8_000_000)
    resident.give()
    asked = [resident.asked(week=week) for week in WEEKS]
    for task in asked:
        resident.preview(task)
    return asked


def test_five_weeks_sent_at_once_never_overspend(resident, room_for_two, cooperative):  # P4
    results = _at_once([lambda task=task: _look_and_send(resident, task) for task in room_for_two])
    assert sorted(results) == [ContributionState.REFUSED] * 3 + [ContributionState.SENT] * 2
    assert len(cooperative.reports) == 2
    assert yearly_loss(resident.ledger()).pure == 8


def test_one_week_sent_five_times_at_once_is_spent_once(resident, room_for_two, cooperative):  # P4
    task = room_for_two[0]
    results = _at_once(
        [lambda: sharing.run_once(resident.store, resident.member, task) for _ in range(5)]
    )
    assert results == [ContributionState.SENT] * 5
    assert len(set(cooperative.reports)) == 1
    assert yearly_loss(resident.ledger()).pure == 4


def test_five_processes_on_one_store_never_overspend(resident, room_for_two):  # P4
    _in_processes(
        resident, [lambda task=task: _look_and_send(resident, task) for task in room_for_two]
    )
    states = sorted(kept.state for kept in resident.ledger())
    assert states == [ContributionState.REFUSED] * 3 + [ContributionState.SENT] * 2
    assert yearly_loss(resident.ledger()).pure == 8


def test_nobody_else_can_write_while_a_week_is_decided(resident, room_for_two, monkeypatch):  # P4
    """Two programs that both read the ledger before either wrote would both find room."""
    decide, seen = sharing.decide, []

    def watched(*arguments, **named):
        other = resident.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with other as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 0")
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except DatabaseError as error:
                seen.append(is_locked(error.orig))
            connection.invalidate()
        return decide(*arguments, **named)

    monkeypatch.setattr(sharing, "decide", watched)
    assert resident.send(room_for_two[0]).state is ContributionState.SENT
    assert seen == [True]


def test_a_week_is_on_disk_as_spent_before_its_first_byte_leaves(
    resident, room_for_two, cooperative, monkeypatch
):  # P4
    seen = []
    exchange = type(cooperative).exchange

    def watched(itself, method, path, body):
        if path == "/v1/reports":
            seen.extend(kept.state for kept in resident.ledger() if kept.state.spends)
        return exchange(itself, method, path, body)

    monkeypatch.setattr(type(cooperative), "exchange", watched)
    resident.send(room_for_two[0])
    assert seen == [ContributionState.RESERVED]


def test_a_draft_and_a_refusal_lose_nothing(resident, room_for_two):
    kept = resident.ledger()[0]
    assert kept.state is ContributionState.PREPARED
    refused = replace(kept, state=ContributionState.REFUSED)
    assert isinstance(refused, KeptContribution)
    assert yearly_loss([kept, refused]).pure == 0
    assert yearly_loss([replace(kept, state=ContributionState.RESERVED)]).pure == 4
    assert len(room_for_two) == len(WEEKS)


def test_a_crash_between_reserving_and_sending_stays_spent(resident, room_for_two):  # P4
    with writing(resident.store.engine) as connection:
        connection.exec_driver_sql(
            "UPDATE contribution SET state = 'reserved' WHERE week IN ('2026-W41', '2026-W42')"
        )
    with pytest.raises(LedgerRefused):
        resident.send(room_for_two[4])
    assert yearly_loss(resident.ledger()).pure == 8
