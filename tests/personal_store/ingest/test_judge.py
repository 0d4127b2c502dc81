"""The rules that decide, for every format, what can be a positionfix."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personal_store.ingest.judge import judge_for
from personal_store.ingest.positionfix import RejectReason, SourceFormat
from personal_store.ingest.values import Refused, instant_from_iso

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def judged(**claim):
    claim = {"at": NOW, "lat": 46.16, "lon": -1.15, "device": "phone", **claim}
    return judge_for(SourceFormat.GPX, now=NOW).positionfix(**claim)


REFUSED = {
    "no latitude": ({"lat": None}, RejectReason.NO_POSITION),
    "no longitude": ({"lon": None}, RejectReason.NO_POSITION),
    "north of the pole": ({"lat": 90.0001}, RejectReason.IMPOSSIBLE_COORDINATES),
    "south of the pole": ({"lat": -91}, RejectReason.IMPOSSIBLE_COORDINATES),
    "east of the antimeridian": ({"lon": 180.5}, RejectReason.IMPOSSIBLE_COORDINATES),
    "west of the antimeridian": ({"lon": -181}, RejectReason.IMPOSSIBLE_COORDINATES),
    "a latitude that is not a number": (
        {"lat": float("nan")},
        RejectReason.IMPOSSIBLE_COORDINATES,
    ),
    "an infinite longitude": ({"lon": "inf"}, RejectReason.IMPOSSIBLE_COORDINATES),
    "a word for a latitude": ({"lat": "north"}, RejectReason.UNREADABLE_ENTRY),
    "truth for a longitude": ({"lon": True}, RejectReason.UNREADABLE_ENTRY),
    "the zeros of a receiver without a fix": ({"lat": 0, "lon": 0.0}, RejectReason.NO_POSITION),
    "zeros with an accuracy of zero": (
        {"lat": 0, "lon": 0, "accuracy_m": 0},
        RejectReason.NO_POSITION,
    ),
    "a clock that says 1970": (
        {"at": datetime(1970, 1, 1, tzinfo=UTC)},
        RejectReason.BEFORE_1990,
    ),
    "the last second of 1989": (
        {"at": datetime(1989, 12, 31, 23, 59, 59, tzinfo=UTC)},
        RejectReason.BEFORE_1990,
    ),
    "more than a day ahead": (
        {"at": NOW + timedelta(days=1, seconds=1)},
        RejectReason.IN_THE_FUTURE,
    ),
}


@pytest.mark.parametrize(("claim", "reason"), REFUSED.values(), ids=REFUSED)
def test_an_impossible_claim_is_refused_with_its_reason(claim, reason):
    with pytest.raises(Refused) as refusal:
        judged(**claim)
    assert refusal.value.reason is reason


ACCEPTED = {
    "the north pole": {"lat": 90},
    "the antimeridian": {"lon": -180},
    "the equator": {"lat": 0},
    "zeros with an accuracy": {"lat": 0, "lon": 0, "accuracy_m": 12},
    "the first second of 1990": {"at": datetime(1990, 1, 1, tzinfo=UTC)},
    "one day ahead": {"at": NOW + timedelta(days=1)},
    "coordinates as text": {"lat": "46.16", "lon": "-1.15"},
}


@pytest.mark.parametrize("claim", ACCEPTED.values(), ids=ACCEPTED)
def test_an_unusual_but_possible_claim_is_a_positionfix(claim):
    fix = judged(**claim)
    assert (fix.at, fix.lat, fix.lon) == (
        claim.get("at", NOW),
        float(claim.get("lat", 46.16)),
        float(claim.get("lon", -1.15)),
    )


UNKNOWN = {
    "a negative accuracy": ("accuracy_m", -1),
    "an accuracy of zero": ("accuracy_m", 0),
    "a negative speed": ("speed_mps", -1),
    "an altitude that is a word": ("altitude_m", "high"),
    "an activity that is a list": ("activity", ["walking"]),
    "a negative confidence": ("activity_confidence", -0.1),
}


@pytest.mark.parametrize(("name", "raw"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_side_measure_that_means_unknown_does_not_cost_the_position(name, raw):
    assert getattr(judged(**{"activity": "walking", name: raw}), name) is None


def test_a_confidence_without_an_activity_says_nothing():
    assert judged(activity_confidence=0.5).activity_confidence is None


def test_a_confidence_of_zero_is_kept():
    assert judged(activity="walking", activity_confidence="0.0").activity_confidence == 0.0


COMMON = ("2024-04-21T09:07:31Z", "46.16", "-1.15", "2.5", "7.5")
ODD = {
    "a time with another offset": ("2024-04-21T09:07:31+02:00", *COMMON[1:]),
    "a time without offset": ("2024-04-21T09:07:31", *COMMON[1:]),
    "no such time": ("2024-04-31T09:07:31Z", *COMMON[1:]),
    "a day alone": ("2024-04-21Z", *COMMON[1:]),
    "a time in 1970": ("1970-04-21T09:07:31Z", *COMMON[1:]),
    "a time in the future": ("2124-04-21T09:07:31Z", *COMMON[1:]),
    "no time": ("", *COMMON[1:]),
    "a latitude that is not a number": (COMMON[0], "nan", *COMMON[2:]),
    "an infinite longitude": (*COMMON[:2], "-inf", *COMMON[3:]),
    "a longitude past the antimeridian": (*COMMON[:2], "180.5", *COMMON[3:]),
    "a latitude past the pole": (COMMON[0], "-90.5", *COMMON[2:]),
    "the zeros of a receiver without a fix": (COMMON[0], "0", "-0.0", *COMMON[3:]),
    "a latitude as only Python writes it": (COMMON[0], "4_6", *COMMON[2:]),
    "a latitude in digits of another script": (COMMON[0], "\u0664\u0666", *COMMON[2:]),
    "a latitude without end": (COMMON[0], "1" * 200, *COMMON[2:]),
    "no latitude": (COMMON[0], "", *COMMON[2:]),
}
KEPT = {
    "no speed": (*COMMON[:3], None, "7.5"),
    "an unknown speed": (*COMMON[:3], "-1", "7.5"),
    "a speed that is not a number": (*COMMON[:3], "nan", "7.5"),
    "an infinite altitude": (*COMMON[:4], "inf"),
    "an altitude in words": (*COMMON[:4], "high"),
    "no altitude": (*COMMON[:4], None),
    "space around an altitude": (*COMMON[:4], " 7.5 "),
    "an altitude below the sea": (*COMMON[:4], "-7.5"),
    "the equator": (COMMON[0], "0", *COMMON[2:]),
    "fractions of a second": ("2024-04-21T09:07:31.250Z", *COMMON[1:]),
    "space around a latitude": (COMMON[0], " 46.5", *COMMON[2:]),
}


def judged_together(points):
    times, lats, lons, speeds, altitudes = zip(*points, strict=True)
    fixes = judge_for(SourceFormat.GPX, now=NOW).positionfixes(
        times=times, lats=lats, lons=lons, device="phone", speeds_mps=speeds, altitudes_m=altitudes
    )
    return None if fixes is None else list(fixes)


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_point_out_of_the_common_kind_has_each_asked_for_by_itself(odd, place):
    points = [COMMON, COMMON]
    points.insert(place, odd)
    assert judged_together(points) is None


@given(st.lists(st.sampled_from([COMMON, *KEPT.values()]), min_size=1, max_size=5))
def test_points_judged_together_are_as_each_by_itself(points):
    assert judged_together(points) == [
        judged(
            at=instant_from_iso(time),
            lat=lat,
            lon=lon,
            speed_mps=speed and speed.strip(),
            altitude_m=altitude and altitude.strip(),
        )
        for time, lat, lon, speed, altitude in points
    ]
