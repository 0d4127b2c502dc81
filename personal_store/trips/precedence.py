"""Evidence beats inference: what taps, carpool proofs and segments make of a leg's mode.

Strongest first: the resident's label for the leg (`corrections`), a tap or a carpool proof, the
resident's habit (`corrections`), what a segmented history says, the phone's activity labels, the
motion. A weaker source never overrules a stronger one; it only tells which of the modes that the
stronger one allows is the likelier. It moves no edge of a leg, but for a tap on the way out that
ends a ride before the track shows it; it reads no file or database.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from carbon.errors import UnknownId
from carbon.modes import ModeGroup, TransportMode
from carbon.vocabularies import Vocabulary, candidate_modes
from personal_store.ingest.positionfix import Evidence, EvidenceKind, SourceFormat
from personal_store.trips.cutting import between_m, cut_leg
from personal_store.trips.timeline import ModeProbability, ModeSource, Trip, Tripleg
from personal_store.trips.usage import USUAL

M = TransportMode
Modes = tuple[ModeProbability, ...]

PROOF_TRUST: Final = 0.98
"""Probability that a tap or a proof is about this very leg (our judgement; 2026)."""

SAID_TRUST: Final = 0.75
"""Probability that a provider's mode is right where it states none (as for phones' labels:
LocoKit's author found them wrong more often than right; design, trips section 1)."""

WAIT_AT_STOP: Final = timedelta(minutes=15)
"""Longest from a tap at a gate or a stop to the departure."""

WALK_TO_GATE: Final = timedelta(minutes=10)
"""Longest from leaving a vehicle to the tap at the gate on the way out."""

LEFT_BEHIND: Final = timedelta(minutes=3)
"""A ride that goes on for longer after a tap on the way out is another one."""

REGISTER_SLACK: Final = timedelta(minutes=15)
"""The carpool register rounds times up to ten minutes; five more for boarding."""

NEAR_STOP_M: Final = 500.0
"""Metres; a tap further from a leg's whole track is about another leg."""

LONGEST_STATEMENT: Final = timedelta(days=1)

_TRANSIT: Final = frozenset({M.BUS, M.COACH, M.TRAM, M.METRO, M.TRAIN, M.TRAIN_TGV, M.FERRY})
_RIDE: Final = frozenset({M.CAR})
_VOCABULARIES: Final[Mapping[SourceFormat, Vocabulary]] = MappingProxyType(
    {
        SourceFormat.GOOGLE_RECORDS: Vocabulary.GOOGLE,
        SourceFormat.GOOGLE_SEMANTIC: Vocabulary.GOOGLE,
        SourceFormat.GOOGLE_TIMELINE_ANDROID: Vocabulary.GOOGLE,
        SourceFormat.GOOGLE_TIMELINE_IOS: Vocabulary.GOOGLE,
        SourceFormat.COZY: Vocabulary.COZY,
        SourceFormat.E_MISSION: Vocabulary.E_MISSION,
        SourceFormat.OVERLAND: Vocabulary.OVERLAND,
        SourceFormat.OWNTRACKS_LIVE: Vocabulary.OWNTRACKS,
        SourceFormat.OWNTRACKS_REC: Vocabulary.OWNTRACKS,
    }
)


def weigh(trips: Sequence[Trip], statements: Sequence[Evidence]) -> list[Trip]:
    """Return the trips with the mode, occupants and line that the evidence gives their legs."""
    ordered = sorted(statements, key=lambda each: (each.start, each.end))
    starts = [each.start for each in ordered]

    def around(trip: Trip) -> Sequence[Evidence]:
        first = bisect_left(starts, trip.start - LONGEST_STATEMENT)
        return ordered[first : bisect_left(starts, trip.end + REGISTER_SLACK)]

    return [_weigh_trip(trip, around(trip)) for trip in trips]


def said_modes(statement: Evidence, model: Modes = ()) -> Modes | None:
    """Return the modes that a statement names, None where it says nothing of a mode.

    A provider's own probability is kept. Where a word allows several modes, the model's view of
    them decides, and without one how usual they are; what is left goes to unknown.
    """
    labels = [
        (allowed, each) for each in statement.modes if (allowed := _allowed(statement, each.label))
    ]
    if not labels:
        return None
    stated = [(allowed, each.confidence) for allowed, each in labels if each.confidence]
    if not stated:
        # The first of several words without confidence is the one that a person chose there.
        chosen = len(statement.modes) > 1 or statement.kind is EvidenceKind.JOURNEY
        return _share_out([(labels[0][0], PROOF_TRUST if chosen else SAID_TRUST)], model)
    whole = max(1.0, sum(confidence for _, confidence in stated))
    return _share_out([(allowed, confidence / whole) for allowed, confidence in stated], model)


def _weigh_trip(trip: Trip, statements: Sequence[Evidence]) -> Trip:
    legs = list(trip.triplegs)
    for statement in statements:
        if statement.kind is EvidenceKind.LEG and statement.device != trip.device:
            legs = [_by_segment(leg, statement) for leg in legs]
    for statement in statements:
        if statement.kind is EvidenceKind.JOURNEY:
            legs = [_by_journey(leg, statement) for leg in legs]
    for statement in statements:
        if statement.kind is EvidenceKind.TAP:
            index = _boarded(legs, statement)
            if index is not None:
                legs[index] = _by_tap(legs[index], statement)
        elif statement.kind is EvidenceKind.TAP_OUT:
            legs = _by_tap_out(legs, statement)
    return trip if legs == list(trip.triplegs) else replace(trip, triplegs=tuple(legs))


def _by_segment(leg: Tripleg, statement: Evidence) -> Tripleg:
    weaker = leg.mode_source in (ModeSource.SENSOR, ModeSource.MOTION)
    if not weaker or not _mostly_within(leg, statement.start, statement.end):
        return leg
    modes = said_modes(statement, leg.modes)
    return leg if modes is None else replace(leg, modes=modes, mode_source=ModeSource.SEGMENT)


def _by_journey(leg: Tripleg, statement: Evidence) -> Tripleg:
    proof = _is_carpool(statement)
    slack = REGISTER_SLACK if proof else timedelta(0)
    if not _mostly_within(leg, statement.start - slack, statement.end + slack):
        return leg
    if not proof:
        modes = said_modes(statement, leg.modes)
        return leg if modes is None else replace(leg, modes=modes, mode_source=ModeSource.SEGMENT)
    if _walked(leg):
        return leg
    return replace(
        leg,
        modes=_share_out([(_RIDE, PROOF_TRUST)], leg.modes),
        mode_source=ModeSource.CARPOOL,
        occupants=statement.occupants or leg.occupants,
    )


def _by_tap(leg: Tripleg, statement: Evidence) -> Tripleg:
    word = (statement.mode or "").strip().lower()
    named = frozenset({M(word)}) if word in _TRANSIT else _TRANSIT
    return replace(
        leg,
        modes=_share_out([(named, PROOF_TRUST)], leg.modes),
        mode_source=ModeSource.TAP,
        line=statement.line or leg.line,
    )


def _boarded(legs: Sequence[Tripleg], tap: Evidence) -> int | None:
    """Return the first ridden leg that a tap can have opened: under way, or soon after it."""
    for index, leg in enumerate(legs):
        soon = leg.start - WAIT_AT_STOP <= tap.start < leg.end
        if soon and not _walked(leg) and _passes(leg, tap):
            return index
    return None


def _by_tap_out(legs: list[Tripleg], tap: Evidence) -> list[Tripleg]:
    """Return the legs with the last ride that a tap on the way out can have ended, ended there."""
    for index in range(len(legs) - 1, -1, -1):
        leg = legs[index]
        soon = leg.start < tap.start <= leg.end + WALK_TO_GATE
        if not soon or _walked(leg) or not _passes(leg, tap):
            continue
        if leg.end - tap.start <= LEFT_BEHIND:
            return [*legs[:index], _by_tap(leg, tap), *legs[index + 1 :]]
        ridden, after = cut_leg(leg, tap.start)
        return [*legs[:index], _by_tap(ridden, tap), after, *legs[index + 1 :]]
    return legs


def _passes(leg: Tripleg, tap: Evidence) -> bool:
    stop = tap.origin
    if stop is None or stop.lon is None or stop.lat is None or not leg.track:
        return True
    at = (stop.lon, stop.lat)
    return min(between_m(at, point) for point in leg.track) <= NEAR_STOP_M


def _walked(leg: Tripleg) -> bool:
    return sum(each.probability for each in leg.modes if each.mode.group is ModeGroup.WALK) >= 0.5


def _is_carpool(statement: Evidence) -> bool:
    return statement.source in (SourceFormat.CARPOOL_REGISTER, SourceFormat.CARPOOL_JOURNEYS)


def _mostly_within(leg: Tripleg, start: datetime, end: datetime) -> bool:
    shared = min(leg.end, end) - max(leg.start, start)
    return shared > (leg.end - leg.start) / 2


def _allowed(statement: Evidence, label: str) -> frozenset[TransportMode]:
    """Return the modes that one word of a source allows, none where it says nothing."""
    vocabulary = _VOCABULARIES.get(statement.source)
    try:
        candidates = candidate_modes(vocabulary, label) if vocabulary else ()
    except UnknownId:
        return frozenset()
    usual = frozenset(mode for mode in candidates if mode in USUAL)
    return usual or frozenset(candidates) - {M.UNKNOWN}


def _share_out(shares: Sequence[tuple[frozenset[TransportMode], float]], model: Modes) -> Modes:
    """Return probabilities: each share among its modes, the rest to unknown, likeliest first."""
    total: dict[TransportMode, float] = {}
    for allowed, share in shares:
        weights = {each.mode: each.probability for each in model if each.mode in allowed}
        if sum(weights.values()) <= 0:
            weights = {mode: USUAL.get(mode, 1.0) for mode in allowed}
        for mode, weight in weights.items():
            total[mode] = total.get(mode, 0.0) + share * weight / sum(weights.values())
    rest = max(0.0, 1.0 - sum(total.values()))
    total[M.UNKNOWN] = total.get(M.UNKNOWN, 0.0) + rest
    ranked = sorted(total.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ModeProbability(mode=mode, probability=p) for mode, p in ranked)
