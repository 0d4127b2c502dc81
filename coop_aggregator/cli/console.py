"""How the command line speaks: sentences on stderr, one JSON document on stdout, no traceback."""

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError
from typer import Exit, Option

from coop_aggregator.clock import Clock
from coop_aggregator.errors import AggregatorError, KeeperFailed
from coop_aggregator.executors import executor_for
from coop_aggregator.installation import Helper, Leader, open_either, open_leader
from coop_aggregator.keepers.channel import HelperChannel
from coop_aggregator.settings import Language, Settings
from coop_aggregator.transport import helper_channel

JsonOption = Annotated[bool, Option("--json", help="Un document JSON. / A JSON document.")]
"""`--json`, as every command that answers a script has it."""
EXIT_FAILED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What every command is given: settings, a clock and a way to speak."""

    settings: Settings
    clock: Clock
    console: Console

    def say(self, *, fr: str, en: str) -> None:
        """Tell a person, on stderr, as plain text."""
        english = self.settings.language is Language.ENGLISH
        self.console.print(en if english else fr, markup=False, highlight=False, soft_wrap=True)

    def answer(self, document: object) -> None:
        """Give a script its one JSON document, on stdout."""
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1) + "\n")

    @contextmanager
    def leader(self) -> Iterator[Leader]:
        """Open the leader's installation for one command."""
        leader = open_leader(self.settings, self.clock)
        try:
            yield leader
        finally:
            leader.database.close()

    @contextmanager
    def either(self) -> Iterator[Leader | Helper]:
        """Open whichever role this folder holds, for one command."""
        side = open_either(self.settings, self.clock)
        try:
            yield side
        finally:
            side.database.close()

    @contextmanager
    def executor(self, cluster: str | None) -> Iterator[Executor]:
        """Yield where reports are checked: the cluster named here, or as the settings say."""
        address = cluster or self.settings.cluster
        with executor_for(self.settings.workers, cluster=address) as executor:
            yield executor

    @contextmanager
    def helper(self, leader: Leader) -> Iterator[HelperChannel]:
        """Yield a way to the other keeper. Raises KeeperFailed when its card is not known here."""
        with helper_channel(leader) as channel:
            if channel is None:
                raise KeeperFailed(
                    fr="L'autre gardien n'est pas connu ici. Prenez sa fiche par « coop-aggregator "
                    "keeper pair ».",
                    en="The other keeper is not known here. Take its card with 'coop-aggregator "
                    "keeper pair'.",
                )
            yield channel


@contextmanager
def plain_errors(console: Console, language: Language) -> Iterator[None]:
    """Turn whatever goes wrong into one sentence and exit code 1."""

    def say(*, fr: str, en: str) -> None:
        english = language is Language.ENGLISH
        console.print(en if english else fr, markup=False, highlight=False, soft_wrap=True)

    try:
        yield
    except AggregatorError as error:
        say(fr=error.fr, en=error.en)
        raise Exit(EXIT_FAILED) from None
    except SQLAlchemyError as error:
        say(
            fr="La base de données n'a pas accepté l'opération : rien n'a été changé. Vérifiez "
            f"qu'elle tourne, la place sur le disque et les droits ({type(error).__name__}).",
            en="The database did not accept the operation: nothing was changed. Check that it "
            f"runs, the disk space and the permissions ({type(error).__name__}).",
        )
        raise Exit(EXIT_FAILED) from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        say(
            fr=f"Le système a refusé une opération sur un fichier : {reason}.",
            en=f"The system refused an operation on a file: {reason}.",
        )
        raise Exit(EXIT_FAILED) from None
