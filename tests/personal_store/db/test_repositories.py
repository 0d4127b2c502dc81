"""What goes into the tables comes out again."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from fixes_added import add_fixes
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert
from sqlalchemy.exc import IntegrityError

from carbon.modes import TransportMode
from personal_store.db import devices, positionfixes, tables, timelines, trips
from personal_store.db.connection import reading, writing
from personal_store.db.devices import Visit
from personal_store.db.units import E7, from_ms
from personal_store.ingest.positionfix import Positionfix, SourceFormat
from personal_store.store import Store
from personal_store.trips.timeline import (
    ModeProbability,
    ModeSource,
    Staypoint,
    Timeline,
    Trip,
    Tripleg,
)

AT = datetime(2026, 11, 9, 7, 30, tzinfo=UTC)
# Each example empties the tables first: sharing the store between them is safe.
MANY = settings(max_examples=40)

instants = st.integers(631_152_000_000, 2_000_000_000_000).map(from_ms)
lons = st.integers(-180 * E7, 180 * E7).map(lambda value: value / E7)
lats = st.integers(-90 * E7, 90 * E7).map(lambda value: value / E7)
amounts = st.floats(0, 1e9)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
fixes = st.builds(
    Positionfix,
    at=instants,
    lon=lons,
    lat=lats,
    source=st.sampled_from(SourceFormat),
    device=st.just("telephone"),
    accuracy_m=st.none() | amounts,
    speed_mps=st.none() | amounts,
    altitude_m=st.none() | st.floats(-500, 20_000),
    activity=st.none() | names,
    activity_confidence=st.none() | st.floats(0, 1),
)


def _identity(fix: Positionfix) -> tuple[object, ...]:
    return (fix.device, fix.at, fix.lon, fix.lat, fix.source)


@MANY
@given(st.lists(fixes, max_size=8, unique_by=_identity))
def test_positionfixes_come_back_as_they_went_in(store: Store, given_fixes) -> None:
    with writing(store.engine) as connection:
        connection.execute(delete(tables.positionfix))
        assert add_fixes(connection, given_fixes, received_at=AT) == len(given_fixes)
        kept = positionfixes.of_device(connection, "telephone")
    assert sorted(kept, key=_identity) == sorted(given_fixes, key=_identity)
    assert [fix.at for fix in kept] == sorted(fix.at for fix in given_fixes)


@MANY
@given(st.lists(fixes, max_size=8))
def test_positionfixes_added_again_are_not_new(store: Store, given_fixes) -> None:
    distinct = len({_identity(fix) for fix in given_fixes})
    with writing(store.engine) as connection:
        connection.execute(delete(tables.positionfix))
        assert add_fixes(connection, given_fixes, received_at=AT) == distinct
        assert add_fixes(connection, given_fixes, received_at=AT) == 0
        assert positionfixes.count(connection) == distinct


def test_the_first_of_two_positionfixes_at_the_same_time_and_place_stays(store: Store) -> None:
    first = Positionfix(
        at=AT, lon=-1.15, lat=46.16, source=SourceFormat.GPX, device="telephone", speed_mps=1.0
    )
    second = Positionfix(
        at=AT, lon=-1.15, lat=46.16, source=SourceFormat.GPX, device="telephone", speed_mps=2.0
    )
    with writing(store.engine) as connection:
        add_fixes(connection, [first], received_at=AT)
        add_fixes(connection, [second], received_at=AT)
        assert positionfixes.of_device(connection, "telephone") == [first]


@pytest.mark.parametrize(
    "change",
    [
        {"device": "other"},
        {"at": AT + timedelta(seconds=1)},
        {"lon": -1.2},
        {"lat": 46.2},
        {"source": SourceFormat.GOOGLE_RECORDS},
    ],
    ids=["device", "time", "longitude", "latitude", "source"],
)
def test_a_positionfix_that_differs_in_its_key_is_new(store: Store, change) -> None:
    same = {"at": AT, "lon": -1.15, "lat": 46.16, "source": SourceFormat.GPX, "device": "phone"}
    with writing(store.engine) as connection:
        add_fixes(connection, [Positionfix(**same)], received_at=AT)
        assert add_fixes(connection, [Positionfix(**(same | change))], received_at=AT) == 1


def test_devices_are_listed_once_in_alphabetical_order(store: Store) -> None:
    same = {"lon": -1.15, "lat": 46.16, "source": SourceFormat.GPX}
    with writing(store.engine) as connection:
        rows = [
            Positionfix(at=AT + timedelta(seconds=index), device=name, **same)
            for index, name in enumerate(["watch", "bike", "watch"])
        ]
        add_fixes(connection, rows, received_at=AT)
        assert positionfixes.devices(connection) == ("bike", "watch")


@st.composite
def drawn_timelines(draw: st.DrawFn, device: str = "telephone") -> Timeline:
    """Draw a timeline: stays and trips one after the other, with milliseconds at most."""
    moment = draw(instants)

    def after() -> datetime:
        nonlocal moment
        moment += timedelta(milliseconds=draw(st.integers(1, 10**8)))
        return moment

    def leg() -> Tripleg:
        start, end = moment, after()
        modes = draw(st.lists(st.sampled_from(TransportMode), min_size=1, max_size=3, unique=True))
        distance_m = draw(amounts)
        return Tripleg(
            start=start,
            end=end,
            distance_m=distance_m,
            gap_m=distance_m * draw(st.floats(0, 1)),
            modes=tuple(ModeProbability(mode=mode, probability=1 / len(modes)) for mode in modes),
            mode_source=draw(st.sampled_from(ModeSource)),
            track=tuple(draw(st.lists(st.tuples(lons, lats), min_size=2, max_size=4))),
        )

    def trip() -> Trip:
        after()
        legs = tuple(leg() for _ in range(draw(st.integers(1, 3))))
        return Trip(device=device, start=legs[0].start, end=legs[-1].end, triplegs=legs)

    def stay() -> Staypoint:
        start, end = moment, after()
        return Staypoint(start=start, end=end, lon=draw(lons), lat=draw(lats), radius_m=5.0)

    count = draw(st.integers(0, 3))
    return Timeline(
        device=device,
        staypoints=tuple(stay() for _ in range(count)),
        trips=tuple(trip() for _ in range(count)),
    )


@MANY
@given(drawn_timelines())
def test_a_timeline_comes_back_as_it_went_in(store: Store, timeline: Timeline) -> None:
    with writing(store.engine) as connection:
        timelines.replace(connection, timeline)
    with reading(store.engine) as connection:
        assert tuple(each.trip for each in trips.between(connection)) == timeline.trips
        assert (
            tuple(timelines.stays_touching(connection, device="telephone")) == timeline.staypoints
        )
        assert timelines.count_trips(connection) == len(timeline.trips)


@MANY
@given(drawn_timelines(), drawn_timelines())
def test_a_recomputed_timeline_replaces_the_one_before(
    store: Store, before: Timeline, after: Timeline
) -> None:
    with writing(store.engine) as connection:
        timelines.replace(connection, before)
        timelines.replace(connection, after)
        assert tuple(each.trip for each in trips.between(connection)) == after.trips
        assert tuple(timelines.stays_touching(connection, device="telephone")) == after.staypoints
        left = connection.exec_driver_sql("SELECT count(*) FROM tripleg").scalar()
    assert left == sum(len(trip.triplegs) for trip in after.trips)


@MANY
@given(drawn_timelines(), drawn_timelines(device="watch"))
def test_recomputing_a_device_leaves_the_other_alone(
    store: Store, telephone: Timeline, watch: Timeline
) -> None:
    with writing(store.engine) as connection:
        timelines.replace(connection, watch)
        timelines.replace(connection, telephone)
        kept = [each.trip for each in trips.between(connection)]
    assert tuple(trip for trip in kept if trip.device == "watch") == watch.trips


@MANY
@given(drawn_timelines(), st.data())
def test_an_interval_holds_its_start_and_not_its_end(
    store: Store, timeline: Timeline, data: st.DataObject
) -> None:
    starts = [trip.start for trip in timeline.trips]
    bounds = st.sampled_from(starts) if starts else instants
    start, end = sorted((data.draw(bounds), data.draw(bounds)))
    with writing(store.engine) as connection:
        timelines.replace(connection, timeline)
        found = [each.trip for each in trips.between(connection, start=start, end=end)]
        assert found == [trip for trip in timeline.trips if start <= trip.start < end]


def test_the_newest_start_is_none_without_trips(store: Store) -> None:
    with reading(store.engine) as connection:
        assert timelines.newest_start(connection) is None


def _authorise(connection: Connection, device: str, token: str) -> None:
    devices.authorise(
        connection, device=device, token=token, door=f"door of {token}", encryption_key=None, at=AT
    )


def test_a_new_token_takes_the_place_of_the_one_before_at_the_same_door(store: Store) -> None:
    with writing(store.engine) as connection:
        _authorise(connection, "telephone", "one")
        _authorise(connection, "telephone", "two")
        (device,) = devices.every(connection)
    assert (device.token_sha256, device.door) == (devices.digest("two"), "door of one")


def test_a_token_is_kept_only_as_its_digest(store: Store) -> None:
    with writing(store.engine) as connection:
        _authorise(connection, "telephone", "canary-token")
        row = connection.exec_driver_sql("SELECT token_sha256 FROM device").one()
    assert "canary-token" not in str(row)


def test_visits_add_up_and_the_last_one_seen_never_goes_back(store: Store) -> None:
    def visit(minutes: int) -> Visit:
        seen_at = AT + timedelta(minutes=minutes)
        return Visit(door="door of one", seen_at=seen_at, positions=2, rejected=1, unreadable=3)

    with writing(store.engine) as connection:
        _authorise(connection, "telephone", "one")
        devices.note(connection, [visit(5), visit(1)])
        (device,) = devices.every(connection)
    assert device.seen_at == AT + timedelta(minutes=5)
    assert (device.positions, device.rejected, device.unreadable) == (4, 2, 6)


def test_a_device_is_revoked_once(store: Store) -> None:
    with writing(store.engine) as connection:
        _authorise(connection, "telephone", "one")
        assert devices.revoke(connection, device="telephone", at=AT)
        assert not devices.revoke(connection, device="telephone", at=AT)
        assert not devices.revoke(connection, device="watch", at=AT)
        assert devices.every(connection)[0].revoked_at == AT


def test_rows_that_point_nowhere_are_refused(store: Store) -> None:
    row = {"digest": "d", "url": "https://unknown.example", "jws": b""}
    with pytest.raises(IntegrityError), writing(store.engine) as connection:
        connection.execute(insert(tables.task).values(**row))


def test_a_probability_keeps_every_digit(store: Store) -> None:
    odd = math.nextafter(1 / 3, 1)
    leg = Tripleg(
        start=AT,
        end=AT + timedelta(minutes=5),
        distance_m=odd * 1000,
        gap_m=odd,
        modes=(ModeProbability(mode=TransportMode.CAR, probability=odd),),
        mode_source=ModeSource.SENSOR,
        track=((odd, odd), (odd, odd)),
    )
    timeline = Timeline(
        device="telephone",
        staypoints=(),
        trips=(Trip(device="telephone", start=AT, end=leg.end, triplegs=(leg,)),),
    )
    with writing(store.engine) as connection:
        timelines.replace(connection, timeline)
        assert trips.between(connection)[0].trip.triplegs == (leg,)
