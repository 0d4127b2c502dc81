"""A city whose operator holds every key and every file, and can cheat wherever a test asks it to.

The operator signs what it likes and exports what it likes. What it does not hold: the residents'
and the stewards' keys, the checkpoints that stewards kept, and the policy file.
"""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from consents.__main__ import main
from consents.canonical import canonical_bytes, commitment, utc_text
from consents.jws import thumbprint
from consents.records.chain import key_digest
from consents.records.receipt import EventType, LeafPayload, leaf_sha256, read_event, sign_event
from consents.tlog import merkle
from consents.tlog.checkpoint import Checkpoint, NoteKey, cosign, sign_checkpoint
from consents.tlog.log import export_line
from consents.tlog.policy import policy_text
from consents.tlog.promise import drop_box_slip, promise
from consents.tlog.shards import NO_PURPOSE, closing_digest, opening_digest, shard_origin
from contributions.messages import Report, sign_report
from contributions.task import Task, TrustMode, Zone

START = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Person:
    """A resident of the city with one consent; signs only what they mean to."""

    def __init__(self, name, city, new_key):
        self.name = name
        self.city = city
        self.new_key = new_key
        self.key = new_key(name)
        self.kid = thumbprint(self.key.public_key())
        self.cid = hashlib.sha256(f"cid {name}".encode()).hexdigest()[:32]
        self.events = []

    def leaf(self, kind, *, key=None, at=None, names=None, **changes):
        """Sign the next event of the chain without sending it."""
        signer = self.key if key is None else key
        last = self.events[-1] if self.events else None
        payload = LeafPayload(
            t=EventType(kind),
            o=self.city.origin,
            cid=self.cid,
            n=len(self.events),
            p="" if last is None else last.head,
            pd=self.city.purpose.digest,
            c=("c0" * 32) if names is None else key_digest(thumbprint(names.public_key())),
            at=utc_text(self.city.now if at is None else at),
            kid=thumbprint(signer.public_key()),
            m=changes.pop("m", None),
        )
        return sign_event(replace(payload, **changes), signer)

    def say(self, kind, **options):
        """Sign the next event and have it logged."""
        leaf = self.leaf(kind, **options)
        self.events.append(read_event(leaf))
        self.city.append(leaf)
        return leaf

    def report(self, task, *, number=0, key=None, **changes):
        """Sign a contribution that rests on the last event."""
        head = self.events[-1].head if self.events else "00" * 32
        report = Report(
            report_id=hashlib.sha256(f"{self.name} {task.week} {number}".encode()).hexdigest()[:32],
            task_digest=task.digest,
            zone="17300",
            vector=(1,) * 8,
            cid=self.cid,
            n=number,
            head=head,
            pd=task.purpose_digest,
            epsilon_micro=task.epsilon_micro,
            at=self.city.now,
        )
        return sign_report(replace(report, **changes), self.key if key is None else key)


class City:
    """The operator: its log key, its files, its clock; `folder` is what it hands over."""

    def __init__(self, folder, new_key, purpose, origin):
        self.folder = folder
        self.new_key = new_key
        self.key = new_key("log")
        self.origin = origin
        self.purpose = purpose
        self.now = START
        self.leaves = []
        self.bodies = []
        self.chain = []
        self.purposes = {}
        self.notices = {}
        self.tasks = {}
        self.batches = {}
        self.releases = {}
        self.notes = []
        self.witnesses = ("steward-a", "steward-b", "steward-c")
        self.start = 0
        self.former = []

    @property
    def operator_cid(self):
        return hashlib.sha256(f"operator\n{self.origin}".encode()).hexdigest()[:32]

    @property
    def vkey(self):
        return NoteKey.of_log(self.origin, self.key.public_key()).vkey

    def successor(self, year):
        """Return the name, key and verifier key of the log of a year."""
        name, key = shard_origin(self.origin, year), self.new_key(f"log {year}")
        return name, key, NoteKey.of_log(name, key.public_key()).vkey

    def join(self, kind, digest, *, key=None):
        """Sign and log a leaf that joins two years' logs."""
        signer = self.key if key is None else key
        payload = LeafPayload(
            t=EventType(kind),
            o=self.origin,
            cid=self.operator_cid,
            n=len(self.chain),
            p=leaf_sha256(self.chain[-1]) if self.chain else "",
            pd=NO_PURPOSE,
            c=digest,
            at=utc_text(self.now),
            kid=thumbprint(signer.public_key()),
        )
        leaf = sign_event(payload, signer)
        self.chain.append(leaf)
        return self.append(leaf)

    def close(self, year, **options):
        """Log the closing that names the log of `year`."""
        self.join("shard.closed", closing_digest(self.successor(year)[2]), **options)

    def begin(self, year):
        """Hand the present log over as closed, and go on in an empty one."""
        number = len(self.former)
        self.export_log(self.folder / "shards" / str(number), self.witness())
        final = Checkpoint(
            origin=self.origin,
            size=len(self.leaves),
            root=merkle.root(map(merkle.leaf_hash, self.leaves)),
        )
        self.former.append((self.vkey, final))
        self.start += len(self.leaves)
        self.origin, self.key, _ = self.successor(year)
        self.leaves, self.bodies, self.chain, self.notes = [], [], [], []
        self.batches, self.releases = {}, {}

    def turn(self, year=2027, *, pause=HOUR):
        """Close the log and open that of `year`, as an honest operator does."""
        self.close(year)
        self.later(pause)
        self.begin(year)
        self.join("shard.opened", opening_digest(*self.former[-1]))
        self.later(pause)
        self.witness()

    def person(self, name):
        return Person(name, self, self.new_key)

    def later(self, time=HOUR):
        self.now += time
        return self

    def append(self, leaf):
        self.leaves.append(leaf)
        return len(self.leaves) - 1

    def act(self, kind, body, *, purpose_digest=None, at=None):
        """Sign and log an operator's entry that commits to `body`."""
        secret = hashlib.sha256(b"commitment %d" % len(self.leaves)).digest()
        payload = LeafPayload(
            t=EventType(kind),
            o=self.origin,
            cid=self.operator_cid,
            n=len(self.chain),
            p=leaf_sha256(self.chain[-1]) if self.chain else "",
            pd=self.purpose.digest if purpose_digest is None else purpose_digest,
            c=commitment(key=secret, body=body),
            at=utc_text(self.now if at is None else at),
            kid=thumbprint(self.key.public_key()),
        )
        leaf = sign_event(payload, self.key)
        self.chain.append(leaf)
        position = self.append(leaf)
        self.bodies.append(
            {
                "position": position,
                "body": canonical_bytes(body).decode(),
                "commitment_key": secret.hex(),
            }
        )
        return position

    def publish(self, purpose=None):
        purpose = self.purpose if purpose is None else purpose
        self.purposes[purpose.digest] = purpose.to_bytes()
        notice = canonical_bytes({"notice of": purpose.title_fr, "version": purpose.version})
        self.notices[hashlib.sha256(notice).hexdigest()] = notice
        return self.act(
            "purpose.published",
            {
                "purpose_digest": purpose.digest,
                "notice_digest": hashlib.sha256(notice).hexdigest(),
            },
            purpose_digest=purpose.digest,
        )

    def ask(self, week="2026-W46", **changes):
        task = Task(
            **{
                "title_fr": "Kilomètres par mode",
                "title_en": "Kilometres by mode",
                "week": week,
                "zones": (Zone(code="17300", name="La Rochelle"),),
                "scale": Fraction(3, 4),
                "cap_units": 1000,
                "epsilon_micro": 1_000_000,
                "trust_mode": TrustMode.LOCAL,
                "min_batch_size": 2,
                "purpose_digest": self.purpose.digest,
                "log_origin": self.origin,
                "aggregator_name": "Coopérative",
                "report_deadline": datetime(2027, 11, 23, tzinfo=UTC),
                **changes,
            }
        )
        self.tasks[task.digest] = task.to_bytes()
        return task

    def commit(self, task, reports, *, at=None, **changes):
        """Freeze a batch and commit to it."""
        body = {
            "task_digest": task.digest,
            "root": merkle.root(map(merkle.leaf_hash, reports)).hex(),
            "report_count": len(reports),
            "epsilon_sum_micro": len(reports) * task.epsilon_micro,
        }
        position = self.act("batch.committed", {**body, **changes}, at=at)
        self.batches[position] = list(reports)
        return position

    def release(self, task, batch, content=None):
        content = content or self.statement(task, n=len(self.batches[batch]))
        position = self.act(
            "release.published",
            {
                "task_digest": task.digest,
                "release_sha256": hashlib.sha256(content).hexdigest(),
                "batch_position": self.start + batch,
            },
        )
        self.releases[position] = content
        return position

    def statement(self, task, **members):
        """What a release states: its task, its week, and these members."""
        return canonical_bytes({"task_digest": task.digest, "week": task.week, **members})

    def note(self, size=None, leaves=None):
        """Sign a checkpoint, as the operator alone can."""
        held = self.leaves if leaves is None else leaves
        size = len(held) if size is None else size
        root = merkle.root(map(merkle.leaf_hash, held[:size]))
        return sign_checkpoint(
            Checkpoint(origin=self.origin, size=size, root=root), self.origin, self.key
        )

    def cosigned(self, by="ab", size=None, leaves=None):
        """Have stewards cosign what they are shown: they follow only one history in real life."""
        note = self.note(size, leaves)
        lines = [
            cosign(note, f"steward-{who}", self.new_key(f"steward-{who}"), self.now) for who in by
        ]
        return note + "".join(lines)

    def witness(self, by="ab"):
        """Have the present state cosigned, and keep the note."""
        self.notes.append(self.cosigned(by))
        return self.notes[-1]

    def promise(self, leaf, *, delay=HOUR):
        return promise(leaf, self.key, now=self.now, delay=delay).decode()

    def slip(self, leaf, who="a"):
        return drop_box_slip(leaf, self.new_key(f"steward-{who}"), now=self.now).decode()

    def policy(self, threshold=None):
        vkeys = [
            NoteKey.of_witness(name, self.new_key(name).public_key()).vkey
            for name in self.witnesses
        ]
        return policy_text(
            log_vkey=self.vkey,
            witness_vkeys=vkeys,
            threshold=threshold,
            former_vkeys=[vkey for vkey, _ in self.former],
        )

    def export(self, *, note=None):
        """Write everything that is handed over to auditors."""
        return self.export_log(self.folder, note or self.witness())

    def export_log(self, folder, final):
        for name in ("batches", "releases", "checkpoints"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "checkpoint").write_text(final, "utf-8", newline="\n")
        lines = {
            "entries.jsonl": map(export_line, self.leaves),
            "operator.jsonl": (canonical_bytes(body) + b"\n" for body in self.bodies),
            "purposes.jsonl": (_line(text) for text in self.purposes.values()),
            "notices.jsonl": (_line(text) for text in self.notices.values()),
            "tasks.jsonl": (_line(text) for text in self.tasks.values()),
        }
        for name, content in lines.items():
            (folder / name).write_bytes(b"".join(content))
        for position, reports in self.batches.items():
            content = b"".join(map(export_line, reports))
            (folder / "batches" / f"{position}.jsonl").write_bytes(content)
        for position, content in self.releases.items():
            (folder / "releases" / f"{position}.json").write_bytes(content)
        for number, kept in enumerate(self.notes):
            path = folder / "checkpoints" / f"{number:05d}"
            path.write_text(kept, "utf-8", newline="\n")
        return folder


def _line(text):
    return json.dumps(text.decode()).encode() + b"\n"


@pytest.fixture
def city(tmp_path, new_key, purpose, origin):
    city = City(tmp_path / "export", new_key, purpose, origin)
    city.publish()
    city.later()
    city.witness()
    return city


@pytest.fixture
def crowd(city):
    """Five residents who consented, in a log that stewards have seen."""
    people = [city.person(f"resident {number}") for number in range(5)]
    for person in people:
        person.say("consent.given")
    city.later()
    city.witness()
    return people


class Auditor:
    """A steward with their own files, who runs the command line and nothing else."""

    def __init__(self, city, folder, capsys):
        self.city = city
        self.folder = folder
        self.folder.mkdir()
        self.capsys = capsys
        self.policy = folder / "stewards.policy"
        self.policy.write_text(city.policy(), "utf-8")
        self.kept = []

    def trust_every_log(self):
        """Take the keys of all the years' logs into the policy file."""
        self.policy.write_text(self.city.policy(), "utf-8")

    def keep(self, note):
        """Keep a checkpoint; it is shown to every audit from then on."""
        path = self.folder / f"kept-{len(self.kept)}"
        path.write_text(note, "utf-8", newline="\n")
        self.kept.append(path)

    def evidence(self, *values):
        path = self.folder / "evidence.jsonl"
        path.write_text("".join(json.dumps(value) + "\n" for value in values), "utf-8")
        return "--evidence", path

    def run(self, *arguments):
        older = [part for path in self.kept for part in ("--older", path)]
        code = main([str(each) for each in (*arguments, *older)])
        return code, self.capsys.readouterr().out

    def audit(self, subject, *arguments, export=True):
        """Return the exit code and the problems found by one audit of a fresh export."""
        folder = self.city.export() if export else self.city.folder
        words = ("monitor",) if subject == "monitor" else ("audit", subject)
        code, out = self.run(*words, folder, "--policy", self.policy, "--json", *arguments)
        return code, [each["problem"] for each in json.loads(out)["findings"]]


@pytest.fixture
def auditor(city, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    return Auditor(city, tmp_path / "auditor", capsys)


@pytest.fixture
def honest(city, crowd):
    """A week as it should be: one withdrawal before the freeze, one after, one release."""
    task = city.ask()
    reports = [person.report(task) for person in crowd]
    crowd[0].say("consent.withdrawn")
    city.later()
    batch = city.commit(task, reports[1:])
    city.later()
    crowd[1].say("consent.withdrawn")
    city.release(task, batch)
    city.later()
    return task


@pytest.fixture
def withdrawn(crowd):
    """The last entry of the log: a withdrawal that the operator would rather not have."""
    return crowd[3].say("consent.withdrawn")
