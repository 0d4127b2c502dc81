"""What segmented sources say is kept once, whole, and beside the positions."""

from datetime import UTC, datetime, timedelta

import pytest

from personal_store.db import evidence, positionfixes
from personal_store.db.connection import reading, writing
from personal_store.ingest.positionfix import (
    Evidence,
    EvidenceKind,
    EvidencePlace,
    SourceFormat,
    SourceMode,
)

START = datetime(2026, 11, 9, 7, 30, tzinfo=UTC)


@pytest.fixture
def journey():
    return Evidence(
        kind=EvidenceKind.JOURNEY,
        start=START,
        end=START + timedelta(minutes=20),
        source=next(iter(SourceFormat)),
        device="opérateur",
        modes=(SourceMode(label="IN_CAR", confidence=0.9), SourceMode(label="UNKNOWN")),
        distance_m=12_500.0,
        occupants=3,
        origin=EvidencePlace(lon=-1.15, lat=46.16),
        destination=EvidencePlace(name="une zone d'activité"),
        reference="42",
    )


def test_a_statement_comes_back_as_it_was_said(store, journey):
    with writing(store.engine) as connection:
        evidence.add(connection, [journey], received_at=START)
    with reading(store.engine) as connection:
        assert evidence.every(connection) == [journey]


def test_a_statement_said_twice_is_kept_once(store, journey):
    with writing(store.engine) as connection:
        assert evidence.add(connection, [journey, journey], received_at=START) == 1
        later = START + timedelta(days=1)
        assert evidence.add(connection, [journey], received_at=later) == 0


def test_a_statement_makes_no_position(store, journey):
    with writing(store.engine) as connection:
        evidence.add(connection, [journey], received_at=START)
        assert positionfixes.count(connection) == 0
