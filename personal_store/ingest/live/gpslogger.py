"""GPSLogger for Android, "custom URL": the names of its placeholders, as our set-up sends them.

`%LAT %LON %TIMESTAMP %TIME %ACC %SPD %SPD_KPH %ALT %ACT` and the rest of `%ALL`, by GET or POST,
in the address, a form or a JSON body. Its speed is in m/s, in a body shaped like OwnTracks (`vel`)
too: that body is sent here, not to the door of OwnTracks, which would take it for km/h.
A placeholder that was not filled in is unknown.

Spec: https://gpslogger.app, "Custom URL".
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from personal_store.ingest.judge import judge_for
from personal_store.ingest.live.fields import fields_of
from personal_store.ingest.live.letter import Reply
from personal_store.ingest.positionfix import Positionfix, Rejected, SourceFormat
from personal_store.ingest.values import Refused, first_of, instant, measure

RECEIVED: Final = Reply(media_type="text/plain")
SETUP_QUERY: Final = (
    "lat=%LAT&lon=%LON&timestamp=%TIMESTAMP&time=%TIME&acc=%ACC&spd=%SPD&alt=%ALT&act=%ACT"
)
_KMH_PER_MPS: Final = 3.6
_LATITUDES: Final = ("lat", "latitude")
_LONGITUDES: Final = ("lon", "lng", "longitude")
_TIMES: Final = ("timestamp", "tst", "time")
_SPEEDS_MPS: Final = ("spd", "speed", "vel")


def parse_gpslogger(
    *, query: str, content_type: str, body: bytes, device: str, now: datetime
) -> list[Positionfix | Rejected]:
    """Return the one position of a request, or [] where it names no coordinate at all.

    Raises `UnreadableFile` where the body is neither a form nor JSON, `HostileFile` where it is
    nested without end.
    """
    fields = fields_of(query=query, content_type=content_type, body=body)
    if not any(name in fields for name in (*_LATITUDES, *_LONGITUDES)):
        return []
    try:
        return [
            judge_for(SourceFormat.GPSLOGGER_LIVE, now=now).positionfix(
                at=instant(first_of(fields, _TIMES)),
                lat=first_of(fields, _LATITUDES),
                lon=first_of(fields, _LONGITUDES),
                device=device,
                accuracy_m=first_of(fields, ("acc", "accuracy")),
                speed_mps=_speed_mps(fields),
                altitude_m=first_of(fields, ("alt", "altitude")),
                activity=_filled_in(first_of(fields, ("act", "activity"))),
            )
        ]
    except Refused as refused:
        return [refused.rejected]


def _speed_mps(fields: Mapping[str, object]) -> float | None:
    speed_mps = measure(first_of(fields, _SPEEDS_MPS), at_least=0)
    speed_kmh = measure(first_of(fields, ("spd_kph",)), at_least=0)
    if speed_mps is None and speed_kmh is not None:
        return speed_kmh / _KMH_PER_MPS
    return speed_mps


def _filled_in(value: object) -> object:
    return None if isinstance(value, str) and value.startswith("%") else value
