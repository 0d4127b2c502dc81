"""Score trips, legs and stays against labelled spans: a part of `trips_scorecard.py`.

Intervals come from a bootstrap over days, never over phones of one day. A false trip overlaps no
true trip. Times are compared in bins of ten seconds.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trips_figures import Figure, Row, figure
from trips_labelled import Recording, Span
from trips_speed import run_peers

from personal_store.trips.segment import segment
from personal_store.trips.timeline import Timeline

BIN_S = 10
THRESHOLDS_MIN = (5, 15, 20, 25)
USUAL_MIN = 25  # the activity threshold of the product
LEG_FROM_S = 60.0
LEGS_JUDGED_FROM_S = 1_564_617_600.0  # 1 August 2019: no parameter of legs was chosen on later days
SAME_SPAN_IOU = 0.5

Spans = Sequence[Span]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one tool found in each recording: trips by activity threshold in minutes, and legs."""

    trips: Mapping[int, Sequence[Spans]]
    legs: Sequence[Spans] = ()


@dataclass(slots=True)
class Day:
    """Counts of what was found, what is true and both, of trips, legs and bins of time."""

    counts: Counter[str] = field(default_factory=Counter)
    start_errors_s: list[float] = field(default_factory=list)
    end_errors_s: list[float] = field(default_factory=list)

    def count(self, kind: str, *, both: int, found: int, true: int) -> None:
        """Add to the counts of one kind of thing."""
        self.counts.update(
            {f"{kind} both": both, f"{kind} found": found, f"{kind} true": true},
        )


def rows(
    phones: Sequence[Recording], diary: Sequence[Recording], peers: Sequence[Path]
) -> list[Row]:
    """Return how well trips, their edges, legs and stays are found, beside the peers."""
    timelines = {
        minutes: [segment(each.fixes, activity_min_s=60 * minutes) for each in phones]
        for minutes in THRESHOLDS_MIN
    }
    tools = {"ours": ours(timelines)}
    for tool, answer in run_peers(peers, phones, THRESHOLDS_MIN):
        tools[tool] = Found(
            trips={round(float(key)): _spans(each) for key, each in answer["trips"].items()},
            legs=_spans(answer["legs"]),
        )
    return [*_trip_rows(phones, tools), *_leg_rows(phones, tools), _stay_row(diary)]


def ours(timelines: Mapping[int, Sequence[Timeline]]) -> Found:
    """Return the engine's trips by threshold, and its legs at the usual one."""
    return Found(
        trips={key: [_trips(each) for each in some] for key, some in timelines.items()},
        legs=[
            [
                Span(start_s=leg.start.timestamp(), end_s=leg.end.timestamp())
                for trip in timeline.trips
                for leg in trip.triplegs
            ]
            for timeline in timelines[USUAL_MIN]
        ],
    )


def _trip_rows(phones: Sequence[Recording], tools: Mapping[str, Found]) -> list[Row]:
    """Return trip F1 at every threshold, then edges, false trips and time of moving at ours."""
    seen = {
        (tool, minutes): score_trips(phones, found.trips[minutes])
        for tool, found in tools.items()
        for minutes in THRESHOLDS_MIN
    }
    data = f"MobilityNet, {len(phones)} recordings of {len({each.day for each in phones})} days"

    def row(
        measure: str, minutes: int, score: Callable[[Sequence[Day]], float], digits: int = 3
    ) -> Row:
        figures = {tool: figure(list(seen[tool, minutes].values()), score) for tool in tools}
        return _row(f"{measure}, {minutes} min", data, figures, digits)

    found = [row("trip F1", minutes, f1_of("trips")) for minutes in THRESHOLDS_MIN]
    found += [row("time of moving, F1", minutes, f1_of("moving")) for minutes in THRESHOLDS_MIN]
    found += [
        row("the same from first to last fix", USUAL_MIN, f1_of("logged")),
        row("trip's start, median error in s", USUAL_MIN, lambda days: _median(days, "start"), 0),
        row("trip's end, median error in s", USUAL_MIN, lambda days: _median(days, "end"), 0),
        row("false trips in 24 h at rest", USUAL_MIN, false_trips_a_day, 2),
    ]
    return found


def _leg_rows(phones: Sequence[Recording], tools: Mapping[str, Found]) -> list[Row]:
    """Return the F1 of legs and of moving on the days of the rules' making, and on the others."""
    found: list[Row] = []
    early = [each.span.start_s < LEGS_JUDGED_FROM_S for each in phones]
    halves = (("July, developed on", True), ("August on, judged once", False))
    for name, half in halves:
        which = [index for index, is_early in enumerate(early) if is_early is half]
        if not which:
            continue
        some = [phones[index] for index in which]
        data = f"MobilityNet, {name}, {len({each.day for each in some})} days"
        legs, moving = {}, {}
        for tool, each in tools.items():
            if each.legs:
                days = score_legs(some, [each.legs[index] for index in which])
                legs[tool] = figure(list(days.values()), f1_of("legs"))
            days = score_trips(some, [each.trips[USUAL_MIN][index] for index in which])
            moving[tool] = figure(list(days.values()), f1_of("moving"))
        oracle = score_trips(some, [_visible(each) for each in some])
        best = figure(list(oracle.values()), f1_of("moving"))
        measure = f"time of moving, F1, {USUAL_MIN} min (an oracle of these fixes: {best.said(3)})"
        found.append(_row(measure, data, moving, 3))
        found.append(_row(f"legs of {LEG_FROM_S:.0f} s or more, F1", data, legs, 3))
    return found


def _row(measure: str, data: str, figures: Mapping[str, Figure], digits: int) -> Row:
    """Return a row from the figures by tool."""
    others = {tool: each for tool, each in figures.items() if tool != "ours"}
    return Row(measure=measure, data=data, ours=figures["ours"], peers=others, digits=digits)


def score_trips(recordings: Sequence[Recording], trips: Sequence[Spans]) -> dict[str, Day]:
    """Return, day by day, what was found of trips, of their edges and of the time of moving."""
    days: dict[str, Day] = {}
    for recording, found in zip(recordings, trips, strict=True):
        day = days.setdefault(recording.day, Day())
        pairs = match_spans(found, recording.trips)
        day.start_errors_s += [abs(a.start_s - b.start_s) for a, b in pairs]
        day.end_errors_s += [abs(a.end_s - b.end_s) for a, b in pairs]
        day.count("trips", both=len(pairs), found=len(found), true=len(recording.trips))
        _count_moving(day, "moving", found, recording, recording.span)
        _count_moving(day, "logged", found, recording, _logged(recording))
        away_s = sum(trip.end_s - trip.start_s for trip in recording.trips)
        day.counts["still s"] += round(recording.span.end_s - recording.span.start_s - away_s)
        day.counts["false trips"] += sum(_overlap_s(trip, recording.trips) == 0 for trip in found)
    return days


def score_legs(recordings: Sequence[Recording], legs: Sequence[Spans]) -> dict[str, Day]:
    """Return, day by day, how many of the true legs of a minute or more were found."""
    days: dict[str, Day] = {}
    for recording, found in zip(recordings, legs, strict=True):
        true = [leg for leg in recording.legs if leg.end_s - leg.start_s >= LEG_FROM_S]
        day = days.setdefault(recording.day, Day())
        day.count("legs", both=len(match_spans(found, true)), found=len(found), true=len(true))
    return days


def _stay_row(recordings: Sequence[Recording]) -> Row:
    """Return how well the time of stays of five minutes or more is found, fix by fix."""
    days: dict[str, Day] = {}
    for recording in recordings:
        timeline = segment(recording.fixes, activity_min_s=300)
        away = sorted((trip.start_s, trip.end_s) for trip in recording.trips)
        stays = [
            (stay.start.timestamp(), stay.end.timestamp() - 1e-6) for stay in timeline.staypoints
        ]
        for fix in recording.fixes[::10]:
            at = fix.at.timestamp()
            truly = not any(start_s <= at <= end_s for start_s, end_s in away)
            found = any(start_s <= at <= end_s for start_s, end_s in stays)
            day = days.setdefault(f"{fix.at:%F}", Day())
            day.count("stays", both=found and truly, found=found, true=truly)
    return Row(
        measure="time of stays of 5 min or more, F1",
        data=f"SSI, {len(days)} days of one person",
        ours=figure(list(days.values()), f1_of("stays")),
        digits=3,
    )


def match_spans(found: Spans, true: Spans) -> list[tuple[Span, Span]]:
    """Pair spans one to one, best overlap first, with intersection over union of 0.5 or more."""
    ranked = sorted(
        ((_iou(a, b), i, j) for i, a in enumerate(found) for j, b in enumerate(true)), reverse=True
    )
    pairs: dict[int, int] = {}
    for iou, i, j in ranked:
        if iou >= SAME_SPAN_IOU and i not in pairs and j not in pairs.values():
            pairs[i] = j
    return [(found[i], true[j]) for i, j in pairs.items()]


def f1_of(kind: str) -> Callable[[Sequence[Day]], float]:
    """Return the F1 score over days of one kind of thing, 0 where there is none."""

    def f1(days: Sequence[Day]) -> float:
        both, found, true = (
            sum(day.counts[f"{kind} {word}"] for day in days) for word in ("both", "found", "true")
        )
        return 2 * both / max(found + true, 1)

    return f1


def false_trips_a_day(days: Sequence[Day]) -> float:
    """Return the trips out of nothing in 24 hours without a true trip."""
    return (
        86_400
        * sum(day.counts["false trips"] for day in days)
        / max(sum(day.counts["still s"] for day in days), 1)
    )


def _trips(timeline: Timeline) -> list[Span]:
    """Return the spans of the trips found."""
    return [
        Span(start_s=trip.start.timestamp(), end_s=trip.end.timestamp()) for trip in timeline.trips
    ]


def _spans(recordings: Sequence[Sequence[tuple[float, float]]]) -> list[list[Span]]:
    """Return the spans that a peer answered for each recording."""
    return [
        [Span(start_s=start_s, end_s=end_s) for start_s, end_s in found if end_s > start_s]
        for found in recordings
    ]


def _count_moving(day: Day, kind: str, found: Spans, recording: Recording, within: Span) -> None:
    """Count the bins of ten seconds within a span that are moving: found, truly, both."""
    bins = range(int(within.start_s) // BIN_S, int(within.end_s) // BIN_S)
    guessed, true = (
        {
            at
            for span in spans
            for at in range(int(span.start_s // BIN_S), int(span.end_s // BIN_S))
            if at in bins
        }
        for spans in (found, recording.trips)
    )
    day.count(kind, both=len(guessed & true), found=len(guessed), true=len(true))


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


def _overlap_s(span: Span, others: Spans) -> float:
    """Return the seconds that a span shares with others, which do not overlap each other."""
    shared = (min(span.end_s, o.end_s) - max(span.start_s, o.start_s) for o in others)
    return sum(max(0.0, seconds) for seconds in shared)


def _iou(a: Span, b: Span) -> float:
    """Return intersection over union of two spans."""
    shared_s = _overlap_s(a, [b])
    return shared_s / (a.end_s - a.start_s + b.end_s - b.start_s - shared_s)


def _median(days: Sequence[Day], edge: str) -> float:
    """Return the middle error of the trips' starts or ends, 0 where no trip was found."""
    errors = sorted(
        error
        for day in days
        for error in (day.start_errors_s if edge == "start" else day.end_errors_s)
    )
    return errors[len(errors) // 2] if errors else 0.0
