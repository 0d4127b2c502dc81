"""Evidence beats inference: what decides a leg's mode, and what it leaves alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from carbon.modes import TransportMode
from personal_store.ingest.positionfix import (
    Evidence,
    EvidenceKind,
    EvidencePlace,
    SourceFormat,
    SourceMode,
)
from personal_store.trips.precedence import PROOF_TRUST, said_modes, weigh
from personal_store.trips.timeline import ModeProbability, ModeSource, Trip, Tripleg

AT = datetime(2026, 11, 9, 7, tzinfo=UTC)
M = TransportMode
DOUBT = {M.CAR: 0.5, M.BUS: 0.3, M.TRAM: 0.1, M.UNKNOWN: 0.1}


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def leg(start: float, end: float, modes: dict[TransportMode, float], **more) -> Tripleg:
    return Tripleg(
        start=AT + minutes(start),
        end=AT + minutes(end),
        distance_m=1000.0,
        gap_m=0.0,
        modes=tuple(ModeProbability(mode=mode, probability=p) for mode, p in modes.items()),
        mode_source=ModeSource.MOTION,
        track=((-1.15, 46.16), (-1.16, 46.16)),
        **more,
    )


def trip(*legs: Tripleg) -> Trip:
    return Trip(device="phone", start=legs[0].start, end=legs[-1].end, triplegs=legs)


@pytest.fixture
def commute() -> Trip:
    """Return a walk of ten minutes, then a doubtful ride of twenty."""
    return trip(leg(0, 10, {M.WALK: 0.95, M.UNKNOWN: 0.05}), leg(10, 30, DOUBT))


def said(kind: EvidenceKind, start: float, end: float, *modes: SourceMode, **more) -> Evidence:
    terms = {"source": SourceFormat.GOOGLE_SEMANTIC, "device": "elsewhere", "modes": modes}
    return Evidence(kind=kind, start=AT + minutes(start), end=AT + minutes(end), **(terms | more))


def tap(at: float, mode: str | None = "bus", **more) -> Evidence:
    modes = (SourceMode(label=mode),) if mode else ()
    return said(EvidenceKind.TAP, at, at, *modes, source=SourceFormat.TRANSIT_TAPS, **more)


def proof(start: float, end: float, occupants: int | None = 3) -> Evidence:
    word = SourceMode(label="carpool")
    source = SourceFormat.CARPOOL_REGISTER
    return said(EvidenceKind.JOURNEY, start, end, word, source=source, occupants=occupants)


def ride(trips: list[Trip]) -> Tripleg:
    return trips[0].triplegs[-1]


def test_a_tap_says_the_mode_and_line_of_the_ride_it_opens(commute) -> None:
    walk, bus = weigh([commute], [tap(9, line="1")])[0].triplegs
    assert (bus.mode.mode, bus.mode_source, bus.line) == (M.BUS, ModeSource.TAP, "1")
    assert bus.mode.probability == PROOF_TRUST
    assert walk == commute.triplegs[0]


def test_a_tap_without_a_mode_leaves_the_choice_among_transit_to_the_model(commute) -> None:
    modes = {each.mode: each.probability for each in ride(weigh([commute], [tap(12, None)])).modes}
    assert modes[M.BUS] == pytest.approx(0.75 * PROOF_TRUST)
    assert M.CAR not in modes


def test_a_tap_far_from_the_track_is_about_another_ride(commute) -> None:
    far = tap(12, origin=EvidencePlace(lon=2.35, lat=48.85))
    assert weigh([commute], [far]) == [commute]


@pytest.mark.parametrize("at", [-10, 31], ids=["long before", "after"])
def test_a_tap_at_another_time_says_nothing(commute, at) -> None:
    assert weigh([commute], [tap(at)]) == [commute]


def test_a_carpool_proof_says_car_and_how_many_were_in_it(commute) -> None:
    walk, car = weigh([commute], [proof(10, 30)])[0].triplegs
    assert (car.mode.mode, car.mode_source, car.occupants) == (M.CAR, ModeSource.CARPOOL, 3)
    assert walk.occupants is None


def test_a_proof_that_the_register_rounded_still_finds_its_ride(commute) -> None:
    assert ride(weigh([commute], [proof(20, 40)])).mode_source is ModeSource.CARPOOL


def test_a_segment_of_another_device_decides_over_motion(commute) -> None:
    segment = said(EvidenceKind.LEG, 9, 31, SourceMode(label="IN_TRAM", confidence=0.9))
    told = ride(weigh([commute], [segment]))
    assert (told.mode.mode, told.mode.probability) == (M.TRAM, 0.9)
    assert told.mode_source is ModeSource.SEGMENT


def tap_out(at: float, mode: str | None = "metro", **more) -> Evidence:
    return replace(tap(at, mode, **more), kind=EvidenceKind.TAP_OUT)


def test_a_tap_out_names_the_ride_that_it_ends_and_none_that_follows(commute) -> None:
    onward = trip(*commute.triplegs, leg(30, 33, {M.WALK: 1.0}), leg(33, 50, DOUBT))
    (weighed,) = weigh([onward], [tap_out(32, line="B")])
    _, metro, _, later = weighed.triplegs
    assert (metro.mode.mode, metro.mode_source, metro.line) == (M.METRO, ModeSource.TAP, "B")
    assert later == onward.triplegs[-1]


def test_a_ride_that_goes_on_after_a_tap_out_ends_there(commute) -> None:
    (weighed,) = weigh([commute], [tap_out(20)])
    walk, metro, after = weighed.triplegs
    assert (metro.start, metro.end) == (AT + minutes(10), AT + minutes(20))
    assert (after.start, after.end) == (AT + minutes(20), AT + minutes(30))
    assert (metro.mode.mode, after.mode.mode) == (M.METRO, M.CAR)
    assert metro.distance_m + after.distance_m == pytest.approx(1000.0)
    assert walk == commute.triplegs[0]


@pytest.mark.parametrize("at", [5, 10, 41, 200])
def test_a_tap_out_before_a_ride_or_long_after_it_ends_none(commute, at) -> None:
    assert weigh([commute], [tap_out(at)]) == [commute]


def test_tapping_in_and_out_of_one_ride_says_the_same_once(commute) -> None:
    once = weigh([commute], [tap(9, "metro")])
    assert weigh([commute], [tap(9, "metro"), tap_out(31)]) == once


def test_a_tap_beats_a_segment(commute) -> None:
    segment = said(EvidenceKind.LEG, 9, 31, SourceMode(label="IN_TRAM", confidence=0.9))
    assert ride(weigh([commute], [segment, tap(12)])).mode.mode is M.BUS


def test_the_label_of_the_resident_in_another_program_beats_its_guess(commute) -> None:
    confirmed = said(
        EvidenceKind.JOURNEY, 10, 30, SourceMode(label="BUS"), source=SourceFormat.E_MISSION
    )
    assert ride(weigh([commute], [confirmed])).mode.probability == PROOF_TRUST


def test_evidence_in_any_order_decides_alike(commute) -> None:
    statements = [
        tap(9, line="1"),
        proof(10, 30),
        said(EvidenceKind.LEG, 9, 31, SourceMode(label="IN_TRAM", confidence=0.9)),
    ]
    assert weigh([commute], statements) == weigh([commute], statements[::-1])


def test_evidence_of_another_day_changes_nothing(commute) -> None:
    other = replace(tap(0), start=AT + timedelta(days=3), end=AT + timedelta(days=3))
    assert weigh([commute], [other]) == [commute]


def test_the_probability_of_a_provider_is_kept() -> None:
    segment = said(EvidenceKind.LEG, 0, 9, SourceMode(label="IN_BUS", confidence=0.62))
    modes = {each.mode: each.probability for each in said_modes(segment) or ()}
    assert modes[M.BUS] + modes[M.COACH] == pytest.approx(0.62)
    assert modes[M.UNKNOWN] == pytest.approx(0.38)


def test_several_modes_of_a_provider_keep_their_shares() -> None:
    words = (
        SourceMode(label="WALKING", confidence=0.6),
        SourceMode(label="IN_TRAM", confidence=0.3),
    )
    modes = {m.mode: m.probability for m in said_modes(said(EvidenceKind.LEG, 0, 9, *words)) or ()}
    assert modes == pytest.approx({M.WALK: 0.6, M.TRAM: 0.3, M.UNKNOWN: 0.1})


def test_a_probability_of_zero_is_one_that_was_not_stated() -> None:
    segment = said(EvidenceKind.LEG, 0, 9, SourceMode(label="WALKING", confidence=0.0))
    assert (said_modes(segment) or ())[0].mode is M.WALK


@pytest.mark.parametrize("word", ["STILL", "no such word"])
def test_a_word_that_names_no_mode_says_nothing(word) -> None:
    assert said_modes(said(EvidenceKind.LEG, 0, 9, SourceMode(label=word))) is None


def test_a_word_for_all_cars_does_not_guess_their_fuel() -> None:
    segment = said(EvidenceKind.LEG, 0, 9, SourceMode(label="IN_PASSENGER_VEHICLE", confidence=1.0))
    assert [each.mode for each in said_modes(segment) or ()][:1] == [M.CAR]
