"""A command that cannot be read: one sentence in the person's language, exit code 2."""

import json

import pytest

from personal_store.cli.console import program_options_first

UNREAD = {
    "option": (["trips", "--fro"], "Option inconnue : --fro."),
    "near": (["trips", "--geometri"], "Option inconnue : --geometri"),
    "command": (["trip"], "Commande inconnue : trip (proches : 'trips')."),
    "sub-command": (["lines", "nonsense"], "Commande inconnue : nonsense."),
    "missing option": (["footprint", "--from", "2026-01-01"], "Il manque --to."),
    "missing argument": (["import"], "Il manque : Fichiers ou dossiers."),
    "no value": (["footprint", "--from"], "L'option --from attend une valeur."),
    "a value": (["trips", "--json=3"], "L'option --json n'attend pas de valeur."),
    "too many": (["trips", "a", "b"], "En trop : a b."),
    "date": (
        ["footprint", "--from", "x", "--to", "y"],
        "--from : « x » n'est pas une date AAAA-MM-JJ.",
    ),
    "low": (["serve", "--port", "0"], "--port : au moins 1."),
    "high": (["serve", "--port", "70000"], "--port : au plus 65535."),
    "integer": (["serve", "--port", "abc"], "--port : un nombre entier est attendu."),
    "choice": (
        ["whatif", "x", "--from", "2026-01-01", "--to", "2026-01-02"],
        "scenario : « x » n'est pas l'un de ",
    ),
    "which": (["whatif"], "Il manque scenario, à choisir parmi : "),
    "no file": (["lines", "import", "/nowhere"], "paths : « /nowhere » n'existe pas."),
    "order": (
        ["footprint", "--from", "2026-02-01", "--to", "2026-01-01"],
        "--from doit précéder --to.",
    ),
    "language": (["--lang", "de", "trips"], "--lang (fr, en) : valeur inconnue."),
}


@pytest.mark.parametrize(("arguments", "sentence"), UNREAD.values(), ids=UNREAD.keys())
def test_a_command_that_cannot_be_read_is_answered_in_french(run, arguments, sentence) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(sentence), err
    assert err.count("\n") == 1
    assert "--help » en dit plus." in err


def test_the_same_is_said_in_english_to_whoever_asks_for_it(run) -> None:
    unread = "No such option: --fro. “personal-store trips --help” says more.\n"
    assert run("trips", "--fro", "--lang", "en") == (2, "", unread)
    period = ("--from", "2026-02-01", "--to", "2026-01-01", "--lang=en")
    assert run("footprint", *period)[2].startswith("--from must come before --to.")


@pytest.mark.usefixtures("ready")
def test_the_language_may_stand_after_the_command(run) -> None:
    before = run("--lang", "en", "process")
    assert run("process", "--lang", "en") == run("process", "--lang=en") == before
    assert before[2] == "0 devices recomputed; 0 trips.\n"
    code, out, _ = run("trips", "--lang", "en", "--json")
    assert (code, json.loads(out)) == (0, [])


def test_the_data_folder_and_the_passphrase_may_stand_after_the_command(run, options) -> None:
    # `options` are those two.
    assert run("init", *options, options=())[0] == 0
    assert run("process", *options, options=()) == run("process")


@pytest.mark.parametrize("arguments", [("trips", "--data"), ("trips", "--passphrase-file")])
def test_a_program_option_without_its_value_is_asked_for(run, arguments) -> None:
    code, _, err = run(*arguments)
    assert (code, err.partition(" attend ")[0]) == (2, f"L'option {arguments[1]}")


@pytest.mark.parametrize("command", [(), ("trips",), ("consents",), ("consents", "give")])
def test_the_help_of_every_command_is_in_french_too(run, command) -> None:
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert "Montrer cette aide." in out
    assert "Show this message" not in out


@pytest.mark.parametrize("arguments", [("trips", "--lang"), ("--lang",)])
def test_a_language_that_is_not_told_is_asked_for(run, arguments) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert err.startswith("L'option --lang attend une valeur.")


def test_a_language_that_is_not_spoken_is_named_in_english_too(run) -> None:
    assert run("--lang", "english", "trips")[2].startswith("--lang (fr, en): unknown value.")


@pytest.mark.usefixtures("ready")
def test_a_language_may_be_in_capitals(run) -> None:
    assert run("--lang", "EN", "process")[2] == "0 devices recomputed; 0 trips.\n"


def test_what_follows_two_dashes_is_no_option() -> None:
    assert program_options_first(["import", "--", "--lang"]) == ["import", "--", "--lang"]


def test_help_alone_says_no_more(run) -> None:
    code, out, err = run("lines")
    assert code == 2
    assert "forget" in out + err
    assert "en dit plus" not in out + err


@pytest.mark.usefixtures("ready")
def test_a_store_without_trips_says_what_to_do(run) -> None:
    code, out, err = run("trips")
    assert (code, out) == (0, "")
    assert "« import »" in err
