"""Score the trip engine on published, labelled data: `python benchmarks/trips_scorecard.py`.

Trips against MobilityNet's spans (its truth is logged by the iOS phones; the Android phones rode
along, so it holds for both), modes against MobilityNet's legs and SSI's diary, intervals by a
bootstrap over days, never over phones of one day. Data kept for development, so these figures
flatter. It needs the folder of reference data (`--reference`, default ../shared/reference).
"""

import argparse
import csv
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from pyarrow import parquet

from personal_store.ingest.positionfix import Positionfix, SourceFormat
from personal_store.trips.cleaning import clean
from personal_store.trips.modes import infer_modes
from personal_store.trips.segment import segment
from personal_store.trips.timeline import ModeProbability, Timeline
from personal_store.trips.track import Track
from personal_store.trips.triplegs import Leg, leg_paces, measure_paces

REPOSITORY = Path(__file__).resolve().parents[1]
BIN_S = 10
SAME_SPAN_IOU = 0.5
RESAMPLES = 1000
CLASS_OF_MODE = {
    **dict.fromkeys(("walk", "run"), "walk"),
    **dict.fromkeys(("bike", "ebike", "escooter"), "bike"),
    **dict.fromkeys(("car", "taxi", "moped", "motorbike"), "car"),
    **dict.fromkeys(("bus", "coach"), "bus"),
    **dict.fromkeys(("tram", "metro", "train", "train_tgv"), "rail"),
}
CLASS_OF_LABEL = {
    **dict.fromkeys(("WALKING", "Walk"), "walk"),
    **dict.fromkeys(("BICYCLING", "E_BIKE", "ESCOOTER", "Bike"), "bike"),
    **dict.fromkeys(("CAR",), "car"),
    **dict.fromkeys(("BUS", "Bus"), "bus"),
    **dict.fromkeys(("TRAIN", "SUBWAY", "LIGHT_RAIL", "Tram", "Metro", "Train"), "rail"),
}
FIVE = ("walk", "bike", "car", "bus", "rail")
THREE = {"walk": "walk", "bike": "bike", "car": "motor", "bus": "motor", "rail": "motor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A labelled interval in Unix seconds; the label is one of `FIVE`, or empty."""

    start_s: float
    end_s: float
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one device logged on one day, and what truly happened."""

    data_set: str
    day: str
    fixes: tuple[Positionfix, ...]
    span: Span
    trips: tuple[Span, ...]
    legs: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A true class beside the probabilities given to the five classes."""

    truth: str
    given: Mapping[str, float]


def mobilitynet(folder: Path) -> Iterator[Recording]:
    """Yield each phone's recording of each period, from the unfiltered stream."""
    columns = ("spec", "phone", "stream", "ts", "lat", "lon", "acc")
    table = parquet.read_table(folder / "mnet_points.parquet", columns=list(columns))
    rows = sorted(zip(*(table[name].to_pylist() for name in columns), strict=True))
    phones = {
        key: [row[3:] for row in group]
        for key, group in groupby(rows, key=lambda row: row[:3])
        if key[2] == "location"
    }
    truth = _read_csv(folder / "mnet_trips.csv"), _read_csv(folder / "mnet_legs.csv")
    for period in _read_csv(folder / "mnet_periods.csv"):
        span = Span(start_s=float(period["start"]), end_s=float(period["end"]))
        trips, legs = (_spans(rows, spec=period["spec"], within=span) for rows in truth)
        for (spec, phone, _), points in phones.items():
            inside = [point for point in points if span.start_s <= point[0] < span.end_s]
            if spec != period["spec"] or not phone.startswith(period["os"]) or len(inside) < 2:
                continue
            yield Recording(
                data_set="MobilityNet",
                day=f"{spec}/{datetime.fromtimestamp(span.start_s, UTC):%F %p}",
                fixes=tuple(_fix(t, lat, lon, accuracy) for t, lat, lon, accuracy in inside),
                span=span,
                trips=trips,
                legs=tuple(leg for leg in legs if leg.label),
            )


def ssi(folder: Path) -> Iterator[Recording]:
    """Yield each device of the diary study, one recording per stretch with a mode or a stop."""
    columns = ("uid", "ts", "lat", "lon", "stop", "mode")
    table = parquet.read_table(folder / "ssi_points.parquet", columns=list(columns))
    rows = sorted(zip(*(table[name].to_pylist() for name in columns), strict=True))
    for _, device in groupby(rows, key=lambda row: row[0]):
        points = list(device)
        spans: list[Span] = []
        for (stop, mode), group in groupby(points, key=lambda row: row[4:]):
            stretch = list(group)
            if not stop and len(stretch) > 20:
                label = CLASS_OF_LABEL.get(mode, "")
                spans.append(Span(start_s=stretch[0][1], end_s=stretch[-1][1], label=label))
        yield Recording(
            data_set="SSI",
            day=points[0][0],
            fixes=tuple(_fix(float(row[1]), row[2], row[3], None) for row in points),
            span=Span(start_s=points[0][1], end_s=points[-1][1]),
            trips=tuple(spans),
            legs=tuple(span for span in spans if span.label),
        )


def score_trips(recordings: Sequence[Recording], *, activity_min_s: float) -> None:
    """Print trip F1 with its interval, boundary errors, moving F1 and trips out of nothing."""
    hits: dict[str, Counter[str]] = {}
    starts: list[float] = []
    ends: list[float] = []
    moving: Counter[tuple[bool, bool]] = Counter()
    still_s = false_trips = 0.0
    for recording in recordings:
        found = _found_trips(segment(recording.fixes, activity_min_s=activity_min_s))
        pairs = match_spans(found, recording.trips)
        starts += [abs(a.start_s - b.start_s) for a, b in pairs]
        ends += [abs(a.end_s - b.end_s) for a, b in pairs]
        day = hits.setdefault(recording.day, Counter())
        day.update(both=len(pairs), found=len(found), true=len(recording.trips))
        moving += _moving(found, recording)
        false_trips += sum(_overlap_s(trip, recording.trips) == 0 for trip in found)
        still_s += recording.span.end_s - recording.span.start_s
        still_s -= sum(trip.end_s - trip.start_s for trip in recording.trips)
    low, high = _bootstrap(list(hits.values()), f1)
    total = sum(hits.values(), Counter())
    moving_f1 = (
        2
        * moving[True, True]
        / (2 * moving[True, True] + moving[True, False] + moving[False, True])
    )
    print(
        f"{activity_min_s / 60:4.0f} min  F1 {f1([total]):.3f} [{low:.3f}, {high:.3f}]"
        f"  ({total['both']} of {total['true']} true, {total['found']} found)"
        f"  start {_median(starts):.0f} s  end {_median(ends):.0f} s"
        f"  moving F1 {moving_f1:.3f}"
        f"  false trips {false_trips / still_s * 86400:.2f} a day"
    )


def score_modes(name: str, guesses: Sequence[Guess]) -> None:
    """Print accuracy, macro F1 and calibration error over five and over three classes."""
    coarse = [Guess(truth=THREE[guess.truth], given=_coarse(guess.given)) for guess in guesses]
    for title, some in (("5 classes", guesses), ("3 classes", coarse)):
        right = sum(_best(guess) == guess.truth for guess in some) / len(some)
        print(
            f"{name:28s} {title}  n {len(some)}  accuracy {right:.3f}"
            f"  macro F1 {_macro_f1(some):.3f}  ECE {calibration_error(some):.3f}"
        )
    confusion = Counter((guess.truth, _best(guess)) for guess in guesses)
    for truth in FIVE:
        print(f"    {truth:5s}", *(f"{confusion[truth, seen]:4d}" for seen in (*FIVE, "none")))


def true_leg_guesses(recordings: Sequence[Recording]) -> Iterator[Guess]:
    """Yield the modes inferred for each true leg with at least two fixes."""
    for recording in recordings:
        track = clean(recording.fixes).track
        paces = measure_paces(track)
        for label, first, last in _observed_legs(recording, track):
            start_s, end_s = float(track.time_s[first]), float(track.time_s[last])
            leg = Leg(start_s=start_s, end_s=end_s, first=first, last=last)
            modes = infer_modes(track, leg_paces(track, paces, leg), leg).modes
            yield Guess(truth=label, given=_classes(modes))


def end_to_end_guesses(recordings: Sequence[Recording]) -> Iterator[Guess]:
    """Yield, for the same legs, the modes of the found legs over their fixes, by time."""
    for recording in recordings:
        track = clean(recording.fixes).track
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


def match_spans(found: Sequence[Span], true: Sequence[Span]) -> list[tuple[Span, Span]]:
    """Pair spans one to one, best overlap first, with intersection over union of 0.5 or more."""
    ranked = sorted(
        ((_iou(a, b), i, j) for i, a in enumerate(found) for j, b in enumerate(true)), reverse=True
    )
    pairs: dict[int, int] = {}
    for iou, i, j in ranked:
        if iou >= SAME_SPAN_IOU and i not in pairs and j not in pairs.values():
            pairs[i] = j
    return [(found[i], true[j]) for i, j in pairs.items()]


def f1(days: Sequence[Counter[str]]) -> float:
    """Return the F1 score over days' counts."""
    total = sum(days, Counter[str]())
    return 2 * total["both"] / (total["found"] + total["true"])


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


def main() -> None:
    """Print the scorecard."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = REPOSITORY.parent / "shared" / "reference"
    parser.add_argument("--reference", type=Path, default=default)
    folder = parser.parse_args().reference / "trips"
    phones, diary = list(mobilitynet(folder)), list(ssi(folder))
    print(f"Trips, MobilityNet: {len(phones)} recordings, {len({r.day for r in phones})} days")
    for minutes in (5, 15, 25):
        score_trips(phones, activity_min_s=60 * minutes)
    for recordings in (phones, diary):
        name = recordings[0].data_set
        score_modes(f"{name}, true legs", list(true_leg_guesses(recordings)))
        score_modes(f"{name}, end to end", list(end_to_end_guesses(recordings)))
    began = time.process_time()
    for recording in diary:
        segment(recording.fixes)
    elapsed_s = time.process_time() - began
    print(f"Whole chain: {sum(len(r.fixes) for r in diary) / elapsed_s:,.0f} fixes/s of CPU time")


def _fix(time_s: float, lat: float, lon: float, accuracy_m: float | None) -> Positionfix:
    """Return a positionfix of a file, without activity labels."""
    return Positionfix(
        at=datetime.fromtimestamp(time_s, UTC),
        lon=lon,
        lat=lat,
        source=SourceFormat.OWNTRACKS_REC,
        device="phone",
        accuracy_m=accuracy_m,
    )


def _read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _spans(rows: Sequence[dict[str, str]], *, spec: str, within: Span) -> tuple[Span, ...]:
    """Return the true spans of one period, labelled where the mode is one of the five classes."""
    return tuple(
        Span(
            start_s=float(row["start"]),
            end_s=float(row["end"]),
            label=CLASS_OF_LABEL.get(row.get("mode", ""), ""),
        )
        for row in rows
        if row["spec"] == spec and within.start_s <= float(row["start"]) < within.end_s
    )


def _found_trips(timeline: Timeline) -> list[Span]:
    """Return the spans of the trips found."""
    return [
        Span(start_s=trip.start.timestamp(), end_s=trip.end.timestamp()) for trip in timeline.trips
    ]


def _moving(found: Sequence[Span], recording: Recording) -> Counter[tuple[bool, bool]]:
    """Count bins of ten seconds by (found moving, truly moving)."""
    bins = range(int(recording.span.start_s), int(recording.span.end_s), BIN_S)
    guessed, true = (
        {
            int(s.start_s // BIN_S) + k
            for s in spans
            for k in range(int(s.end_s - s.start_s) // BIN_S)
        }
        for spans in (found, recording.trips)
    )
    return Counter((at // BIN_S in guessed, at // BIN_S in true) for at in bins)


def _overlap_s(span: Span, others: Sequence[Span]) -> float:
    """Return the seconds that a span shares with others, which do not overlap each other."""
    shared = (min(span.end_s, o.end_s) - max(span.start_s, o.start_s) for o in others)
    return sum(max(0.0, seconds) for seconds in shared)


def _iou(a: Span, b: Span) -> float:
    """Return intersection over union of two spans."""
    shared_s = _overlap_s(a, [b])
    return shared_s / (a.end_s - a.start_s + b.end_s - b.start_s - shared_s)


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


def _macro_f1(guesses: Sequence[Guess]) -> float:
    """Return the mean F1 over the classes that truly occur."""
    classes = {guess.truth for guess in guesses}
    scores = []
    for label in classes:
        both = sum(guess.truth == label == _best(guess) for guess in guesses)
        either = sum((g.truth == label) + (_best(g) == label) for g in guesses)
        scores.append(2 * both / either)
    return sum(scores) / len(scores)


def _bootstrap(
    days: Sequence[Counter[str]], score: Callable[[Sequence[Counter[str]]], float]
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a score over resampled days."""
    source = random.Random(20261112)  # noqa: S311 - a fixed seed for a repeatable interval
    scores = sorted(score(source.choices(days, k=len(days))) for _ in range(RESAMPLES))
    return scores[int(0.025 * RESAMPLES)], scores[int(0.975 * RESAMPLES)]


def _median(values: Sequence[float]) -> float:
    """Return the middle value."""
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    main()
