"""What other programs call a travel mode, and which modes of ours that may have been.

A label is evidence, not truth: each yields a tuple of candidates, in the order of the enumeration,
from one (`IN_BUS`) to many (`IN_VEHICLE`). A label that says nothing of a mode (`STILL`) yields
`unknown` alone. It weighs nothing: how probable each candidate is, the caller judges, or leaves
to `unknown`, whose footprint is a range.

Sources: Google's Records.json, semantic history and Timeline.json exports; the OwnTracks booklet
(`motionactivities`, Apple's Core Motion); Overland's README (`motion`, and the `mode` of a trip);
e-mission's MotionTypes and PredictedModeTypes; coachCO2's constants for Cozy; version 3 of the
French carpool proof registry (who in a journey one was).

>>> [mode.value for mode in candidate_modes(Vocabulary.GOOGLE, "IN_BUS")]
['bus', 'coach']
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from carbon.errors import UnknownId
from carbon.modes import ModeGroup, TransportMode

M = TransportMode
Candidates = tuple[TransportMode, ...]


class Vocabulary(StrEnum):
    """Whose word it is.

    >>> [vocabulary.value for vocabulary in Vocabulary]
    ['google', 'owntracks', 'overland', 'e-mission', 'cozy', 'carpool']
    """

    GOOGLE = "google"
    OWNTRACKS = "owntracks"
    OVERLAND = "overland"
    E_MISSION = "e-mission"
    COZY = "cozy"
    CARPOOL = "carpool"


def candidate_modes(vocabulary: Vocabulary, label: str) -> Candidates:
    """Return the modes that a label may mean, in the order of the enumeration, never none.

    Case does not matter, nor whether words are joined by spaces, hyphens or underscores; a prefix
    that ends in a dot (`PredictedModeTypes.CAR`) is dropped.

    Raises:
        UnknownId: the vocabulary has no such label; its field is `label`.

    >>> candidate_modes(Vocabulary.COZY, "PredictedModeTypes.CAR")
    (<TransportMode.CAR: 'car'>,)
    >>> candidate_modes(Vocabulary.OWNTRACKS, "stationary")
    (<TransportMode.UNKNOWN: 'unknown'>,)
    >>> candidate_modes(Vocabulary.OVERLAND, "hovering")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    carbon.errors.UnknownId: label: expected one of ... of overland, seen 'hovering'; ...

    """
    word = label.rpartition(".")[2].strip().upper().replace(" ", "_").replace("-", "_")
    labels = _LABELS[vocabulary]
    if word not in labels:
        raise UnknownId(
            "label",
            f"expected one of {len(labels)} labels of {vocabulary.value}, seen {label!r}; "
            "use unknown for what it does not list",
        )
    return labels[word]


def candidates_of_all(vocabulary: Vocabulary, labels: Iterable[str]) -> Candidates:
    """Return what several labels of one moment allow together: what any of them allows.

    Labels that say nothing of a mode drop out beside one that does (Overland's `driving` and
    `stationary`: a car at a red light). No label at all says nothing.

    Raises:
        UnknownId: the vocabulary lacks one of the labels.

    >>> candidates_of_all(Vocabulary.OVERLAND, ["walking", "stationary"])
    (<TransportMode.WALK: 'walk'>,)

    """
    allowed = {mode for label in labels for mode in candidate_modes(vocabulary, label)}
    told = allowed - {M.UNKNOWN}
    return tuple(mode for mode in TransportMode if mode in told) or (M.UNKNOWN,)


def labels_of(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return every label of a vocabulary, in capitals.

    >>> labels_of(Vocabulary.CARPOOL)
    ('DRIVER', 'PASSENGER')
    """
    return tuple(_LABELS[vocabulary])


def _in(*groups: ModeGroup) -> Candidates:
    return tuple(mode for mode in TransportMode if mode.group in groups)


def _union(*several: Candidates) -> Candidates:
    allowed = {mode for candidates in several for mode in candidates}
    return tuple(mode for mode in TransportMode if mode in allowed)


_NOTHING = (M.UNKNOWN,)
_FOOT = _in(ModeGroup.WALK)
_CYCLE = _in(ModeGroup.BIKE)
_TWO_WHEELER = _in(ModeGroup.TWO_WHEELER)
_CAR = _in(ModeGroup.CAR)
_OWN_CAR = tuple(mode for mode in _CAR if mode is not M.TAXI)
_TRAIN = _in(ModeGroup.TRAIN)
_BUS = (M.BUS, M.COACH)
_RAIL = _union(_TRAIN, (M.TRAM, M.METRO))
_ROAD = _union(_TWO_WHEELER, _CAR, _BUS)
_VEHICLE = _union(_ROAD, _RAIL, (M.PLANE, M.FERRY))

_GOOGLE: Mapping[str, Candidates] = {
    **dict.fromkeys(
        ("UNKNOWN", "UNKNOWN_ACTIVITY_TYPE", "STILL", "TILTING", "EXITING_VEHICLE"), _NOTHING
    ),
    "ON_FOOT": _FOOT,
    "WALKING": (M.WALK,),
    "WALK": (M.WALK,),
    "HIKING": (M.WALK,),
    "RUNNING": (M.RUN,),
    **dict.fromkeys(("ON_BICYCLE", "CYCLING", "BICYCLE"), _CYCLE),
    "IN_VEHICLE": _VEHICLE,
    "IN_ROAD_VEHICLE": _ROAD,
    "IN_FOUR_WHEELER_VEHICLE": _union(_CAR, _BUS),
    "IN_TWO_WHEELER_VEHICLE": _TWO_WHEELER,
    "MOTORCYCLING": _TWO_WHEELER,
    "IN_PASSENGER_VEHICLE": _CAR,
    "IN_CAR": _CAR,
    "IN_TAXI": (M.TAXI,),
    "IN_BUS": _BUS,
    "IN_RAIL_VEHICLE": _RAIL,
    "IN_TRAIN": _TRAIN,
    "IN_SUBWAY": (M.METRO,),
    "IN_TRAM": (M.TRAM,),
    "IN_FERRY": (M.FERRY,),
    "FLYING": (M.PLANE,),
    "DRIVE": _union(_CAR, _TWO_WHEELER),
    # No factor of ours is for these: a range is honest, the nearest mode would not be.
    **dict.fromkeys(
        (
            "IN_CABLECAR", "IN_FUNICULAR", "IN_GONDOLA_LIFT", "IN_WHEELCHAIR", "SKIING", "SLEDDING",
            "SNOWBOARDING", "SNOWMOBILE", "SNOWSHOEING", "SKATING", "SKATEBOARDING", "ROWING",
            "KAYAKING", "SAILING", "BOATING", "SURFING", "KITESURFING", "PARAGLIDING", "SWIMMING",
            "HORSEBACK_RIDING", "CATCHING_POKEMON",
        ),
        _NOTHING,
    ),
}  # fmt: skip
_OWNTRACKS: Mapping[str, Candidates] = {
    "STATIONARY": _NOTHING,
    "UNKNOWN": _NOTHING,
    "WALKING": (M.WALK,),
    "RUNNING": (M.RUN,),
    "CYCLING": _CYCLE,
    # Core Motion says so in trains, trams and boats as well.
    "AUTOMOTIVE": _VEHICLE,
}
_OVERLAND: Mapping[str, Candidates] = {
    **{label: modes for label, modes in _OWNTRACKS.items() if label != "AUTOMOTIVE"},
    "DRIVING": _VEHICLE,
    # The modes of a trip, which the person chose by hand.
    "WALK": (M.WALK,),
    "RUN": (M.RUN,),
    "BICYCLE": _CYCLE,
    "SCOOTER": (M.ESCOOTER, M.MOPED),
    "CAR": _OWN_CAR,
    "TAXI": (M.TAXI,),
    "BUS": _BUS,
    "TRAM": (M.TRAM,),
    "METRO": (M.METRO,),
    "TRAIN": _TRAIN,
    "PLANE": (M.PLANE,),
    "BOAT": (M.FERRY,),
    **dict.fromkeys(("GONDOLA", "MONORAIL", "SLEIGH"), _NOTHING),
}
_E_MISSION: Mapping[str, Candidates] = {
    **dict.fromkeys(("STILL", "UNKNOWN", "TILTING", "NONE", "STOPPED_WHILE_IN_VEHICLE"), _NOTHING),
    "IN_VEHICLE": _VEHICLE,
    "ON_FOOT": _FOOT,
    "WALKING": (M.WALK,),
    "RUNNING": (M.RUN,),
    "BICYCLING": _CYCLE,
    "BUS": _BUS,
    "TRAIN": _TRAIN,
    "CAR": _CAR,
    "SUBWAY": (M.METRO,),
    "TRAM": (M.TRAM,),
    "LIGHT_RAIL": (M.TRAM,),
    # "High-speed rail" to e-mission, whose threshold is a speed.
    "AIR_OR_HSR": (M.TRAIN_TGV, M.PLANE),
}
_COZY: Mapping[str, Candidates] = {
    **_E_MISSION,
    "BICYCLING": (M.BIKE,),
    "BICYCLING_ELECTRIC": (M.EBIKE,),
    # Beside bicycles in coachCO2's list: the kick-scooter, not the moped.
    "SCOOTER_ELECTRIC": (M.ESCOOTER,),
    "CAR": (M.CAR,),
    "CAR_ELECTRIC": (M.CAR_ELECTRIC,),
    "CARPOOL": (M.CAR,),
    "CARPOOL_ELECTRIC": (M.CAR_ELECTRIC,),
    "MOPED": (M.MOPED,),
    "MOTO_INF_250": (M.MOTORBIKE_SMALL,),
    "MOTO_SUP_250": (M.MOTORBIKE,),
    "BUS_ELECTRIC": (M.BUS,),
    "TRAIN": (M.TRAIN,),
    "TRAMWAY": (M.TRAM,),
}
# The registry proves a journey by car, not which car; how many were in it is `occupants`.
_CARPOOL: Mapping[str, Candidates] = {"DRIVER": _OWN_CAR, "PASSENGER": _OWN_CAR}

_LABELS: Mapping[Vocabulary, Mapping[str, Candidates]] = MappingProxyType(
    {
        Vocabulary.GOOGLE: _GOOGLE,
        Vocabulary.OWNTRACKS: _OWNTRACKS,
        Vocabulary.OVERLAND: _OVERLAND,
        Vocabulary.E_MISSION: _E_MISSION,
        Vocabulary.COZY: _COZY,
        Vocabulary.CARPOOL: _CARPOOL,
    }
)
