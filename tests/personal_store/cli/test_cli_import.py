"""`personal-store import` and Ctrl-C: a sentence, 130, no traceback, and nothing to repair."""

import itertools
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

INTERRUPTED_WHILE_LOADING = """
import signal
import sys
import time
# As in a terminal, also where the tests themselves run in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
def interrupt(self=None):
    raise KeyboardInterrupt
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            if sys.argv[2] == "finalizer":
                type("Finalized", (), {"__del__": interrupt})()
                for _ in range(600):  # the program is busy until it is interrupted again
                    time.sleep(0.1)
            elif sys.argv[2] == "string":
                exec("interrupt()")
            else:
                interrupt()
sys.meta_path.insert(0, Interrupting())
# The first time that it is said again comes before the finalizer has ended, as on a busy machine.
arm = signal.setitimer
signal.setitimer = lambda which, first, every=0: arm(which, first and 1e-6, every)
from personal_store.__main__ import main
main()
"""
TELLING_ITS_FIRST_BREATH = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Telling:
    def find_spec(self, name, path=None, target=None):
        if name == "personal_store.cli.program":
            print("breathing", flush=True)
sys.meta_path.insert(0, Telling())
from personal_store.__main__ import main
main()
"""


@pytest.fixture
def records(tmp_path):
    start = datetime(2024, 4, 21, tzinfo=UTC)
    entries = [
        {
            "latitudeE7": 461_600_000 + n,
            "longitudeE7": -11_500_000,
            "timestamp": (start + timedelta(minutes=n)).isoformat(),
        }
        for n in range(50_000)
    ]
    file = tmp_path / "Records.json"
    file.write_text(json.dumps({"locations": entries}))
    return file


@pytest.mark.parametrize(
    ("module", "inside"),
    [
        *itertools.product(
            ["personal_store.cli.program", "sqlalchemy", "rich.console"], ["code", "string"]
        ),
        ("personal_store.cli.program", "finalizer"),
    ],
)
def test_ctrl_c_while_the_program_loads_is_a_sentence_and_130(module, inside, tmp_path):
    (tmp_path / "interrupted.py").write_text(INTERRUPTED_WHILE_LOADING)
    done = subprocess.run(
        # As a module, like `python -m personal_store`: a script would end otherwise.
        [sys.executable, "-m", "interrupted", module, inside],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"LC_ALL": "fr_FR.UTF-8"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrompu.\n")


@pytest.mark.usefixtures("ready")
# From the program's first breath on: before it the interpreter alone answers a signal.
@pytest.mark.parametrize("after_s", [0, 0.7, 1.5])
def test_ctrl_c_during_an_import_ends_in_words_and_the_next_import_is_whole(
    options, records, answer, tmp_path, after_s
):
    (tmp_path / "breathing.py").write_text(TELLING_ITS_FIRST_BREATH)
    program = subprocess.Popen(
        [sys.executable, "-m", "breathing", *options, "import", str(records)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"LC_ALL": "fr_FR.UTF-8"},
    )
    assert program.stdout.readline() == "breathing\n"
    try:
        _, said = program.communicate(timeout=after_s)
    except subprocess.TimeoutExpired:
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=600)
    assert "Traceback" not in said
    # Too late to interrupt is no failure; whatever came of it, the next import ends well.
    assert (program.returncode, "Interrompu" in said) in {(130, True), (0, False), (1, False)}
    document = answer("import", records)
    assert document["positionfixes"] == 50_000


REFUSABLE = '{"deviceSettings": []}'
NAIVE = "time,lat,lon\n2026-11-09 08:00:00,46.16,-1.15\n"


@pytest.mark.usefixtures("ready")
def test_a_folder_is_read_with_its_folders_and_each_file_has_its_verdict(
    run, tmp_path, outing
) -> None:
    folder = tmp_path / "mine"
    (folder / "2026" / "november").mkdir(parents=True)
    (folder / "2026" / "november" / "ride.gpx").write_text(outing().gpx())
    (folder / "Settings.json").write_text(REFUSABLE)
    (folder / ".hidden.gpx").write_text(outing(speed_mps=9).gpx())
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "other.gpx").write_text(outing(speed_mps=8).gpx())
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "linked.gpx").symlink_to(tmp_path / "elsewhere" / "other.gpx")
    code, out, err = run("import", folder, "--json")
    document = json.loads(out)
    assert code == 1
    assert [file["path"].split("/")[-1] for file in document["files"]] == ["ride.gpx"]
    assert [file["path"].split("/")[-1] for file in document["refused"]] == ["Settings.json"]
    assert document["positionfixes"] == len(outing().points)
    assert err.count("symbolique") == 2


@pytest.mark.usefixtures("ready")
def test_a_folder_without_a_file_is_a_failure_in_words(run, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    code, _, err = run("import", tmp_path / "empty")
    assert (code, "aucun fichier" in err) == (1, True)


@pytest.mark.usefixtures("ready")
def test_a_file_of_which_nothing_came_fails_with_the_reason(run, tmp_path) -> None:
    file = tmp_path / "nowhere.csv"
    file.write_text("time,lat,lon\n2026-11-09T08:00:00Z,99,-1.15\n2026-11-09T08:01:00Z,,\n")
    code, out, err = run("--lang", "en", "import", file, "--json")
    document = json.loads(out)
    assert code == 1
    assert "impossible coordinates: 1, without a position: 1" in err
    assert document["files"][0]["rejected"] == 2
    assert "all rejected" in document["refused"][0]["en"]


@pytest.mark.usefixtures("ready")
def test_times_without_offset_are_those_of_home_when_asked(run, tmp_path) -> None:
    file = tmp_path / "naive.csv"
    file.write_text(NAIVE)
    code, _, err = run("import", file)
    assert (code, "« time »" in err, "--local-times" in err) == (1, True, True)
    code, out, _ = run("import", "--local-times", file, "--json")
    assert (code, json.loads(out)["positionfixes"]) == (0, 1)


@pytest.mark.usefixtures("ready")
def test_a_file_that_is_not_there_is_said_in_the_language_of_the_person(run, tmp_path) -> None:
    _, _, err = run("import", tmp_path / "nothing.gpx")
    assert "il n’y a rien à ce chemin" in err
    assert "No such file" not in err


@pytest.mark.usefixtures("ready")
def test_a_name_that_is_no_text_is_said_with_marks(run, tmp_path, outing) -> None:
    file = tmp_path / os.fsdecode(b"\xff ride.gpx")
    file.write_text(outing().gpx())
    code, out, err = run("import", file, tmp_path / os.fsdecode(b"\xfe none.gpx"), "--json")
    assert (code, "? ride.gpx" in err, "? none.gpx" in err) == (1, True, True)
    assert len(json.loads(out)["files"]) == 1
