"""Settings: the examples of the module, and where the data goes when nobody says."""

import doctest
from pathlib import Path

from personal_store import settings


def test_the_examples_of_the_module_hold() -> None:
    results = doctest.testmod(settings)
    assert results.attempted >= 3
    assert results.failed == 0


def test_a_folder_of_the_environment_is_taken(monkeypatch) -> None:
    monkeypatch.setenv("PERSONAL_STORE_DATA", "/somewhere/else")
    assert settings.Settings().data == Path("/somewhere/else")


def test_without_a_word_the_data_goes_where_the_platform_puts_it(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("PERSONAL_STORE_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert settings.Settings().data.name == "personal-store"
