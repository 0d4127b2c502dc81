"""A real store answers two real keepers over HTTP: its week is found nowhere but in the sum.

The store's canary is what it did (kilometres, places) and what that becomes (units, encoded too).
It is looked for in both keepers' databases, journals, logs and wires, in every spelling of
`canary_search`. A store and keepers that leak it are caught by the very same search.
"""

import base64
import json
import os
import struct
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contributions.envelope import Binding, open_share
from contributions.prio3.field import FIELD128
from contributions.sealed_report import keeper_number
from contributions.two_keepers import context, vdaf_for
from coop_aggregator.db import questions
from coop_aggregator.db.sealed import shares_by_id
from tests.coop_aggregator.keepers.canary_search import (
    found,
    inflated,
    number_patterns,
    real_patterns,
    rows_of,
    shown_patterns,
)

STORE = Path(__file__).with_name("run_store.py")
WEEK = "2026-W46"
ZONE = "C"
HOME, WORK = (46.1613931, -1.1522717), (46.1967137, -1.4013713)
LEGS = {
    "WALKING": 13.7092831,
    "CYCLING": 87.9131749,
    "IN_PASSENGER_VEHICLE": 143.7394827,
    "IN_TRAIN": 213.2716133,
}
"""Kilometres of four journeys of the week, by what the telephone calls them."""


def exported_week():
    """Return the week as a telephone exports it (`Timeline.json` of Android), a journey a day."""
    segments, day = [], datetime(2026, 11, 9, 8, tzinfo=UTC)
    for kind, km in LEGS.items():
        ends = day, day + timedelta(hours=3)
        path = [
            {
                "point": f"{HOME[0] + (WORK[0] - HOME[0]) * step / 60:.7f}°, "
                f"{HOME[1] + (WORK[1] - HOME[1]) * step / 60:.7f}°",
                "time": (day + timedelta(minutes=3 * step)).isoformat(),
            }
            for step in range(61)
        ]
        times = {"startTime": ends[0].isoformat(), "endTime": ends[1].isoformat()}
        activity = {
            "start": {"latLng": path[0]["point"]},
            "end": {"latLng": path[-1]["point"]},
            "distanceMeters": round(1_000 * km, 4),
            "topCandidate": {"type": kind, "probability": 1.0},
        }
        segments += [times | {"timelinePath": path}, times | {"activity": activity}]
        day += timedelta(days=1)
    return json.dumps({"semanticSegments": segments}, ensure_ascii=False)


@dataclass(frozen=True)
class Store:
    """One resident's own program, in processes of its own."""

    folder: Path
    clock_file: Path

    def run(self, *commands, **environment):
        """Run command lines one after another; return what each answered."""
        secret, asked = self.folder / "passphrase", self.folder / "commands"
        secret.write_text("quatre mots sans lien")
        asked.write_text(json.dumps(commands))
        data = self.folder / "store"
        done = subprocess.run(
            [sys.executable, str(STORE), *map(str, (data, secret, self.clock_file, asked))],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)


@dataclass(frozen=True)
class Canary:
    """What one resident's week is: as previewed, and as it left."""

    shown: dict
    report_id: str

    @property
    def vector(self):
        return self.shown["exact_vector"]


@pytest.fixture
def answer(tmp_path):
    """Return how a resident's store joins, imports the week, previews it and sends it."""

    def answer(world, **environment):
        folder = tmp_path / "resident"
        folder.mkdir()
        export = folder / "Timeline.json"
        export.write_text(exported_week(), encoding="utf-8")
        task = world.keepers.task
        store = Store(folder, tmp_path / "clock")
        said = store.run(
            ["init"],
            ["import", str(export)],
            ["enrol", world.leader.url, "--code", world.keepers.code(), "--zone", ZONE],
            ["tasks", "--json"],
            ["consents", "give", "--purpose", task.purpose_digest],
            ["preview", task.digest, "--json"],
            ["contribute", task.digest],
            **environment,
        )
        shown = json.loads(said[5])
        _head, payload, _signature = shown["leaves"].split(".")
        return Canary(shown, json.loads(base64.urlsafe_b64decode(payload + "=="))["report_id"])

    return answer


def neighbours(units):
    """Return four units in a row that no chance brings about."""
    rows = [units[start : start + 4] for start in range(len(units) - 3)]
    return max(rows, key=lambda row: (sum(value > 255 for value in row), row))


def patterns_of(canary, task):
    """Return what the canary looks like in every form that it has on its way."""
    units = canary.vector
    bits = FIELD128.encode(vdaf_for(task).circuit.encode(units))
    patterns = {
        **number_patterns("units", neighbours(units)),
        "units: encoded for the proof": bits[16 * 14 : 16 * 70],
        "positions: doubles": struct.pack("<2d", *HOME),
        "positions: doubles, longitude first": struct.pack("<2d", *reversed(HOME)),
    }
    for name, km in LEGS.items():
        patterns |= real_patterns(f"kilometres of {name}", km)
        patterns |= real_patterns(f"metres of {name}", round(1_000 * km, 4))
    for degrees in (*HOME, *WORK):
        patterns[f"position: {degrees}"] = f"{abs(degrees):.7f}".encode()
    return patterns


def shown_of(canary):
    """Return what the week looks like as its resident is shown it, to the metre."""
    patterns = {}
    for name, km in LEGS.items():
        patterns |= shown_patterns(f"kilometres of {name}", km)
    for each in canary.shown["figures"]:
        if each["value"]:
            patterns |= shown_patterns(f"figure of {each['label']}", each["value"])
    return patterns


def halves_of(canary, world):
    """Return both halves of the report as each keeper alone can open its own, and what they add."""
    task, opened, states = world.keepers.task, {}, []
    vdaf = vdaf_for(task)
    with world.keepers.leader.database.read() as connection:
        verify_key = questions.task_by_digest(connection, task.digest).verify_key
    for side in (world.keepers.leader, world.keepers.helper):
        with side.database.read() as connection:
            kept = shares_by_id(connection, [canary.report_id])[canary.report_id]
        binding = Binding(
            task_digest=task.digest,
            report_id=canary.report_id,
            public_share=kept.public_share,
            role=side.role,
        )
        number = keeper_number(side.role)
        opened[side.role] = open_share(
            kept.sealed,
            keeper_key=side.keeper.hpke,
            binding=binding,
            share_bytes=vdaf.input_share_bytes(number),
        )
        states.append(
            vdaf.verify_init(
                verify_key=verify_key,
                ctx=context(task),
                keeper=number,
                nonce=bytes.fromhex(canary.report_id),
                public_share=kept.public_share,
                input_share=opened[side.role],
            )
        )
    message = vdaf.verifier_message([each.verifier_share for each in states], ctx=context(task))
    return opened, [vdaf.verify_next(each, message) for each in states]


def places_of(world):
    """Return what each keeper has on disk, in its tables and its log, and what passed its wire."""
    places = {}
    for name, process in (("leader", world.leader), ("helper", world.helper)):
        places |= {f"{name} {file}": content for file, content in process.files().items()}
        tables = rows_of(process.folder / "aggregator.db")
        places |= {f"{name} tables": tables, f"{name} wire": process.wire.seen}
    return places


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_canary_is_never_found_in_a_database_a_log_or_the_wire(make_processes, answer):
    world = make_processes(min_batch_size=2, cap_units=16_383)
    world.leader.start()
    world.helper.start()
    for _ in range(2):
        person = world.keepers.resident("A")
        world.send(person, [1, 2, 3, 4, 5, 6, 7, 8])
    canary = answer(world)
    patterns = patterns_of(canary, world.keepers.task)
    opened, added = halves_of(canary, world)
    # It did leave: the halves that came over the wire add up to it, with both keepers' keys.
    assert vdaf_for(world.keepers.task).unshard(added, reports=1) == canary.vector
    patterns |= {
        f"half of {role.value}, byte {start}": share[start : start + 32]
        for role, share in opened.items()
        for start in range(0, len(share) - 31, 512)
    }
    before = places_of(world)
    assert found(before, patterns | shown_of(canary)) == []
    world.after_deadline()
    assert world.leader.run("publish", WEEK) == 0
    after = places_of(world)
    assert any(name.endswith("-wal") for name in after)
    wires = after["leader wire"] + after["helper wire"]
    assert wires.count(b"POST /v1/sealed-reports") == 6
    assert wires.count(b"POST /v1/keeper/collections") == 1
    assert wires.lower().count(b"content-encoding: gzip") == len(inflated(wires))
    assert found(after, patterns) == []


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_store_and_keepers_that_leak_are_found_in_every_place(make_processes, answer):
    world = make_processes(min_batch_size=2, cap_units=16_383)
    world.leader.start(LEAK="1")
    world.helper.start(LEAK="1")
    canary = answer(world, LEAK="1")
    patterns = number_patterns("units", neighbours(canary.vector))
    places = places_of(world)
    announced = {place for place, _name in found(places, patterns)}
    for keeper in ("leader", "helper"):
        assert {f"{keeper} wire", f"{keeper} tables"} <= announced
        assert any(place.startswith(keeper) and place.endswith(".log") for place in announced)
        assert any(place.startswith(f"{keeper} aggregator.db") for place in announced)
