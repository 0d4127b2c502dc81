"""Two keepers on either database, also as two processes with a wire that can be read.

A pair that signed a question is made once for each database and question, then copied: making one
costs a quarter of a second, a copy a tenth of that.
"""

import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from loopback import PATIENCE_S, port_of, reserve_port, wait_until

from contributions.envelope import Role
from coop_aggregator.db.questions import purpose_digests
from coop_aggregator.db.tables import metadata
from coop_aggregator.installation import open_helper, open_leader
from coop_aggregator.settings import Settings

PROGRAM = Path(__file__).with_name("run_keeper.py")


FOLDERS = "city", "stewards"


@dataclass(frozen=True)
class Original:
    """A pair that was made: who they are, and what both databases hold."""

    pair: object
    settings: list
    rows: list


@pytest.fixture(scope="session")
def originals():
    """Return the pairs made so far, by kind of database and question."""
    return {}


@pytest.fixture
def empty_settings(kind, request, settings_in, tmp_path):
    """Return a maker of settings for a new keeper in a folder of this test."""

    def make(name):
        if kind == "sqlite":
            return settings_in(tmp_path / name)
        like = request.getfixturevalue("postgresql_with_schema")
        url = request.getfixturevalue("postgresql_cluster").fresh_url(like=like)
        return Settings(data=tmp_path / name, database_url=url)

    return make


@dataclass(frozen=True)
class Copying:
    """How to make settings for a new keeper, and to open a pair from copied folders."""

    empty: object
    open: object


@pytest.fixture
def copying(empty_settings, open_copy):
    return Copying(empty=empty_settings, open=open_copy)


@pytest.fixture
def make_pair(kind, originals, make_keepers, copying, request):
    """Return a maker of two keepers that both signed a question, from a copy where one exists."""

    tmp_path = request.getfixturevalue("tmp_path")

    def make(**question):
        key = kind, tuple(sorted(question.items()))
        if key not in originals:
            made = [copying.empty(f"first {name}") for name in FOLDERS]
            pair = make_keepers(*made, **question)
            rows = (
                [] if kind == "sqlite" else [rows_of(side) for side in (pair.leader, pair.helper)]
            )
            for side in (pair.leader, pair.helper):
                side.database.close()
            kept = request.getfixturevalue("tmp_path_factory").mktemp("pair")
            settings = [each.model_copy(update={"data": kept / each.data.name}) for each in made]
            for before, after in zip(made, settings, strict=True):
                shutil.move(before.data, after.data)
            originals[key] = Original(pair, settings, rows)
        original, copies = originals[key], []
        for name, settings in zip(FOLDERS, original.settings, strict=True):
            shutil.copytree(settings.data, tmp_path / name)
            copies.append(settings.model_copy(update={"data": tmp_path / name}))
        made = copying.open(original.pair, *copies)
        for side, rows in zip((made.leader, made.helper), original.rows, strict=False):
            restore(side, rows)
        return made

    return make


@pytest.fixture
def copies():
    """Return how to keep what a database holds, and how to restore it from that copy."""
    return SimpleNamespace(rows_of=rows_of, restore=restore)


def rows_of(side):
    with side.database.read() as connection:
        return {
            table: [dict(row) for row in connection.execute(table.select()).mappings()]
            for table in metadata.sorted_tables
        }


def restore(side, rows):
    """Put back what a database held: a new one takes PostgreSQL half a second and 8 MB."""
    with side.database.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        for table, kept in rows.items():
            if kept:
                connection.execute(table.insert(), kept)


@pytest.fixture
def open_copy(clock):
    """Return an opener of copied folders, as the pair that they are copies of."""
    opened = []

    def make(pair, city, stewards):
        leader, helper = open_leader(city, clock), open_helper(stewards, clock)
        opened.extend([leader, helper])
        with leader.database.read() as connection:
            purpose_digest = purpose_digests(connection)[0]
        return type(pair)(
            leader=leader,
            clock=clock,
            helper=helper,
            channel=type(pair.channel)(helper),
            task=pair.task,
            purpose_digest=purpose_digest,
        )

    yield make
    for side in opened:
        side.database.close()


@pytest.fixture
def keepers(make_pair):
    """Return two keepers, on each kind of database in turn."""
    return make_pair()


class Wire:
    """A listener that passes bytes on to a port and keeps each way of each connection."""

    def __init__(self, target):
        self.target, self._ways = target, []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def seen(self):
        """Return everything that passed; nothing of one way stands between bytes of another."""
        return b"\n".join(bytes(way) for way in self._ways)

    def close(self):
        # Closing alone does not wake the thread that waits for a connection.
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self):
        while True:
            try:
                near, _address = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(near,), daemon=True).start()

    def _pass_on(self, near):
        # A process that is killed resets its connections.
        with suppress(ConnectionError):
            self._pump(near)

    def _pump(self, near):
        with near, selectors.DefaultSelector() as ready:
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            with far:
                asked, answered = bytearray(), bytearray()
                self._ways += [asked, answered]
                ready.register(near, selectors.EVENT_READ, (far, asked))
                ready.register(far, selectors.EVENT_READ, (near, answered))
                while True:
                    for key, _events in ready.select():
                        data = key.fileobj.recv(65_536)
                        if not data:
                            return
                        other, way = key.data
                        way += data
                        other.sendall(data)


class Process:
    """One keeper's server: its folder, its log, its port and the wire in front of it."""

    def __init__(self, settings, clock_file):
        folder = self.folder = settings.data
        self.clock_file = clock_file
        # Commits are counted: none may come from a job that nobody asked for.
        self.environment = {"COOP_AGGREGATOR_RETENTION_INTERVAL_S": "0"}
        if settings.database_url is not None:
            self.environment["COOP_AGGREGATOR_DATABASE_URL"] = settings.database_url
        self.log = folder.parent / f"{folder.name}.log"
        self._held = reserve_port()
        self.port = port_of(self._held)
        self.wire = Wire(self.port)
        self.running = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.wire.port}"

    def start(self, **environment):
        self.running = self.run("serve", str(self.port), wait=False, **environment)
        wait_until(self.answers)

    def answers(self):
        """Return whether the server answers; it must be running."""
        assert self.running.poll() is None, self.log.read_text()[-2000:]
        # It listens once it is ready; a client of HTTP takes longer to make than the server starts.
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S).close()
        except ConnectionRefusedError:
            return False
        return True

    def run(self, *arguments, wait=True, **environment):
        command = [sys.executable, str(PROGRAM), str(self.folder), str(self.clock_file)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*command, *arguments],
                env=os.environ | self.environment | environment,
                stdout=log,
                stderr=log,
            )
        return process.wait(1_800) if wait else process

    def stop(self):
        if self.running is not None:
            self.running.send_signal(signal.SIGTERM)
            self.running.wait(PATIENCE_S)
            self.running = None

    def close(self):
        """Stop the server, then give its ports back."""
        self.stop()
        self.wire.close()
        self._held.close()

    def files(self):
        """Return everything that this keeper has on disk but its keys: databases, journals, log."""
        found = [path for path in self.folder.rglob("*") if path.is_file()]
        kept = [path for path in found if path.parent.name != "keys"]
        return {path.name: path.read_bytes() for path in [*kept, self.log]}


class Processes:
    """Both servers, the in-process world that prepared their databases, and their clock."""

    def __init__(self, keepers, leader, helper, clock_file):
        self.keepers, self.leader, self.helper = keepers, leader, helper
        self._clock_file = clock_file
        self.tell_time()

    def tell_time(self):
        self._clock_file.write_text(self.keepers.clock.moment.isoformat())

    def after_deadline(self):
        self.keepers.after_deadline()
        self.tell_time()

    def post(self, upload, role):
        process = self.leader if role is Role.LEADER else self.helper
        url = f"{process.url}/v1/sealed-reports"
        return httpx.post(url, content=upload, timeout=PATIENCE_S, trust_env=False)

    def send(self, person, vector):
        """Send a resident's two halves over the wire, as a store does."""
        shares = person.shares(vector)
        statement = person.statement(shares)
        upload = person.upload(Role.LEADER, shares, statement=statement)
        answer = self.post(upload, Role.LEADER)
        admission = answer.raise_for_status().json()["admission"].encode()
        upload = person.upload(Role.HELPER, shares, statement=statement, admission=admission)
        self.post(upload, Role.HELPER).raise_for_status()


@pytest.fixture
def make_processes(make_keepers, empty_settings, tmp_path):
    """Return a maker of two prepared keepers and their processes, not yet started."""
    made = []

    def make(**question):
        clock_file = tmp_path / "clock"
        settings = [empty_settings(name) for name in FOLDERS]
        leader, helper = (Process(each, clock_file) for each in settings)
        urls = {Role.LEADER: leader.url, Role.HELPER: helper.url}
        keepers = make_keepers(*settings, urls=urls, **question)
        made.extend([leader, helper])
        return Processes(keepers, leader, helper, clock_file)

    yield make
    for process in made:
        process.close()
