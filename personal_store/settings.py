"""Where the store lives and how it speaks, from the environment or the command line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Language = Literal["fr", "en"]


def default_data_folder() -> Path:
    """Return the platform's place for a program's data."""
    return Path(platformdirs.user_data_dir("personal-store"))


class Settings(BaseSettings):
    """Settings of one run; `PERSONAL_STORE_DATA` and so on in the environment."""

    model_config = SettingsConfigDict(env_prefix="PERSONAL_STORE_", frozen=True)

    data: Path = Field(default_factory=default_data_folder)
    passphrase_file: Path | None = None
    language: Language | None = None
    watch: Path | None = None  # a folder whose files `serve` takes in


def language_of(locale: str | None) -> Language:
    """Return the language of a POSIX locale name; French unless it asks for English.

    >>> language_of("en_GB.UTF-8"), language_of("fr_FR"), language_of(None)
    ('en', 'fr', 'fr')
    """
    return "en" if (locale or "").lower().startswith("en") else "fr"


def language_of_environment(environment: Mapping[str, str]) -> Language:
    """Return the language that an environment asks for; POSIX says which variable counts first.

    >>> language_of_environment({"LC_ALL": "fr_FR.UTF-8", "LANG": "en_GB.UTF-8"})
    'fr'
    """
    names = ("PERSONAL_STORE_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    return language_of(next((environment[name] for name in names if environment.get(name)), None))


def language_of_arguments(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """Return the language for errors that come up before, or instead of, a command.

    >>> language_of_arguments(["--lang=en", "trips"], {}), language_of_arguments(["trips"], {})
    ('en', 'fr')
    """
    following = zip(arguments, [*arguments[1:], ""], strict=False)
    for argument, value in following:
        if argument == "--lang" or argument.startswith("--lang="):
            return language_of(argument.partition("=")[2] or value)
    return language_of_environment(environment)
