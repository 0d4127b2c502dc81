"""Two real processes, two databases, a wire: what is in them, and what a `kill -9` changes."""

import itertools
import json
import struct
from fractions import Fraction

import pytest

from contributions.measurement import encode
from contributions.prio3.field import FIELD128
from contributions.two_keepers import vdaf_for
from coop_aggregator.db.collections import collected_of
from coop_aggregator.db.releases import release_by_week

WEEK = "2026-W46"
CANARY = [7, 613, 11, 89, 3, 151, 17, 53]


def kilometres(task):
    """Return by mode the kilometres of a week that a store encodes as the canary."""
    unit = {each.key: each.weight * task.scale / task.cap_units for each in task.coordinates}
    return {
        key: float((units + Fraction(4321, 10_000)) * of_one)
        for (key, of_one), units in zip(unit.items(), CANARY, strict=True)
    }


def traces(task):
    """Return what the canary looks like in every form that it ever has on its way."""
    week = kilometres(task)
    assert list(encode(week, task).vector) == CANARY
    bike_km, train_km = list(week.values())[1], list(week.values())[5]
    elements = [FIELD128.encode([value, after]) for value, after in itertools.pairwise(CANARY)]
    return {
        "kilometres in decimal": str(bike_km).encode(),
        "kilometres of another mode": str(train_km).encode(),
        "kilometres as a float": struct.pack("<d", bike_km),
        "the vector as JSON": json.dumps(CANARY, separators=(",", ":")).encode(),
        "two neighbours in the field": elements[1],
        "the vector in the field": FIELD128.encode(CANARY),
    }


def found(places, patterns):
    return [
        (place, name)
        for place, content in places.items()
        for name, pattern in patterns.items()
        if pattern in content
    ]


def shares_of(side, task):
    with side.database.read() as connection:
        return {b.zone: b.noised_share for b in collected_of(connection, task.digest)}


def released(keepers):
    with keepers.leader.database.read() as connection:
        stored = release_by_week(connection, WEEK)
    return None if stored is None else stored.body


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_canary_is_never_found_in_a_database_a_log_or_the_wire(make_processes):
    world = make_processes(min_batch_size=2)
    world.leader.start()
    world.helper.start()
    keepers = world.keepers
    people = [keepers.resident() for _ in range(3)]
    for person in people:
        world.send(person, CANARY)
    vdaf = vdaf_for(keepers.task)
    bits = FIELD128.encode(vdaf.circuit.encode(CANARY))
    patterns = traces(keepers.task) | {"the encoded bits": bits[: 16 * 60]}
    places = {"a canary in clear": b" ".join(patterns.values())}
    assert len(found(places, patterns)) == len(patterns)
    world.after_deadline()
    before = world.leader.files() | {f"helper {k}": v for k, v in world.helper.files().items()}
    assert found(before, patterns) == []
    assert world.leader.run("publish", WEEK) == 0
    after = world.leader.files() | {f"helper {k}": v for k, v in world.helper.files().items()}
    assert any(name.endswith("-wal") for name in after)
    after |= {"wire": bytes(world.leader.wire.seen), "wire 2": bytes(world.helper.wire.seen)}
    assert len(after["wire"]) > 6_000
    assert len(after["wire 2"]) > 3_000
    assert found(after, patterns) == []
    assert released(keepers) is not None


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
