"""The whole journey on files that nobody here wrote: published fixtures and labelled GPS data.

Two stores take them in through the front door, compute trips and footprint, and contribute to a
cooperative that runs in process on the communes' published borders. Expected counts are those that
the files' own projects publish, or come from reading the data with another library.
"""

import asyncio
import itertools
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import gpxpy.gpx
import httpx
import pyarrow.parquet
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbon.factors import load_factor_set
from contributions.noise import OpenDPLaplace
from contributions.release import Release
from contributions.task import TrustMode
from contributions.weeks import week_of
from coop_aggregator.app import create_app
from coop_aggregator.asking.enrolment import make_codes
from coop_aggregator.asking.questions import Question, draft_task, sign_draft
from coop_aggregator.asking.territory import read_territory
from coop_aggregator.db.territories import replace_territory
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.installation import init_leader
from coop_aggregator.release import publish
from coop_aggregator.settings import Settings
from personal_store import cooperative
from personal_store.choices import consenting
from personal_store.choices.consent_events import Choice
from personal_store.db import memberships, trips
from personal_store.db.connection import open_database, reading, writing
from personal_store.errors import IngestError
from personal_store.footprint import period_footprint
from personal_store.jobs import catalogue, importing, pipeline, sharing
from personal_store.store import Store
from personal_store.transport import Answer
from personal_store.vault import DatabaseKey

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://coop.test"
FOLDERS = ("dawarich/gpx", "dawarich/owntracks", "dawarich/google", "owntracks")
# One phone of a scripted day of MobilityNet: a car, a scooter and the train around San José.
PHONE = ("car_scooter_brex_san_jose", "ios-2", "location")


@dataclass
class SetClock:
    moment: datetime = NOW

    def now(self):
        return self.moment


class InProcess:
    """The way to a cooperative that runs in this process."""

    def __init__(self, app):
        self.app = app

    def exchange(self, method, path, body):
        return asyncio.run(self._exchange(method, path, body))

    async def _exchange(self, method, path, body):
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            headers = {"Content-Type": "application/json"}
            answer = await client.request(method, path, content=body, headers=headers)
        return Answer(status=answer.status_code, body=answer.content)


def make_store(folder: Path, clock, connect) -> Store:
    folder.mkdir()
    return Store(
        folder=folder,
        engine=open_database(folder, DatabaseKey(os.urandom(32))),
        clock=clock,
        noise=OpenDPLaplace(),
        randomness=os.urandom,
        connect=connect,
    )


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def leader(tmp_path, reference, clock):
    made = init_leader(
        Settings(data=tmp_path / "coop"),
        clock,
        name="Coop",
        origin="coop.test/log",
        contact="a@b.c",
    )
    territory = read_territory(
        reference / "geo" / "larochelle_communes_full.geojson",
        code_property="code",
        name_property="nom",
    )
    with made.database.write() as connection:
        replace_territory(connection, territory, now=clock.now())
    yield made
    made.database.close()


@pytest.fixture
def connect(leader, tmp_path):
    transport = InProcess(create_app(leader, Settings(data=tmp_path / "coop")))
    return lambda _url: transport


@pytest.fixture
def published(tmp_path, clock, connect, reference):
    """Return a store that was offered every published file, and what became of each."""
    store = make_store(tmp_path / "fixtures", clock, connect)
    outcomes = {}
    fixtures = reference / "fixtures"
    for path in sorted(p for f in FOLDERS for p in (fixtures / f).rglob("*") if p.is_file()):
        name = str(path.relative_to(fixtures))
        try:
            outcomes[name] = importing.run_once(store.engine, path, clock=clock)
        except IngestError as error:
            outcomes[name] = error
    return store, outcomes


@pytest.fixture
def travelled(tmp_path, clock, connect, reference):
    """Return a store that imported a real phone's day as a GPX file, and its positions."""
    table = pyarrow.parquet.read_table(reference / "trips" / "mnet_points.parquet").to_pylist()
    rows = sorted(
        (row for row in table if (row["spec"], row["phone"], row["stream"]) == PHONE),
        key=lambda row: row["ts"],
    )
    gpx = gpxpy.gpx.GPX()
    gpx.tracks.append(gpxpy.gpx.GPXTrack())
    gpx.tracks[0].segments.append(gpxpy.gpx.GPXTrackSegment())
    for row in rows:
        at = datetime.fromtimestamp(row["ts"], tz=UTC)
        point = gpxpy.gpx.GPXTrackPoint(row["lat"], row["lon"], row["alt"], at)
        gpx.tracks[0].segments[0].points.append(point)
    file = tmp_path / "phone.gpx"
    file.write_text(gpx.to_xml())
    store = make_store(tmp_path / "phone", clock, connect)
    return store, importing.run_once(store.engine, file, clock=clock), rows


def accepted(outcomes):
    return {name: each for name, each in outcomes.items() if not isinstance(each, IngestError)}


def test_every_position_of_a_published_file_is_new_known_or_rejected_with_a_reason(published):
    _, outcomes = published
    reports = accepted(outcomes).values()
    assert len(reports) >= 10
    for report in reports:
        assert report.read == report.new + report.duplicate + report.rejected
        assert report.rejected == sum(report.reasons.values())


def test_a_published_file_that_is_refused_says_why_in_both_languages(published):
    _, outcomes = published
    refusals = [each for each in outcomes.values() if isinstance(each, IngestError)]
    assert refusals, "the fixtures hold wrong files on purpose"
    for refusal in refusals:
        assert refusal.fr
        assert refusal.en
        assert "\n" not in refusal.fr + refusal.en


def test_the_counts_are_those_that_the_files_own_project_publishes(published, reference):
    _, outcomes = published
    cases = json.loads((reference / "fixtures" / "conformance_cases.json").read_text())
    expected = cases["dawarich_expected"]
    timeline = outcomes["dawarich/google/location-history.json"]
    assert timeline.new == expected["google/location-history.json"]["unique_points"]
    for name in ("owntracks/2024-03.rec", "owntracks/2023-02_old.rec"):
        assert outcomes[f"dawarich/{name}"].new == expected[name]["points"]


def test_importing_the_published_files_again_adds_nothing(published, reference, clock):
    store, outcomes = published
    again = [
        importing.run_once(store.engine, reference / "fixtures" / name, clock=clock)
        for name in accepted(outcomes)
    ]
    assert sum(report.new for report in again) == 0


def test_the_published_files_become_trips_with_a_footprint(published):
    store, _ = published
    pipeline.run_once(store.engine)
    with reading(store.engine) as connection:
        stored = [each.trip for each in trips.between(connection)]
    assert stored
    covered = [trip for trip in stored if trip.start.year >= 2010]
    weighed = period_footprint(
        covered, load_factor_set(), start=datetime(2010, 1, 1, tzinfo=UTC), end=NOW
    )
    total = weighed.total.life_cycle
    assert 0 <= total.low <= total.value <= total.high
    assert sum(weighed.distance_m.values()) > 0


def test_a_real_phone_s_day_comes_in_whole(travelled):
    _, report, rows = travelled
    distinct = {(round(r["ts"], 3), round(r["lon"], 7), round(r["lat"], 7)) for r in rows}
    assert report.read == len(rows)
    assert report.rejected == 0
    # GPX keeps microseconds and the store milliseconds: at most a handful of positions merge.
    assert len(distinct) * 0.999 <= report.new <= len(distinct)


def test_a_real_phone_s_trips_stay_within_what_it_recorded(travelled):
    store, _, rows = travelled
    pipeline.run_once(store.engine)
    with reading(store.engine) as connection:
        stored = [each.trip for each in trips.between(connection)]
    first = datetime.fromtimestamp(rows[0]["ts"], tz=UTC) - timedelta(milliseconds=1)
    last = datetime.fromtimestamp(rows[-1]["ts"], tz=UTC) + timedelta(milliseconds=1)
    assert stored
    assert all(first <= trip.start < trip.end <= last for trip in stored)
    assert all(a.end <= b.start for a, b in itertools.pairwise(stored))


def join(store: Store, leader, zone: str):
    with leader.database.write() as connection:
        (code,) = make_codes(connection, 1)
    member = cooperative.enrol(
        store.connect(URL),
        url=URL,
        code=code,
        zone=zone,
        member_key=Ed25519PrivateKey.generate(),
    )
    with writing(store.engine) as connection:
        memberships.add(connection, member, at=store.clock.now())
    return member


def share(store: Store, leader, *, zone: str) -> sharing.Preview:
    """Join, consent, look and contribute to the one task; return what was looked at."""
    member = join(store, leader, zone)
    purpose = catalogue.purpose_asked(store.engine, member, store.connect(URL))
    told = catalogue.notice_of(store.engine, purpose)
    choice = Choice(membership=member, purpose=purpose, notice=told, language="fr")
    consenting.give(store.engine, choice, now=store.clock.now(), randomness=store.randomness)
    consenting.hand_over(store, member)
    with reading(store.engine) as connection:
        (asked,) = memberships.tasks(connection, member)
    shown = sharing.preview(store, member, asked.task)
    sent = sharing.run_once(store, member, asked.task)
    assert sent.report == shown.kept.report
    return shown


def test_real_trips_end_in_a_published_territory_and_in_suppressed_zones(
    travelled, published, leader, clock
):
    busy, _, rows = travelled
    quiet, _ = published
    pipeline.run_once(busy.engine)
    week = week_of(datetime.fromtimestamp(rows[0]["ts"], tz=UTC))
    with leader.database.write() as connection:
        question = Question(
            week=week,
            epsilon=Fraction(4),
            min_batch_size=2,
            scale=Fraction(3, 4),
            cap_units=1000,
            trust_mode=TrustMode.LOCAL,
            report_deadline=NOW + timedelta(days=1),
            purpose_digest=None,
        )
        draft_task(connection, leader.who, question)
        sign_draft(connection, week, leader.keys.task)
    shown = share(busy, leader, zone="17300")
    zeros = share(quiet, leader, zone="17028")
    assert sum(shown.exact) > 0
    assert sum(zeros.exact) == 0, "a quiet week is a report of zeros, not an absence"
    clock.moment = NOW + timedelta(days=1)
    release = Release.parse(publish(leader, week, executor=InlineExecutor()).body)
    territory = [row for row in release.rows if row.zone is None]
    zones = [row for row in release.rows if row.zone is not None]
    assert len(territory) == len(shown.task.coordinates)
    assert all(float(row.ci95_low) <= float(row.ci95_high) for row in territory)
    assert all(row.value is None and row.n is None for row in zones), "one report a zone is too few"
