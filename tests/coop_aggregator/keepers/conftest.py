"""Two keepers as two processes with two databases, and a wire that can be read."""

import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from contributions.envelope import Role
from coop_aggregator.settings import Settings

PROGRAM = Path(__file__).with_name("run_keeper.py")


class Wire:
    """A listener that passes bytes on to a port and keeps every one of them."""

    def __init__(self, target):
        self.target, self.seen = target, bytearray()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
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
                ready.register(near, selectors.EVENT_READ, far)
                ready.register(far, selectors.EVENT_READ, near)
                while True:
                    for key, _events in ready.select():
                        data = key.fileobj.recv(65_536)
                        if not data:
                            return
                        self.seen += data
                        key.data.sendall(data)


class Process:
    """One keeper's server: its folder, its log, its port and the wire in front of it."""

    def __init__(self, folder, clock_file):
        self.folder, self.clock_file = folder, clock_file
        self.log = folder.parent / f"{folder.name}.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.wire = Wire(self.port)
        self.running = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.wire.port}"

    def start(self, **environment):
        self.running = self.run("serve", str(self.port), wait=False, **environment)
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5)
            except httpx.TransportError:
                assert self.running.poll() is None, self.log.read_text()[-2000:]
                continue
            return

    def run(self, *arguments, wait=True, **environment):
        command = [sys.executable, str(PROGRAM), str(self.folder), str(self.clock_file)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*command, *arguments],
                env=os.environ | environment,
                stdout=log,
                stderr=log,
            )
        return process.wait(120) if wait else process

    def stop(self):
        if self.running is not None:
            self.running.send_signal(signal.SIGTERM)
            self.running.wait(20)
            self.running = None

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
        return httpx.post(f"{process.url}/v1/sealed-reports", content=upload, timeout=30)

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
def make_processes(make_keepers, tmp_path):
    """Return a maker of two prepared keepers and their processes, not yet started."""
    made = []

    def make(**question):
        clock_file = tmp_path / "clock"
        folders = tmp_path / "city", tmp_path / "stewards"
        leader, helper = (Process(folder, clock_file) for folder in folders)
        urls = {Role.LEADER: leader.url, Role.HELPER: helper.url}
        keepers = make_keepers(
            *(Settings(data=folder) for folder in folders), urls=urls, **question
        )
        made.extend([leader, helper])
        return Processes(keepers, leader, helper, clock_file)

    yield make
    for process in made:
        process.stop()
        process.wire.close()
