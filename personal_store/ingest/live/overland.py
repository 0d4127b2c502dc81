"""Overland: batches of GeoJSON features, which the app keeps until it reads `{"result":"ok"}`.

A feature without geometry is a mark of the app ("will_terminate") and gives nothing. `current` is
left out: that point comes again in its own batch. While a `trip` is under way each batch repeats
the mode that its owner chose; it becomes evidence of a leg over the positions of this very batch,
so that the batches of one trip follow each other and never overlap.

Spec: https://github.com/aaronpk/Overland-iOS#api
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from personal_store.ingest import refusals
from personal_store.ingest.geojson import feature_entries
from personal_store.ingest.judge import Judge, judge_for
from personal_store.ingest.live.letter import Reply
from personal_store.ingest.owntracks import message_object
from personal_store.ingest.positionfix import (
    Entry,
    Evidence,
    EvidenceKind,
    Positionfix,
    SourceFormat,
)
from personal_store.ingest.values import Refused, instant, part

RECEIVED: Final = Reply(body=b'{"result":"ok"}')


def parse_overland_batch(body: bytes, *, device: str, now: datetime) -> list[Entry]:
    """Return the positions of a batch, and the leg of its trip.

    Raises `UnreadableFile` where the body is no object with a list of `locations`, `HostileFile`
    where it is nested without end.
    """
    try:
        batch = message_object(body)
    except Refused:
        raise refusals.bad_message() from None
    features = batch.get("locations")
    if not isinstance(features, list):
        raise refusals.bad_message()
    judge = judge_for(SourceFormat.OVERLAND_LIVE, now=now)
    entries: list[Entry] = [
        entry for feature in features for entry in feature_entries(feature, judge, device=device)
    ]
    return [*entries, *_leg(batch, entries, judge, device)]


def _leg(
    batch: dict[str, object], entries: list[Entry], judge: Judge, device: str
) -> Iterator[Evidence]:
    trip = part(batch, "trip")
    if not trip.get("mode"):
        return
    try:
        started = instant(trip.get("start"))
        times = sorted(
            entry.at for entry in entries if isinstance(entry, Positionfix) and entry.at >= started
        )
        if times and times[0] < times[-1]:
            yield judge.evidence(
                kind=EvidenceKind.LEG,
                start=times[0],
                end=times[-1],
                device=device,
                modes=((trip["mode"], None),),
                reference=trip.get("start"),
            )
    except Refused:
        # Nothing is lost with it: the positions stand by themselves.
        return
