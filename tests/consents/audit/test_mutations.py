"""Every file of an export, damaged in every way: never a traceback, never a silent success.

A change of what the log binds ends with "violation" or "cannot verify". A change that no check can
tell from the honest file (another spelling of one JSON value, the order of two tasks) must leave
every answer as it was, word for word. The honest control is the export itself.
"""

import json
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from consents.audit.annual import annual_report
from consents.audit.budget import audit_budget
from consents.audit.coverage import audit_coverage
from consents.audit.files import Export
from consents.audit.linked import linked_report
from consents.audit.monitor import monitor
from consents.audit.opening import Refused, open_case
from consents.audit.promises import audit_promises
from consents.audit.purposes import audit_purposes
from consents.audit.releases import audit_release
from consents.audit.times import audit_late
from consents.audit.withdrawal import audit_after_withdrawal
from consents.canonical import canonical_bytes, sha256_hex
from consents.tlog.policy import WitnessPolicy
from consents.verify.verification import Verdict

SAMPLE = 16
"""Bytes of each file that a usual run flips."""

SINGLE = ("checkpoint", "entries.jsonl", "operator.jsonl", "purposes.jsonl", "notices.jsonl")
FILES = (*SINGLE, "tasks.jsonl", "bodies.jsonl", "batches", "releases", "checkpoints")


def answers(folder, policy, older):
    """Return the worst verdict of all audits, and everything that they say."""
    case = open_case(Export(folder=folder), policy, older=older)
    if isinstance(case, Refused):
        return Verdict.worst(each.problem.verdict for each in case.findings), ()
    results = [
        monitor(case, since=0),
        annual_report(case, year=2026),
        *(
            audit(case)
            for audit in (
                audit_coverage,
                audit_after_withdrawal,
                audit_purposes,
                audit_budget,
                audit_late,
                audit_promises,
                audit_release,
            )
        ),
    ]
    said = tuple(linked_report(each) for each in results)
    return Verdict.worst(each.verdict for each in results), said


class Bench:
    """An honest export, how it is judged, and a way to damage one file and put it back."""

    def __init__(self, city, older):
        self.folder = city.export()
        self.policy = WitnessPolicy.parse(city.policy().encode())
        self.older = older
        self.verdict, self.said = self.judge()

    def judge(self):
        return answers(self.folder, self.policy, self.older)

    def paths(self, name):
        path = self.folder / name
        return sorted(path.iterdir()) if path.is_dir() else [path]

    def expect_no_silence(self, path, content):
        """Judge the export with another `content` of one file."""
        honest = path.read_bytes()
        path.write_bytes(content)
        try:
            verdict, said = self.judge()
        finally:
            path.write_bytes(honest)
        if verdict is Verdict.OK:
            assert without_bounds(said) == without_bounds(self.said), (path.name, content[:80])
            assert said == self.said or path.parent.name == "checkpoints"


def without_bounds(said):
    """Leave out how many checkpoints were handed over: an operator may keep back older ones."""
    return [
        text
        for each in said
        for text in each.split(b"{")
        if not text.startswith(b'"dct:identifier":"cosigned"')
    ]


@pytest.fixture
def bench(city, crowd, honest, body):
    """A city with all that an export can hold: a closed batch and a shown body as well."""
    assert honest.digest
    secret = b"k" * 32
    open_one = city.person("open")
    leaf = open_one.say("consent.given", c=body.commitment(key=secret))
    shown = {"leaf": leaf.decode(), "body": body.to_bytes().decode()}
    quiet = city.ask("2026-W48")
    closed = city.commit(quiet, [crowd[2].report(quiet)])
    city.bodies.pop()
    del city.batches[closed]
    city.later()
    position = city.act(
        "release.published",
        {
            "task_digest": quiet.digest,
            "release_sha256": sha256_hex(city.statement(quiet, n=0)),
            "batch_position": closed,
        },
    )
    city.releases[position] = city.statement(quiet, n=0)
    city.later()
    kept = city.witness()
    city.export()
    line = canonical_bytes({**shown, "commitment_key": secret.hex()}) + b"\n"
    (city.folder / "bodies.jsonl").write_bytes(line)
    return Bench(city, [kept])


def test_the_honest_export_passes_every_audit(bench):
    assert bench.verdict is Verdict.OK
    assert len(bench.said) == 9
    assert all(bench.paths(name) for name in FILES)


def lines_of(content):
    return content.splitlines(keepends=True)


def reshaped(content, random_numbers) -> Iterator[bytes]:
    """Yield the file cut, doubled, swapped, emptied, filled and replaced."""
    lines = lines_of(content)
    for rank in range(len(lines)):
        yield b"".join(lines[:rank] + lines[rank + 1 :])
        yield b"".join(lines[: rank + 1] + lines[rank:])
    for rank in range(len(lines) - 1):
        yield b"".join([*lines[:rank], lines[rank + 1], lines[rank], *lines[rank + 2 :]])
    yield b""
    yield b"\n"
    yield content + b"\n"
    yield content + content
    yield content.replace(b"\n", b"\r\n")
    yield content.rstrip(b"\n")
    yield b"\xef\xbb\xbf" + content
    yield b"\x00" * len(content)
    yield b"[" * 100_000
    yield b"9" * 10_000 + b"\n"
    yield b"null\n"
    yield b'"\\ud800"\n'
    yield content + b"x" * 500_000
    for _ in range(4):
        yield content[: random_numbers.randrange(len(content))]


@pytest.mark.parametrize("name", FILES)
def test_a_reshaped_file_is_never_a_silent_success(bench, name):
    random_numbers = random.Random(name)
    for path in bench.paths(name):
        for content in reshaped(path.read_bytes(), random_numbers):
            bench.expect_no_silence(path, content)


def flipped(content, position, bit):
    return content[:position] + bytes([content[position] ^ bit]) + content[position + 1 :]


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_never_a_silent_success(bench, name):
    random_numbers = random.Random(name)
    for path in bench.paths(name):
        content = path.read_bytes()
        for _ in range(SAMPLE):
            bit = 1 << random_numbers.randrange(8)
            position = random_numbers.randrange(len(content))
            bench.expect_no_silence(path, flipped(content, position, bit))


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_no_flipped_byte_at_all_is_a_silent_success(bench, name):
    random_numbers = random.Random(name)
    for path in bench.paths(name):
        content = path.read_bytes()
        for position in range(len(content)):
            bit = 1 << random_numbers.randrange(8)
            bench.expect_no_silence(path, flipped(content, position, bit))


BOUND = ("checkpoint", "entries.jsonl", "operator.jsonl", "purposes.jsonl", "notices.jsonl")


@pytest.mark.parametrize("name", [*BOUND, "tasks.jsonl", "batches", "releases"])
def test_a_file_that_is_gone_is_never_a_success(bench, name):
    for path in bench.paths(name):
        path.rename(bench.folder.parent / "gone")
        assert bench.judge()[0] is not Verdict.OK
        (bench.folder.parent / "gone").rename(path)
    assert bench.judge()[0] is Verdict.OK


@pytest.mark.parametrize("name", [*BOUND, "tasks.jsonl", "bodies.jsonl", "batches", "releases"])
@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_something_else_in_place_of_a_file_is_never_a_success(bench, name, kind):
    for path in bench.paths(name):
        path.unlink()
        os.mkfifo(path) if kind == "pipe" else path.mkdir()
        assert bench.judge()[0] is not Verdict.OK
        path.unlink() if kind == "pipe" else shutil.rmtree(path)
        path.write_bytes(b"")


ODD = (None, True, -1, 2**60, 2**53 - 1, "", "x", "\u2028", [], [[]], {}, {"a": 1}, "00" * 32)
KINDS = {
    "purpose.published": ("purpose_digest", "notice_digest"),
    "batch.committed": ("task_digest", "root", "report_count", "epsilon_sum_micro"),
    "release.published": ("task_digest", "release_sha256", "batch_position"),
    "body.shredded": ("target",),
    "batch.erased": ("task_digest", "batch_position"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_operator_that_signs_nonsense_brings_no_audit_down(city, honest, kind):
    """The body is bound by the log, and still what the operator likes."""
    policy = WitnessPolicy.parse(city.policy().encode())
    bodies = {
        "purpose.published": {"purpose_digest": city.purpose.digest, "notice_digest": "00" * 32},
        "batch.committed": {
            "task_digest": honest.digest,
            "root": "00" * 32,
            "report_count": 1,
            "epsilon_sum_micro": 1,
        },
        "release.published": {
            "task_digest": honest.digest,
            "release_sha256": "00" * 32,
            "batch_position": 6,
        },
        "body.shredded": {"target": "00" * 32},
        "batch.erased": {"task_digest": honest.digest, "batch_position": 6},
    }
    for member in KINDS[kind]:
        for odd in ODD:
            if odd == 2**60:
                continue
            position = city.act(kind, {**bodies[kind], member: odd})
            verdict, _ = answers(city.export(), policy, ())
            assert verdict is not Verdict.OK or kind == "body.shredded"
            city.leaves.pop()
            city.chain.pop()
            city.bodies.pop()
            city.notes.pop()
            city.releases.pop(position, None)


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("member", ["week", "purpose_digest", "epsilon_micro"])
def test_a_task_that_is_nonsense_brings_no_audit_down(city, crowd, member, odd):
    task = json.loads(city.ask().to_bytes())
    content = json.dumps({**task, member: odd}).encode()
    digest = sha256_hex(content)
    city.tasks[digest] = content
    report = crowd[0].report(city.ask(), task_digest=digest)
    city.commit(city.ask(), [report], task_digest=digest)
    verdict, _ = answers(city.export(), WitnessPolicy.parse(city.policy().encode()), ())
    assert verdict is not Verdict.OK


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("member", ["n", "week", "task_digest", "rows"])
def test_a_release_that_is_nonsense_brings_no_audit_down(city, crowd, member, odd):
    task = city.ask()
    batch = city.commit(task, [person.report(task) for person in crowd])
    content = json.loads(city.statement(task, n=len(crowd), rows=[]))
    city.release(task, batch, json.dumps({**content, member: odd}).encode())
    verdict, _ = answers(city.export(), WitnessPolicy.parse(city.policy().encode()), ())
    assert verdict is not Verdict.OK or member == "rows"


@pytest.mark.parametrize("member", ["root", "report_count", "epsilon_sum_micro"])
def test_an_erased_batch_that_committed_to_nonsense_brings_no_audit_down(city, crowd, member):
    task = city.ask()
    for odd in (each for each in ODD if each != 2**60):
        batch = city.commit(task, [crowd[0].report(task)], **{member: odd})
        del city.batches[batch]
        city.act("batch.erased", {"task_digest": task.digest, "batch_position": batch})
        verdict, _ = answers(city.export(), WitnessPolicy.parse(city.policy().encode()), ())
        assert verdict is not Verdict.OK


@pytest.mark.parametrize("days", [1, 36_500, 10**6, 2**53 - 1])
@pytest.mark.parametrize("deadline", ["2026-11-23T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_retention_beyond_the_calendar_brings_no_audit_down(city, crowd, purpose, days, deadline):
    kept = replace(purpose, retention_days=days, version="kept")
    city.publish(kept)
    moment = datetime.fromisoformat(deadline)
    task = city.ask(purpose_digest=kept.digest, report_deadline=moment)
    batch = city.commit(task, [crowd[0].report(task)])
    del city.batches[batch]
    city.act("batch.erased", {"task_digest": task.digest, "batch_position": batch})
    verdict, _ = answers(city.export(), WitnessPolicy.parse(city.policy().encode()), ())
    assert verdict is not Verdict.OK
