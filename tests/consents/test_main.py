"""The command line itself: usage, languages, what is printed."""

import subprocess
import sys

import pytest

from consents.__main__ import main

SOUND, CANNOT_VERIFY = 0, 3


@pytest.fixture
def receipt(tmp_path, operator, leaves):
    path = tmp_path / "receipt.json"
    path.write_bytes(operator.log(leaves).receipt(2).to_bytes())
    return path


WRONG_COMMANDS = {
    "nothing": [],
    "no subject": ["verify"],
    "an unknown subject": ["verify", "everything"],
    "no key": ["verify", "log", "folder"],
    "no file": ["verify", "receipt", "--vkey", "x"],
    "an unknown language": ["verify", "log", "folder", "--vkey", "x", "--lang", "de"],
    "a language without value": ["verify", "log", "folder", "--vkey", "x", "--lang"],
    "an unknown option": ["verify", "log", "folder", "--vkey", "x", "--trust-me"],
}


@pytest.mark.parametrize("arguments", WRONG_COMMANDS.values(), ids=WRONG_COMMANDS)
def test_a_wrong_command_line_is_never_a_violation(run, arguments):
    assert run(*arguments) == (CANNOT_VERIFY, "")


LANGUAGES = {
    "French by default": ("", [], "Conforme."),
    "French for any other environment": ("de_DE.UTF-8", [], "Conforme."),
    "English by the environment": ("en_GB.UTF-8", [], "Sound."),
    "English when asked": ("fr_FR.UTF-8", ["--lang", "en"], "Sound."),
    "French when asked": ("en_GB.UTF-8", ["--lang", "fr"], "Conforme."),
}


@pytest.mark.parametrize("case", LANGUAGES.values(), ids=LANGUAGES)
def test_the_verdict_comes_in_the_reader_s_language(run, monkeypatch, receipt, operator, case):
    variable, options, verdict = case
    monkeypatch.setenv("LANG", variable)
    out = run("verify", "receipt", receipt, "--vkey", operator.vkey, *options)[1]
    assert out.splitlines()[-1] == verdict


def test_a_finding_names_its_entry_in_plain_words(operator, leaves, run):
    folder = operator.export([*leaves, leaves[0]])
    out = run("verify", "log", folder, "--vkey", operator.vkey, "--lang", "en")[1]
    assert out == (
        "Entry 4: the event does not continue its consent's chain "
        "(a replay, a gap or a foreign key).\n"
        "Log: aggregator.example/consents/2026\n"
        "Signed size: 5\n"
        "Entries read: 5\n"
        "Chains followed: 2\n"
        "Violation. Keep these files as they are: they are the evidence, and tell the witnesses.\n"
    )


def test_many_findings_are_counted_rather_than_all_printed(operator, run):
    folder = operator.export([b"nonsense %d" % number for number in range(25)])
    out = run("verify", "log", folder, "--vkey", operator.vkey)[1]
    assert out.splitlines()[20] == "+ 5"


def test_the_module_runs_as_a_program(receipt, operator):
    command = [sys.executable, "-m", "consents", "verify", "receipt", receipt]
    command += ["--vkey", operator.vkey]
    done = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    assert (done.returncode, done.stderr) == (SOUND, "")


def test_help_is_given_without_a_file(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["verify", "log", "--help", "--lang", "en"])
    assert caught.value.code == SOUND
    assert "received by another way" in capsys.readouterr().out
