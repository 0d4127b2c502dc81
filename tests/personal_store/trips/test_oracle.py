"""The engine against the rules of docs/trips.md written out once more, slow and plain.

Written from the page, not from the engine: no columns, no running sums, haversine distances, and
each rule looks at all fixes again. Stays are compared on histories of less than an hour without a
silence, where neither silences nor rests have a say (test_segment.py and test_sparse.py do them).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from math import asin, cos, isnan, radians, sin, sqrt
from random import Random
from statistics import fmean, median_high

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from personal_store.ingest.positionfix import Positionfix, SourceFormat
from personal_store.trips.cleaning import Verdict, clean
from personal_store.trips.segment import cut
from personal_store.trips.track import positions_of

START = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)
RADIUS_M = 6_371_008.8
JUMP_MPS, IMPOSSIBLE_MPS = 252 / 3.6, 350.0


def metres(a: Positionfix, b: Positionfix) -> float:
    """Return the great-circle distance."""
    lat_a, lat_b = radians(a.lat), radians(b.lat)
    half = sin((lat_b - lat_a) / 2) ** 2
    half += cos(lat_a) * cos(lat_b) * sin(radians(b.lon - a.lon) / 2) ** 2
    return 2 * RADIUS_M * asin(min(1.0, sqrt(half)))


def error_m(fix: Positionfix) -> float:
    """Return the claimed error, or ten metres where none is claimed."""
    claimed = fix.accuracy_m
    return claimed if claimed is not None and not isnan(claimed) and claimed > 0 else 10.0


def seconds(a: Positionfix, b: Positionfix) -> float:
    return (b.at - a.at).total_seconds()


def verdicts(fixes: Sequence[Positionfix]) -> list[tuple[Positionfix, str]]:
    """Return every fix with its verdict, in time order; at one time the best fix is first."""
    ranked = sorted(fixes, key=lambda fix: (fix.at, error_m(fix), fix.lon, fix.lat))
    said = {}
    usable = []
    for _, instant in groupby(ranked, key=lambda fix: fix.at):
        good = []
        for fix in instant:
            if (fix.accuracy_m or 0.0) > 150:
                said[id(fix)] = "low-accuracy"
            else:
                good.append(fix)
        if not good:
            continue
        best, *others = good
        apart = [fix for fix in others if metres(best, fix) > error_m(best) + error_m(fix)]
        for fix in others:
            is_stuck = len(apart) >= 2 and any(fix is each for each in apart)
            said[id(fix)] = "stuck-clock" if is_stuck else "same-time"
        usable.append(best)
    for fix, reason in islands(usable):
        said[id(fix)] = reason
    return [(fix, said.get(id(fix), "kept")) for fix in ranked]


def is_jump(a: Positionfix, b: Positionfix, limit_mps: float) -> bool:
    return metres(a, b) - error_m(a) - error_m(b) > limit_mps * seconds(a, b)


def islands(fixes: list[Positionfix]) -> list[tuple[Positionfix, str]]:
    """Return the spikes and teleports, again and again until none is left, then stale edges."""
    left, out = list(fixes), []
    while found := one_pass(left):
        out += found
        gone = {id(fix) for fix, _ in found}
        left = [fix for fix in left if id(fix) not in gone]
    if len(left) >= 3:
        first, second = (is_jump(*left[i : i + 2], IMPOSSIBLE_MPS) for i in (0, 1))
        before, last = (is_jump(left[i], left[i + 1], IMPOSSIBLE_MPS) for i in (-3, -2))
        out += [(left[0], "teleport")] * (first and not second)
        out += [(left[-1], "teleport")] * (last and not before)
    return out


def one_pass(left: list[Positionfix]) -> list[tuple[Positionfix, str]]:
    """Return what lies between two neighbouring jumps there and back; a jump serves one island."""
    jumps = [i for i in range(1, len(left)) if is_jump(left[i - 1], left[i], JUMP_MPS)]
    out, at = [], 0
    while at + 1 < len(jumps):
        first, after = jumps[at], jumps[at + 1]
        island = left[first:after]
        way_m = metres(left[first - 1], left[first]) + metres(left[after - 1], left[after])
        direct_m = metres(left[first - 1], left[after])
        if seconds(island[0], island[-1]) <= 600 and direct_m < way_m / 2:
            out += [(fix, "spike" if len(island) == 1 else "teleport") for fix in island]
            at += 2
        else:
            at += 1
    return out


def stays(fixes: Sequence[Positionfix]) -> list[tuple[datetime, datetime]]:
    """Return the stays of kept fixes: runs, joined at one place, without their approaches."""
    joined: list[list[list[Positionfix]]] = []
    for run in runs(fixes):
        if joined and is_one_stay(fixes, joined[-1], run):
            joined[-1].append(run)
        else:
            joined.append([run])
    found = []
    for parts in joined:
        low, high = fixes.index(parts[0][0]), fixes.index(parts[-1][-1])
        inside = settled(fixes[low : high + 1], is_first=low == 0, is_last=high + 1 == len(fixes))
        found.append((inside[0].at, inside[-1].at))
    return found


def runs(fixes: Sequence[Positionfix]) -> list[list[Positionfix]]:
    """Return each run of fixes around its centre of five minutes or more.

    A fix's reach is 40 m and its error up to 40 m, or twice its error where that is more; one
    outside ends a run that lasted, and pushes out the oldest fixes of a run that did not.
    """
    found, run = [], []
    for fix in fixes:
        while run and away_m(fix, run) > max(40 + min(error_m(fix), 40), 2 * error_m(fix)):
            if seconds(run[0], run[-1]) >= 300:
                found.append(run)
                run = []
            else:
                run = run[1:]
        run = [*run, fix]
    return [*found, run] if run and seconds(run[0], run[-1]) >= 300 else found


def is_one_stay(
    fixes: Sequence[Positionfix], parts: list[list[Positionfix]], run: list[Positionfix]
) -> bool:
    """Tell whether a run is at the place of the runs before it, with nothing but jitter between."""
    before = [fix for part in parts for fix in part]
    here = Positionfix(
        at=START,
        lon=fmean(fix.lon for fix in run),
        lat=fmean(fix.lat for fix in run),
        source=SourceFormat.GPX,
        device="phone",
    )
    if away_m(here, before) > 150:
        return False
    between = fixes[fixes.index(before[-1]) + 1 : fixes.index(run[0])]
    return seconds(before[-1], run[0]) < 300 or all(
        away_m(fix, before) <= max(200, 2 * error_m(fix)) for fix in between
    )


def settled(
    inside: Sequence[Positionfix], *, is_first: bool, is_last: bool
) -> Sequence[Positionfix]:
    """Return a stay of under an hour without the way there and from there."""
    off_m = [away_m(fix, inside) for fix in inside]
    core_m = max(10.0, 1.5 * median_high(off_m))
    core = [index for index, each_m in enumerate(off_m) if each_m <= core_m]
    low = 0 if is_first else core[0]
    high = len(inside) - 1 if is_last else core[-1]
    return inside[low : high + 1] if low < high else inside


def away_m(fix: Positionfix, group: Sequence[Positionfix]) -> float:
    """Return the distance from a group's centre, on a map: groups are small."""
    lat, lon = fmean(each.lat for each in group), fmean(each.lon for each in group)
    north_m = radians(fix.lat - lat) * RADIUS_M
    east_m = radians(fix.lon - lon) * RADIUS_M * cos(radians(lat))
    return sqrt(north_m**2 + east_m**2)


def drawn(seed: int) -> list[Positionfix]:
    """Return up to fifty minutes of halts, walks and rides, with every fault a receiver has."""
    random = Random(seed)
    fixes: list[Positionfix] = []
    at, lat, lon = START, 46.16, -1.15
    every_s = random.choice([5.0, 15.0, 40.0])
    noise_m = random.choice([2.0, 12.0, 30.0])
    while at < START + timedelta(minutes=50):
        pace_mps = random.choice([0.0, 0.0, 0.6, 1.4, 12.0, 85.0])
        off_deg = 0.0
        for _ in range(random.randint(1, 40)):
            at += timedelta(seconds=random.choice([0, every_s, every_s, every_s, 3 * every_s]))
            lat += random.choice([1, 1, 1, -1]) * pace_mps * every_s / 111_195
            if random.random() < 0.03:
                off_deg = random.choice([0.0, 0.3, 0.9, 2.5])
            fixes.append(
                Positionfix(
                    at=at,
                    lat=lat + off_deg + random.gauss(0, noise_m) / 111_195,
                    lon=lon + random.gauss(0, noise_m) / 77_000,
                    source=SourceFormat.OWNTRACKS_REC,
                    device="phone",
                    accuracy_m=random.choice([None, 0.0, 5.0, 12.0, 65.0, 900.0]),
                )
            )
    return fixes


def said(fixes: Sequence[Positionfix]) -> list[tuple[float, str]]:
    """Return what the engine says of each fix, in time order."""
    cleaned = clean(positions_of(fixes))
    reasons = [Verdict(code).reason for code in cleaned.verdicts.tolist()]
    words = [reason.value if reason else "kept" for reason in reasons]
    return sorted(zip(cleaned.times_s.tolist(), words, strict=True))


def by_rule(fixes: Sequence[Positionfix]) -> list[tuple[float, str]]:
    return sorted((fix.at.timestamp(), word) for fix, word in verdicts(fixes))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9))
def test_every_verdict_is_what_the_rules_say(seed):
    fixes = drawn(seed)
    assert said(fixes) == by_rule(fixes)


def test_every_reason_occurs_among_drawn_histories():
    words = {word for seed in range(40) for _, word in said(drawn(seed))}
    assert words == {"kept", "low-accuracy", "same-time", "stuck-clock", "spike", "teleport"}


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**9))
def test_every_stay_is_what_the_rules_say(seed):
    kept = [fix for fix, word in verdicts(drawn(seed)) if word == "kept"]
    assume(all(seconds(a, b) <= 600 and metres(a, b) < 1e5 for a, b in pairwise(kept)))
    found = cut(clean(positions_of(kept)))
    times = zip(found.stays.start_s.tolist(), found.stays.end_s.tolist(), strict=True)
    assert list(times) == [(a.timestamp(), b.timestamp()) for a, b in stays(kept)]


def test_drawn_histories_hold_stays_that_join_and_stays_that_settle():
    kept = [[fix for fix, word in verdicts(drawn(seed)) if word == "kept"] for seed in range(30)]
    assert sum(len(stays(fixes)) for fixes in kept) > 30
    assert any(len(runs(fixes)) > len(stays(fixes)) for fixes in kept)
    assert any(
        [(run[0].at, run[-1].at) for run in runs(fixes)] != stays(fixes)
        for fixes in kept
        if len(runs(fixes)) == len(stays(fixes))
    )


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_histories_of_a_few_fixes_are_judged_by_the_rules(size):
    for seed in range(60):
        fixes = Random(seed).sample(drawn(seed), size)
        assert said(fixes) == by_rule(fixes)


def test_two_islands_side_by_side_and_an_island_at_each_edge_are_judged_by_the_rules():
    fixes = [fix for fix in drawn(1) if fix.accuracy_m != 900.0][:30]
    for islands_at in ({0}, {0, 1}, {28, 29}, {29}, {10, 11, 13}, {10, 12, 14}, {0, 15, 29}):
        moved = [
            shifted(fix, 3.0 + index % 2) if index in islands_at else fix
            for index, fix in enumerate(fixes)
        ]
        assert said(moved) == by_rule(moved)


def shifted(fix: Positionfix, off_deg: float) -> Positionfix:
    return Positionfix(
        at=fix.at,
        lat=fix.lat + off_deg,
        lon=fix.lon,
        source=fix.source,
        device=fix.device,
        accuracy_m=fix.accuracy_m,
    )
