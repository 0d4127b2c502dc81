"""Score trips against MobilityNet's spans: a part of `trips_scorecard.py`.

Intervals come from a bootstrap over days, never over phones of one day.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from trips_labelled import Recording, Span, bootstrap
from trips_speed import run_peers

from personal_store.trips.segment import segment
from personal_store.trips.timeline import Timeline

BIN_S = 10
THRESHOLDS_MIN = (5, 15, 20, 25)
LEG_FROM_S = 60.0
LEGS_JUDGED_FROM_S = 1_564_617_600.0  # 1 August 2019: no parameter of legs was chosen on later days
SAME_SPAN_IOU = 0.5


def report(recordings: Sequence[Recording], peers: Sequence[Path]) -> None:
    """Print how well trips are found at four activity thresholds, beside the peers' trips."""
    print(f"Trips: {len(recordings)} recordings, {len({each.day for each in recordings})} days")
    for minutes in THRESHOLDS_MIN:
        ours = [
            _found_trips(segment(recording.fixes, activity_min_s=60 * minutes))
            for recording in recordings
        ]
        score_trips(f"ours {minutes} min", recordings, ours)
    for tool, answer in run_peers(peers, recordings, THRESHOLDS_MIN):
        for minutes, found in answer["trips"].items():
            spans = [
                [Span(start_s=start, end_s=end) for start, end in trips if end > start]
                for trips in found
            ]
            score_trips(f"{tool} {float(minutes):.0f} min", recordings, spans)


def score_trips(
    name: str, recordings: Sequence[Recording], trips: Sequence[Sequence[Span]]
) -> None:
    """Print trip F1 with its interval, boundary errors, moving F1 and trips out of nothing."""
    hits: dict[str, Counter[str]] = {}
    starts: list[float] = []
    ends: list[float] = []
    moving: Counter[tuple[bool, bool]] = Counter()
    logged: Counter[tuple[bool, bool]] = Counter()
    still_s = false_trips = 0.0
    for recording, found in zip(recordings, trips, strict=True):
        pairs = match_spans(found, recording.trips)
        starts += [abs(a.start_s - b.start_s) for a, b in pairs]
        ends += [abs(a.end_s - b.end_s) for a, b in pairs]
        day = hits.setdefault(recording.day, Counter())
        day.update(both=len(pairs), found=len(found), true=len(recording.trips))
        moving += _moving(found, recording, recording.span)
        logged += _moving(found, recording, _logged(recording))
        false_trips += sum(_overlap_s(trip, recording.trips) == 0 for trip in found)
        still_s += recording.span.end_s - recording.span.start_s
        still_s -= sum(trip.end_s - trip.start_s for trip in recording.trips)
    low, high = bootstrap(list(hits.values()), f1)
    total = sum(hits.values(), Counter())
    print(
        f"  {name:22s} F1 {f1([total]):.3f} [{low:.3f}, {high:.3f}]"
        f"  ({total['both']} of {total['true']} true, {total['found']} found)"
        f"  start {_median(starts):.0f} s  end {_median(ends):.0f} s"
        f"  moving F1 {_f1_of(moving):.3f}, from first to last fix {_f1_of(logged):.3f}"
        f"  false trips {false_trips / still_s * 86400:.2f} a day"
    )


def score_edges(recordings: Sequence[Recording]) -> None:
    """Print how well the time of moving is known, by half of the data, and what could be known.

    The oracle knows every true trip, but claims nothing before the first fix or after the last,
    and no trip in which the phone logged fewer than two fixes.
    """
    for name, some in _halves(recordings):
        days: dict[str, Counter[tuple[bool, bool]]] = {}
        logged: Counter[tuple[bool, bool]] = Counter()
        oracle: Counter[tuple[bool, bool]] = Counter()
        for recording in some:
            found = _found_trips(segment(recording.fixes))
            day = days.setdefault(recording.day, Counter())
            day.update(_moving(found, recording, recording.span))
            logged += _moving(found, recording, _logged(recording))
            oracle += _moving(_visible(recording), recording, recording.span)
        low, high = bootstrap(list(days.values()), lambda few: _f1_of(sum(few, Counter())))
        whole = _f1_of(sum(days.values(), Counter()))
        print(
            f"Moving, {name}: F1 {whole:.3f} [{low:.3f}, {high:.3f}]"
            f"  from first to last fix {_f1_of(logged):.3f}  oracle {_f1_of(oracle):.3f}"
        )


def score_legs(recordings: Sequence[Recording]) -> None:
    """Print how many true legs are found, on the days of the rule's making and on the others."""
    for name, some in (*_halves(recordings), ("all", recordings)):
        days: dict[str, Counter[str]] = {}
        for recording in some:
            legs = [
                Span(start_s=leg.start.timestamp(), end_s=leg.end.timestamp())
                for trip in segment(recording.fixes).trips
                for leg in trip.triplegs
            ]
            true = [leg for leg in recording.legs if leg.end_s - leg.start_s >= LEG_FROM_S]
            both = len(match_spans(legs, true))
            day = days.setdefault(recording.day, Counter())
            day.update(both=both, found=len(legs), true=len(true))
        low, high = bootstrap(list(days.values()), f1)
        total = sum(days.values(), Counter())
        print(
            f"Legs of {LEG_FROM_S:.0f} s or more, {name}:"
            f" F1 {f1([total]):.3f} [{low:.3f}, {high:.3f}]"
            f"  ({total['both']} of {total['true']} true, {total['found']} found, {len(days)} days)"
        )


def score_stays(recordings: Sequence[Recording]) -> None:
    """Print how well the time of stays of five minutes or more is found, second by second."""
    counts: Counter[tuple[bool, bool]] = Counter()
    for recording in recordings:
        away = [Span(start_s=trip.start_s, end_s=trip.end_s) for trip in recording.trips]
        timeline = segment(recording.fixes, activity_min_s=300)
        found = [
            Span(start_s=stay.start.timestamp(), end_s=stay.end.timestamp())
            for stay in timeline.staypoints
        ]
        for fix in recording.fixes[::10]:
            at = fix.at.timestamp()
            truly = not any(span.start_s <= at <= span.end_s for span in away)
            counts[any(span.start_s <= at < span.end_s for span in found), truly] += 1
    print(f"Stays, {recordings[0].data_set}: F1 of time {_f1_of(counts):.3f}")


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


def _found_trips(timeline: Timeline) -> list[Span]:
    """Return the spans of the trips found."""
    return [
        Span(start_s=trip.start.timestamp(), end_s=trip.end.timestamp()) for trip in timeline.trips
    ]


def _halves(recordings: Sequence[Recording]) -> list[tuple[str, list[Recording]]]:
    """Return the recordings on which rules were developed, and those that only judged them."""
    early = [each for each in recordings if each.span.start_s < LEGS_JUDGED_FROM_S]
    late = [each for each in recordings if each.span.start_s >= LEGS_JUDGED_FROM_S]
    return [("July, developed on", early), ("August on, judged", late)]


def _moving(
    found: Sequence[Span], recording: Recording, within: Span
) -> Counter[tuple[bool, bool]]:
    """Count bins of ten seconds by (found moving, truly moving)."""
    bins = range(int(within.start_s), int(within.end_s), BIN_S)
    guessed, true = (
        {
            int(s.start_s // BIN_S) + k
            for s in spans
            for k in range(int(s.end_s - s.start_s) // BIN_S)
        }
        for spans in (found, recording.trips)
    )
    return Counter((at // BIN_S in guessed, at // BIN_S in true) for at in bins)


def _logged(recording: Recording) -> Span:
    """Return the time from the first fix of a recording to its last."""
    times_s = [fix.at.timestamp() for fix in recording.fixes]
    return Span(start_s=min(times_s), end_s=max(times_s))


def _visible(recording: Recording) -> list[Span]:
    """Return of the true trips what lies between the first and the last fix, two fixes in each."""
    logged = _logged(recording)
    times_s = [fix.at.timestamp() for fix in recording.fixes]
    return [
        Span(start_s=max(trip.start_s, logged.start_s), end_s=min(trip.end_s, logged.end_s))
        for trip in recording.trips
        if sum(trip.start_s <= at <= trip.end_s for at in times_s) >= 2
    ]


def _f1_of(counts: Counter[tuple[bool, bool]]) -> float:
    """Return the F1 of what was found among what is true."""
    right, wrong = counts[True, True], counts[True, False] + counts[False, True]
    return 2 * right / (2 * right + wrong)


def _overlap_s(span: Span, others: Sequence[Span]) -> float:
    """Return the seconds that a span shares with others, which do not overlap each other."""
    shared = (min(span.end_s, o.end_s) - max(span.start_s, o.start_s) for o in others)
    return sum(max(0.0, seconds) for seconds in shared)


def _iou(a: Span, b: Span) -> float:
    """Return intersection over union of two spans."""
    shared_s = _overlap_s(a, [b])
    return shared_s / (a.end_s - a.start_s + b.end_s - b.start_s - shared_s)


def _median(values: Sequence[float]) -> float:
    """Return the middle value."""
    return sorted(values)[len(values) // 2]
