"""One million leaves: appending, proving, restarting and auditing, beside pymerkle.

    python benchmarks/consents_log.py --leaves 1000000 --new 2000 [--pymerkle PYTHON]

The storage is the cooperative's own (`coop_aggregator.db.log`) over SQLite (WAL, synchronous FULL).
Leaves are real: signed, chained, and verified before they are appended. pymerkle is GPL and no
dependency: give the interpreter of an environment that has it.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from consents.canonical import canonical_bytes, commitment, utc_time
from consents.jws import thumbprint
from consents.records.receipt import EventType, LeafPayload, Purpose, leaf_sha256, sign_event
from consents.tlog import merkle
from consents.tlog.checkpoint import NoteKey, cosign, verify_checkpoint
from consents.tlog.log import ConsentLog, export_line
from consents.tlog.policy import policy_text
from contributions.jws import sign
from coop_aggregator.db.engine import connect, create_schema
from coop_aggregator.db.log import SqlLog

ORIGIN = "bench.example/consents/2026"
EVENTS = (EventType.GIVEN, EventType.LIMITED, EventType.RENEWED, EventType.RENEWED)
"""What each consent says, in this order; a batch rests on the last."""

WEEKS = 52
BATCH = 2_000
"""Contributions of a week; fewer where there are fewer consents."""

CHUNK = 1_000
"""Leaves of one durable transaction."""

PROOFS = 2_000
AT = "2026-11-09T07:30:00Z"
NOW = utc_time(AT)
PURPOSE = Purpose(
    title_fr="Kilomètres",
    title_en="Kilometres",
    text_fr="Banc d'essai.",
    text_en="Benchmark.",
    dpv_purpose="dpv:ImproveTransportMobility",
    controller_name="Banc",
    controller_contact="bench@bench.example",
    fields=("kilometres",),
    epsilon_week_micro=1_000_000,
    retention_days=1,
    version="1",
)


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent's leaves, and one contribution that rests on the last."""

    leaves: tuple[bytes, ...]
    contribution: bytes


@contextmanager
def opened(path: Path) -> Iterator[Connection]:
    """Open the cooperative's database anew, as after a restart, for one transaction."""
    database = connect(f"sqlite:///{path}")
    try:
        with database.write() as connection:
            yield connection
    finally:
        database.close()


def key_of(name: str) -> Ed25519PrivateKey:
    """Return a key fixed by its name: the run is the same each time."""
    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())


def task_of(week: int) -> bytes:
    """Return what an auditor reads of a week's task."""
    return canonical_bytes(
        {
            "week": f"2026-W{week % WEEKS + 1:02d}",
            "purpose_digest": PURPOSE.digest,
            "epsilon_micro": 1_000_000,
            "report_deadline": "2027-12-31T00:00:00Z",
        }
    )


def leaf(kind: EventType, *, cid: str, n: int, before: bytes, c: str, key: str) -> bytes:
    """Sign one event."""
    private = key_of(key)
    payload = LeafPayload(
        t=kind,
        o=ORIGIN,
        cid=cid,
        n=n,
        p=leaf_sha256(before) if before else "",
        pd=PURPOSE.digest,
        c=c,
        at=AT,
        kid=thumbprint(private.public_key()),
    )
    return sign_event(payload, private)


def consent(number: int) -> Consent:
    """Sign one resident's chain and contribution."""
    name, cid = f"resident {number}", sha256(b"cid %d" % number).hexdigest()[:32]
    signed: list[bytes] = []
    before = b""
    for n, kind in enumerate(EVENTS):
        c = sha256(b"body %d %d" % (number, n)).hexdigest()
        before = leaf(kind, cid=cid, n=n, before=before, c=c, key=name)
        signed.append(before)
    body = {
        "cid": cid,
        "head": leaf_sha256(before),
        "pd": PURPOSE.digest,
        "n": 0,
        "epsilon_micro": 1_000_000,
        "task_digest": sha256(task_of(number // BATCH)).hexdigest(),
    }
    contribution = sign(canonical_bytes(body), key=key_of(name), typ="mec-contribution+jws")
    return Consent(tuple(signed), contribution)


class Operator:
    """The operator's own chain, and the bodies that open it."""

    def __init__(self) -> None:
        """Start without an entry."""
        self.cid = sha256(f"operator\n{ORIGIN}".encode()).hexdigest()[:32]
        self.chain: list[bytes] = []
        self.bodies: list[bytes] = []

    def act(self, position: int, kind: EventType, body: dict[str, object]) -> bytes:
        """Sign the entry that is about to stand at `position`."""
        secret = sha256(b"secret %d" % position).digest()
        before = self.chain[-1] if self.chain else b""
        c = commitment(key=secret, body=body)
        self.chain.append(
            leaf(kind, cid=self.cid, n=len(self.chain), before=before, c=c, key="log")
        )
        line = {
            "position": position,
            "body": canonical_bytes(body).decode(),
            "commitment_key": secret.hex(),
        }
        self.bodies.append(canonical_bytes(line) + b"\n")
        return self.chain[-1]


@dataclass(slots=True)
class Bench:
    """One run: its folder, its operator, and what was measured so far."""

    folder: Path
    operator: Operator
    results: dict[str, float]

    def measure(self, name: str, value: float, unit: str) -> None:
        """Keep and print a figure."""
        self.results[f"{name} [{unit}]"] = value
        print(f"{name}: {value:,.3f} {unit}", flush=True)

    @property
    def database(self) -> Path:
        """Where the log is stored."""
        return self.folder / "log.sqlite"


def fill(bench: Bench, count: int) -> list[bytes]:
    """Append about `count` leaves durably, each verified; return the contributions."""
    contributions: list[bytes] = []
    rounds: list[list[bytes]] = [[] for _ in EVENTS]
    start = time.perf_counter()
    with ProcessPoolExecutor() as pool:
        for made in pool.map(consent, range(max(1, count // len(EVENTS))), chunksize=500):
            for each, column in zip(made.leaves, rounds, strict=True):
                column.append(each)
            contributions.append(made.contribution)
    bench.measure("signing leaves and contributions, all cores", time.perf_counter() - start, "s")
    publish = bench.operator.act(0, EventType.PURPOSE_PUBLISHED, {"purpose_digest": PURPOSE.digest})
    pending = [publish, *(each for column in rounds for each in column)]
    database = connect(f"sqlite:///{bench.database}")
    create_schema(database)
    start, worked = time.perf_counter(), time.process_time()
    for first in range(0, len(pending), CHUNK):
        with database.write() as connection:
            log = ConsentLog(SqlLog(connection, now=NOW), ORIGIN, key_of("log"))
            log.append_batch(pending[first : first + CHUNK])
    rate = len(pending) / (time.perf_counter() - start)
    database.close()
    bench.measure("durable append, verified, batches of 1,000", rate, "leaves/s")
    rate = len(pending) / (time.process_time() - worked)
    bench.measure("the same by processor time", rate, "leaves/s")
    return contributions


def commit_batches(bench: Bench, contributions: Sequence[bytes]) -> dict[int, list[bytes]]:
    """Commit to the weeks' batches at the end of the log; return them by position."""
    batches: dict[int, list[bytes]] = {}
    with opened(bench.database) as connection:
        storage = SqlLog(connection, now=NOW)
        log = ConsentLog(storage, ORIGIN, key_of("log"))
        for week in range(min(WEEKS, -(-len(contributions) // BATCH))):
            items = list(contributions[week * BATCH : (week + 1) * BATCH])
            position = storage.size()
            body: dict[str, object] = {
                "task_digest": sha256(task_of(week)).hexdigest(),
                "root": merkle.root(map(merkle.leaf_hash, items)).hex(),
                "report_count": len(items),
                "epsilon_sum_micro": len(items) * 1_000_000,
            }
            log.append(bench.operator.act(position, EventType.BATCH_COMMITTED, body))
            batches[position] = items
    return batches


def measure_log(bench: Bench) -> None:
    """Measure the root in a fresh process and connection, and proofs with their verification."""
    cold: list[float] = []
    for _ in range(20):
        with opened(bench.database) as connection:
            log = ConsentLog(SqlLog(connection, now=NOW), ORIGIN, key_of("log"))
            start = time.perf_counter()
            note = log.checkpoint()
            cold.append((time.perf_counter() - start) * 1000)
    bench.measure("root and signed checkpoint after reopening, first", cold[0], "ms")
    bench.measure("root and signed checkpoint after reopening, p50", statistics.median(cold), "ms")
    taken: list[float] = []
    older: list[float] = []
    with opened(bench.database) as connection:
        storage = SqlLog(connection, now=NOW)
        log = ConsentLog(storage, ORIGIN, key_of("log"))
        size = verify_checkpoint(note, log.vkey).size
        for draw in range(PROOFS):
            index = int.from_bytes(sha256(b"%d" % draw).digest()[:6], "big") % size
            content = storage.leaf(index)
            start = time.perf_counter()
            log.inclusion(index, size).verify(content)
            taken.append((time.perf_counter() - start) * 1000)
            start = time.perf_counter()
            log.consistency(index + 1, size)
            older.append((time.perf_counter() - start) * 1000)
    quantiles = statistics.quantiles(taken, n=100)
    bench.measure("inclusion: root, proof, verification, p50", quantiles[49], "ms")
    bench.measure("inclusion: root, proof, verification, p99", quantiles[98], "ms")
    bench.measure("consistency proof, p50", statistics.median(older), "ms")


def export(bench: Bench, batches: dict[int, list[bytes]]) -> tuple[Path, Path]:
    """Write the export and the auditor's policy."""
    folder, policy = bench.folder / "export", bench.folder / "stewards.policy"
    (folder / "batches").mkdir(parents=True, exist_ok=True)
    witness = key_of("steward")
    with opened(bench.database) as connection:
        storage = SqlLog(connection, now=NOW)
        log = ConsentLog(storage, ORIGIN, key_of("log"))
        note = log.checkpoint()
        note += cosign(note, "steward.example", witness, utc_time(AT))
        (folder / "checkpoint").write_text(note, "utf-8")
        with (folder / "entries.jsonl").open("wb") as file:
            file.writelines(map(export_line, storage.leaves()))
        vkeys = [NoteKey.of_witness("steward.example", witness.public_key()).vkey]
        policy.write_text(policy_text(log_vkey=log.vkey, witness_vkeys=vkeys), "utf-8")
    (folder / "operator.jsonl").write_bytes(b"".join(bench.operator.bodies))
    tasks = {task_of(week) for week in range(len(batches))}
    for name, texts in (("purposes.jsonl", {PURPOSE.to_bytes()}), ("tasks.jsonl", tasks)):
        lines = [json.dumps(text.decode()) + "\n" for text in texts]
        (folder / name).write_text("".join(lines), "utf-8")
    for position, items in batches.items():
        content = b"".join(map(export_line, items))
        (folder / "batches" / f"{position}.jsonl").write_bytes(content)
    return folder, policy


def grow(bench: Bench, count: int) -> None:
    """Append one more event to each of `count` consents, durably."""
    made = (consent(number).leaves[-1] for number in range(count))
    leaves = [
        leaf(
            EventType.RENEWED,
            cid=sha256(b"cid %d" % number).hexdigest()[:32],
            n=len(EVENTS),
            before=before,
            c=sha256(b"new body %d" % number).hexdigest(),
            key=f"resident {number}",
        )
        for number, before in enumerate(made)
    ]
    with opened(bench.database) as connection:
        ConsentLog(SqlLog(connection, now=NOW), ORIGIN, key_of("log")).append_batch(leaves)


def measure_audits(bench: Bench, batches: dict[int, list[bytes]], new: int) -> None:
    """Measure the first audit, one of the same log, and one of the log grown by `new` leaves."""
    folder, policy = export(bench, batches)
    measure_audit(bench, folder, policy, "coverage audit, everything verified anew")
    measure_audit(bench, folder, policy, "coverage audit of the same log, from the workspace")
    grow(bench, new)
    export(bench, batches)
    measure_audit(bench, folder, policy, f"coverage audit of the log with {new:,} new leaves")


def measure_audit(bench: Bench, folder: Path, policy: Path, name: str) -> None:
    """Measure one audit of the command line, with the auditor's folder as it is by then."""
    command = ["audit", "coverage", folder, "--policy", policy, "--workspace"]
    command += [bench.folder / "auditor", "--lang", "en"]
    start, worked = time.perf_counter(), _children_s()
    code = subprocess.call([sys.executable, "-m", "consents", *map(str, command)])
    bench.measure(f"{name} (exit {code})", time.perf_counter() - start, "s")
    bench.measure("the same by processor time", _children_s() - worked, "s")


def _children_s() -> float:
    """Return the processor time of the programs that ended, which other work does not lengthen."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_pymerkle(bench: Bench, interpreter: str | None) -> None:
    """Ask pymerkle the same, over the same leaves, where an interpreter that has it is given."""
    if interpreter is None:
        print("pymerkle: skipped, no --pymerkle interpreter (GPL, no dependency of ours)")
        return
    command = [interpreter, "-c", PYMERKLE, str(bench.database)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for name, value in json.loads(out).items():
        bench.results[f"pymerkle: {name}"] = value
        print(f"pymerkle: {name}: {value:,.3f}", flush=True)


PYMERKLE = """
import json, random, sqlite3, statistics, sys, tempfile, time
from pymerkle import SqliteTree, verify_inclusion
source = sqlite3.connect(sys.argv[1])
rows = (row[0].encode() for row in source.execute('SELECT leaf FROM leaves ORDER BY position'))
out = {}
with tempfile.TemporaryDirectory() as folder:
    path = folder + '/tree.sqlite'
    tree = SqliteTree(path, algorithm='sha256')
    start = time.perf_counter()
    tree.append_entries(rows, chunksize=1000)
    taken_s = time.perf_counter() - start
    out['append, nothing verified, batches of 1,000 [leaves/s]'] = tree.get_size() / taken_s
    tree.close()
    tree = SqliteTree(path, algorithm='sha256')
    start = time.perf_counter()
    root = tree.get_state()
    out['root after reopening [ms]'] = (time.perf_counter() - start) * 1000
    draw, taken = random.Random(7), []
    for _ in range(40):
        index = draw.randrange(tree.get_size()) + 1
        start = time.perf_counter()
        proof = tree.prove_inclusion(index)
        verify_inclusion(tree.get_leaf(index), root, proof)
        taken.append((time.perf_counter() - start) * 1000)
    out['inclusion: proof, verification, p50 of 40 [ms]'] = statistics.median(taken)
print(json.dumps(out))
"""


def main() -> None:
    """Run everything and print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leaves", type=int, default=1_000_000)
    parser.add_argument("--new", type=int, default=2_000, help="leaves before the last audit")
    parser.add_argument("--pymerkle", help="interpreter of an environment that has pymerkle")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), Operator(), {})
        batches = commit_batches(bench, fill(bench, options.leaves))
        measure_log(bench)
        measure_pymerkle(bench, options.pymerkle)
        measure_audits(bench, batches, options.new)


if __name__ == "__main__":
    main()
