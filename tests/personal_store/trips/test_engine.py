"""The engine's mark changes with what it reads out of the same fixes."""

from hashlib import sha256
from pathlib import Path

from personal_store.trips import engine, model
from personal_store.trips.engine import engine_mark
from personal_store.trips.segment import segment
from personal_store.trips.timeline import Timeline

RULES, READ = 1, "651788354aab1982"


def told(timeline: Timeline) -> str:
    """Return a timeline as words, rounded so that another processor says the same."""
    stays = [f"{each.start:%F %R} {each.end:%R}" for each in timeline.staypoints]
    legs = [
        f"{each.start:%F %R} {each.end:%R} {each.distance_m / 100:.0f} {each.mode.mode.value}"
        for trip in timeline.trips
        for each in trip.triplegs
    ]
    return "\n".join([*stays, *legs])


def test_other_rules_have_another_number(history) -> None:
    # Whoever changed rules or constants: raise `engine.RULES`, and put the new number and digest
    # above. Where only the model changed, the digest alone: its bytes are in the mark already.
    read = "\n\n".join(told(segment(history(seed, days=6, every_s=60.0))) for seed in range(6))
    assert (engine.RULES, sha256(read.encode()).hexdigest()[:16]) == (RULES, READ)


def test_the_mark_is_of_the_rules_and_of_the_models_bytes() -> None:
    trees = Path(model.__file__).with_name(model.MODEL_FILE).read_bytes()
    assert engine_mark() == f"{engine.RULES}-{sha256(trees).hexdigest()[:16]}"
