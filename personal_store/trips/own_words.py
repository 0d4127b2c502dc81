"""What the resident's own words of an export mean: corrections, habits and places.

Each is judged as if the page had just said it; one that means nothing here is None, to be counted.
`db/own_words.py` keeps them. It opens no file and loads no database.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from carbon.modes import TransportMode
from personal_store.ingest.limits import EARLIEST
from personal_store.ingest.positionfix import OwnWord, OwnWordKind
from personal_store.ingest.values import Refused, instant_from_iso, number
from personal_store.local_time import LAST_DAY
from personal_store.trips.corrections import DAY_MINUTES, Correction, CorrectionKind, Habit
from personal_store.trips.locations import Place, PlaceKind, PrivacyZone

Word: TypeAlias = Correction | Habit | Place
"""A word as the store keeps it; its number is 0 until it is kept."""

WORDS_CHARS: Final = 200
"""Longest free words, as the pages take them."""


def word_of(told: OwnWord) -> Word | None:
    """Return what a word of an export means, None where it means nothing that the store keeps."""
    try:
        return _WORDS[told.kind](told.said)
    except (KeyError, TypeError, ValueError, Refused):
        return None


def _correction(said: Mapping[str, object]) -> Correction:
    start, end = instant_from_iso(said["start"]), instant_from_iso(said["end"])
    # Nearer to the ends of the calendar, the tolerance around a word is no time any more.
    if start < EARLIEST or end.date() > LAST_DAY:
        raise ValueError("expected the time of a trip")
    return Correction(
        number=0,
        kind=CorrectionKind(_text(said["kind"])),
        device=_text(said["device"]),
        start=start,
        end=end,
        value=_text(said["value"]),
    )


def _habit(said: Mapping[str, object]) -> Habit:
    minute = number(said["minute_of_day"])
    if not 0 <= minute < DAY_MINUTES:
        raise ValueError("expected a minute of the day")
    return Habit(
        number=0,
        mode=TransportMode(_text(said["mode"])),
        rides=_truth(said["rides"]),
        minute_of_day=int(minute),
        origin=_point(said["origin"]),
        destination=_point(said["destination"]),
    )


def _place(said: Mapping[str, object]) -> Place:
    lon, lat = _point([said["lon"], said["lat"]])
    return Place(
        number=0,
        kind=PlaceKind(_text(said["kind"])),
        name=_text(said["name"]),
        lon=lon,
        lat=lat,
        hidden=_truth(said["hidden"]),
        zone=None if said["zone"] is None else _zone(said["zone"]),
    )


def _zone(said: object) -> PrivacyZone:
    if not isinstance(said, dict):
        raise TypeError("expected a zone")
    lon, lat = _point([said["lon"], said["lat"]])
    radius_m = number(said["radius_m"])
    if not 0 < radius_m <= _WIDEST_ZONE_M:
        raise ValueError("expected a radius")
    return PrivacyZone(lon=lon, lat=lat, radius_m=radius_m)


_WIDEST_ZONE_M: Final = 5000
_WORDS: Final[Mapping[OwnWordKind, Callable[[Mapping[str, object]], Word]]] = {
    OwnWordKind.CORRECTION: _correction,
    OwnWordKind.HABIT: _habit,
    OwnWordKind.PLACE: _place,
}


def _point(said: object) -> tuple[float, float]:
    if not isinstance(said, list):
        raise TypeError("expected a longitude and a latitude")
    lon, lat = map(number, said)
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ValueError("expected WGS 84 degrees")
    return lon, lat


def _text(said: object) -> str:
    if not isinstance(said, str) or len(said) > WORDS_CHARS:
        raise TypeError("expected some words")
    # Half a pair of UTF-16, which JSON can spell, is text that no database writes.
    said.encode()
    return said


def _truth(said: object) -> bool:
    if not isinstance(said, bool):
        raise TypeError("expected yes or no")
    return said
