"""How long slips of the drop-box are kept: no flood fills a disk for ever or hides a withdrawal."""

import pytest

from consents.records.receipt import EventType
from coop_aggregator.db import slips as db
from coop_aggregator.db.tables import slips
from coop_aggregator.jobs import audit
from coop_aggregator.jobs import dropbox as job
from coop_aggregator.tlog.dropbox import receive_withdrawal
from tests.coop_aggregator.tlog.test_dropbox import fetch

STRANGERS = 5
YEAR_AND_MORE = audit.STRANGERS_KEPT.days + 1


@pytest.fixture
def coop(light_coop):
    return light_coop


@pytest.fixture
def leave(coop, helper):
    """Return a function that leaves a withdrawal with the stewards, a stranger's by default."""

    def leave(person=None):
        person = person or coop.resident(consents=False)
        return receive_withdrawal(helper, person.leaf(EventType.WITHDRAWN))

    return leave


@pytest.fixture
def flooded(coop, leave):
    """A resident's withdrawal behind those of strangers; returns its slip."""
    for _ in range(STRANGERS):
        leave()
    return leave(coop.resident())


def fetched(coop):
    """Return the numbers of the slips that the cooperative holds."""
    with coop.leader.database.read() as connection:
        rows = connection.execute(slips.select().order_by(slips.c.sequence)).all()
    return [row.sequence for row in rows]


def given(helper):
    """Return the slips that the stewards hold."""
    with helper.database.read() as connection:
        return [each.slip for each in db.slips_after(connection, after=0, limit=100)]


@pytest.mark.usefixtures("flooded")
def test_the_cooperative_forgets_what_fitted_nothing_for_a_week(coop, helper):
    fetch(coop, helper)
    coop.clock.advance(hours=24 * job.RETRIED.days)
    fetch(coop, helper)
    assert len(fetched(coop)) == STRANGERS + 1
    coop.clock.advance(hours=1)
    fetch(coop, helper)
    assert fetched(coop) == [STRANGERS + 1]


def test_what_was_forgotten_is_not_fetched_again(coop, helper, leave):
    for _ in range(STRANGERS):
        leave()
    fetch(coop, helper)
    coop.clock.advance(hours=24 * 8)
    fetch(coop, helper)
    assert fetched(coop) == [STRANGERS]
    leave(coop.resident())
    report = fetch(coop, helper)
    assert (report.fetched, report.taken) == (1, 1)


@pytest.fixture
def audited(coop, helper, auditor):
    """Return a function that has the log handed over and audited after some days."""

    def audited(*, days):
        auditor.cosign()
        auditor.hand_over()
        coop.clock.advance(hours=24 * days)
        return audit.run_once(helper, auditor.export)

    return audited


KEPT_AFTER = {1: STRANGERS + 2, YEAR_AND_MORE: 2}
"""Slips of the stewards after so many days: in the end a resident's, and the newest."""


@pytest.mark.parametrize("days", KEPT_AFTER)
def test_stewards_forget_strangers_after_the_longest_consent(helper, leave, flooded, audited, days):
    last = leave()
    audited(days=days)
    assert len(given(helper)) == KEPT_AFTER[days]
    # The newest stays too, since its number is not to be given again.
    assert {flooded, last} <= set(given(helper))


def test_a_slip_of_a_consent_in_the_log_is_kept_though_nobody_honoured_it(helper, flooded, audited):
    audited(days=YEAR_AND_MORE)
    assert flooded in given(helper)


@pytest.mark.usefixtures("flooded")
def test_nothing_is_forgotten_by_an_audit_that_ends_in_no_answer(helper, audited, auditor):
    auditor.export.mkdir(exist_ok=True)
    audited(days=0)
    (auditor.export / "entries.jsonl").unlink()
    audit.run_once(helper, auditor.export)
    assert len(given(helper)) == STRANGERS + 1


@pytest.mark.usefixtures("flooded")
def test_no_number_is_given_twice(coop, helper, leave, audited):
    fetch(coop, helper)
    audited(days=YEAR_AND_MORE)
    leave()
    with helper.database.read() as connection:
        numbers = [each.sequence for each in db.slips_after(connection, after=0, limit=100)]
    assert numbers == [STRANGERS + 1, STRANGERS + 2]
