"""Score modes on true legs and end to end: a part of `trips_scorecard.py`.

The shipped model learned from these very legs, so true legs measure its memory; end to end they
measure how legs are cut. `modes_left_out.py` tells what the model is worth for others.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from trips_figures import Row, figure
from trips_labelled import Recording

from personal_store.trips.cleaning import clean
from personal_store.trips.modes import infer_modes
from personal_store.trips.segment import segment
from personal_store.trips.timeline import SURE_FROM, ModeProbability
from personal_store.trips.track import Track, positions_of
from personal_store.trips.triplegs import Leg

CLASS_OF_MODE = {
    **dict.fromkeys(("walk", "run"), "walk"),
    **dict.fromkeys(("bike", "ebike", "escooter"), "bike"),
    **dict.fromkeys(("car", "taxi", "moped", "motorbike"), "car"),
    **dict.fromkeys(("bus", "coach"), "bus"),
    **dict.fromkeys(("tram", "metro", "train", "train_tgv"), "rail"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A true class of one day beside the probabilities given to the five classes."""

    day: str
    truth: str
    given: Mapping[str, float]


def rows(recordings: Sequence[Recording]) -> list[Row]:
    """Return what the shipped model's modes of one data set are worth, which it learned from."""
    name = recordings[0].data_set
    return [
        *_rows(f"{name}, true legs that the shipped model knows", true_leg_guesses(recordings)),
        *_rows(f"{name}, end to end, by the shipped model", end_to_end_guesses(recordings)),
    ]


def _rows(data: str, guesses: Iterable[Guess]) -> list[Row]:
    """Return accuracy, macro F1, calibration error and how many modes are stated at all.

    The first three take the likeliest class, however unlikely.
    """
    days: dict[str, list[Guess]] = {}
    for guess in guesses:
        days.setdefault(guess.day, []).append(guess)
    if not days:
        return []
    count = sum(len(some) for some in days.values())
    return [
        Row(
            measure=measure,
            data=f"{data}, {count} legs of {len(days)} days",
            ours=figure(
                list(days.values()), lambda few, score=score: score(list(chain.from_iterable(few)))
            ),
            digits=3,
        )
        for measure, score in (
            ("accuracy, five classes", accuracy),
            ("macro F1, five classes", macro_f1),
            ("ECE, five classes", calibration_error),
            ("share of legs sure enough to say", sure_share),
            ("accuracy of those", sure_accuracy),
        )
    ]


def accuracy(guesses: Sequence[Guess]) -> float:
    """Return the share of legs whose likeliest class is the true one."""
    return sum(_best(guess) == guess.truth for guess in guesses) / len(guesses)


def sure_share(guesses: Sequence[Guess]) -> float:
    """Return the share of legs whose class is stated."""
    return sum(_is_sure(guess) for guess in guesses) / len(guesses)


def sure_accuracy(guesses: Sequence[Guess]) -> float:
    """Return the accuracy over the legs whose class is stated, 0 where none is."""
    sure = [guess for guess in guesses if _is_sure(guess)]
    return accuracy(sure) if sure else 0.0


def true_leg_guesses(recordings: Sequence[Recording]) -> Iterator[Guess]:
    """Yield the modes inferred for each true leg with at least two fixes."""
    for recording in recordings:
        track = clean(positions_of(recording.fixes)).track
        observed = list(_observed_legs(recording, track))
        legs = [
            Leg(
                start_s=float(track.time_s[first]),
                end_s=float(track.time_s[last]),
                first=first,
                last=last,
            )
            for _, first, last in observed
        ]
        for (label, first, _), inference in zip(observed, infer_modes(track, legs), strict=True):
            yield Guess(
                day=_day(recording, track, first), truth=label, given=_classes(inference.modes)
            )


def end_to_end_guesses(recordings: Sequence[Recording]) -> Iterator[Guess]:
    """Yield, for the same legs, the modes of the found legs over their fixes, by time."""
    for recording in recordings:
        track = clean(positions_of(recording.fixes)).track
        found = [leg for trip in segment(recording.fixes).trips for leg in trip.triplegs]
        for label, first, last in _observed_legs(recording, track):
            start_s, end_s = float(track.time_s[first]), float(track.time_s[last])
            given: Counter[str] = Counter()
            for leg in found:
                shared_s = min(leg.end.timestamp(), end_s) - max(leg.start.timestamp(), start_s)
                for name, share in _classes(leg.modes).items() if shared_s > 0 else ():
                    given[name] += share * shared_s / (end_s - start_s)
            given["none"] += max(0.0, 1.0 - sum(given.values()))
            yield Guess(day=_day(recording, track, first), truth=label, given=given)


def _day(recording: Recording, track: Track, first: int) -> str:
    """Return the day of a leg that begins at a fix: the one that a phone's recording names."""
    if recording.data_set == "MobilityNet":
        return recording.day
    return f"{datetime.fromtimestamp(float(track.time_s[first]), UTC):%F}"


def _observed_legs(recording: Recording, track: Track) -> Iterator[tuple[str, int, int]]:
    """Yield the class and the first and last kept fix of each true leg that has two or more."""
    for span in recording.legs:
        inside = ((track.time_s >= span.start_s) & (track.time_s <= span.end_s)).nonzero()[0]
        if len(inside) >= 2:
            yield span.label, int(inside[0]), int(inside[-1])


def calibration_error(guesses: Sequence[Guess], *, bins: int = 10) -> float:
    """Return the expected calibration error of the best class's probability, where one is named."""
    sums: dict[int, list[float]] = {}
    named = max(sum(_best(guess) != "none" for guess in guesses), 1)
    for guess in guesses:
        best = _best(guess)
        if best == "none":
            continue
        chance = guess.given.get(best, 0.0)
        bucket = sums.setdefault(min(int(chance * bins), bins - 1), [0.0, 0.0])
        bucket[0] += chance
        bucket[1] += best == guess.truth
    return sum(abs(chance - right) for chance, right in sums.values()) / named


def _classes(modes: Sequence[ModeProbability]) -> dict[str, float]:
    """Sum the probabilities of modes by class; UNKNOWN, ferry and plane are of none."""
    given: Counter[str] = Counter()
    for mode in modes:
        given[CLASS_OF_MODE.get(mode.mode.value, "none")] += mode.probability
    return dict(given)


def _best(guess: Guess) -> str:
    """Return the class with the highest probability."""
    return max(guess.given, key=lambda label: guess.given[label])


def _is_sure(guess: Guess) -> bool:
    """Tell whether the likeliest class is likely enough to be stated."""
    best = _best(guess)
    return best != "none" and guess.given[best] >= SURE_FROM


def macro_f1(guesses: Sequence[Guess]) -> float:
    """Return the mean F1 over the classes that truly occur."""
    classes = {guess.truth for guess in guesses}
    scores = []
    for label in classes:
        both = sum(guess.truth == label == _best(guess) for guess in guesses)
        either = sum((g.truth == label) + (_best(g) == label) for g in guesses)
        scores.append(2 * both / either)
    return sum(scores) / len(scores)
