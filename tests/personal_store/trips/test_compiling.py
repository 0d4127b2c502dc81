"""The loops give the same bytes compiled and as plain Python, and run where numba does not."""

import os
import subprocess
import sys

import numpy as np
import pytest

from personal_store.trips import compiling
from personal_store.trips.cleaning import clean
from personal_store.trips.segment import cut
from personal_store.trips.silences import STAY_RADIUS_M
from personal_store.trips.track import positions_of

PLAIN, COMPILED = 10**9, 0


def columns(fixes, compile_from):
    """Return every column that the engine fills."""
    found = cut(clean(positions_of(fixes), compile_from=compile_from), compile_from=compile_from)
    tables = (
        found.silences,
        found.rests,
        found.stays,
        found.plan.movements,
        found.legs,
    )
    filled = [getattr(table, name) for table in tables for name in table.__slots__]
    return [found.cleaned.verdicts, found.plan.is_activity, *filled]


@pytest.mark.parametrize("seed", range(8))
def test_compiled_loops_give_the_bytes_of_plain_python(history, seed):
    pytest.importorskip("numba")
    fixes = history(seed, days=6, every_s=30.0)
    plain, compiled = columns(fixes, PLAIN), columns(fixes, COMPILED)
    assert len(plain[0]) > 1000
    for one, other in zip(plain, compiled, strict=True):
        assert np.array_equal(one, other)


def test_without_numba_the_loops_still_run(history, monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    compiling._compiled.cache_clear()
    fixes = history(3, days=2, every_s=60.0)
    try:
        unavailable = columns(fixes, COMPILED)
    finally:
        compiling._compiled.cache_clear()
    for one, other in zip(unavailable, columns(fixes, PLAIN), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("seed", range(8))
def test_most_fixes_of_a_stay_are_near_its_centre(history, seed):
    found = cut(clean(positions_of(history(seed, days=6, every_s=30.0))))
    track, stays = found.cleaned.track, found.stays
    assert len(stays) > 3
    for stay in range(len(stays)):
        inside = track.xyz_m[stays.first[stay] : stays.last[stay] + 1]
        away_m = np.linalg.norm(inside - stays.centre_m[stay], axis=1)
        assert np.median(away_m) < 2 * STAY_RADIUS_M


CHILD = """
import numpy as np
from loop import fill
from personal_store.trips.compiling import run_loop
out = np.zeros(3)
run_loop(fill, (np.arange(3.0),), (out,), compile_from=0)
print(out.tolist())
"""
LOOP = """
from helper import twice
def fill(values, out):
    for index in range(len(values)):
        out[index] = twice(values[index])
    return 0
"""
HELPER = "FACTOR = {}\ndef twice(value):\n    return {} * value\n"


def test_machine_code_is_made_anew_when_a_helper_or_its_constants_change(tmp_path):
    pytest.importorskip("numba")
    (tmp_path / "loop.py").write_text(LOOP, encoding="utf-8")
    seen = []
    for helper in (("2.0", "FACTOR"), ("2.0", "FACTOR"), ("3.0", "FACTOR"), ("3.0", "4.0")):
        (tmp_path / "helper.py").write_text(HELPER.format(*helper), encoding="utf-8")
        path = os.pathsep.join((str(tmp_path), *sys.path))
        environ = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        child = [sys.executable, "-c", CHILD]
        seen.append(subprocess.check_output(child, env=environ, text=True).strip())
    assert seen == ["[0.0, 2.0, 4.0]"] * 2 + ["[0.0, 3.0, 6.0]", "[0.0, 4.0, 8.0]"]
