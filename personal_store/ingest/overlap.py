"""Find, among the sources of one day, those that tell of the same carrier, and who tells best.

A phone's Timeline repeats its Records more coarsely; a watch writes a GPX file of a ride that the
phone recorded too; two apps on one phone send the same way twice. Counted apart, each such trip
would be counted twice. This is arithmetic on positions; it reads and writes nothing.

The rule, for two series of one UTC day (`Series`: one device as one source tells it):

1. Series of the same source are never compared: that source itself tells its devices apart.
2. A fix is *comparable* when the other series has fixes on both sides of it at most five minutes
   apart. It *agrees* when the other's way, within the time tolerance of the two sources (one minute
   where times are rounded to it, else five seconds), passes within 25 m plus both accuracies (where
   unknown: 100 m for Google's timelines, 15 m for others), and never more than 250 m.
3. Two series are *together* on a day when at least 5 fixes of one are comparable, 95 % of them
   agree, and those span 300 m: two phones on one table prove nothing, two that part never are.
4. Of the series that are together with the one that covers most of the day, each is read as that
   one's; where two agree, the fixes of the coarser one are told elsewhere. A fix that does not
   agree stays with its own device.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, radians
from statistics import median
from typing import Final

from personal_store.ingest.positionfix import SourceFormat

LONGEST_GAP_S: Final = 300.0
LEAST_COMPARABLE: Final = 5
LEAST_AGREEING: Final = 0.95
LEAST_SPAN_M: Final = 300.0
TOLERANCE_M: Final = 25.0
MOST_TOLERANCE_M: Final = 250.0
_SLOT_S: Final = 600
_M_PER_DEGREE: Final = 111_195.0
_ROUNDED: Final = frozenset(
    {
        SourceFormat.GOOGLE_TIMELINE_ANDROID,
        SourceFormat.GOOGLE_TIMELINE_IOS,
        SourceFormat.GOOGLE_SEMANTIC,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One fix: seconds of Unix time, WGS 84 degrees, metres or None."""

    fix_id: int
    at_s: float
    lon: float
    lat: float
    accuracy_m: float | None

    def __repr__(self) -> str:
        """Redact time and place."""
        return f"<Seen {self.fix_id}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The fixes of one device as one source tells them, in time order, at least one."""

    source: SourceFormat
    device: str
    fixes: Sequence[Seen]

    @property
    def time_tolerance_s(self) -> float:
        """Return by how much its times may be off."""
        return 60.0 if self.source in _ROUNDED else 5.0

    @property
    def unknown_accuracy_m(self) -> float:
        """Return what to take for the accuracy of a fix that states none."""
        return 100.0 if self.source in _ROUNDED else 15.0

    @property
    def slots(self) -> int:
        """Return in how many ten minutes of the day it has a fix."""
        return len({int(fix.at_s // _SLOT_S) for fix in self.fixes})

    @property
    def median_gap_s(self) -> float:
        """Return the usual time between two fixes; infinite for a single one."""
        gaps = [b.at_s - a.at_s for a, b in pairwise(self.fixes)]
        return median(gaps) if gaps else float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What to do with a fix at reading: read it as another device's, or (None) leave it out."""

    fix_id: int
    read_as: str | None


def marks(day: Sequence[Series]) -> list[Mark]:
    """Return the marks of one day's series, by the rule above."""
    waiting = sorted(day, key=_fullest_first)
    found: list[Mark] = []
    while waiting:
        host, *others = waiting
        guests = [each for each in others if _are_together(host, each)]
        waiting = [each for each in others if each not in guests]
        found += _group_marks(host, guests)
    return found


def _fullest_first(series: Series) -> tuple[float | str, ...]:
    return (-series.slots, series.median_gap_s, series.source.value, series.device)


def _group_marks(host: Series, guests: Sequence[Series]) -> list[Mark]:
    finest_first = sorted([host, *guests], key=lambda each: (each.median_gap_s, each is not host))
    found: list[Mark] = []
    for n, series in enumerate(finest_first if guests else ()):
        verdicts = [_compare(series, finer) for finer in finest_first[:n]]
        against_host = _compare(series, host) if series is not host else []
        for k, fix in enumerate(series.fixes):
            if any(verdict[k] for verdict in verdicts):
                found.append(Mark(fix_id=fix.fix_id, read_as=None))
            elif series.device != host.device and against_host[k] is not False:
                found.append(Mark(fix_id=fix.fix_id, read_as=host.device))
    return found


def _are_together(a: Series, b: Series) -> bool:
    if a.source is b.source:
        return False
    return _agrees_with(a, b) or _agrees_with(b, a)


def _agrees_with(a: Series, b: Series) -> bool:
    verdicts = _compare(a, b)
    comparable = sum(verdict is not None for verdict in verdicts)
    agreeing = [fix for fix, verdict in zip(a.fixes, verdicts, strict=True) if verdict]
    if comparable < LEAST_COMPARABLE or len(agreeing) < LEAST_AGREEING * comparable:
        return False
    lats, lons = [fix.lat for fix in agreeing], [fix.lon for fix in agreeing]
    across_m = (max(lons) - min(lons)) * cos(radians(lats[0])) * _M_PER_DEGREE
    return hypot(across_m, (max(lats) - min(lats)) * _M_PER_DEGREE) >= LEAST_SPAN_M


def _compare(a: Series, b: Series) -> list[bool | None]:
    """Return for each fix of `a` whether `b` agrees with it, None where it cannot tell."""
    times = [fix.at_s for fix in b.fixes]
    tolerance_s = max(a.time_tolerance_s, b.time_tolerance_s)
    return [_verdict(fix, a, b, times, tolerance_s) for fix in a.fixes]


def _verdict(
    fix: Seen, a: Series, b: Series, times: Sequence[float], tolerance_s: float
) -> bool | None:
    after = bisect_left(times, fix.at_s)
    is_met = after < len(times) and times[after] == fix.at_s
    is_outside = after in {0, len(times)}
    if not is_met and (is_outside or times[after] - times[after - 1] > LONGEST_GAP_S):
        return None
    first, last = fix.at_s - tolerance_s, fix.at_s + tolerance_s
    way = [_at(b, times, first), *_between(b, times, first, last), _at(b, times, last)]
    own_m = a.unknown_accuracy_m if fix.accuracy_m is None else fix.accuracy_m
    nearest = b.fixes[min(after, len(times) - 1)]
    its_m = b.unknown_accuracy_m if nearest.accuracy_m is None else nearest.accuracy_m
    within_m = min(TOLERANCE_M + own_m + its_m, MOST_TOLERANCE_M)
    return any(_distance_m(fix, p, q) <= within_m for p, q in pairwise(way))


def _between(
    b: Series, times: Sequence[float], first: float, last: float
) -> list[tuple[float, float]]:
    inside = b.fixes[bisect_left(times, first) : bisect_left(times, last)]
    return [(fix.lon, fix.lat) for fix in inside]


def _at(b: Series, times: Sequence[float], at_s: float) -> tuple[float, float]:
    """Return where the series is at a time: between two fixes on the straight line."""
    after = bisect_left(times, at_s)
    if after in {0, len(times)}:
        end = b.fixes[0 if after == 0 else -1]
        return end.lon, end.lat
    p, q = b.fixes[after - 1], b.fixes[after]
    share = (at_s - p.at_s) / (q.at_s - p.at_s)
    return p.lon + share * (q.lon - p.lon), p.lat + share * (q.lat - p.lat)


def _distance_m(fix: Seen, p: tuple[float, float], q: tuple[float, float]) -> float:
    """Return the distance to the segment from `p` to `q`, on the plane that touches at the fix."""
    east = cos(radians(fix.lat)) * _M_PER_DEGREE
    px, py = (p[0] - fix.lon) * east, (p[1] - fix.lat) * _M_PER_DEGREE
    dx, dy = (q[0] - p[0]) * east, (q[1] - p[1]) * _M_PER_DEGREE
    length2 = dx * dx + dy * dy
    share = 0.0 if length2 == 0 else max(0.0, min(1.0, -(px * dx + py * dy) / length2))
    return hypot(px + share * dx, py + share * dy)
