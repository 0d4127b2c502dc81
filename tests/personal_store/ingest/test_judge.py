"""The rules that decide, for every format, what can be a positionfix."""

from datetime import UTC, datetime, timedelta

import pytest

from personal_store.ingest.judge import judge_for
from personal_store.ingest.positionfix import RejectReason, SourceFormat
from personal_store.ingest.values import Refused

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
