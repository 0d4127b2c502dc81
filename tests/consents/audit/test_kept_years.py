"""What an auditor kept of two years' logs, whose policy names the key of the oldest alone.

The operator leaves the newest year out, or begins it anew under another key, with the witnesses'
help. Each must be a fork: an auditor who is told that their own folder is damaged empties it, and
with it the only thing that shows the fork.
"""

import json
import shutil
from fcntl import LOCK_EX, LOCK_NB, flock
from hashlib import sha256

import pytest

from consents.audit import command
from consents.audit.files import LOCK_FILE
from consents.audit.opening import open_case

DIGEST_BYTES = 32


@pytest.fixture
def work(auditor):
    return auditor.folder / "work"


def look(auditor, work, folder, subject="coverage"):
    words = ("monitor",) if subject == "monitor" else ("audit", subject)
    where = (folder, "--policy", auditor.policy, "--workspace", work)
    code, out = auditor.run(*words, *where, "--json")
    return code, [each["problem"] for each in json.loads(out)["findings"]]


def kept(work):
    return next(iter(work.glob("*.timeline")))


@pytest.fixture
def handed_over(city, honest, auditor, work, tmp_path):
    """The export of the first year as it stood, after an audit of that year and the next."""
    assert honest.digest
    first = tmp_path / "first"
    shutil.copytree(city.export(), first)
    city.turn()
    assert look(auditor, work, city.export(), "monitor") == (0, [])
    return first


@pytest.mark.parametrize("subject", ["coverage", "monitor"])
def test_the_first_year_alone_is_a_fork_once_the_second_was_seen(
    auditor, work, handed_over, subject
):
    before = kept(work).read_bytes()
    code, problems = look(auditor, work, handed_over, subject)
    assert (code, set(problems)) == (2, {"fork"})
    assert kept(work).read_bytes() == before


def test_the_closed_first_year_alone_is_a_fork_too(city, auditor, work, handed_over, tmp_path):
    assert handed_over
    closed = tmp_path / "closed"
    shutil.copytree(city.folder / "shards" / "0", closed)
    code, problems = look(auditor, work, closed)
    assert (code, set(problems)) == (2, {"fork"})


def test_a_second_year_begun_again_under_another_key_is_a_fork(
    city, honest, auditor, work, monkeypatch
):
    assert honest.digest
    names = ("leaves", "bodies", "chain", "notes", "batches", "releases", "former")
    before = {name: type(getattr(city, name))(getattr(city, name)) for name in names}
    before |= {name: getattr(city, name) for name in ("origin", "key", "start")}
    city.turn()
    assert look(auditor, work, city.export()) == (0, [])
    for name, value in before.items():
        setattr(city, name, value)
    shutil.rmtree(city.folder)
    own, other = city.new_key, city.new_key("another year")
    monkeypatch.setattr(city, "new_key", lambda name: other if name == "log 2027" else own(name))
    city.later()
    city.turn()
    code, problems = look(auditor, work, city.export())
    assert (code, set(problems)) == (2, {"fork"})


def test_a_kept_key_that_the_year_before_did_not_name_is_never_believed(
    city, auditor, work, handed_over
):
    """Not even where the file's digest was made to fit."""
    assert handed_over
    header, _, records = kept(work).read_bytes()[:-DIGEST_BYTES].partition(b"\n")
    told = json.loads(header)
    closing = next(each for each in told["acts"] if each["kind"] == "shard.closed")
    closing["c"] = "00" * 32
    content = json.dumps(told).encode() + b"\n" + records
    kept(work).write_bytes(content + sha256(content).digest())
    assert look(auditor, work, city.export()) == (3, ["bad-workspace"])


def test_two_audits_never_hold_the_folder_at_once(honest, auditor, work, monkeypatch):
    """The older of two exports must not take the place of the newer: a rollback would pass."""
    assert honest.digest
    refused = []

    def opened(*arguments, **options):
        with (work / LOCK_FILE).open("ab") as file:
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                refused.append(True)
        return open_case(*arguments, **options)

    monkeypatch.setattr(command, "open_case", opened)
    assert auditor.audit("coverage", "--workspace", work) == (0, [])
    assert auditor.audit("monitor", "--workspace", work) == (0, [])
    assert refused == [True, True]
