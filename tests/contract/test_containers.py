"""The image's and the composition's very commands, run in a fresh environment without an engine.

The Dockerfile's RUN lines run in a copy of what its COPY lines take; then each service of
docker-compose.yml starts with its own entrypoint, command, environment and secrets, moved from the
container's folders to temporary ones, and must answer its own health check.
"""

import json
import os
import re
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from dockerfile_parse import DockerfileParser
from loopback import PATIENCE_S, port_of, reserve_port, wait_until

pytestmark = pytest.mark.containers


def interpolate(value: str, variables: dict[str, str]) -> str:
    """Expand ${NAME:-default} as the compose specification does."""
    return re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda m: variables.get(m[1], m[2] or ""), value)


@pytest.fixture(scope="module")
def image(repository: Path, tmp_path_factory) -> Path:
    """Build what the Dockerfile builds; return the folder of the installed programs."""
    context = tmp_path_factory.mktemp("context")
    prefix = tmp_path_factory.mktemp("image") / "mobilites"
    parser = DockerfileParser(path=str(repository))
    built = 0
    for step in parser.structure:
        if step["instruction"] == "FROM" and built:
            break
        if step["instruction"] == "COPY":
            *sources, target = step["value"].split()
            for source in sources:
                origin, copy = repository / source, context / target
                if origin.is_dir():
                    shutil.copytree(
                        origin,
                        copy,
                        ignore=shutil.ignore_patterns("__pycache__"),
                        dirs_exist_ok=True,
                    )
                else:
                    copy.mkdir(parents=True, exist_ok=True)
                    shutil.copy(origin, copy)
        if step["instruction"] == "RUN":
            environment = {"PATH": os.environ["PATH"], "PREFIX": str(prefix), "HOME": str(context)}
            passed_on = {k: v for k, v in os.environ.items() if k.startswith("PIP_")}
            subprocess.run(
                ["/bin/sh", "-eu", "-c", step["value"]],
                cwd=context,
                env=environment | passed_on,
                check=True,
                timeout=900,
            )
            built += 1
    assert built == 2, "expected the two RUN lines of the build stage"
    return prefix / "bin"


@pytest.fixture(scope="module")
def composition(repository: Path) -> dict:
    return yaml.safe_load((repository / "docker-compose.yml").read_text())


class Service:
    """One service of the composition, moved out of its container."""

    def __init__(self, definition: dict, image: Path, folder: Path, *, port: int, **variables: str):
        self.definition = definition
        self.image, self.folder, self.port = image, folder, port
        self.variables = {"BIND": "127.0.0.1", **variables}
        (folder / "data").mkdir()
        (folder / "secrets").mkdir()

    def moved(self, value: str) -> str:
        expanded = interpolate(value, self.variables)
        published = str(self.definition["ports"][0]).rpartition(":")[2]
        return (
            expanded.replace("/data/", f"{self.folder}/data/")
            .replace("/run/secrets/", f"{self.folder}/secrets/")
            .replace(published, str(self.port))
        )

    def command(self, *arguments: str) -> list[str]:
        (entry,) = self.definition["entrypoint"]
        return [str(self.image / entry), *arguments]

    @property
    def environment(self) -> dict[str, str]:
        own = {k: self.moved(v) for k, v in self.definition["environment"].items()}
        return {"PATH": f"{self.image}:{os.environ['PATH']}", "LANG": "C.UTF-8", **own}

    def run(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_S,
            **options,
        )

    def serve_until_healthy(self) -> None:
        arguments = [self.moved(each) for each in self.definition["command"]]
        health = [self.moved(each) for each in self.definition["healthcheck"]["test"][1:]]
        process = subprocess.Popen(self.command(*arguments), env=self.environment, cwd=self.folder)

        def healthy() -> bool:
            assert process.poll() is None, "the service ended before it was healthy"
            asked = subprocess.run(health, env=self.environment, capture_output=True, check=False)
            return asked.returncode == 0

        try:
            wait_until(healthy)
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


@pytest.fixture
def make_service(image, composition):
    """Return a maker of services, each with a port of its own."""
    with ExitStack() as held:

        def make(name, folder, **variables):
            port = port_of(held.enter_context(reserve_port()))
            return Service(composition["services"][name], image, folder, port=port, **variables)

        yield make


def test_the_resident_role_starts_and_is_healthy(make_service, tmp_path):
    service = make_service("resident", tmp_path)
    (tmp_path / "secrets" / "passphrase").write_text("une phrase pour le test\n")
    service.run("init")
    service.serve_until_healthy()


def test_the_city_role_starts_on_postgresql_and_is_healthy(make_service, tmp_path, postgresql_url):
    service = make_service("city", tmp_path, CITY_DATABASE_URL=postgresql_url)
    service.run("init", "--name", "Coop", "--origin", "coop.test/log")
    service.serve_until_healthy()


def test_the_steward_role_starts_and_is_healthy(make_service, tmp_path):
    (tmp_path / "city").mkdir()
    database_url = f"sqlite:///{tmp_path}/city/coop.db"
    city = make_service("city", tmp_path / "city", CITY_DATABASE_URL=database_url)
    made = city.run("init", "--name", "Coop", "--origin", "coop.test/log", "--json")
    (tmp_path / "steward").mkdir()
    steward = make_service("steward", tmp_path / "steward")
    vkey = json.loads(made.stdout)["vkey"]
    steward.run("init", "--role", "helper", "--name", "stewards.test", "--log-vkey", vkey)
    steward.serve_until_healthy()


@pytest.mark.parametrize("name", ["resident", "city", "steward"])
def test_every_role_runs_without_privileges(composition, name):
    service = composition["services"][name]
    assert service["user"] == "1000:1000"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
