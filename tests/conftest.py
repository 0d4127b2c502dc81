"""Fixtures shared by every room's tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["postgresql_server"]

REPOSITORY = Path(__file__).resolve().parents[1]

# Every run tries the same examples, so that a change is judged by itself and not by its luck;
# `make test-slow` draws others. How fast a loaded machine draws them says nothing of the code.
settings.register_profile(
    "same",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    # A fixture that a test's examples share is a folder or a database that each fills anew.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("afresh", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")


@pytest.fixture(scope="session")
def reference() -> Path:
    """Return the folder of published reference data beside the project."""
    folder = REPOSITORY.parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip("the reference data lies in ../shared/reference, which is not here")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the project's own tree."""
    return REPOSITORY


@pytest.fixture(scope="session", autouse=True)
def programs_of_this_tree() -> Iterator[None]:
    """Have the programs that tests start load this tree, and speak no language of the machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(REPOSITORY), prepend=os.pathsep)
        for name in ("LC_ALL", "LC_MESSAGES", "LANGUAGE"):
            patch.delenv(name, raising=False)
        patch.setenv("LANG", "C.UTF-8")
        for name in ("NO_PROXY", "no_proxy"):
            # Servers of tests are on this machine, whatever the way out of it.
            patch.setenv(name, "*")
        yield
