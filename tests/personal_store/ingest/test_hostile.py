"""Inputs made to exhaust memory are refused early, in a process that could not hold them."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("endless_inputs.py")
INPUTS = runpy.run_path(str(PROGRAM))


def run(name: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), name]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def outcome(name: str) -> tuple[str, int]:
    done = run(name)
    assert done.returncode == 0, done.stderr[-500:]
    word, megabytes = done.stdout.split()
    return word, int(megabytes)


def test_a_process_that_held_an_input_whole_would_fail():
    assert "MemoryError" in run(INPUTS["CONTROL"]).stderr


@pytest.mark.parametrize("name", INPUTS["HOSTILE"])
def test_an_endless_input_is_hostile_after_a_few_megabytes(name):
    word, megabytes = outcome(name)
    assert word == "HostileFile"
    assert megabytes < 16


@pytest.mark.parametrize("name", INPUTS["LONG"])
def test_a_long_input_is_read_to_its_end_in_the_same_memory(name):
    # The stream stops in the middle, which is the error of every one of these formats.
    assert outcome(name) == ("UnreadableFile", 24)
