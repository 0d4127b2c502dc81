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
import sys
def interrupt(self=None):
    raise KeyboardInterrupt
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            if sys.argv[2] == "finalizer":
                type("Finalized", (), {"__del__": interrupt})()
            elif sys.argv[2] == "string":
                exec("interrupt()")
            else:
                interrupt()
sys.meta_path.insert(0, Interrupting())
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
            ["personal_store.cli", "sqlalchemy", "rich.console"], ["code", "string"]
        ),
        ("personal_store.cli", "finalizer"),
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
# Not sooner: before the first line of the program the interpreter alone answers a signal.
@pytest.mark.parametrize("after_s", [1.5, 2.5, 3.5])
def test_ctrl_c_during_an_import_ends_in_words_and_the_next_import_is_whole(
    options, records, answer, after_s
):
    command = [sys.executable, "-m", "personal_store", *options, "import", str(records)]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        _, said = program.communicate(timeout=after_s)
    except subprocess.TimeoutExpired:
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=60)
    assert "Traceback" not in said
    # Too late to interrupt is no failure; whatever came of it, the next import ends well.
    assert (program.returncode, "Interrompu" in said) in {(130, True), (0, False), (1, False)}
    document = answer("import", records)
    assert document["positionfixes"] == 50_000
