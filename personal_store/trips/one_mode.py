"""Join legs that one way of travelling was cut into: abutting, in the same mode, sure of it.

A leg is travelled in one mode, so two of one mode with neither a wait nor a change between them are
one. Pace alone cut them: a walk that ran for the bus, a car that crept through a jam. It runs
before anything that the resident or a tap says, so a split made by hand is never undone by it.
"""

from dataclasses import dataclass

from carbon.modes import TransportMode
from personal_store.trips.lines import LineIndex
from personal_store.trips.modes import Inference, infer_mode, infer_modes
from personal_store.trips.timeline import stated_mode
from personal_store.trips.track import Track
from personal_store.trips.triplegs import Legs


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Legs, and what each was travelled in."""

    legs: Legs
    inferred: tuple[Inference, ...]


def told(track: Track, legs: Legs, lines: LineIndex | None = None) -> Told:
    """Return the legs with their modes, those joined that are one.

    Legs are joined from the first on, and only while the whole is surely in that mode too.
    """
    inferred = infer_modes(track, legs.all(), lines)
    begins: list[int] = []
    ends: list[int] = []
    kept: list[Inference] = []
    for index, own in enumerate(inferred):
        if kept and _may_be_one(legs, index, kept[-1], own):
            of_whole = infer_mode(track, legs.whole(begins[-1], index), lines)
            if stated_mode(of_whole.modes) is stated_mode(own.modes):
                ends[-1], kept[-1] = index, of_whole
                continue
        begins.append(index)
        ends.append(index)
        kept.append(own)
    return Told(legs=legs.joined(begins, ends), inferred=tuple(kept))


def _may_be_one(legs: Legs, index: int, before: Inference, own: Inference) -> bool:
    """Tell whether a leg goes on where the one before it ended, surely in the same mode."""
    return (
        stated_mode(own.modes) is not TransportMode.UNKNOWN
        and stated_mode(own.modes) is stated_mode(before.modes)
        and legs.movement[index] == legs.movement[index - 1]
        and legs.first[index] == legs.last[index - 1]
    )
