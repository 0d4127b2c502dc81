"""The vectors that we give to other implementers are what our script makes, to the byte."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from contributions.prio3.field import FIELD128

HERE = Path(__file__).parent
KEPT = HERE / "task_vectors.json"


@pytest.fixture(scope="module")
def made():
    return subprocess.run(
        [sys.executable, str(HERE / "make_task_vectors.py")],
        capture_output=True,
        check=True,
        cwd=HERE.parents[2],
        env={"PYTHONPATH": str(HERE.parents[2])},
    ).stdout


def test_the_script_makes_the_kept_vectors_again(made):
    assert made == KEPT.read_bytes()


def test_the_out_shares_add_up_to_the_measurement():
    for case in json.loads(KEPT.read_bytes())["cases"]:
        shares = [FIELD128.decode(bytes.fromhex(each), length=8) for each in case["out_shares"]]
        total = [sum(column) % FIELD128.modulus for column in zip(*shares, strict=True)]
        assert total == case["measurement"]
