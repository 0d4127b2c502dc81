"""Two real processes, two databases: what a `kill -9` changes. What is in them: `test_canary`."""

import pytest

from coop_aggregator.db.collections import collected_of
from coop_aggregator.db.releases import release_by_week

WEEK = "2026-W46"


def shares_of(side, task):
    with side.database.read() as connection:
        return {b.zone: b.noised_share for b in collected_of(connection, task.digest)}


def released(keepers):
    with keepers.leader.database.read() as connection:
        stored = release_by_week(connection, WEEK)
    return None if stored is None else stored.body


@pytest.fixture
def answered(make_processes):
    """Return two keepers whose week is over, with answers enough from each zone to publish it."""
    world = make_processes(min_batch_size=2)
    for zone in 2 * zones_of(world):
        world.keepers.resident(zone).send_sealed([3] * 8)
    world.after_deadline()
    return world


def zones_of(world):
    return [zone.code for zone in world.keepers.task.zones]


def expect_one_draw(world, seen):
    """Check that no noised share of either keeper ever changes; keep those that are new."""
    for side in (world.keepers.leader, world.keepers.helper):
        for zone, share in shares_of(side, world.keepers.task).items():
            assert seen.setdefault((side.role, zone), share) == share


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("sqlite", marks=pytest.mark.slow),
        pytest.param("postgresql", marks=pytest.mark.postgresql),
    ],
)
@pytest.mark.parametrize("kills", [(1,), pytest.param(range(1, 12), marks=pytest.mark.slow)])
def test_a_leader_killed_as_it_collects_draws_once_and_releases_once(answered, kills):
    """K6: Each keeper MUST draw its noise once a bucket."""
    answered.helper.start()
    seen, killed = {}, 0
    for number in kills:
        code = answered.leader.run("publish", WEEK, KILL_DRAWN=str(number))
        expect_one_draw(answered, seen)
        if code == 0:
            # It was killed at every draw that there is, and went on to the end.
            break
        killed += 1
    else:
        assert answered.leader.run("publish", WEEK) == 0
    expect_one_draw(answered, seen)
    assert killed
    assert {zone for _role, zone in seen} == {None, *zones_of(answered)}
    assert released(answered.keepers) is not None


@pytest.mark.slow
def test_a_leader_killed_at_any_step_draws_once_and_releases_once(answered):
    answered.helper.start()
    seen = {}
    for attempt in range(1, 400):
        code = answered.leader.run("publish", WEEK, KILL_AT=str(attempt))
        expect_one_draw(answered, seen)
        if code == 0:
            break
    assert code == 0
    assert {zone for _role, zone in seen} == {None, *zones_of(answered)}
    first = released(answered.keepers)
    assert first is not None
    assert answered.leader.run("publish", WEEK) != 0
    assert released(answered.keepers) == first


@pytest.mark.slow
@pytest.mark.parametrize("when", ["KILL_AT", "KILL_DRAWN"])
def test_a_helper_killed_at_any_step_draws_once(answered, when):
    seen = {}
    for attempt in range(1, 400):
        answered.helper.start(**{when: str(attempt)})
        code = answered.leader.run("publish", WEEK)
        answered.helper.stop()
        expect_one_draw(answered, seen)
        if code == 0:
            break
    assert code == 0
    assert {zone for _role, zone in seen} == {None, *zones_of(answered)}
