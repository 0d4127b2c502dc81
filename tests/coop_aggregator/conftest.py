"""A cooperative over real databases, its server, its stewards and its auditor, for every test."""

import asyncio
import json
import os
import shutil
from itertools import cycle, islice

import httpx
import pytest
from cooperative_in_memory import (
    ORIGIN,
    WEEK,
    Coop,
    InProcessHelper,
    SetClock,
    private_key,
)
from sqlalchemy.engine import make_url

from consents.__main__ import main as consents_main
from consents.tlog.policy import policy_text
from contributions.task import TrustMode
from coop_aggregator.aggregate import ZoneSum, freeze
from coop_aggregator.app import create_app
from coop_aggregator.asking.questions import Question, draft_task, sign_draft
from coop_aggregator.asking.territory import read_territory
from coop_aggregator.cli.program import main
from coop_aggregator.db.engine import connect, create_schema
from coop_aggregator.db.keepers import save_keeper
from coop_aggregator.db.questions import purpose_digests
from coop_aggregator.db.releases import StoredRelease, add_release
from coop_aggregator.db.territories import replace_territory
from coop_aggregator.installation import init_helper, init_leader
from coop_aggregator.jobs import witness
from coop_aggregator.jobs.witness import Answer
from coop_aggregator.keepers.cards import make_card
from coop_aggregator.keepers.cosigning import ask_helper, sign_proposal
from coop_aggregator.release import build_release
from coop_aggregator.settings import Settings
from coop_aggregator.tlog.export import export_log
from coop_aggregator.tlog.witness import add_checkpoint


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def kind(request):
    """Return the kind of the database, each kind in turn."""
    return request.param


@pytest.fixture
def url(kind, request, tmp_path):
    """Return the address of an empty database."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'aggregator.db'}"
    return request.getfixturevalue("postgresql_url")


def with_schema(url):
    """Make the schema in an empty database, to copy: migrations take ten times as long."""
    database = connect(url)
    create_schema(database)
    database.close()
    return make_url(url).database


@pytest.fixture(scope="session")
def file_with_schema(tmp_path_factory):
    """Return an SQLite database without an installation."""
    return with_schema(f"sqlite:///{tmp_path_factory.mktemp('schema') / 'aggregator.db'}")


@pytest.fixture(scope="session")
def postgresql_with_schema(postgresql_cluster):
    """Return the name of a PostgreSQL database without an installation."""
    return with_schema(postgresql_cluster.fresh_url())


@pytest.fixture
def settings_in(file_with_schema):
    """Return a maker of settings over SQLite in a folder, with the schema and no installation."""

    def make(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(file_with_schema, folder / "aggregator.db")
        return Settings(data=folder)

    return make


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def settings(kind, request, settings_in, tmp_path):
    """Return settings over each kind of database, with the schema and no installation."""
    if kind == "sqlite":
        return settings_in(tmp_path)
    like = request.getfixturevalue("postgresql_with_schema")
    url = request.getfixturevalue("postgresql_cluster").fresh_url(like=like)
    return Settings(data=tmp_path, database_url=url)


@pytest.fixture
def light_settings(settings_in, tmp_path):
    """Return settings over SQLite only, for what does not depend on the database."""
    return settings_in(tmp_path)


def square(code, name, *, west, size=1.0):
    ring = [[west, 0], [west + size, 0], [west + size, size], [west, size], [west, 0]]
    return {
        "type": "Feature",
        "properties": {"code": code, "nom": name},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


@pytest.fixture
def write_territory(tmp_path):
    def write(features, **members):
        path = tmp_path / "territory.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **members}))
        return path

    return write


@pytest.fixture
def squares():
    return [square(code, f"Zone {code}", west=west) for west, code in enumerate("ABC")]


@pytest.fixture
def make_leader(clock):
    made = []

    def make(settings):
        leader = init_leader(
            settings, clock, name="Coopérative d'essai", origin=ORIGIN, contact="dpo@coop.example"
        )
        made.append(leader)
        return leader

    yield make
    for leader in made:
        leader.database.close()


@pytest.fixture
def make_coop(make_leader, clock, write_territory, squares):
    def make(settings, *, min_batch_size=2, meet=lambda _leader: None, **question):
        leader = make_leader(settings)
        coop = Coop(leader=leader, clock=clock, helper=meet(leader))
        with leader.database.write() as connection:
            replace_territory(connection, read_territory(write_territory(squares)), now=clock.now())
            # A round cap, so that tests read figures off by hand.
            terms = {"cap_units": 1000} | question
            asked = Question(week=WEEK, min_batch_size=min_batch_size, **terms)
            coop.task = draft_task(connection, leader.who, asked)
            if coop.helper is None:
                sign_draft(connection, WEEK, leader.keys.task)
            coop.purpose_digest = purpose_digests(connection)[0]
        return coop

    return make


@pytest.fixture
def make_keepers(make_coop, clock, settings_in, tmp_path):
    """Return a maker of two keepers whose operators exchanged cards and signed the question."""
    made = []

    def make(settings, helper_settings=None, *, urls=None, **question):
        def meet(leader):
            helper = init_helper(
                helper_settings or settings_in(tmp_path / "second"),
                clock,
                name="stewards.example",
                log_vkey=leader.who.log_vkey,
            )
            made.append(helper)
            for own, other in ((leader, helper), (helper, leader)):
                url = urls[own.role] if urls else f"http://{own.role}.example"
                card = make_card(own, url=url)
                with other.database.write() as connection:
                    save_keeper(connection, own.role, card)
            return helper

        coop = make_coop(settings, meet=meet, trust_mode=TrustMode.TWO_KEEPERS, **question)
        coop.channel = InProcessHelper(coop.helper)
        ask_helper(coop.leader, WEEK, coop.channel)
        sign_proposal(coop.helper, WEEK)
        ask_helper(coop.leader, WEEK, coop.channel)
        return coop

    yield make
    for helper in made:
        helper.database.close()


@pytest.fixture
def keepers(make_keepers, light_settings):
    """Return two keepers on SQLite."""
    return make_keepers(light_settings)


@pytest.fixture
def coop(make_coop, settings):
    """Return a cooperative on each database in turn."""
    return make_coop(settings)


@pytest.fixture
def light_coop(make_coop, light_settings):
    """Return a cooperative on SQLite only."""
    return make_coop(light_settings)


class InMemory(httpx.BaseTransport):
    """Lead requests to an application in this process, one event loop each."""

    def __init__(self, app):
        self.app = app

    def handle_request(self, request):
        async def pass_on():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app)) as client:
                return await client.send(request)

        request = httpx.Request(
            request.method, request.url, headers=request.headers, content=request.read()
        )
        response = asyncio.run(pass_on())
        headers = [pair for pair in response.headers.raw if pair[0] != b"content-encoding"]
        return httpx.Response(response.status_code, headers=headers, content=response.content)


@pytest.fixture
def serve(light_settings):
    """Return a client of the application of any installation."""
    clients = []

    def open_client(installation, settings=light_settings):
        transport = InMemory(create_app(installation, settings))
        clients.append(httpx.Client(transport=transport, base_url="http://coop.example"))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def client(light_coop, serve):
    """Return a client of a cooperative's application on SQLite."""
    return serve(light_coop.leader)


@pytest.fixture
def helper(settings_in, tmp_path, coop, clock):
    """Return stewards who follow the cooperative's log, in a folder of their own."""
    made = init_helper(
        settings_in(tmp_path / "stewards"),
        clock,
        name="stewards.example",
        log_vkey=coop.leader.who.log_vkey,
    )
    yield made
    made.database.close()


@pytest.fixture
def run_cli(tmp_path, capfd, monkeypatch, clock):
    """Return a runner of the command line on a data folder of its own: code, stdout, stderr."""

    def run(*arguments, data=tmp_path / "data"):
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(["--data", str(data), *map(str, arguments)], clock=clock)
        out, err = capfd.readouterr()
        return stop.value.code, out, err

    for name in list(os.environ):
        if name.startswith(("COOP_AGGREGATOR_", "LC_")) or name == "LANG":
            monkeypatch.delenv(name)
    return run


@pytest.fixture(name="private_key")
def private_key_fixture():
    """Return a maker of keys from a word, the same each time."""
    return private_key


@pytest.fixture
def publish_counts(clock):
    """Return a publisher of a release with given counts by zone and plausible sums."""

    def publish(leader, task, counts):
        width = len(task.coordinates)
        sums = tuple(
            ZoneSum(
                zone=code,
                count=n,
                vector=tuple(
                    islice(cycle((n * 30, n * 40, 5, n * 260, n * 50, n * 20, -9, 3)), width)
                ),
            )
            for code, n in counts.items()
        )
        body = build_release(task, sums).to_bytes()
        clock.moment = task.report_deadline
        batch = freeze(leader, task.week)
        with leader.database.write() as connection:
            add_release(
                connection,
                StoredRelease(
                    task_digest=task.digest,
                    week=task.week,
                    body=body,
                    leaf_index=batch.leaf_index,
                    published_at=clock.now(),
                ),
            )

    return publish


class DirectWitness:
    """The way to the stewards' own function."""

    def __init__(self, helper):
        self.helper = helper

    def add_checkpoint(self, body):
        return Answer(status=200, text=add_checkpoint(self.helper, body))


class Auditor:
    """A steward with a policy file of their own, outside of what is handed over."""

    def __init__(self, coop, helper, folder, capsys):
        self.coop = coop
        self.helper = helper
        self.export = folder / "export"
        self.capsys = capsys
        self.policy = folder / "stewards.policy"
        vkeys = [helper.who.own_vkey]
        self.policy.write_text(policy_text(log_vkey=coop.leader.who.log_vkey, witness_vkeys=vkeys))

    def cosign(self):
        vkey = self.helper.who.own_vkey
        witness.run_once(self.coop.leader, DirectWitness(self.helper), vkey=vkey)

    def hand_over(self):
        self.cosign()
        export_log(self.coop.leader, self.export)

    def export_uncosigned(self):
        export_log(self.coop.leader, self.export)

    def ask(self, *words, evidence=()):
        trust = ["--policy", self.policy]
        if words[0] == "verify":
            trust = ["--vkey", self.coop.leader.who.log_vkey]
        arguments = [*words[:2], self.export, *words[2:], *trust, "--json"]
        if evidence:
            path = self.policy.with_name("evidence.jsonl")
            path.write_text("".join(json.dumps(each) + "\n" for each in evidence))
            arguments += ["--evidence", path]
        self.capsys.readouterr()
        code = consents_main([str(each) for each in arguments])
        document = json.loads(self.capsys.readouterr().out)
        return code, document


@pytest.fixture
def auditor(coop, helper, tmp_path, capsys):
    (tmp_path / "auditor").mkdir()
    return Auditor(coop, helper, tmp_path / "auditor", capsys)
