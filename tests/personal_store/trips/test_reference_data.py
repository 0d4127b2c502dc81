"""Floors on published, labelled data; benchmarks/trips_scorecard.py measures all of it."""

import csv
from datetime import UTC, datetime

import pytest
from pyarrow import parquet

from carbon.modes import ModeGroup
from personal_store.ingest.positionfix import Positionfix, SourceFormat
from personal_store.trips.segment import segment

PHONE = "ios-3"  # duty-cycled, so the hard case; it rode all three scripted journeys


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def days(reference):
    """Return, for each day of one phone, its timeline, true trips and true legs."""
    folder = reference / "trips"
    table = parquet.read_table(
        folder / "mnet_points.parquet",
        filters=[("phone", "==", PHONE), ("stream", "==", "location")],
        columns=["spec", "ts", "lat", "lon", "acc"],
    )
    points = list(zip(*(table[name].to_pylist() for name in table.column_names), strict=True))
    trips, legs = read(folder / "mnet_trips.csv"), read(folder / "mnet_legs.csv")
    result = []
    for period in read(folder / "mnet_periods.csv"):
        if period["os"] != "ios":
            continue
        start, end = float(period["start"]), float(period["end"])
        fixes = [
            Positionfix(
                at=datetime.fromtimestamp(ts, UTC),
                lon=lon,
                lat=lat,
                source=SourceFormat.OWNTRACKS_REC,
                device=PHONE,
                accuracy_m=accuracy_m,
            )
            for spec, ts, lat, lon, accuracy_m in points
            if spec == period["spec"] and start <= ts < end
        ]
        true_trips, true_legs = (
            [
                row
                for row in rows
                if row["spec"] == period["spec"] and start <= float(row["start"]) < end
            ]
            for rows in (trips, legs)
        )
        result.append((segment(fixes), true_trips, true_legs))
    return result


def overlap_s(part, row):
    end = min(part.end.timestamp(), float(row["end"]))
    return max(0.0, end - max(part.start.timestamp(), float(row["start"])))


def test_trips_of_a_duty_cycled_phone_are_found(days):
    found = true = matched = 0
    for timeline, trips, _ in days:
        found, true = found + len(timeline.trips), true + len(trips)
        for row in trips:
            length_s = float(row["end"]) - float(row["start"])
            # Trips and rows do not overlap among themselves, so a match at 0.5 is unique.
            matched += any(
                overlap_s(trip, row)
                >= 0.5 * ((trip.end - trip.start).total_seconds() + length_s - overlap_s(trip, row))
                for trip in timeline.trips
            )
    assert true > 30
    assert 2 * matched / (found + true) > 0.85


def test_walking_is_told_from_motors_on_found_legs(days):
    right = seen = 0
    for timeline, _, legs in days:
        for leg in (leg for trip in timeline.trips for leg in trip.triplegs):
            row = max(legs, key=lambda row: overlap_s(leg, row))
            duration_s = (leg.end - leg.start).total_seconds()
            if row["mode"] in {"STOPPED", "BICYCLING", "E_BIKE", "ESCOOTER"}:
                continue
            if overlap_s(leg, row) < 0.8 * duration_s:
                continue
            walked = leg.mode.mode.group is ModeGroup.WALK
            right += duration_s * (walked == (row["mode"] == "WALKING"))
            seen += duration_s
    assert seen > 10 * 3600
    assert right / seen > 0.85
