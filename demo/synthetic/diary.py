"""What the fictitious resident does in the week, second by second, as it would really be.

The resident lives in the west of La Rochelle and works at the campus of Les Minimes; both places
are points of the invented routes, nobody's address. Wednesday is not worked. No noise here:
`receiver` hears this diary.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from carbon.modes import TransportMode
from synthetic.motion import Moment, Route, distance_m, travel

ZONE = ZoneInfo("Europe/Paris")
_WALK, _BIKE, _BUS = TransportMode.WALK, TransportMode.BIKE, TransportMode.BUS
_CAR, _TRAIN = TransportMode.CAR, TransportMode.TRAIN_TER


class Recorder(StrEnum):
    """Which export holds a day."""

    GPX = "gpx"
    TIMELINE = "google-timeline-android"
    OWNTRACKS = "owntracks-rec"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLeg:
    """A leg to come: its mode, its route, the wait before it, and where reception fails.

    `wait_s` is the longest wait at the start (a third of it the shortest); `deaf` the share of
    the leg, from and to, during which no satellite is heard.
    """

    mode: TransportMode
    route: str
    back: bool = False
    wait_s: int = 0
    deaf: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outing:
    """A trip to come: local departure time and its legs."""

    depart: time
    legs: tuple[PlannedLeg, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDay:
    """A day to come: which export will hold it, and its trips."""

    recorder: Recorder
    outings: tuple[Outing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Being somewhere, [start, end): at home, at work, or outdoors at a bus stop."""

    start: datetime
    end: datetime
    place: Moment
    indoors: bool

    def __post_init__(self) -> None:
        """Refuse a stay that is over before it begins: the plan left too little time."""
        if self.start >= self.end:
            raise ValueError("expected a stay to begin before it ends; leave later in the plan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ride:
    """Being on the way: one moment per second from `start`.

    `deaf_s` are the seconds, from and to, without reception.
    """

    start: datetime
    mode: TransportMode
    moments: tuple[Moment, ...]
    deaf_s: tuple[int, int] = (0, 0)
    first: bool = True

    @property
    def end(self) -> datetime:
        """Return the time of the last moment."""
        return self.moment_time(len(self.moments) - 1)

    def moment_time(self, offset_s: int) -> datetime:
        """Return the time of a second of the ride."""
        return self.start + timedelta(seconds=offset_s)

    @property
    def distance_m(self) -> float:
        """Return the length of the way in metres."""
        return sum(distance_m(a, b) for a, b in pairwise(self.moments))


Episode = Stay | Ride


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day as it was: episodes without a hole from midnight to midnight, and its trips."""

    day: date
    recorder: Recorder
    episodes: tuple[Episode, ...]
    trips: tuple[tuple[Ride, ...], ...]


def _outing(depart: str, *legs: PlannedLeg) -> Outing:
    """Return an outing from a local time like 08:05."""
    return Outing(depart=time.fromisoformat(depart), legs=legs)


def _there(mode: TransportMode, route: str) -> PlannedLeg:
    """Return a leg along a route."""
    return PlannedLeg(mode=mode, route=route)


def _back(mode: TransportMode, route: str) -> PlannedLeg:
    """Return a leg along a route from its end to its start."""
    return PlannedLeg(mode=mode, route=route, back=True)


_BIKE_COMMUTE = (
    _outing("08:05", _there(_BIKE, "bike_campus")),
    _outing("17:45", _back(_BIKE, "bike_campus")),
)

_TO_ROCHEFORT = _outing(
    "07:10",
    _there(_WALK, "walk_stop"),
    PlannedLeg(mode=_BUS, route="bus_station", wait_s=300),
    _there(_WALK, "walk_platform"),
    PlannedLeg(mode=_TRAIN, route="train_rochefort", wait_s=480, deaf=(0.50, 0.66)),
    _there(_WALK, "walk_rochefort"),
)
_FROM_ROCHEFORT = _outing(
    "17:05",
    _back(_WALK, "walk_rochefort"),
    PlannedLeg(mode=_TRAIN, route="train_rochefort", back=True, wait_s=540, deaf=(0.30, 0.44)),
    _back(_WALK, "walk_platform"),
    PlannedLeg(mode=_BUS, route="bus_station", back=True, wait_s=420),
    _back(_WALK, "walk_stop"),
)
_TO_MARKET = _outing(
    "09:40",
    _there(_WALK, "walk_stop"),
    PlannedLeg(mode=_BUS, route="bus_centre", wait_s=360),
    _there(_WALK, "walk_market"),
)
_FROM_MARKET = _outing(
    "11:20",
    _back(_WALK, "walk_market"),
    PlannedLeg(mode=_BUS, route="bus_centre", back=True, wait_s=420),
    _back(_WALK, "walk_stop"),
)

WEEK: Sequence[PlannedDay] = (
    PlannedDay(
        recorder=Recorder.GPX,
        outings=(
            _BIKE_COMMUTE[0],
            _outing("12:15", _there(_WALK, "walk_lunch")),
            _outing("13:05", _back(_WALK, "walk_lunch")),
            _BIKE_COMMUTE[1],
            _outing("18:50", _there(_WALK, "walk_shops")),
            _outing("19:20", _back(_WALK, "walk_shops")),
        ),
    ),
    PlannedDay(recorder=Recorder.TIMELINE, outings=_BIKE_COMMUTE),
    PlannedDay(
        recorder=Recorder.OWNTRACKS,
        outings=(
            _TO_MARKET,
            _FROM_MARKET,
            _outing("15:00", _there(_BIKE, "bike_lagord")),
            _outing("18:10", _back(_BIKE, "bike_lagord")),
        ),
    ),
    PlannedDay(recorder=Recorder.GPX, outings=(_TO_ROCHEFORT, _FROM_ROCHEFORT)),
    PlannedDay(
        recorder=Recorder.GPX,
        outings=(
            _outing("08:00", _there(_CAR, "car_perigny")),
            _outing("12:20", _there(_WALK, "walk_perigny")),
            _outing("13:10", _back(_WALK, "walk_perigny")),
            _outing("17:25", _there(_CAR, "car_chatelaillon")),
            _outing("18:30", _there(_WALK, "walk_beach")),
            _outing("19:15", _back(_WALK, "walk_beach")),
            _outing("22:10", PlannedLeg(mode=_CAR, route="car_home", deaf=(0.35, 0.50))),
        ),
    ),
    PlannedDay(
        recorder=Recorder.TIMELINE,
        outings=(
            _outing("10:30", _there(_CAR, "car_re")),
            _outing("11:15", _there(_WALK, "walk_re")),
            _outing("14:20", _back(_WALK, "walk_re")),
            _outing("15:30", _back(_CAR, "car_re")),
            _outing("18:00", _there(_WALK, "walk_shops")),
            _outing("18:30", _back(_WALK, "walk_shops")),
        ),
    ),
    PlannedDay(
        recorder=Recorder.GPX,
        outings=(
            _outing("14:30", _there(_WALK, "walk_out")),
            _outing("15:50", _there(_WALK, "walk_back")),
        ),
    ),
)
"""Monday to Sunday: bike, bus, train, car and walks, over three kinds of export."""


def live_week(monday: date, routes: Mapping[str, Route], rng: random.Random) -> tuple[Day, ...]:
    """Live the week that starts on a Monday; departures vary by up to four minutes."""
    return tuple(
        _live_day(monday + timedelta(days=index), planned, routes, rng)
        for index, planned in enumerate(WEEK)
    )


def midnight(day: date) -> datetime:
    """Return the UTC time at which a day begins in the territory."""
    return datetime.combine(day, time(), tzinfo=ZONE).astimezone(UTC)


def _live_day(
    day: date, planned: PlannedDay, routes: Mapping[str, Route], rng: random.Random
) -> Day:
    """Fill a day with stays and rides, from midnight to midnight."""
    episodes: list[Episode] = []
    trips = []
    now = midnight(day)
    for outing in planned.outings:
        depart = datetime.combine(day, outing.depart, tzinfo=ZONE).astimezone(UTC)
        depart += timedelta(seconds=rng.randint(-240, 240))
        trip = list(_live_outing(outing, depart, routes, rng))
        episodes.append(Stay(start=now, end=depart, place=_start(trip[0]), indoors=True))
        episodes.extend(trip)
        trips.append(tuple(part for part in trip if isinstance(part, Ride)))
        now = trip[-1].end
    place = trips[-1][-1].moments[-1]
    episodes.append(
        Stay(start=now, end=midnight(day + timedelta(days=1)), place=place, indoors=True)
    )
    return Day(day=day, recorder=planned.recorder, episodes=tuple(episodes), trips=tuple(trips))


def _live_outing(
    outing: Outing, depart: datetime, routes: Mapping[str, Route], rng: random.Random
) -> Iterator[Episode]:
    """Yield the waits and rides of a trip."""
    now = depart
    for index, leg in enumerate(outing.legs):
        route = routes[leg.route].back() if leg.back else routes[leg.route]
        moments = travel(route, leg.mode, rng)
        if leg.wait_s:
            board = now + timedelta(seconds=rng.randint(leg.wait_s // 3, leg.wait_s))
            yield Stay(start=now, end=board, place=moments[0], indoors=False)
            now = board
        deaf = leg.deaf or (0.0, 0.0)
        ride = Ride(
            start=now,
            mode=leg.mode,
            moments=moments,
            deaf_s=(int(deaf[0] * len(moments)), int(deaf[1] * len(moments))),
            first=index == 0,
        )
        yield ride
        now = ride.end


def _start(episode: Episode) -> Moment:
    """Return where an episode begins."""
    return episode.place if isinstance(episode, Stay) else episode.moments[0]
