"""The closed vocabulary of travel modes, and the groups that statistics publish.

It is not a classifier: it says which modes exist and how they nest, not how one was recognised.
Terms follow the field (trackintel, Base Carbone); `docs/journey.md` shows where they are used.

>>> TransportMode.CAR_DIESEL.group
<ModeGroup.CAR: 'car'>
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from carbon.errors import UnknownId


class ModeGroup(StrEnum):
    """The eight groups of modes in which territorial statistics are published.

    >>> [group.value for group in ModeGroup]
    ['walk', 'bike', 'two_wheeler', 'car', 'transit', 'train', 'plane', 'other']
    """

    WALK = "walk"
    BIKE = "bike"
    TWO_WHEELER = "two_wheeler"
    CAR = "car"
    TRANSIT = "transit"
    TRAIN = "train"
    PLANE = "plane"
    OTHER = "other"


class TransportMode(StrEnum):
    """How a leg was travelled; `unknown` is explicit, and never means zero.

    `car` is a car whose energy is unknown, `train` a train whose kind is unknown.
    `motorbike_small` has an engine up to 250 cm3, `moped` up to 50 cm3.

    >>> TransportMode("bus") is TransportMode.BUS
    True
    """

    WALK = "walk"
    RUN = "run"
    BIKE = "bike"
    EBIKE = "ebike"
    ESCOOTER = "escooter"
    MOPED = "moped"
    MOTORBIKE_SMALL = "motorbike_small"
    MOTORBIKE = "motorbike"
    CAR = "car"
    CAR_PETROL = "car_petrol"
    CAR_DIESEL = "car_diesel"
    CAR_E85 = "car_e85"
    CAR_LPG = "car_lpg"
    CAR_ELECTRIC = "car_electric"
    CAR_HYBRID = "car_hybrid"
    TAXI = "taxi"
    BUS = "bus"
    COACH = "coach"
    TRAM = "tram"
    METRO = "metro"
    TRAIN = "train"
    TRAIN_TER = "train_ter"
    TRAIN_INTERCITES = "train_intercites"
    TRAIN_TGV = "train_tgv"
    PLANE = "plane"
    FERRY = "ferry"
    UNKNOWN = "unknown"

    @property
    def group(self) -> ModeGroup:
        """Return the group in which statistics count this mode.

        >>> TransportMode.TAXI.group.value
        'car'
        """
        return _GROUPS[self]

    @property
    def candidates(self) -> tuple["TransportMode", ...]:
        """Return the specific modes that this one may have been: itself where it is specific.

        >>> [mode.value for mode in TransportMode.TRAIN.candidates]
        ['train_ter', 'train_intercites', 'train_tgv']
        >>> TransportMode.BUS.candidates == (TransportMode.BUS,)
        True
        """
        return _CANDIDATES.get(self, (self,))


def parse_mode(text: str) -> TransportMode:
    """Return the mode that `text` names.

    Raises:
        UnknownId: no mode bears that name.

    >>> parse_mode("train_ter").name
    'TRAIN_TER'
    >>> parse_mode("skates")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    carbon.errors.UnknownId: mode: expected one of walk, run, ...seen 'skates'; use 'unknown' ...

    """
    try:
        return TransportMode(text)
    except ValueError as error:
        known = ", ".join(TransportMode)
        raise UnknownId(
            "mode",
            f"expected one of {known}, seen {text!r}; use 'unknown' where the mode is not known",
        ) from error


_MEMBERS: Mapping[ModeGroup, tuple[TransportMode, ...]] = MappingProxyType(
    {
        ModeGroup.WALK: (TransportMode.WALK, TransportMode.RUN),
        ModeGroup.BIKE: (TransportMode.BIKE, TransportMode.EBIKE, TransportMode.ESCOOTER),
        ModeGroup.TWO_WHEELER: (
            TransportMode.MOPED,
            TransportMode.MOTORBIKE_SMALL,
            TransportMode.MOTORBIKE,
        ),
        ModeGroup.CAR: (
            TransportMode.CAR,
            TransportMode.CAR_PETROL,
            TransportMode.CAR_DIESEL,
            TransportMode.CAR_E85,
            TransportMode.CAR_LPG,
            TransportMode.CAR_ELECTRIC,
            TransportMode.CAR_HYBRID,
            TransportMode.TAXI,
        ),
        ModeGroup.TRANSIT: (
            TransportMode.BUS,
            TransportMode.COACH,
            TransportMode.TRAM,
            TransportMode.METRO,
        ),
        ModeGroup.TRAIN: (
            TransportMode.TRAIN,
            TransportMode.TRAIN_TER,
            TransportMode.TRAIN_INTERCITES,
            TransportMode.TRAIN_TGV,
        ),
        ModeGroup.PLANE: (TransportMode.PLANE,),
        ModeGroup.OTHER: (TransportMode.FERRY, TransportMode.UNKNOWN),
    }
)
_GROUPS = MappingProxyType({mode: group for group, modes in _MEMBERS.items() for mode in modes})
_TRAINS = (TransportMode.TRAIN_TER, TransportMode.TRAIN_INTERCITES, TransportMode.TRAIN_TGV)
_CANDIDATES: Mapping[TransportMode, tuple[TransportMode, ...]] = MappingProxyType(
    {
        TransportMode.TRAIN: _TRAINS,
        TransportMode.UNKNOWN: tuple(
            mode
            for mode in TransportMode
            if mode not in (TransportMode.UNKNOWN, TransportMode.TRAIN)
        ),
    }
)
