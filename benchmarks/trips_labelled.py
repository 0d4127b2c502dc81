"""Read the published, labelled journeys on which the trip engine is scored.

MobilityNet: what six phones logged on scripted days (its truth is logged by the iOS phones; the
Android phones rode along, so it holds for both). SSI: one person's diary beside 1 Hz positions.
It scores nothing: `trips_segmentation.py` and `trips_modes.py` do.
"""

import csv
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from pyarrow import parquet

from personal_store.ingest.positionfix import Positionfix, SourceFormat

RESAMPLES = 1000
CLASS_OF_LABEL = {
    **dict.fromkeys(("WALKING", "Walk"), "walk"),
    **dict.fromkeys(("BICYCLING", "E_BIKE", "ESCOOTER", "Bike"), "bike"),
    **dict.fromkeys(("CAR",), "car"),
    **dict.fromkeys(("BUS", "Bus"), "bus"),
    **dict.fromkeys(("TRAIN", "SUBWAY", "LIGHT_RAIL", "Tram", "Metro", "Train"), "rail"),
}

Day = TypeVar("Day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A labelled interval in Unix seconds; the label is a class of `CLASS_OF_LABEL`, or empty."""

    start_s: float
    end_s: float
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one device logged on one day, and what truly happened."""

    data_set: str
    day: str
    fixes: tuple[Positionfix, ...]
    span: Span
    trips: tuple[Span, ...]
    legs: tuple[Span, ...]


def mobilitynet(folder: Path) -> Iterator[Recording]:
    """Yield each phone's recording of each period, from the unfiltered stream."""
    columns = ("spec", "phone", "stream", "ts", "lat", "lon", "acc")
    table = parquet.read_table(folder / "mnet_points.parquet", columns=list(columns))
    rows = sorted(zip(*(table[name].to_pylist() for name in columns), strict=True))
    phones = {
        key: [row[3:] for row in group]
        for key, group in groupby(rows, key=lambda row: row[:3])
        if key[2] == "location"
    }
    truth = _read_csv(folder / "mnet_trips.csv"), _read_csv(folder / "mnet_legs.csv")
    for period in _read_csv(folder / "mnet_periods.csv"):
        span = Span(start_s=float(period["start"]), end_s=float(period["end"]))
        trips, legs = (_spans(rows, spec=period["spec"], within=span) for rows in truth)
        for (spec, phone, _), points in phones.items():
            inside = [point for point in points if span.start_s <= point[0] < span.end_s]
            if spec != period["spec"] or not phone.startswith(period["os"]) or len(inside) < 2:
                continue
            yield Recording(
                data_set="MobilityNet",
                day=f"{spec}/{datetime.fromtimestamp(span.start_s, UTC):%F %p}",
                fixes=tuple(_fix(t, lat, lon, accuracy) for t, lat, lon, accuracy in inside),
                span=span,
                trips=trips,
                legs=tuple(leg for leg in legs if leg.label),
            )


def ssi(folder: Path) -> Iterator[Recording]:
    """Yield each device of the diary study, one recording per stretch with a mode or a stop."""
    columns = ("uid", "ts", "lat", "lon", "stop", "mode")
    table = parquet.read_table(folder / "ssi_points.parquet", columns=list(columns))
    rows = sorted(zip(*(table[name].to_pylist() for name in columns), strict=True))
    for _, device in groupby(rows, key=lambda row: row[0]):
        points = list(device)
        spans: list[Span] = []
        for (stop, mode), group in groupby(points, key=lambda row: row[4:]):
            stretch = list(group)
            if not stop and len(stretch) > 20:
                label = CLASS_OF_LABEL.get(mode, "")
                spans.append(Span(start_s=stretch[0][1], end_s=stretch[-1][1], label=label))
        yield Recording(
            data_set="SSI",
            day=points[0][0],
            fixes=tuple(_fix(float(row[1]), row[2], row[3], None) for row in points),
            span=Span(start_s=points[0][1], end_s=points[-1][1]),
            trips=tuple(spans),
            legs=tuple(span for span in spans if span.label),
        )


def bootstrap(days: Sequence[Day], score: Callable[[Sequence[Day]], float]) -> tuple[float, float]:
    """Return the 95 % percentile interval of a score over resampled days."""
    source = random.Random(20261112)  # noqa: S311 - a fixed seed for a repeatable interval
    scores = sorted(score(source.choices(days, k=len(days))) for _ in range(RESAMPLES))
    return scores[int(0.025 * RESAMPLES)], scores[int(0.975 * RESAMPLES)]


def _fix(time_s: float, lat: float, lon: float, accuracy_m: float | None) -> Positionfix:
    """Return a positionfix of a file, without activity labels."""
    return Positionfix(
        at=datetime.fromtimestamp(time_s, UTC),
        lon=lon,
        lat=lat,
        source=SourceFormat.OWNTRACKS_REC,
        device="phone",
        accuracy_m=accuracy_m,
    )


def _read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _spans(rows: Sequence[dict[str, str]], *, spec: str, within: Span) -> tuple[Span, ...]:
    """Return the true spans of one period, labelled where the mode is one of the five classes."""
    return tuple(
        Span(
            start_s=float(row["start"]),
            end_s=float(row["end"]),
            label=CLASS_OF_LABEL.get(row.get("mode", ""), ""),
        )
        for row in rows
        if row["spec"] == spec and within.start_s <= float(row["start"]) < within.end_s
    )
