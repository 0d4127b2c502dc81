"""Over New Year: a store, its cooperative and the stewards, from one year's log into the next."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consents.tlog.checkpoint import read_checkpoint
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.release import publish
from personal_store.choices import consenting, erasing, own_log
from personal_store.choices.proofs import ProofState
from personal_store.errors import GateClosed, TransportError
from tests.new_year import NEW, OLD, followed, forked

DEADLINE = datetime(2027, 1, 20, tzinfo=UTC)


@pytest.fixture
def task(ask):
    """Ask, for once, until after New Year."""
    return ask(report_deadline=DEADLINE)


def states(resident):
    return [status.state for _, status in own_log.judged_events(resident.store)]


def test_a_store_follows_the_log_into_the_next_year(settled, year):
    assert states(settled) == [ProofState.WITNESSED]
    year.turn()
    settled.hand_over()
    member = followed(settled)
    assert member.origins == (OLD, NEW)
    assert states(settled) == [ProofState.WITNESSED]
    assert forked(settled) is None


def test_a_consent_of_december_is_withdrawn_in_the_new_log(settled, year):
    year.turn()
    settled.withdraw()
    settled.hand_over()
    member = followed(settled)
    year.cosign()
    consenting.hand_over(settled.store, member)
    assert states(settled) == [ProofState.WITNESSED, ProofState.WITNESSED]
    (chain,) = settled.chains()
    origins = [read_checkpoint(each.receipt.checkpoint).origin for each in chain]
    assert origins == [OLD, NEW]
    assert forked(settled) is None


def test_a_withdrawal_signed_offline_in_december_ends_it_in_january(settled, year, network):
    settled.withdraw()
    network.down = True
    with pytest.raises(TransportError):
        settled.hand_over()
    network.down = False
    year.turn()
    settled.hand_over()
    year.cosign()
    (chain,) = settled.chains()
    assert chain[-1].signed.payload.o == OLD
    assert read_checkpoint(chain[-1].receipt.checkpoint).origin == NEW
    assert year.audits("promises", "coverage") == [0, 0]


def test_a_week_counts_in_january_on_a_consent_of_december(settled, join, task, year):
    other = join()
    other.travel(bike=4)
    other.give()
    other.hand_over()
    year.turn()
    for person in (settled, other):
        person.hand_over()
        replace(person, member=followed(person)).send(task)
    year.clock.at = task.report_deadline
    publish(year.leader, task.week, executor=InlineExecutor())
    year.cosign()
    subjects = ("coverage", "after-withdrawal", "budget", "promises", "release", "late")
    assert year.audits(*subjects) == [0] * len(subjects)


def test_nothing_leaves_for_a_log_that_is_not_followed_yet(settled, year, ask):
    year.turn(followed=False)
    january = ask(week="2026-W47", report_deadline=DEADLINE)
    assert january.log_origin == NEW
    assert isinstance(settled.preview(january).closed, GateClosed)
    year.follow()
    settled.hand_over()
    settled.asked()
    assert not isinstance(
        replace(settled, member=followed(settled)).preview(january).closed, GateClosed
    )


def test_a_store_waits_until_the_stewards_have_cosigned(settled, year):
    year.turn(followed=False)
    settled.hand_over()
    assert followed(settled).origins == (OLD,)
    year.follow()
    settled.hand_over()
    assert followed(settled).origins == (OLD, NEW)


def test_a_consent_is_erased_in_the_year_after(settled, year):
    year.turn()
    settled.withdraw()
    settled.hand_over()
    member = followed(settled)
    assert erasing.erase(settled.store) == 1
    assert erasing.confirm(settled.store, member).consents == 1


@pytest.mark.usefixtures("task")
def test_a_newcomer_of_january_knows_the_new_log_alone(year, join):
    year.turn()
    newcomer = join()
    assert newcomer.member.origins == (NEW,)
    newcomer.give()
    newcomer.hand_over()
    assert states(newcomer) == [ProofState.LOGGED]
    year.turn(at=datetime(2028, 1, 2, tzinfo=UTC))
    newcomer.hand_over()
    assert followed(newcomer).origins == (NEW, "coop.test/log/2028")


def test_two_years_are_followed_in_one_go(settled, year):
    year.turn()
    year.turn(at=datetime(2028, 1, 2, tzinfo=UTC))
    settled.hand_over()
    assert followed(settled).origins == (OLD, NEW, "coop.test/log/2028")
