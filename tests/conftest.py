"""Fixtures shared by every room's tests."""

from pathlib import Path

import pytest

pytest_plugins = ["postgresql_server"]

REPOSITORY = Path(__file__).resolve().parents[1]


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
