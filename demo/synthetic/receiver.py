"""What a telephone hears of the diary: irregular, noisy, sometimes wrong, sometimes nothing.

Horizontal errors are first-order autoregressive on each axis, because satellite errors last for
tens of seconds: 3.5 m in the open, 6.5 m between houses, 12 m indoors (standard deviations,
orders of magnitude of consumer receivers, ours). The stated accuracy is the 68 % radius, itself
uncertain. Three samplers say when a telephone listens: `dense` (a logger), `sparse` (Google's
timeline), `significant` (OwnTracks' significant changes: 500 m and 5 minutes apart).
"""

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carbon.modes import TransportMode
from synthetic.diary import Episode, Ride, Stay
from synthetic.motion import EARTH_RADIUS_M, Moment, Waypoint, distance_m

LOGGING_INTERVAL_S = {
    TransportMode.WALK: 4,
    TransportMode.BIKE: 2,
    TransportMode.BUS: 2,
    TransportMode.CAR: 1,
    TransportMode.TRAIN_TER: 2,
}
"""Seconds between the fixes of a logger on the way."""

MISSED = 0.02
"""Share of single fixes that fail on the way."""
OUTLIER = 0.002
"""Share of fixes on the way that are wrong by 60 to 250 metres."""
HOME_RADIUS_M = 150
"""Radius of the region around home that a telephone watches."""
BURST_EVERY_S = 1_500
"""Mean time between short losses of reception (15 to 60 seconds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """Reception: error per axis (standard deviation, metres) and how long it lasts (seconds)."""

    sigma_m: float
    lasting_s: float


OPEN = Sky(sigma_m=3.5, lasting_s=40)
TOWN = Sky(sigma_m=6.5, lasting_s=40)
INDOORS = Sky(sigma_m=12.0, lasting_s=900)

TOWN_CENTRES = (
    (Waypoint(lon=-1.1525, lat=46.1590), 1_100.0),
    (Waypoint(lon=-0.9620, lat=45.9400), 700.0),
)
"""Where houses stand close: the old towns of La Rochelle and Rochefort, with a radius in metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """A second at which a telephone listens, and what is true then (no mode: at rest)."""

    at: datetime
    truth: Moment
    mode: TransportMode | None
    indoors: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A recorded position: UTC time, WGS 84 degrees, 68 % radius, speed where known.

    `mode` is what was true, for the recorders that also guess activities.
    """

    at: datetime
    lon: float
    lat: float
    accuracy_m: float
    speed_mps: float | None
    altitude_m: float
    mode: TransportMode | None


def dense(episodes: Iterable[Episode], rng: random.Random) -> Iterator[Instant]:
    """Listen as a logger: every 1 to 5 s on the way, every 10 s waiting, sparsely at rest.

    It wakes up 5 to 40 s after a departure, loses reception in bursts and where the diary says
    so, and sleeps for an hour or two now and then at home and at work.
    """
    for episode in episodes:
        if isinstance(episode, Ride):
            yield from _on_the_way(episode, rng)
        elif episode.indoors:
            yield from _at_rest(episode, rng, shortest_s=300, longest_s=900, sleep=0.04)
        else:
            yield from _at_rest(episode, rng, shortest_s=9, longest_s=12, sleep=0.0)


def sparse(episodes: Iterable[Episode], rng: random.Random) -> Iterator[Instant]:
    """Listen as a telephone that saves its battery: every 1 to 3 minutes on the way."""
    for episode in episodes:
        if isinstance(episode, Stay):
            yield from _at_rest(episode, rng, shortest_s=900, longest_s=3_600, sleep=0.05)
            continue
        offset = rng.randint(10, 90)
        while offset < len(episode.moments):
            yield _instant(episode, offset)
            offset += rng.randint(60, 180)


def significant(episodes: Sequence[Episode], rng: random.Random) -> Iterator[Instant]:
    """Listen to significant changes, to crossing the border of home, and to pings at rest.

    A change is significant 500 m and 300 s after the last fix; home ends at 150 m.
    """
    home = _first_place(episodes)
    last: Instant | None = None
    for episode in episodes:
        if isinstance(episode, Stay):
            for ping in _at_rest(episode, rng, shortest_s=1_200, longest_s=5_400, sleep=0.0):
                yield ping
                last = ping
            continue
        away = distance_m(home, episode.moments[0]) > HOME_RADIUS_M
        for offset in range(len(episode.moments)):
            here = _instant(episode, offset)
            crossing = (distance_m(home, here.truth) > HOME_RADIUS_M) is not away
            if crossing or last is None or _is_significant(last, here):
                yield here
                last = here
                away ^= crossing


def listen(instants: Iterable[Instant], rng: random.Random) -> list[Fix]:
    """Hear what is true at each instant, with errors that last, and some plainly wrong fixes."""
    fixes: list[Fix] = []
    east = north = 0.0
    before: datetime | None = None
    for instant in instants:
        if before is not None and instant.at <= before:
            continue
        sky = sky_at(instant)
        elapsed_s = math.inf if before is None else (instant.at - before).total_seconds()
        kept = math.exp(-elapsed_s / sky.lasting_s)
        fresh = math.sqrt(1 - kept * kept) * sky.sigma_m
        east = kept * east + rng.gauss(0.0, fresh)
        north = kept * north + rng.gauss(0.0, fresh)
        fixes.append(_fix(instant, sky, east, north, rng))
        before = instant.at
    return fixes


def sky_at(instant: Instant) -> Sky:
    """Return the reception at an instant."""
    if instant.indoors:
        return INDOORS
    near = any(distance_m(centre, instant.truth) < reach for centre, reach in TOWN_CENTRES)
    return TOWN if near else OPEN


def _is_significant(last: Instant, here: Instant) -> bool:
    """Tell whether a move is far and late enough to wake a telephone."""
    return (here.at - last.at).total_seconds() >= 300 and distance_m(here.truth, last.truth) >= 500


def _first_place(episodes: Sequence[Episode]) -> Moment:
    """Return where the first episode is."""
    first = episodes[0]
    return first.place if isinstance(first, Stay) else first.moments[0]


def _on_the_way(ride: Ride, rng: random.Random) -> Iterator[Instant]:
    """Yield the instants of a logger on a ride."""
    interval_s = LOGGING_INTERVAL_S[ride.mode]
    offset = rng.randint(5, 40) if ride.first else 1
    burst_at = offset + rng.expovariate(1 / BURST_EVERY_S)
    while offset < len(ride.moments):
        if offset >= burst_at:
            offset += rng.randint(15, 60)
            burst_at = offset + rng.expovariate(1 / BURST_EVERY_S)
            continue
        deaf = ride.deaf_s[0] <= offset < ride.deaf_s[1]
        if not deaf and rng.random() >= MISSED:
            yield _instant(ride, offset)
        offset += interval_s + (rng.random() < 0.1)


def _at_rest(
    stay: Stay, rng: random.Random, *, shortest_s: int, longest_s: int, sleep: float
) -> Iterator[Instant]:
    """Yield instants of a stay at irregular intervals, with a chance to sleep 1 to 2 hours."""
    length_s = int((stay.end - stay.start).total_seconds())
    offset = rng.randint(2, shortest_s)
    while offset < length_s:
        at = stay.start + timedelta(seconds=offset)
        yield Instant(at=at, truth=stay.place, mode=None, indoors=stay.indoors)
        asleep = rng.random() < sleep
        offset += rng.randint(3_600, 7_200) if asleep else rng.randint(shortest_s, longest_s)


def _instant(ride: Ride, offset_s: int) -> Instant:
    """Return the instant at a second of a ride."""
    at = ride.moment_time(offset_s)
    return Instant(at=at, truth=ride.moments[offset_s], mode=ride.mode, indoors=False)


def _fix(instant: Instant, sky: Sky, east: float, north: float, rng: random.Random) -> Fix:
    """Return the recorded position for a true one and the errors in metres."""
    accuracy = max(3.0, 1.5 * sky.sigma_m * rng.lognormvariate(0.0, 0.25))
    if rng.random() < OUTLIER:
        reach, turn = rng.uniform(60, 250), rng.uniform(0, 2 * math.pi)
        east, north = east + reach * math.cos(turn), north + reach * math.sin(turn)
        if rng.random() < 0.7:
            accuracy = 0.8 * reach
    degree_m = EARTH_RADIUS_M * math.pi / 180
    lat = instant.truth.lat + north / degree_m
    lon = instant.truth.lon + east / (degree_m * math.cos(math.radians(instant.truth.lat)))
    speed = None if instant.indoors else max(0.0, instant.truth.speed_mps + rng.gauss(0, 0.25))
    return Fix(
        at=instant.at,
        lon=round(lon, 6),
        lat=round(lat, 6),
        accuracy_m=round(accuracy, 1),
        speed_mps=None if speed is None else round(speed, 1),
        altitude_m=round(9 + rng.gauss(0, 2.5), 1),
        mode=instant.mode,
    )
