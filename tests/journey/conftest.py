"""A cooperative and its residents in one process, for the journeys without a network."""

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from carbon.modes import TransportMode
from consents.records.record import EventType
from consents.tlog.policy import policy_text
from contributions.task import Task
from coop_aggregator.app import create_app
from coop_aggregator.asking.enrolment import make_codes
from coop_aggregator.asking.questions import Question, draft_task, sign_draft
from coop_aggregator.asking.territory import read_territory
from coop_aggregator.db.territories import replace_territory
from coop_aggregator.installation import init_helper, init_leader
from coop_aggregator.settings import Settings
from personal_store.choices import consenting
from personal_store.choices.consent_events import Choice
from personal_store.db import consents, contributions, timelines
from personal_store.db.connection import open_database, reading, writing
from personal_store.db.trust import Trust
from personal_store.errors import TransportError
from personal_store.jobs import catalogue, joining, sharing
from personal_store.membership import Membership
from personal_store.store import Store
from personal_store.transport import Answer
from personal_store.trips.timeline import ModeProbability, ModeSource, Timeline, Trip, Tripleg
from personal_store.vault import DatabaseKey
from tests.new_year import Year

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
WEEK = "2026-W46"
URL = "https://coop.test"


@dataclass(slots=True)
class Clock:
    """One time for everybody, moved by the tests."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


class NoNoise:
    """Adds nothing, so that sums can be told: the noise itself has tests of its own."""

    def laplace(self, values, scale):
        assert scale > 0
        return tuple(values)


@dataclass(slots=True)
class Network:
    """The way to the cooperative; it may be down, or lose answers on the way back."""

    app: object
    down: bool = False
    losing_answers: bool = False

    def exchange(self, method: str, path: str, body: bytes | None) -> Answer:
        if self.down:
            raise TransportError(fr="pas de réseau", en="no network")
        answer = asyncio.run(self._exchange(method, path, body))
        if self.losing_answers:
            raise TransportError(fr="réponse perdue", en="answer lost")
        return answer

    async def _exchange(self, method: str, path: str, body: bytes | None) -> Answer:
        way = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=way, base_url=URL) as client:
            headers = {"Content-Type": "application/json"}
            answer = await client.request(method, path, content=body, headers=headers)
        return Answer(status=answer.status_code, body=answer.content)


def square(code: str, west: int) -> dict:
    corners = [[west, 46], [west + 1, 46], [west + 1, 47], [west, 47], [west, 46]]
    return {
        "type": "Feature",
        "properties": {"code": code, "nom": f"Zone {code}"},
        "geometry": {"type": "Polygon", "coordinates": [corners]},
    }


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def leader(tmp_path, clock):
    """Return a cooperative of two square zones, with its first purpose published."""
    settings = Settings(data=tmp_path / "coop")
    made = init_leader(settings, clock, name="Coop", origin="coop.test/log", contact="a@b.c")
    file = tmp_path / "territory.geojson"
    features = [square("17300", -2), square("17028", -1)]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    with made.database.write() as connection:
        replace_territory(connection, read_territory(file), now=clock.now())
    yield made
    made.database.close()


@pytest.fixture
def network(leader, tmp_path) -> Network:
    return Network(create_app(leader, Settings(data=tmp_path / "coop")))


@pytest.fixture
def ask(leader) -> Callable[..., Task]:
    """Return a function that drafts and signs the question of a week."""

    def ask(week: str = WEEK, **terms) -> Task:
        question = Question(week=week, min_batch_size=2, **terms)
        with leader.database.write() as connection:
            task = draft_task(connection, leader.who, question)
            sign_draft(connection, week, leader.keys.task)
        return task

    return ask


@pytest.fixture
def task(ask) -> Task:
    return ask()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Somebody with a store of their own who joined the cooperative."""

    store: Store
    member: Membership
    network: Network

    def travel(self, **kilometres: float) -> None:
        start = NOW - timedelta(days=7)
        legs = tuple(
            Tripleg(
                start=start + timedelta(hours=index),
                end=start + timedelta(hours=index + 1),
                distance_m=1000 * km,
                gap_m=0.0,
                modes=(ModeProbability(mode=TransportMode(mode), probability=1.0),),
                mode_source=ModeSource.RESIDENT,
                track=((-1.15, 46.16), (-1.16, 46.17)),
            )
            for index, (mode, km) in enumerate(kilometres.items())
        )
        trip = Trip(device="telephone", start=start, end=legs[-1].end, triplegs=legs)
        timeline = Timeline(device="telephone", staypoints=(), trips=(trip,))
        with writing(self.store.engine) as connection:
            timelines.replace(connection, timeline)

    def asked(self) -> Choice:
        asked = catalogue.purpose_asked(self.store.engine, self.member, self.network)
        told = catalogue.notice_of(self.store.engine, asked)
        return Choice(membership=self.member, purpose=asked, notice=told, language="fr")

    def give(self) -> None:
        now, randomness = self.store.clock.now(), self.store.randomness
        consenting.give(self.store.engine, self.asked(), now=now, randomness=randomness)

    def decline(self, kind: EventType) -> None:
        now, randomness = self.store.clock.now(), self.store.randomness
        consenting.decline(
            self.store.engine, self.asked(), kind=kind, now=now, randomness=randomness
        )

    def withdraw(self) -> None:
        consenting.withdraw(
            self.store.engine,
            self.member,
            language="fr",
            now=self.store.clock.now(),
            randomness=self.store.randomness,
        )

    def hand_over(self) -> int:
        return consenting.hand_over(self.store, self.member)

    def preview(self, task: Task) -> sharing.Preview:
        return sharing.preview(self.store, self.member, task)

    def send(self, task: Task) -> contributions.KeptContribution:
        """Look, then send, as a person does."""
        self.preview(task)
        return sharing.run_once(self.store, self.member, task)

    def chains(self) -> list[list[consents.KeptEvent]]:
        with reading(self.store.engine) as connection:
            opened = consents.every(connection)
            return [consents.chain(connection, each.cid) for each in opened]

    def ledger(self) -> list[contributions.KeptContribution]:
        with reading(self.store.engine) as connection:
            return contributions.every(connection)


@pytest.fixture
def open_store(tmp_path, clock, network):
    """Return a function that opens a new store which reaches the cooperative."""
    opened: list[Store] = []

    def open_store() -> Store:
        folder: Path = tmp_path / f"store-{len(opened)}"
        folder.mkdir()
        randomness = random.Random(len(opened)).randbytes
        store = Store(
            folder=folder,
            engine=open_database(folder, DatabaseKey(randomness(32))),
            clock=clock,
            noise=NoNoise(),
            randomness=randomness,
            connect=lambda _url: network,
        )
        opened.append(store)
        return store

    yield open_store
    for store in opened:
        store.engine.dispose()


@pytest.fixture
def invite(leader):
    """Return a function that makes an invitation code."""

    def invite() -> str:
        with leader.database.write() as connection:
            return make_codes(connection, 1)[0]

    return invite


@pytest.fixture
def join(open_store, invite, network):
    """Return a function that makes a resident of a zone."""

    def join(zone: str = "17300") -> Resident:
        store = open_store()
        member = joining.run_once(store, url=URL + "/", code=invite(), zone=zone)
        return Resident(store=store, member=member, network=network)

    return join


@pytest.fixture
def resident(task, join) -> Resident:
    """Return a resident of zone 17300 who knows what is asked."""
    assert task.week == WEEK
    joined = join()
    catalogue.run_once(joined.store.engine, joined.member, joined.network)
    return joined


@pytest.fixture
def stewards(leader, clock, tmp_path):
    settings = Settings(data=tmp_path / "stewards")
    made = init_helper(settings, clock, name="stewards.test", log_vkey=leader.who.log_vkey)
    yield made
    made.database.close()


@pytest.fixture
def year(leader, stewards, clock, tmp_path):
    return Year(leader=leader, stewards=stewards, clock=clock, folder=tmp_path)


@pytest.fixture
def settled(resident, year):
    """Return a resident with a logged consent, who pinned the stewards of this year's log."""
    resident.travel(walk=3)
    resident.give()
    resident.hand_over()
    witness_vkeys = [year.stewards.who.own_vkey]
    text = policy_text(log_vkey=year.leader.who.log_vkey, witness_vkeys=witness_vkeys)
    pinned = Trust(policy_text=text, stewards_url=None)
    consenting.pin_trust(resident.store, resident.member, pinned)
    year.cosign()
    resident.hand_over()
    return resident
