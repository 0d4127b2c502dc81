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
    still_s = false_trips = 0.0
    for recording, found in zip(recordings, trips, strict=True):
        pairs = match_spans(found, recording.trips)
        starts += [abs(a.start_s - b.start_s) for a, b in pairs]
        ends += [abs(a.end_s - b.end_s) for a, b in pairs]
        day = hits.setdefault(recording.day, Counter())
        day.update(both=len(pairs), found=len(found), true=len(recording.trips))
        moving += _moving(found, recording)
        false_trips += sum(_overlap_s(trip, recording.trips) == 0 for trip in found)
        still_s += recording.span.end_s - recording.span.start_s
        still_s -= sum(trip.end_s - trip.start_s for trip in recording.trips)
    low, high = bootstrap(list(hits.values()), f1)
    total = sum(hits.values(), Counter())
    right, wrong = moving[True, True], moving[True, False] + moving[False, True]
    print(
        f"  {name:22s} F1 {f1([total]):.3f} [{low:.3f}, {high:.3f}]"
        f"  ({total['both']} of {total['true']} true, {total['found']} found)"
        f"  start {_median(starts):.0f} s  end {_median(ends):.0f} s"
        f"  moving F1 {2 * right / (2 * right + wrong):.3f}"
        f"  false trips {false_trips / still_s * 86400:.2f} a day"
    )


def score_legs(recordings: Sequence[Recording]) -> None:
    """Print how many true legs are found, on the days of the rule's making and on the others."""
    for name, some in (
        ("July, developed on", [r for r in recordings if r.span.start_s < LEGS_JUDGED_FROM_S]),
        ("August on, judged", [r for r in recordings if r.span.start_s >= LEGS_JUDGED_FROM_S]),
        ("all", recordings),
    ):
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
    right, wrong = counts[True, True], counts[True, False] + counts[False, True]
    print(f"Stays, {recordings[0].data_set}: F1 of time {2 * right / (2 * right + wrong):.3f}")


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


def _median(values: Sequence[float]) -> float:
    """Return the middle value."""
    return sorted(values)[len(values) // 2]
