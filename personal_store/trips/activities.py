"""What the activity labels of phones say about travel modes.

One table for the vocabularies met in location histories: Google Records and Timeline, Apple's
Core Motion as OwnTracks and Overland write it. A label is evidence, not truth: `IN_VEHICLE`
only excludes walking and cycling, and labels such as `STILL` or `TILTING` say nothing of a mode.
"""

from collections.abc import Mapping
from types import MappingProxyType

from carbon.modes import ModeGroup, TransportMode

_FOOT = frozenset({TransportMode.WALK, TransportMode.RUN})
_CYCLE = frozenset({TransportMode.BIKE, TransportMode.EBIKE, TransportMode.ESCOOTER})
_MOTORCYCLE = frozenset(mode for mode in TransportMode if mode.group is ModeGroup.TWO_WHEELER)
_CAR = frozenset(mode for mode in TransportMode if mode.group is ModeGroup.CAR)
_TRAIN = frozenset(mode for mode in TransportMode if mode.group is ModeGroup.TRAIN)
_BUS = frozenset({TransportMode.BUS, TransportMode.COACH})
_TRAM = frozenset({TransportMode.TRAM})
_METRO = frozenset({TransportMode.METRO})
_FERRY = frozenset({TransportMode.FERRY})
_PLANE = frozenset({TransportMode.PLANE})
_ROAD = _CAR | _BUS | _MOTORCYCLE
_RAIL = _TRAIN | _TRAM | _METRO
_VEHICLE = _ROAD | _RAIL | _FERRY | _PLANE

_LABELS: Mapping[str, frozenset[TransportMode]] = MappingProxyType(
    {
        # Google: Records.json, semantic Timeline, Android and iOS Timeline.json
        "ON_FOOT": _FOOT,
        "WALKING": frozenset({TransportMode.WALK}),
        "WALK": frozenset({TransportMode.WALK}),
        "HIKING": frozenset({TransportMode.WALK}),
        "RUNNING": frozenset({TransportMode.RUN}),
        "ON_BICYCLE": _CYCLE,
        "CYCLING": _CYCLE,
        "BICYCLE": _CYCLE,
        "IN_VEHICLE": _VEHICLE,
        "IN_ROAD_VEHICLE": _ROAD,
        "IN_FOUR_WHEELER_VEHICLE": _CAR | _BUS,
        "IN_TWO_WHEELER_VEHICLE": _MOTORCYCLE,
        "MOTORCYCLING": _MOTORCYCLE,
        "IN_PASSENGER_VEHICLE": _CAR,
        "IN_CAR": _CAR,
        "IN_TAXI": frozenset({TransportMode.TAXI}),
        "IN_BUS": _BUS,
        "IN_RAIL_VEHICLE": _RAIL,
        "IN_TRAIN": _TRAIN,
        "IN_SUBWAY": _METRO,
        "IN_TRAM": _TRAM,
        "IN_FERRY": _FERRY,
        "FLYING": _PLANE,
        # Apple's "automotive" also covers trains, so it excludes no more than IN_VEHICLE.
        "AUTOMOTIVE": _VEHICLE,
        "DRIVING": _VEHICLE,
        "DRIVE": _VEHICLE,
    }
)


def modes_of_label(label: str) -> frozenset[TransportMode]:
    """Return the modes that an activity label allows; none where it says nothing of a mode.

    Case does not matter, nor whether words are joined by spaces, hyphens or underscores. Several
    labels separated by commas (OwnTracks' `motionactivities`) allow what each of them allows.
    """
    allowed: frozenset[TransportMode] = frozenset()
    for part in label.split(","):
        word = part.strip().upper().replace(" ", "_").replace("-", "_")
        allowed |= _LABELS.get(word, frozenset())
    return allowed
