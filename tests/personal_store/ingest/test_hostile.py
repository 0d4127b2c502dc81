"""Inputs made to exhaust memory are refused early, in a process that could not hold them.

Every format is in every family: endless inputs, long ones, packed ones. A format that is added and
left out of one fails here by its name.
"""

import gzip
import io
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from personal_store.errors import HostileFile
from personal_store.ingest import counted
from personal_store.ingest.limits import ZIP_RATIO
from personal_store.ingest.readers import READERS

PROGRAM = Path(__file__).with_name("endless_inputs.py")
INPUTS = runpy.run_path(str(PROGRAM))
FORMATS = [reader.format.value for reader in READERS]
READ_WITHOUT_AN_END = {
    "transit-taps",
    "csv",
    "nmea",
    "carpool-register",
    "export-positions",
    "export-evidence",
}
"""Formats whose last line is whole or rejected by itself: a cut shows in nothing else."""
BOMB_BYTES = 600_000


def run(name: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), name]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def outcome(name: str) -> tuple[str, int]:
    done = run(name)
    assert done.returncode == 0, done.stderr[-500:]
    word, megabytes = done.stdout.split()
    return word, int(megabytes)


def first_long(source: str) -> bytes:
    """Return the beginning of a long history of a format, long enough for a bomb."""
    name = next(name for name in INPUTS["LONG"] if name.startswith(f"{source}: "))
    begun, pieces = b"", INPUTS["LONG"][name]()
    while len(begun) < BOMB_BYTES:
        begun += next(pieces)
    return begun


def test_a_process_that_held_an_input_whole_would_fail():
    assert "MemoryError" in run(INPUTS["CONTROL"]).stderr


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("family", ["HOSTILE", "LONG"])
def test_every_format_is_in_every_family(family, source):
    named = {name.partition(":")[0] for name in INPUTS[family]}
    assert source in named | (INPUTS["SELF_BOUNDED"] if family == "HOSTILE" else set())


@pytest.mark.parametrize("name", INPUTS["HOSTILE"])
def test_an_endless_input_is_hostile_after_a_few_megabytes(name):
    word, megabytes = outcome(name)
    assert word == "HostileFile"
    assert megabytes < 16


@pytest.mark.parametrize("name", INPUTS["LONG"])
def test_a_long_input_is_read_to_its_end_in_the_same_memory(name):
    # The stream stops in the middle, which is the error of most of these formats.
    ends = "read" if name.partition(":")[0] in READ_WITHOUT_AN_END else "UnreadableFile"
    length_bytes = INPUTS["OTHER_LENGTHS_BYTES"].get(name, INPUTS["LONG_BYTES"])
    read_megabytes = 0 if name.startswith("export-rest") else length_bytes // INPUTS["MEGABYTE"]
    assert outcome(name) == ("read" if not read_megabytes else ends, read_megabytes)


@pytest.mark.parametrize("source", FORMATS)
def test_a_long_history_is_one_of_its_own_format(read_bytes, source):
    assert read_bytes(first_long(source)).format == source


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("history", content)
    return packed.getvalue()


@pytest.mark.parametrize("source", [each for each in FORMATS if each != "export-rest"])
@pytest.mark.parametrize("pack", [gzip.compress, zipped], ids=["gzip", "zip"])
def test_a_bomb_of_any_format_is_hostile(read_bytes, monkeypatch, pack, source):
    # The same hundred bytes again and again pack to a two hundredth, which no history does.
    bomb = pack(first_long(source))
    monkeypatch.setattr(counted, "ZIP_RATIO_FREE_BYTES", len(bomb))
    assert len(bomb) * ZIP_RATIO < BOMB_BYTES
    with pytest.raises(HostileFile):
        list(read_bytes(bomb).entries)
