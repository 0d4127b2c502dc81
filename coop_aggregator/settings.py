"""How one installation is set up: environment variables `COOP_AGGREGATOR_*` and command options.

Not the cooperative's identity (its name, origin and role are written once by `init`, in the
database) and no secrets (keys are files under the data folder). An unknown variable refuses the
start: a misspelt setting would otherwise be silently ignored.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from coop_aggregator.errors import AggregatorError

PREFIX = "COOP_AGGREGATOR_"


class Language(StrEnum):
    """The languages in which the program speaks."""

    FRENCH = "fr"
    ENGLISH = "en"


def _default_data() -> Path:
    return platformdirs.user_data_path("coop-aggregator", appauthor=False)


class Settings(BaseSettings):
    """Everything that may differ from one machine to the next."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True
    )

    data: Path = Field(default_factory=_default_data)
    """Folder of the database, the keys and nothing else."""
    database_url: str | None = None
    """`postgresql+psycopg://…`; absent, a SQLite file in the data folder."""
    language: Language = Language.FRENCH
    """Language of messages on the terminal."""
    workers: Annotated[int, Field(ge=0, le=256)] = 0
    """Processes that check reports at collection; 0 checks them in the calling process."""
    cluster: str | None = None
    """Address of a `dask.distributed` cluster of our own that checks them instead."""
    release_interval_s: Annotated[int, Field(ge=0, le=86_400)] = 0
    """Seconds between two runs of the release job inside the server; 0 leaves it to the CLI."""
    merge_interval_s: Annotated[int, Field(ge=0, le=1_800)] = 0
    """Seconds between two merges of received events into the log; 0 merges each as it comes in.

    Half of the time that a promise allows at most: one run may fail.
    """
    retention_interval_s: Annotated[int, Field(ge=0, le=86_400)] = 86_400
    """Seconds between two runs of the job that erases what may no more be kept: once a day.

    0 leaves it to `erase-expired`; every process may run it.
    """
    witnesses: str | None = None
    """Whom the server's loop asks to cosign: `VERIFIER-KEY ADDRESS`, several parted by commas.

    To a steward: the same list, with whoever left it, whose word for a lost key counts in audits.
    """
    witness_quorum: Annotated[int, Field(ge=1, le=64)] | None = None
    """How many of them make a checkpoint public; absent, a majority: two of three, one of one."""
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Port, on loopback only, where the server tells Prometheus how it fares; 0 tells nobody."""
    max_body_bytes: Annotated[int, Field(ge=1_024, le=1_048_576)] = 65_536
    """Largest request body that is read at all."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - idem
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - idem
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - idem
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing but what `load_settings` was handed: the environment is a parameter."""
        return (init_settings,)

    @property
    def url(self) -> str:
        """Return the SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite:///{self.data / 'aggregator.db'}"

    @property
    def keys(self) -> Path:
        """Return the folder of the private keys."""
        return self.data / "keys"

    @property
    def audits(self) -> Path:
        """Return the folder of the stewards' audits."""
        return self.data / "audits"


def language_of_environment(environment: Mapping[str, str]) -> Language:
    """Return the terminal's language: our own variable, else the locale; French unless English.

    POSIX says which variable of the locale counts first; an empty one is an unset one.

    >>> language_of_environment({"LC_ALL": "en_GB.UTF-8", "LANG": "fr_FR.UTF-8"}).value
    'en'
    """
    names = (PREFIX + "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    asked = next((environment[name] for name in names if environment.get(name)), "")
    return Language.ENGLISH if asked.lower().startswith("en") else Language.FRENCH


def load_settings(*, environment: Mapping[str, str], **given: Any) -> Settings:
    """Build settings from `COOP_AGGREGATOR_*` in `environment`; options that are not None win.

    Raises AggregatorError naming the first unknown or malformed setting (never its value).
    """
    read: dict[str, Any] = {"language": language_of_environment(environment)}
    for key, value in environment.items():
        name = key.upper()
        # A composition passes an unset variable on as an empty one: both mean the default.
        if name.startswith(PREFIX) and value:
            read[name.removeprefix(PREFIX).lower()] = value
    read |= {name: value for name, value in given.items() if value is not None}
    unknown = sorted(set(read) - set(Settings.model_fields))
    if unknown:
        raise _refusal(unknown[0])
    try:
        return Settings(**read)
    except ValidationError as error:
        raise _refusal(str(error.errors()[0]["loc"][0])) from error


def _refusal(name: str) -> AggregatorError:
    known = ", ".join(PREFIX + field.upper() for field in Settings.model_fields)
    return AggregatorError(
        fr=f"Réglage {PREFIX}{name.upper()} inconnu ou mal formé. Réglages connus : {known}.",
        en=f"Setting {PREFIX}{name.upper()} is unknown or malformed. Known settings: {known}.",
    )
