"""Traccar's client, and whatever else speaks its "OsmAnd" protocol, in its three forms.

1. the address (GET or POST): `id, lat, lon` or `location=lat,lon`, `timestamp, speed` (knots),
   `altitude, accuracy, valid`;
2. the same as a form in the body (client 10);
3. JSON (client 9): `device_id` and `location.coords`, whose speed is in m/s.

The identifier is the token: the client has nowhere else to put one. A time without an offset is
UTC, as upstream says. A request that gives no time was measured when it was received: this
protocol sends at once, and upstream reads it so.

Spec: https://www.traccar.org/osmand/ and the client's own bodies.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from personal_store.ingest.judge import Judge, judge_for
from personal_store.ingest.live.fields import fields_of
from personal_store.ingest.live.letter import Reply
from personal_store.ingest.positionfix import Positionfix, Rejected, RejectReason, SourceFormat
from personal_store.ingest.values import Refused, first_of, instant, measure, part

RECEIVED: Final = Reply(media_type="text/plain")
_MPS_PER_KNOT: Final = 1852 / 3600
_IDENTIFIERS: Final = ("id", "deviceid", "device_id")
_INVALID: Final = {"0", "false"}
_MOST_LOCATIONS: Final = 10_000
"""Positions in one request; the client sends one, its forks a few dozen."""


def traccar_token(*, query: str, content_type: str, body: bytes) -> str | None:
    """Return the identifier that a request gives, which is its token. Raises as `fields_of`."""
    token = first_of(fields_of(query=query, content_type=content_type, body=body), _IDENTIFIERS)
    return token if isinstance(token, str) else None


def parse_traccar(
    *, query: str, content_type: str, body: bytes, device: str, now: datetime
) -> list[Positionfix | Rejected]:
    """Return the positions of a request, [] for one that claims none (an event, a heartbeat).

    Raises `UnreadableFile` where the body is neither a form nor JSON, `HostileFile` where it is
    nested without end.
    """
    fields = fields_of(query=query, content_type=content_type, body=body)
    judge = judge_for(SourceFormat.TRACCAR_LIVE, now=now)
    location = fields.get("location")
    if isinstance(location, dict | list):
        locations = location[:_MOST_LOCATIONS] if isinstance(location, list) else [location]
        return [entry for each in locations for entry in _nested(each, judge, device, now)]
    if location is None and "lat" not in fields and "lon" not in fields:
        return []
    try:
        return [_flat(fields, judge, device, now)]
    except Refused as refused:
        return [refused.rejected]


def _flat(fields: Mapping[str, object], judge: Judge, device: str, now: datetime) -> Positionfix:
    if str(fields.get("valid", "")).lower() in _INVALID:
        raise Refused(RejectReason.NO_POSITION)
    lat, lon = fields.get("lat"), fields.get("lon")
    joined = fields.get("location")
    if isinstance(joined, str):
        lat, _, lon = joined.partition(",")
    speed_knots = measure(fields.get("speed"), at_least=0)
    time = first_of(fields, ("timestamp",))
    return judge.positionfix(
        at=now if time is None else instant(time, naive_in=UTC),
        lat=lat or None,
        lon=lon or None,
        device=device,
        accuracy_m=first_of(fields, ("accuracy", "hacc")),
        speed_mps=None if speed_knots is None else speed_knots * _MPS_PER_KNOT,
        altitude_m=fields.get("altitude"),
    )


def _nested(
    location: object, judge: Judge, device: str, now: datetime
) -> Iterator[Positionfix | Rejected]:
    coords = part(location, "coords")
    if not isinstance(location, dict) or not coords:
        return
    time = first_of(location, ("timestamp",))
    try:
        yield judge.positionfix(
            at=now if time is None else instant(time, naive_in=UTC),
            lat=coords.get("latitude"),
            lon=coords.get("longitude"),
            device=device,
            accuracy_m=coords.get("accuracy"),
            speed_mps=coords.get("speed"),
            altitude_m=coords.get("altitude"),
            activity=part(location, "activity").get("type"),
        )
    except Refused as refused:
        yield refused.rejected
