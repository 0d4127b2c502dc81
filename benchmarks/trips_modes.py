"""Score modes on true legs and end to end: a part of `trips_scorecard.py`."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trips_labelled import FIVE, Recording

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
THREE = {"walk": "walk", "bike": "bike", "car": "motor", "bus": "motor", "rail": "motor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A true class beside the probabilities given to the five classes."""

    truth: str
    given: Mapping[str, float]


def report(recordings: Sequence[Recording]) -> None:
    """Print what the modes of one data set are worth."""
    name = recordings[0].data_set
    score_modes(f"{name}, true legs", list(true_leg_guesses(recordings)))
    score_modes(f"{name}, end to end", list(end_to_end_guesses(recordings)))


def score_modes(name: str, guesses: Sequence[Guess]) -> None:
    """Print accuracy, macro F1 and calibration error over five and over three classes.

    These take the likeliest class, however unlikely; the second line counts what is stated.
    """
    coarse = [Guess(truth=THREE[guess.truth], given=_coarse(guess.given)) for guess in guesses]
    for title, some in (("5 classes", guesses), ("3 classes", coarse)):
        right = sum(_best(guess) == guess.truth for guess in some) / len(some)
        print(
            f"{name:28s} {title}  n {len(some)}  accuracy {right:.3f}"
            f"  macro F1 {_macro_f1(some):.3f}  ECE {calibration_error(some):.3f}"
        )
        sure = [guess for guess in some if _best(guess) != "none" and _chance(guess) >= SURE_FROM]
        known = sum(_best(guess) == guess.truth for guess in sure)
        print(f"{'':28s} sure {len(sure) / len(some):.3f}, of those right {known / len(sure):.3f}")
    confusion = Counter((guess.truth, _best(guess)) for guess in guesses)
    for truth in FIVE:
        print(f"    {truth:5s}", *(f"{confusion[truth, seen]:4d}" for seen in (*FIVE, "none")))


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
        for (label, _, _), inference in zip(observed, infer_modes(track, legs), strict=True):
            yield Guess(truth=label, given=_classes(inference.modes))


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
            yield Guess(truth=label, given=given)


def _observed_legs(recording: Recording, track: Track) -> Iterator[tuple[str, int, int]]:
    """Yield the class and the first and last kept fix of each true leg that has two or more."""
    for span in recording.legs:
        inside = ((track.time_s >= span.start_s) & (track.time_s <= span.end_s)).nonzero()[0]
        if len(inside) >= 2:
            yield span.label, int(inside[0]), int(inside[-1])


def calibration_error(guesses: Sequence[Guess], *, bins: int = 10) -> float:
    """Return the expected calibration error of the best class's probability, where one is named."""
    sums: dict[int, list[float]] = {}
    named = sum(_best(guess) != "none" for guess in guesses)
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


def _coarse(given: Mapping[str, float]) -> dict[str, float]:
    """Sum the five classes' probabilities into walk, bike and motor."""
    coarse: Counter[str] = Counter()
    for label, share in given.items():
        coarse[THREE.get(label, "none")] += share
    return dict(coarse)


def _best(guess: Guess) -> str:
    """Return the class with the highest probability."""
    return max(guess.given, key=lambda label: guess.given[label])


def _chance(guess: Guess) -> float:
    """Return the probability of the likeliest class."""
    return guess.given[_best(guess)]


def _macro_f1(guesses: Sequence[Guess]) -> float:
    """Return the mean F1 over the classes that truly occur."""
    classes = {guess.truth for guess in guesses}
    scores = []
    for label in classes:
        both = sum(guess.truth == label == _best(guess) for guess in guesses)
        either = sum((g.truth == label) + (_best(g) == label) for g in guesses)
        scores.append(2 * both / either)
    return sum(scores) / len(scores)
