"""How the command line speaks: sentences on stderr, one JSON document on stdout, no traceback."""

import getpass
import json
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from rich.console import Console
from sqlalchemy.exc import DatabaseError
from typer import Abort, Exit, Option, rich_utils
from typer.core import TyperGroup
from typer.exceptions import TyperException

from carbon.errors import CarbonError
from consents.errors import ConsentsError
from contributions.errors import ContributionsError
from personal_store.cli.system_reasons import reason_of
from personal_store.cli.usage_errors import said
from personal_store.clock import SystemClock
from personal_store.db.connection import is_locked
from personal_store.doors.reception import Reception
from personal_store.errors import NotInitialised, StoreError, VaultError
from personal_store.lock import Lock, open_folder
from personal_store.settings import Language, Settings, language_of_arguments
from personal_store.store import Store
from personal_store.transport import HttpTransport, Transport
from personal_store.vault import VAULT_FILE, unlock

JsonOption = Annotated[bool, Option("--json", help="Un document JSON. / A JSON document.")]
"""`--json`, as every command that answers a script has it."""
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_VIOLATION = 2  # as audits say of somebody who did not keep their word
EXIT_UNPROVED = 3  # as audits say of what cannot be verified
EXIT_INTERRUPTED = 130  # as shells say of a program that Ctrl-C ended
_PROMPTS = {
    "fr": ("Phrase de passe : ", "Encore une fois : "),
    "en": ("Passphrase: ", "Again: "),
}

_PROGRAM_OPTIONS = frozenset({"--lang", "--data", "--passphrase-file"})
_YES = {"fr": {"o", "oui"}, "en": {"y", "yes"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What every command is given: settings and a way to speak."""

    settings: Settings
    language: Language
    console: Console

    def say(self, *, fr: str, en: str) -> None:
        """Tell a person, on stderr, as plain text."""
        self.console.print(
            en if self.language == "en" else fr,
            markup=False,
            emoji=False,
            highlight=False,
            soft_wrap=True,
        )

    def answer(self, document: object) -> None:
        """Give a script its one JSON document, on stdout."""
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1) + "\n")

    def passphrase(self, *, confirm: bool = False) -> str:
        """Read the passphrase from its file, or ask for it; never from the command line."""
        file = self.settings.passphrase_file
        if file is not None:
            return read_secret(file)
        if not sys.stdin.isatty():
            raise VaultError(
                fr="Il faut une phrase de passe : donnez --passphrase-file FICHIER, ou lancez la "
                "commande dans un terminal.",
                en="A passphrase is needed: give --passphrase-file FILE, or run the command in a "
                "terminal.",
            )
        first, again = _PROMPTS[self.language]
        given = getpass.getpass(first)
        if confirm and getpass.getpass(again) != given:
            raise VaultError(
                fr="Les deux phrases diffèrent : recommencez.",
                en="The two passphrases differ: start again.",
            )
        return given

    def has_terminal(self) -> bool:
        """Tell whether somebody can be asked."""
        return sys.stdin.isatty()

    def confirm(self, *, fr: str, en: str) -> bool:
        """Ask a person, on stderr; whatever is not a yes is a no."""
        self.say(fr=f"{fr} [o/N]", en=f"{en} [y/N]")
        return sys.stdin.readline().strip().lower() in _YES[self.language]

    def open(self) -> Store:
        """Unlock the store of the data folder."""
        folder = self.folder()
        return open_folder(folder, unlock(folder, self.passphrase()))

    def connect(self, url: str) -> Transport:
        """Return the way to a cooperative, for who has no store."""
        return HttpTransport(url)

    def locked(self) -> Lock:
        """Return the lock of the data folder's store, closed."""
        folder = self.folder()
        reception = Reception(folder, secrets.token_bytes)
        return Lock(folder, SystemClock(), reception, open_folder)

    def has_passphrase(self) -> bool:
        """Tell whether the passphrase can be had: from a file, or from somebody."""
        return self.settings.passphrase_file is not None or self.has_terminal()

    def folder(self) -> Path:
        """Return the data folder, which holds a store. Raises NotInitialised."""
        folder = self.settings.data
        if not (folder / VAULT_FILE).exists():
            raise NotInitialised(
                fr="Aucun espace personnel dans ce dossier : lancez d'abord "
                "« personal-store init ».",
                en="No store in this folder: run “personal-store init” first.",
            )
        return folder


class Program(TyperGroup):
    """The whole command line: it says in the person's language what it could not read.

    The framework alone would say so in English, and end without a word on Ctrl-C.
    """

    def main(self, *args: Any, **named: Any) -> Any:
        """Run a command line; raise `Exit` unless all went well."""
        language = language_of_arguments(sys.argv[1:], os.environ)
        try:
            code = super().main(*args, **named | {"standalone_mode": False})
        except TyperException as refusal:
            if sentence := said(refusal, language):
                sys.stderr.write(sentence + "\n")
            raise Exit(EXIT_USAGE) from None
        except Abort:
            sys.stderr.write("Abandoned.\n" if language == "en" else "Abandonné.\n")
            raise Exit(EXIT_FAILED) from None
        if code:
            raise Exit(code)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options, those of the whole program wherever they stand."""
        _help_in_both_languages(self, ctx)
        return super().parse_args(ctx, program_options_first(args))

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            english = language_of_arguments(sys.argv[1:], os.environ) == "en"
            sys.stderr.write("Interrupted.\n" if english else "Interrompu.\n")
            raise Exit(EXIT_INTERRUPTED) from None


def _help_in_both_languages(program: TyperGroup, context: Any) -> None:
    """Have the help say in French too what the framework says in English alone."""
    rich_utils.COMMANDS_PANEL_TITLE = "Commandes / Commands"
    rich_utils.REQUIRED_LONG_STRING = "[obligatoire / required]"
    rich_utils.DEFAULT_STRING = "[par défaut / default: {}]"
    below: list[Any] = [program]
    while below:
        command = below.pop()
        below += getattr(command, "commands", {}).values()
        command.get_help_option(context).help = "Montrer cette aide. / Show this help."


def program_options_first(arguments: Sequence[str]) -> list[str]:
    """Return arguments with the program's options before everything else, up to a `--`.

    >>> program_options_first(["trips", "--lang", "en", "--json", "--data=here"])
    ['--lang', 'en', '--data=here', 'trips', '--json']
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    first: list[str] = []
    others: list[str] = []
    read = iter(arguments[:end])
    for each in read:
        if each in _PROGRAM_OPTIONS:
            value = next(read, None)
            if value is None:
                # Before a command it would take the command's name for its value.
                return [each]
            first += [each, value]
        else:
            is_ours = each.partition("=")[0] in _PROGRAM_OPTIONS
            (first if is_ours else others).append(each)
    return [*first, *others, *arguments[end:]]


def read_secret(file: Path) -> str:
    """Return the first line of a secret's file."""
    try:
        # Some editors begin a UTF-8 file with a mark that nobody types.
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise VaultError(
            fr=f"Le fichier de phrase de passe {file.name} est illisible.",
            en=f"The passphrase file {file.name} cannot be read.",
        ) from error
    return lines[0] if lines else ""


@contextmanager
def plain_errors(language: Language, console: Console) -> Iterator[None]:
    """Turn whatever goes wrong into one sentence and exit code 1."""
    session = Session(settings=Settings.model_construct(), language=language, console=console)
    try:
        yield
    except StoreError as error:
        session.say(fr=error.fr, en=error.en)
        raise Exit(EXIT_FAILED) from None
    except DatabaseError as error:
        if is_locked(error.orig):
            session.say(
                fr="La base est occupée par un autre programme : recommencez. Rien n'a été changé.",
                en="Another program is using the database: try again. Nothing was changed.",
            )
            raise Exit(EXIT_FAILED) from None
        session.say(
            fr="La base de données n'a pas accepté l'opération : rien n'a été changé. Vérifiez la "
            f"place sur le disque et les droits du dossier ({type(error.orig).__name__}).",
            en="The database did not accept the operation: nothing was changed. Check the disk "
            f"space and the folder's permissions ({type(error.orig).__name__}).",
        )
        raise Exit(EXIT_FAILED) from None
    except (CarbonError, ConsentsError, ContributionsError, UnicodeError) as error:
        # Sentences of the pure packages, and of the terminal, hold no personal data.
        seen = type(error).__name__ if isinstance(error, UnicodeError) else str(error)
        session.say(
            fr=f"Une donnée n'a pas la forme attendue : {seen}",
            en=f"Some data is not of the expected form: {seen}",
        )
        raise Exit(EXIT_FAILED) from None
    except OSError as error:
        session.say(
            fr=f"Le système a refusé une opération sur un fichier : {reason_of(error, 'fr')}.",
            en=f"The system refused an operation on a file: {reason_of(error, 'en')}.",
        )
        raise Exit(EXIT_FAILED) from None
