"""What the tests of every parser share: one clock, and a way to read bytes as a file."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from personal_store.ingest.positionfix import ParsedFile
from personal_store.ingest.read import read_file


@pytest.fixture(scope="session")
def now() -> datetime:
    return datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def read_bytes(tmp_path: Path, now: datetime) -> Callable[[bytes], ParsedFile]:
    """Return a function that writes bytes to a file without any telling name and reads it."""

    def read(content: bytes) -> ParsedFile:
        path = tmp_path / "file"
        path.write_bytes(content)
        return read_file(path, now=now)

    return read
