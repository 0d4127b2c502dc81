"""A PostgreSQL server of the tests' own: found on the machine, started in a temporary folder.

It listens on a Unix socket of that folder only, and stops with the session.
"""

import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import psycopg
import pytest
from loopback import wait_until


class PostgresCluster:
    """One server for the whole session, one fresh database a test."""

    def __init__(self, binaries: Path) -> None:
        self.binaries = binaries
        # A socket's path has at most 107 characters: the system's folder, not pytest's.
        self.folder = Path(tempfile.mkdtemp(prefix="mec-pg-"))
        self.account = {}
        if os.geteuid() == 0:
            # The server refuses to run as root.
            shutil.chown(self.folder, "postgres", "postgres")
            self.account = {"user": "postgres", "group": "postgres", "extra_groups": []}
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N", "-D")
        options = (
            f"-k {self.folder} -c listen_addresses='' -c fsync=off -c full_page_writes=off "
            "-c shared_buffers=32MB -c max_connections=60 -c autovacuum=off"
        )
        log = str(self.folder / "log")
        self._run("pg_ctl", "-s", "-w", "-t", "300", "-l", log, "-o", options, "start", "-D")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.binaries / program), *arguments, str(self.folder / "data")],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            timeout=600,
            **self.account,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")

    def fresh_url(self, *, like: str = "template0") -> str:
        """Make a copy of a database that nobody has open: of the empty one unless told."""
        name = f"t{uuid.uuid4().hex}"
        address = f"host={self.folder} user=postgres dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            # The server leaves a database some time after its client: then it can be copied.
            used = "SELECT 1 FROM pg_stat_activity WHERE datname = %s"
            wait_until(lambda: not connection.execute(used, (like,)).fetchall())
            # Copying files takes half the time of copying pages through the log.
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {like} STRATEGY FILE_COPY")
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def stop(self) -> None:
        self._run("pg_ctl", "-s", "-w", "-t", "300", "-m", "immediate", "stop", "-D")
        shutil.rmtree(self.folder, ignore_errors=True)


def postgres_binaries() -> Path | None:
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3])
    )
    if found:
        return found[-1].parent
    on_path = shutil.which("pg_ctl")
    return Path(on_path).resolve().parent if on_path else None


@pytest.fixture(scope="session")
def postgresql_cluster():
    """Start a server for the session; its absence fails in CI and skips elsewhere."""
    binaries = postgres_binaries()
    if binaries is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have PostgreSQL: install Debian's package postgresql")
        pytest.skip("PostgreSQL is not on this machine (Debian's package postgresql)")
    server = PostgresCluster(binaries)
    yield server
    server.stop()


@pytest.fixture
def postgresql_url(postgresql_cluster):
    """Return the address of an empty database."""
    return postgresql_cluster.fresh_url()
