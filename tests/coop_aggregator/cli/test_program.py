"""The command line: a whole week of operator's work, and one sentence for what goes wrong."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime

import pytest
from loopback import PATIENCE_S, port_of, reserve_port, wait_until

from consents.__main__ import main as verify

WEEK = "2026-W46"
INIT = ("init", "--name", "Coopérative d'essai", "--origin", "coop.example/log")


@pytest.fixture
def clock(clock):
    """Tell a time when the answers of the week are due, and not yet to be erased."""
    clock.moment = datetime(2026, 12, 10, 9, tzinfo=UTC)
    return clock


@pytest.fixture
def territory(write_territory, squares):
    return write_territory(squares)


def contents(folder):
    """Return every row of every table, to compare before and after."""
    connection = sqlite3.connect(folder / "aggregator.db")
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for (name,) in names}
    connection.close()
    return rows


def test_an_operator_s_week_from_init_to_release(run_cli, territory, tmp_path):
    code, out, _err = run_cli(*INIT, "--json")
    vkey = json.loads(out)["vkey"]
    assert run_cli("territory", "import", territory)[0] == 0
    assert (
        run_cli("task", "create", "--trust-mode", "local", "--week", WEEK, "--min-batch", "2")[0]
        == 0
    )
    code, _out, err = run_cli("task", "sign", "--week", WEEK)
    assert (code, "jusqu'au 2026-11-23 00:00 (heure de Paris)" in err) == (0, True)
    code, out, _err = run_cli("enrol", "--count", "3")
    assert (code, len(out.split())) == (0, 3)
    code, out, _err = run_cli("task", "list", "--json")
    assert json.loads(out)[0]["state"] == "due"
    assert run_cli("aggregate", "--week", WEEK)[0] == 0
    code, out, _err = run_cli("release", "--json")
    assert json.loads(out) == {"published": [WEEK]}
    code, _out, err = run_cli("release", "--week", WEEK)
    assert code == 1
    assert "déjà publiée" in err
    assert run_cli("export", "log", tmp_path / "export")[0] == 0
    assert verify(["verify", "log", str(tmp_path / "export"), "--vkey", vkey]) == 0
    assert run_cli("doctor")[0] == 0


def test_keys_and_folder_are_the_owner_s_alone(run_cli, tmp_path):
    run_cli(*INIT)
    folder = tmp_path / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder / "keys").iterdir()}
    assert names == dict.fromkeys(("log.pem", "task.pem", "hpke.pem", "steward-token"), 0o600)


def test_the_private_keys_never_reach_the_database(run_cli, tmp_path):
    run_cli(*INIT)
    secrets = [path.read_bytes().splitlines()[-2:] for path in (tmp_path / "data/keys").iterdir()]
    database = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("aggregator.db*"))
    lines = [line for lines in secrets for line in lines if not line.startswith(b"-----")]
    assert not [line for line in lines if line in database]


def test_a_second_init_changes_nothing(run_cli, tmp_path):
    run_cli(*INIT)
    before = contents(tmp_path / "data")
    code, _out, err = run_cli(*INIT)
    assert (code, len(err.strip().splitlines())) == (1, 1)
    assert contents(tmp_path / "data") == before


def test_a_hostile_territory_leaves_the_database_as_it_was(run_cli, territory, tmp_path):
    run_cli(*INIT)
    run_cli("territory", "import", territory)
    before = contents(tmp_path / "data")
    bad = tmp_path / "bad.geojson"
    bad.write_text('{"type": "FeatureCollection", "features": [{')
    code, out, err = run_cli("territory", "import", bad)
    assert (code, out, len(err.strip().splitlines())) == (1, "", 1)
    assert contents(tmp_path / "data") == before


FAILURES = {
    "no installation": ("task", "list"),
    "a territory that does not exist": ("territory", "import", "missing.geojson"),
    "a server of the wrong role": ("serve", "--role", "helper"),
    "a witness that does not answer": (
        "witness",
        "--url",
        "http://127.0.0.1:1",
        "--vkey",
        "w.example+00000000+BAAA",
    ),
    "a drop-box that does not answer": (
        "dropbox",
        "--url",
        "http://127.0.0.1:1",
        "--vkey",
        "w.example+00000000+BAAA",
    ),
    "two keepers": ("task", "create", "--week", "2026-W46", "--trust-mode", "two-keepers"),
    "a week that is not asked": ("release", "--week", "2026-W46"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_what_fails_is_one_sentence_and_exit_code_1(run_cli, case):
    if case != "no installation":
        run_cli(*INIT)
    code, out, err = run_cli(*FAILURES[case])
    assert (code, out) == (1, "")
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("init",),
        ("task", "create"),
        ("task", "create", "--week", "2026-W46", "--epsilon", "x"),
        ("task", "create", "--week", "2026-W46", "--deadline", "tomorrow"),
        ("enrol", "--count", "0"),
        ("init", "--role", "helper", "--name", "w.example"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_exit_code_2(run_cli, arguments):
    assert run_cli(*arguments)[0] == 2


@pytest.mark.parametrize("command", ["dropbox", "witness"])
@pytest.mark.parametrize("options", [(), ("--url", "http://127.0.0.1:1")], ids=["none", "no key"])
def test_asking_no_witness_that_is_known_is_exit_code_2(run_cli, command, options):
    run_cli(*INIT)
    assert run_cli(command, *options)[0] == 2


def test_english_is_spoken_on_request(run_cli):
    assert "No cooperative in this folder" in run_cli("--lang", "en", "task", "list")[2]


def test_the_data_folder_may_be_given_after_the_command(run_cli, tmp_path):
    run_cli(*INIT, "--data", tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "aggregator.db").is_file()


def test_an_unknown_setting_of_the_environment_is_named(run_cli, monkeypatch):
    monkeypatch.setenv("COOP_AGGREGATOR_PROT", "1")
    code, _out, err = run_cli("task", "list")
    assert code == 1
    assert "COOP_AGGREGATOR_PROT" in err


def test_the_stewards_pin_the_log_s_key(run_cli, tmp_path):
    vkey = json.loads(run_cli(*INIT, "--json")[1])["vkey"]
    made = run_cli(
        *("init", "--role", "helper", "--name", "stewards.example", "--log-vkey", vkey, "--json"),
        data=tmp_path / "stewards",
    )
    assert json.loads(made[1])["origin"] == "coop.example/log"
    assert run_cli("doctor", data=tmp_path / "stewards")[0] == 0


def test_doctor_sees_keys_that_others_can_read(run_cli, tmp_path, territory):
    run_cli(*INIT)
    run_cli("territory", "import", territory)
    (tmp_path / "data" / "keys" / "log.pem").chmod(0o644)
    code, out, _err = run_cli("doctor", "--json")
    assert code == 1
    assert [line["check"] for line in json.loads(out) if not line["ok"]] == ["permissions"]


def test_doctor_sees_keys_of_another_installation(run_cli, tmp_path):
    run_cli(*INIT)
    run_cli(*INIT, data=tmp_path / "other")
    (tmp_path / "other" / "keys" / "log.pem").rename(tmp_path / "data" / "keys" / "log.pem")
    findings = json.loads(run_cli("doctor", "--json")[1])
    assert "keys" in [line["check"] for line in findings if not line["ok"]]


def test_the_same_commands_work_on_postgresql(run_cli, postgresql_url, territory):
    database = ("--database-url", postgresql_url)
    assert run_cli(*INIT, *database)[0] == 0
    assert run_cli("territory", "import", territory, *database)[0] == 0
    assert run_cli("task", "create", "--trust-mode", "local", "--week", WEEK, *database)[0] == 0
    assert run_cli("task", "sign", "--week", WEEK, *database)[0] == 0
    assert json.loads(run_cli("release", "--json", *database)[1]) == {"published": [WEEK]}
    assert run_cli("migrate", *database)[0] == 0


def test_the_server_answers_and_stops(run_cli, tmp_path):
    run_cli(*INIT)
    command = [sys.executable, "-m", "coop_aggregator", "--data", str(tmp_path / "data")]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COOP_AGGREGATOR_")}
    with (
        reserve_port() as held,
        subprocess.Popen(
            [*command, "serve", "--port", str(port_of(held))],
            stderr=subprocess.PIPE,
            env=environment | {"COOP_AGGREGATOR_RELEASE_INTERVAL_S": "1"},
        ) as server,
    ):
        try:
            answer = ask_until_ready(f"http://127.0.0.1:{port_of(held)}/readyz", server)
        finally:
            server.terminate()
        _out, err = server.communicate(timeout=PATIENCE_S)
    assert json.loads(answer)["status"] == "ready"
    assert server.returncode == -signal.SIGTERM
    lines = err.decode().splitlines()
    assert "127.0.0.1" not in "".join(line for line in lines if line.startswith("{"))


def ask_until_ready(url, server):
    def answer():
        assert server.poll() is None, server.stderr.read().decode()
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
                return answer.read()
        except OSError:
            return None

    return wait_until(answer)
