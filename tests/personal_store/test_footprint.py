"""The footprint of a period: which trips count, once each, and how far by which mode."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.factors import load_factor_set
from carbon.modes import ModeGroup, TransportMode
from contributions.weeks import week_period
from personal_store.errors import NoFactors
from personal_store.footprint import (
    distance_by_group,
    one_traveller,
    period_footprint,
)
from personal_store.local_time import local_date
from personal_store.trips.timeline import ModeProbability, ModeSource, Trip, Tripleg

FACTORS = load_factor_set()
MONDAY = datetime(2026, 11, 9, 8, tzinfo=UTC)
ALL_TIME = {"start": datetime(1990, 1, 1, tzinfo=UTC), "end": datetime(2100, 1, 1, tzinfo=UTC)}


def leg(
    start: datetime,
    minutes: float,
    distance_m: float = 1000.0,
    modes: dict[TransportMode, float] | None = None,
    gap_m: float = 0.0,
) -> Tripleg:
    return Tripleg(
        start=start,
        end=start + timedelta(minutes=minutes),
        distance_m=distance_m,
        gap_m=gap_m,
        modes=tuple(
            ModeProbability(mode=mode, probability=probability)
            for mode, probability in (modes or {TransportMode.WALK: 1.0}).items()
        ),
        mode_source=ModeSource.MOTION,
        track=((-1.15, 46.16), (-1.16, 46.16)),
    )


def trip(start: datetime, minutes: float = 30, device: str = "telephone", **of_leg) -> Trip:
    only = leg(start, minutes, **of_leg)
    return Trip(device=device, start=only.start, end=only.end, triplegs=(only,))


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


class TestOneTraveller:
    """Two devices on one journey count once."""

    def test_two_devices_on_one_journey_count_once(self) -> None:
        phone, watch = trip(MONDAY), trip(MONDAY + minutes(1), 28, device="watch")
        assert one_traveller([watch, phone]) == [phone]

    def test_the_longer_record_wins_whatever_the_order(self) -> None:
        phone, watch = trip(MONDAY), trip(MONDAY + minutes(1), 28, device="watch")
        assert one_traveller([phone, watch]) == one_traveller([watch, phone])

    def test_half_an_overlap_is_the_same_journey(self) -> None:
        phone, watch = trip(MONDAY, 40), trip(MONDAY + minutes(25), 30, device="watch")
        assert one_traveller([phone, watch]) == [phone]

    def test_less_than_half_an_overlap_is_another_journey(self) -> None:
        phone, watch = trip(MONDAY, 40), trip(MONDAY + minutes(25.1), 30, device="watch")
        assert one_traveller([phone, watch]) == [phone, watch]

    def test_one_device_is_never_dropped_for_itself(self) -> None:
        first, second = trip(MONDAY, 40), trip(MONDAY + minutes(5), 30)
        assert one_traveller([first, second]) == [first, second]

    def test_journeys_that_only_touch_both_count(self) -> None:
        phone, watch = trip(MONDAY, 30), trip(MONDAY + minutes(30), 30, device="watch")
        assert one_traveller([phone, watch]) == [phone, watch]

    def test_a_dropped_trip_drops_no_other(self) -> None:
        # The watch overlaps the phone, the tablet only the watch: the tablet's journey stays.
        phone = trip(MONDAY, 60)
        watch = trip(MONDAY + minutes(30), 50, device="watch")
        tablet = trip(MONDAY + minutes(61), 30, device="tablet")
        assert one_traveller([phone, watch, tablet]) == [phone, tablet]

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.builds(
                trip,
                st.integers(0, 600).map(lambda count: MONDAY + minutes(count)),
                st.integers(1, 120),
                device=st.sampled_from(["telephone", "watch", "tablet"]),
            ),
            max_size=8,
            unique_by=lambda each: (each.device, each.start),
        )
    )
    def test_kept_trips_are_some_of_those_given_in_time_order(self, trips: list[Trip]) -> None:
        kept = one_traveller(trips)
        assert [each for each in kept if each not in trips] == []
        assert [each.start for each in kept] == sorted(each.start for each in kept)
        assert bool(kept) == bool(trips)


class TestPeriod:
    """A trip belongs to the period in which it starts, in the clock of the territory."""

    def test_a_trip_that_ends_after_the_period_counts_whole(self) -> None:
        period = week_period("2026-W46")
        found = period_footprint(
            [trip(period.end - minutes(1), 60)], FACTORS, start=period.start, end=period.end
        )
        assert sum(found.distance_m.values()) == pytest.approx(1000)

    def test_the_day_of_a_trip_is_that_of_paris(self) -> None:
        assert local_date(datetime(2026, 11, 8, 23, 30, tzinfo=UTC)) == date(2026, 11, 9)
        assert local_date(datetime(2026, 7, 1, 21, 59, tzinfo=UTC)) == date(2026, 7, 1)
        assert local_date(datetime(2026, 7, 1, 22, 0, tzinfo=UTC)) == date(2026, 7, 2)

    def test_the_week_of_the_clock_change_has_no_hole(self) -> None:
        # Sunday 2026-10-25: 3:00 becomes 2:00 in Paris, and that hour is lived twice.
        period = week_period("2026-W43")
        twice = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
        found = period_footprint(
            [trip(at, 10) for at in twice], FACTORS, start=period.start, end=period.end
        )
        assert found.trips == 2

    def test_a_period_without_trips_weighs_nothing(self) -> None:
        found = period_footprint([], FACTORS, **ALL_TIME)
        assert found.trips == 0
        assert (found.total.usage.value, found.total.usage.high) == (0, 0)
        assert (found.total.life_cycle.value, found.total.life_cycle.high) == (0, 0)
        assert dict(found.by_mode) == {}
        assert found.distance_m == dict.fromkeys(ModeGroup, 0)

    def test_a_leg_without_length_is_no_obstacle(self) -> None:
        found = period_footprint([trip(MONDAY, distance_m=0.0)], FACTORS, **ALL_TIME)
        assert found.trips == 1
        assert found.total.life_cycle.value == 0

    def test_the_factor_set_is_named(self) -> None:
        found = period_footprint([trip(MONDAY)], FACTORS, **ALL_TIME)
        assert found.factor_set == FACTORS.name
        assert found.total.factor_set_sha256 == FACTORS.sha256

    def test_a_year_without_factors_is_refused_in_words(self) -> None:
        too_old = trip(datetime(2004, 5, 3, 8, tzinfo=UTC))
        with pytest.raises(NoFactors) as refusal:
            period_footprint([too_old], FACTORS, **ALL_TIME)
        assert "de 2010 à 2027" in refusal.value.fr
        assert "from 2010 to 2027" in refusal.value.en
        assert "2004" not in refusal.value.en


class TestFigures:
    """What the trips weigh."""

    def test_a_petrol_car_weighs_what_the_factor_says(self) -> None:
        by_car = trip(MONDAY, distance_m=10_000.0, modes={TransportMode.CAR_PETROL: 1.0})
        found = period_footprint([by_car], FACTORS, **ALL_TIME)
        # Base Carbone, car_petrol.bc22.27965: 0.223 kgCO2e per km, life cycle.
        assert found.total.life_cycle.value == pytest.approx(2.23)

    def test_shares_by_mode_sum_to_the_total(self) -> None:
        doubtful = {TransportMode.CAR: 0.7, TransportMode.BUS: 0.2, TransportMode.UNKNOWN: 0.1}
        trips = [trip(MONDAY, modes=doubtful), trip(MONDAY + minutes(60), distance_m=5000.0)]
        found = period_footprint(trips, FACTORS, **ALL_TIME)
        shares = sum(each.life_cycle.value for each in found.by_mode.values())
        assert shares == pytest.approx(found.total.life_cycle.value)

    def test_a_straight_line_across_a_gap_makes_the_interval_wider(self) -> None:
        modes = {TransportMode.TRAIN_TER: 1.0}
        tracked = trip(MONDAY, distance_m=10_000.0, modes=modes)
        guessed = trip(MONDAY, distance_m=10_000.0, gap_m=10_000.0, modes=modes)
        narrow = period_footprint([tracked], FACTORS, **ALL_TIME).total.life_cycle
        wide = period_footprint([guessed], FACTORS, **ALL_TIME).total.life_cycle
        assert wide.value == narrow.value
        assert wide.high - wide.low > narrow.high - narrow.low

    def test_a_doubtful_leg_gives_each_group_its_expected_metres(self) -> None:
        doubtful = {TransportMode.CAR: 0.5, TransportMode.TAXI: 0.2, TransportMode.UNKNOWN: 0.3}
        metres = distance_by_group([leg(MONDAY, 10, 1000.0, doubtful)])
        assert metres[ModeGroup.CAR] == pytest.approx(700)
        assert metres[ModeGroup.OTHER] == pytest.approx(300)

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.floats(0, 1e6),
                st.lists(st.sampled_from(TransportMode), min_size=1, max_size=4, unique=True),
            ),
            max_size=6,
        )
    )
    def test_distances_by_group_sum_to_the_total(self, given_legs) -> None:
        legs = [
            leg(MONDAY, 10, distance_m, dict.fromkeys(modes, 1 / len(modes)))
            for distance_m, modes in given_legs
        ]
        metres = distance_by_group(legs)
        assert set(metres) == set(ModeGroup)
        assert sum(metres.values()) == pytest.approx(sum(each.distance_m for each in legs))
