"""A cooperative and its residents in memory of the test: real keys, real signatures, a set clock.

Databases are the tests' own; fixtures that open them are in `coop_aggregator/conftest.py`.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.canonical import sha256_hex, utc_text
from consents.jws import thumbprint
from consents.records.receipt import EventType, LeafPayload, leaf_sha256, sign_event
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
from contributions.task import Task
from contributions.two_keepers import context, vdaf_for
from coop_aggregator import intake
from coop_aggregator.asking.enrolment import enrol, make_codes
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.keepers.answers import answer_job
from coop_aggregator.keepers.collection import answer_collection
from coop_aggregator.keepers.cosigning import receive_proposal
from coop_aggregator.keepers.intake import receive_share
from coop_aggregator.release import publish

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

    def covered(self):
        """Return what every answer to the question says of the consent that it rests on."""
        task = self.coop.task
        return {
            "task_digest": task.digest,
            "zone": self.zone,
            "cid": self.cid,
            "n": 0,
            "head": leaf_sha256(self.leaves[-1]) if self.leaves else "00" * 32,
            "pd": task.purpose_digest,
            "epsilon_micro": task.epsilon_micro,
            "at": self.coop.clock.now(),
        }

    def report(self, vector=None, *, key=None, **changes):
        fields = self.covered() | {
            "report_id": sha256_hex(f"report {self.seed}".encode())[:32],
            "vector": tuple(vector or (1,) * len(self.coop.task.coordinates)),
        }
        return sign_report(Report(**(fields | changes)), key or self.consent_key)

    def statement(self, shares, *, key=None, **changes):
        """Sign what both keepers must agree on about sealed shares."""
        fields = self.covered() | {
            "report_id": shares.report_id,
            "public_share": shares.public_share,
            "leader_sha256": sha256_hex(shares.leader),
            "helper_sha256": sha256_hex(shares.helper),
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
