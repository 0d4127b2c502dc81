"""How many live positions a second one worker takes in, each on disk before it is acknowledged.

`python benchmarks/live_ingest.py [REQUESTS]` serves a new store in this process, on the loopback,
with one uvicorn worker. A second process keeps 32 connections busy, each waiting for its answer
before it sends again, with OwnTracks messages that are all different. Measured open, then locked.
It prints requests a second, the slowest of a hundred answers, the machine's load, and where the
worker's processor time goes without the network: reading, storing and sealing alone.
"""

import asyncio
import base64
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from contributions.noise import OpenDPLaplace
from personal_store.app import create_lockable_app
from personal_store.clock import SystemClock
from personal_store.db.connection import open_database, writing
from personal_store.doors import devices
from personal_store.doors.reception import Reception
from personal_store.ingest.live.letter import Letter, LiveApp
from personal_store.jobs import draining, receiving
from personal_store.lock import Lock
from personal_store.store import Store
from personal_store.transport import HttpTransport
from personal_store.vault import DatabaseKey

CONNECTIONS = 32


async def one_phone(port: int, token: str, first: int, count: int, waits_s: list[float]) -> None:
    """Send `count` positions one after the other over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    credentials = base64.b64encode(f"bench:{token}".encode()).decode()
    for index in range(first, first + count):
        message = {
            "_type": "location", "lat": 46.16 + index * 1e-6, "lon": -1.15,
            "tst": 1_762_000_000 + index, "acc": 8, "vel": 12, "alt": 4, "batt": 80, "tid": "be",
        }  # fmt: skip
        body = json.dumps(message).encode()
        started = time.perf_counter()
        writer.write(
            f"POST /pub HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {credentials}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head[:16], head
        assert await reader.readexactly(2) == b"[]"
        waits_s.append(time.perf_counter() - started)
    writer.close()


async def phones(port: int, token: str, requests: int, first: int) -> dict[str, float]:
    """Send from every connection at once; return the rate and the slowest of a hundred."""
    each, waits_s = requests // CONNECTIONS, []
    started = time.perf_counter()
    await asyncio.gather(
        *(one_phone(port, token, first + n * each, each, waits_s) for n in range(CONNECTIONS))
    )
    elapsed_s = time.perf_counter() - started
    waits_s.sort()
    return {"rate": len(waits_s) / elapsed_s, "p99_ms": 1000 * waits_s[int(len(waits_s) * 0.99)]}


def measure(lock: Lock, token: str, requests: int, first: int) -> dict[str, float]:
    """Serve, have another process send, and stop serving."""
    config = uvicorn.Config(
        create_lockable_app(lock), port=0, access_log=False, log_level="warning"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    client = subprocess.run(
        [sys.executable, __file__, "--client", str(port), token, str(requests), str(first)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    server.should_exit = True
    thread.join()
    result: dict[str, float] = json.loads(client.stdout)
    return result


def letters(door: str, count: int, first: int) -> list[Letter]:
    """Return what the reception is given for the same messages."""
    now = datetime.now(tz=UTC)
    return [
        Letter(
            app=LiveApp.OWNTRACKS, door=door, received_at=now, content_type="", query="",
            body=b'{"_type":"location","lat":46.1,"lon":-1.1,"acc":8,"tst":%d}' % (first + index),
        )
        for index in range(count)
    ]  # fmt: skip


def main(requests: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as name:
        folder, key = Path(name), DatabaseKey(secrets.token_bytes(32))
        store = Store(
            folder=folder, engine=open_database(folder, key), clock=SystemClock(),
            noise=OpenDPLaplace(), randomness=secrets.token_bytes, connect=HttpTransport,
        )  # fmt: skip
        made = devices.add(store, "bench")
        load = os.getloadavg()[0]
        print(f"{requests} requests, {CONNECTIONS} connections, {os.cpu_count()} cores, "
              f"load before {load:.1f}")  # fmt: skip
        for state in ("open", "locked"):
            reception = Reception(folder, secrets.token_bytes, store if state == "open" else None)
            lock = Lock(folder, store.clock, reception, lambda _folder, _key: store)
            first = 0 if state == "open" else 10**6
            seen = measure(lock, made.token, requests, first)
            print(f"{state:7} {seen['rate']:8.0f} requests/s   p99 {seen['p99_ms']:6.1f} ms")
        started = time.perf_counter()
        report = draining.run_once(store)
        print(f"drained {report.letters} letters, "
              f"{report.letters / (time.perf_counter() - started):.0f} a second")  # fmt: skip
        alone(store)


def alone(store: Store) -> None:
    """Print what the steps take without the network, in batches of 32."""
    door = devices.every(store)[0].door
    spent_s = time.process_time()
    started = time.perf_counter()
    for batch in range(50):
        with writing(store.engine) as connection:
            receiving.run_once(
                connection, letters(door, 32, 1_763_000_000 + 32 * batch),
                doors=receiving.open_doors(connection), randomness=store.randomness,
            )  # fmt: skip
    count = 50 * 32
    processor_us = 1e6 * (time.process_time() - spent_s) / count
    whole_us = 1e6 * (time.perf_counter() - started) / count
    print(
        f"reading and storing alone: {processor_us:.0f} us of processor, {whole_us:.0f} us in all"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--client"]:
        _, _, port, token, count, first = sys.argv
        print(json.dumps(asyncio.run(phones(int(port), token, int(count), int(first)))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 6_400)
