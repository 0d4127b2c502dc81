"""The engine's mark changes with what it reads out of the same fixes."""

from hashlib import sha256
from pathlib import Path

from personal_store.trips import engine, model
from personal_store.trips.engine import engine_mark
from personal_store.trips.segment import segment
from personal_store.trips.timeline import Timeline

RULES, READ = 1, "fc3daa3e25691a34"


def told(timeline: Timeline) -> str:
    """Return a timeline as words, rounded so that another processor says the same."""
    stays = [f"{each.start:%F %T} {each.end:%T}" for each in timeline.staypoints]
    legs = [
        f"{each.start:%F %T} {each.end:%T} {each.distance_m / 10:.0f} {each.mode.mode.value}"
        for trip in timeline.trips
        for each in trip.triplegs
    ]
    return "\n".join([*stays, *legs])


def jam(journey):
    """Return a walk, a ride that creeps for a while, and a train that falls silent on its way."""
    out = journey().stay(minutes=40).go(speed_mps=1.4, minutes=9).go(speed_mps=12, minutes=8)
    out = out.go(speed_mps=1.5, minutes=4).go(speed_mps=13, minutes=9).stay(minutes=70)
    out = out.go(speed_mps=1.2, minutes=6).go(speed_mps=30, minutes=12)
    out = out.silent(minutes=12, distance_m=22_000).go(speed_mps=28, minutes=8)
    return out.stay(minutes=90).fixes


def test_other_rules_have_another_number(history, journey) -> None:
    # Whoever changed rules or constants: raise `engine.RULES`, and put the new number and digest
    # above. Where only the model changed, the digest alone: its bytes are in the mark already.
    drawn = [
        history(seed, days=days, every_s=every_s)
        for seed, days, every_s in [(3, 3, 10.0), *((seed, 6, 60.0) for seed in range(4, 12))]
    ]
    read = "\n\n".join(told(segment(fixes)) for fixes in [*drawn, jam(journey)])
    assert (engine.RULES, sha256(read.encode()).hexdigest()[:16]) == (RULES, READ)


def test_the_mark_is_of_the_rules_and_of_the_models_bytes() -> None:
    trees = Path(model.__file__).with_name(model.MODEL_FILE).read_bytes()
    assert engine_mark() == f"{engine.RULES}-{sha256(trees).hexdigest()[:16]}"
