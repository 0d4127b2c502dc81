"""A cooperative and its residents in memory of the test: real keys, real database, a set clock."""

import asyncio
import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.__main__ import main as consents_main
from consents.canonical import sha256_hex, utc_text
from consents.jws import thumbprint
from consents.policy import policy_text
from consents.receipt import EventType, LeafPayload, leaf_sha256, sign_event
from contributions.admission import Admission, sign_admission
from contributions.envelope import Role as KeeperRole
from contributions.jws import public_jwk
from contributions.messages import (
    Enrolment,
    Membership,
    Report,
    sign_membership,
    sign_report,
)
from contributions.noise import OpenDPLaplace
from contributions.sealed_report import SealedReport, Upload, seal_shares, sign_sealed_report
from contributions.task import Task, TrustMode
from contributions.two_keepers import context, vdaf_for
from coop_aggregator import intake
from coop_aggregator.aggregate import ZoneSum, freeze
from coop_aggregator.app import create_app
from coop_aggregator.cli import main
from coop_aggregator.db.keepers import save_keeper
from coop_aggregator.db.questions import purpose_digests
from coop_aggregator.db.releases import StoredRelease, add_release
from coop_aggregator.db.territories import replace_territory
from coop_aggregator.enrolment import enrol, make_codes
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.export import export_log
from coop_aggregator.installation import init_helper, init_leader
from coop_aggregator.jobs import witness
from coop_aggregator.jobs.witness import Answer
from coop_aggregator.keepers.answers import answer_job
from coop_aggregator.keepers.cards import make_card
from coop_aggregator.keepers.collection import answer_collection
from coop_aggregator.keepers.cosigning import ask_helper, receive_proposal, sign_proposal
from coop_aggregator.keepers.intake import receive_share
from coop_aggregator.questions import Question, draft_task, sign_draft
from coop_aggregator.release import build_release, publish
from coop_aggregator.settings import Settings
from coop_aggregator.territory import read_territory
from coop_aggregator.witness import add_checkpoint

ORIGIN = "coop.example/log"
WEEK = "2026-W46"
MIDWEEK = datetime(2026, 11, 17, 8, tzinfo=UTC)
"""Two days after the week, five before the deadline."""


class SetClock:
    """A clock that tells what the test says."""

    def __init__(self, now=MIDWEEK):
        self.moment = now

    def now(self):
        return self.moment

    def advance(self, **span):
        self.moment += timedelta(**span)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request, tmp_path):
    """Return the address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'aggregator.db'}"
    return request.getfixturevalue("postgresql_url")


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def settings(tmp_path, url):
    return Settings(data=tmp_path, database_url=url)


@pytest.fixture
def light_settings(tmp_path):
    """Settings over SQLite only, for what does not depend on the database."""
    return Settings(data=tmp_path)


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


@dataclass
class Resident:
    """A member with a member key and one consent key; its signatures are real."""

    coop: "Coop"
    zone: str
    seed: str
    member_id: str = ""
    leaves: list = field(default_factory=list)

    def __post_init__(self):
        self.member_key = private_key(f"member {self.seed}")
        self.consent_key = private_key(f"consent {self.seed}")
        self.cid = sha256_hex(self.seed.encode())[:32]

    def leaf(self, kind=EventType.GIVEN, **changes):
        fields = {
            "t": kind,
            "o": ORIGIN,
            "cid": self.cid,
            "n": len(self.leaves),
            "p": leaf_sha256(self.leaves[-1]) if self.leaves else "",
            "pd": self.coop.purpose_digest,
            "c": "00" * 32,
            "at": utc_text(self.coop.clock.now()),
            "kid": thumbprint(self.consent_key.public_key()),
        }
        return sign_event(LeafPayload(**(fields | changes)), self.consent_key)

    def membership(self, leaf, *, key=None, member_id=None):
        word = Membership(member_id=member_id or self.member_id, leaf_sha256=leaf_sha256(leaf))
        return sign_membership(word, key or self.member_key)

    def send_event(self, kind=EventType.GIVEN, **changes):
        leaf = self.leaf(kind, **changes)
        appended = intake.receive_event(
            self.coop.leader, leaf=leaf, membership=self.membership(leaf)
        )
        self.leaves.append(leaf)
        return appended

    def report(self, vector=None, *, key=None, **changes):
        task = self.coop.task
        fields = {
            "report_id": sha256_hex(f"report {self.seed}".encode())[:32],
            "task_digest": task.digest,
            "zone": self.zone,
            "vector": tuple(vector or (1,) * len(task.coordinates)),
            "cid": self.cid,
            "n": 0,
            "head": leaf_sha256(self.leaves[-1]) if self.leaves else "00" * 32,
            "pd": task.purpose_digest,
            "epsilon_micro": task.epsilon_micro,
            "at": self.coop.clock.now(),
        }
        return sign_report(Report(**(fields | changes)), key or self.consent_key)

    def statement(self, shares, *, key=None, **changes):
        """Sign what both keepers must agree on about sealed shares."""
        task = self.coop.task
        fields = {
            "report_id": shares.report_id,
            "task_digest": task.digest,
            "zone": self.zone,
            "public_share": shares.public_share,
            "leader_sha256": sha256_hex(shares.leader),
            "helper_sha256": sha256_hex(shares.helper),
            "cid": self.cid,
            "n": 0,
            "head": leaf_sha256(self.leaves[-1]) if self.leaves else "00" * 32,
            "pd": task.purpose_digest,
            "epsilon_micro": task.epsilon_micro,
            "at": self.coop.clock.now(),
        }
        return sign_sealed_report(SealedReport(**(fields | changes)), key or self.consent_key)

    def shares(self, vector=None, *, report_id=None, task=None, vdaf=None):
        """Split a vector and seal both halves, as a store does."""
        task = task or self.coop.task
        report_id = report_id or sha256_hex(f"report {self.seed}".encode())[:32]
        vdaf = vdaf or vdaf_for(task)
        sharded = vdaf.shard(
            list(vector or (1,) * len(task.coordinates)),
            ctx=context(task),
            nonce=bytes.fromhex(report_id),
            rand=hashlib.shake_256(self.seed.encode()).digest(vdaf.rand_bytes),
        )
        return seal_shares(sharded, task, report_id=report_id)

    def upload(self, role, shares, *, statement=None, admission=None, sealed=None):
        """Return the bytes that a store posts to one keeper."""
        own = shares.leader if role is KeeperRole.LEADER else shares.helper
        return Upload(
            statement=statement or self.statement(shares),
            sealed=own if sealed is None else sealed,
            admission=admission,
        ).to_bytes()

    def send_sealed(self, vector=None, *, shares=None, to=tuple(KeeperRole)):
        """Send both halves, the leader's first; return the leader's answer."""
        shares = shares or self.shares(vector)
        statement = self.statement(shares)
        answer = {}
        if KeeperRole.LEADER in to:
            upload = self.upload(KeeperRole.LEADER, shares, statement=statement)
            answer = receive_share(self.coop.leader, upload)
        if KeeperRole.HELPER in to:
            admission = self.coop.admission(statement)
            upload = self.upload(
                KeeperRole.HELPER, shares, statement=statement, admission=admission
            )
            receive_share(self.coop.helper, upload)
        return answer

    def send_report(self, vector=None, **changes):
        return intake.receive_report(self.coop.leader, self.report(vector, **changes))


@dataclass
class Coop:
    """A leader with a territory, a purpose and a signed question for `WEEK`; or two keepers."""

    leader: object
    clock: SetClock
    helper: object = None
    channel: object = None
    task: Task | None = None
    purpose_digest: str = ""
    _count: int = 0

    def resident(self, zone="A", *, consents=True):
        self._count += 1
        person = Resident(coop=self, zone=zone, seed=f"resident {self._count}")
        person.member_id = self.enrol(person).member_id
        if consents:
            person.send_event()
        return person

    def code(self):
        with self.leader.database.write() as connection:
            return make_codes(connection, 1)[0]

    def enrol(self, person):
        x = public_jwk(person.member_key.public_key())["x"]
        request = Enrolment(code=self.code(), member_x=x, zone=person.zone)
        with self.leader.database.write() as connection:
            return enrol(connection, request)

    def admission(self, statement):
        """Return what the leader answers to a statement that it admits."""
        admitted = Admission(task_digest=self.task.digest, statement_sha256=sha256_hex(statement))
        return sign_admission(admitted, self.leader.keeper.sign)

    def after_deadline(self):
        self.clock.moment = self.task.report_deadline

    def release(self, week=WEEK):
        self.after_deadline()
        return publish(self.leader, week, executor=InlineExecutor())


def private_key(seed):
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())


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


class InProcessHelper:
    """The helper's answers without HTTP, in bytes; `asked` keeps every question."""

    def __init__(self, helper):
        self.helper, self.asked, self.noise = helper, [], OpenDPLaplace()

    def cosign(self, request):
        self.asked.append(request)
        return receive_proposal(self.helper, request)

    def answer_job(self, request):
        self.asked.append(request)
        return answer_job(self.helper, request, executor=InlineExecutor())

    def collect(self, request):
        self.asked.append(request)
        return answer_collection(self.helper, request, noise=self.noise)


@pytest.fixture
def make_keepers(make_coop, clock, tmp_path):
    """Return a maker of two keepers whose operators exchanged cards and signed the question."""
    made = []

    def make(settings, helper_settings=None, *, urls=None, **question):
        def meet(leader):
            helper = init_helper(
                helper_settings or Settings(data=tmp_path / "second"),
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
def helper(tmp_path, coop, clock):
    """Return stewards who follow the cooperative's log, in a folder of their own."""
    made = init_helper(
        Settings(data=tmp_path / "stewards"),
        clock,
        name="stewards.example",
        log_vkey=coop.leader.who.log_vkey,
    )
    yield made
    made.database.close()


@pytest.fixture
def run_cli(tmp_path, capfd, monkeypatch):
    """Return a runner of the command line on a data folder of its own: code, stdout, stderr."""

    def run(*arguments, data=tmp_path / "data"):
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(["--data", str(data), *map(str, arguments)])
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
