"""Consenting on the command line: the text is read before it is signed."""

import io
import sys
from datetime import timedelta

import pytest

from personal_store.choices.consent_events import EXPIRY_NOTICE, VALIDITY
from personal_store.cli.console import Session
from personal_store.db import consents
from personal_store.db.connection import reading
from personal_store.transport import Answer


class Terminal(io.StringIO):
    """Somebody who types these lines."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def here(joined, monkeypatch):
    """Let the command line open the store that reaches the cooperative in memory."""
    monkeypatch.setattr(Session, "open", lambda _: joined)
    return joined


@pytest.fixture
def asked(cooperative):
    purpose = cooperative.publish()
    cooperative.ask(purpose)
    return purpose


@pytest.fixture
def chains(here):
    """Return a function that counts the consents that were signed."""

    def count() -> int:
        with reading(here.engine) as connection:
            return len(consents.every(connection))

    return count


SHOWN = {
    "fr": ("Compter les kilomètres", "Une somme par commune et par semaine.", "[o/N]"),
    "en": ("Count the kilometres", "One sum a zone and a week.", "[y/N]"),
}


@pytest.mark.parametrize(("language", "yes"), [("fr", "o"), ("fr", "oui"), ("en", "y")])
@pytest.mark.usefixtures("here")
def test_the_text_is_shown_before_the_question(run, asked, chains, language, yes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", Terminal(yes + "\n"))
        code, out, err = run("--lang", language, "consents", "give")
    assert (code, out) == (0, ""), err
    title, text, question = SHOWN[language]
    places = [
        err.index(part)
        for part in (title, text, "contact@cooperative.example", "ε = 4", asked.digest, question)
    ]
    assert places == sorted(places)
    assert chains() == 1


@pytest.mark.parametrize("typed", ["", "\n", "n\n", "peut-être\n"])
@pytest.mark.usefixtures("here", "asked")
def test_whatever_is_not_a_yes_signs_nothing(run, chains, monkeypatch, typed) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    code, _, err = run("consents", "give")
    assert code == 1
    assert "Rien n'a été signé." in err
    assert chains() == 0


@pytest.mark.usefixtures("here", "asked")
def test_without_a_terminal_the_text_must_be_named(run, chains) -> None:
    code, _, err = run("consents", "give")
    assert code == 2
    assert "--purpose" in err
    assert chains() == 0


@pytest.mark.usefixtures("here")
def test_the_start_of_the_digest_answers_for_a_script(run, asked, chains) -> None:
    assert run("consents", "give", "--purpose", asked.digest[:8])[0] == 0
    assert chains() == 1


@pytest.mark.usefixtures("here")
def test_a_start_that_is_too_short_is_a_usage_error(run, asked, chains) -> None:
    assert run("consents", "give", "--purpose", asked.digest[:7])[0] == 2
    assert chains() == 0


@pytest.mark.usefixtures("here")
def test_another_text_than_the_one_named_is_not_signed(run, asked, chains, cooperative) -> None:
    cooperative.ask(cooperative.publish(text_fr="Tout autre chose."), week="2026-W48")
    code, _, err = run("consents", "give", "--purpose", asked.digest)
    assert code == 1
    assert "Le texte a changé" in err
    assert chains() == 0


@pytest.mark.usefixtures("here")
def test_showing_the_text_signs_nothing(run, answer, asked, chains) -> None:
    code, out, err = run("consents", "show")
    assert (code, out) == (0, "")
    assert asked.text_fr in err
    assert answer("consents", "show")["digest"] == asked.digest
    assert chains() == 0


@pytest.fixture
def reached(here, cooperative):
    """Return the store, at the hour of a cooperative that answers."""
    cooperative.clock = here.clock
    return here


def chain_of(store):
    with reading(store.engine) as connection:
        return consents.chain(connection, consents.every(connection)[-1].cid)


@pytest.mark.usefixtures("ready")
def test_a_list_without_any_choice_says_so(run) -> None:
    assert run("consents", "list")[2] == "Aucun choix signé : rien n'est partagé.\n"
    assert run("--lang", "en", "consents", "list")[2] == "No signed choice: nothing is shared.\n"


@pytest.mark.parametrize(
    ("language", "words"), [("fr", "changement de clé"), ("en", "change of key")]
)
def test_a_key_is_changed_and_the_list_says_so(run, reached, asked, language, words) -> None:
    assert run("consents", "give", "--purpose", asked.digest)[0] == 0
    cid = chain_of(reached)[0].signed.payload.cid
    code, _, err = run("consents", "keys", "rotate", cid[:8])
    assert code == 0, err
    code, _, err = run("--lang", language, "consents", "list")
    assert code == 0
    assert err.count(f"{cid[:8]}  {words}") == 2


def test_a_parent_s_file_is_made_once_and_ends_the_consent(run, here, asked, tmp_path) -> None:
    file = tmp_path / "parent.pem"
    give = ("consents", "give", "--purpose", asked.digest, "--parent-key", str(file))
    assert run(*give)[0] == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.signed.payload.t.value for each in chain_of(here)] == [
        "signer.joined",
        "consent.given",
        "consent.given",
    ]
    made = file.read_bytes()
    assert run("consents", "withdraw", "--parent-key", str(file))[0] == 0
    assert chain_of(here)[-1].signed.payload.kid == chain_of(here)[2].signed.payload.kid
    assert file.read_bytes() == made


@pytest.mark.usefixtures("here", "asked")
def test_a_file_that_is_no_key_is_refused_in_words(run, tmp_path) -> None:
    file = tmp_path / "parent.pem"
    file.write_text("-----BEGIN")
    code, _, err = run("consents", "withdraw", "--parent-key", str(file))
    assert code == 1
    assert "n'est pas la clé d'un parent" in err


@pytest.mark.usefixtures("here", "asked")
@pytest.mark.parametrize(("typed", "signed"), [("o\no\n", 1), ("o\nn\n", 0), ("n\n", 0)])
def test_child_and_parent_are_both_asked(run, chains, tmp_path, typed, signed) -> None:
    file = tmp_path / "parent.pem"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", Terminal(typed))
        run("consents", "give", "--parent-key", str(file))
    assert chains() == signed
    assert file.exists() is bool(signed)


@pytest.mark.usefixtures("here", "asked")
def test_the_question_asks_for_the_age_and_says_what_a_child_does(run, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    _, _, err = run("consents", "give")
    assert "15 ans ou plus" in err
    assert "--parent-key" in err


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("days", ["", "0", "8", "1;2", "lundi"])
def test_days_that_are_none_are_a_usage_error(run, asked, chains, days) -> None:
    code, _, _ = run("consents", "give", "--purpose", asked.digest, "--weekdays", days)
    assert (code, chains()) == (2, 0)


def test_the_days_are_said_and_signed_and_a_renewal_keeps_them(run, here, asked, clock) -> None:
    give = ("consents", "give", "--purpose", asked.digest)
    assert "lundi, vendredi" in run(*give, "--weekdays", "5,1")[2]
    clock.advance(VALIDITY)
    assert "lundi, vendredi" in run(*give)[2]
    assert [each.body.limits.weekdays for each in chain_of(here)] == [(1, 5), (1, 5)]


OUTLINES = (
    b'{"features":[{"properties":{"code":"17028","nom":"Aytr\xc3\xa9"},"geometry":{}},'
    b'{"properties":{"code":"17300","nom":"La Rochelle"},"geometry":{}}]}'
)


def test_the_zones_are_said_by_name_and_a_renewal_keeps_them_until_told_otherwise(
    run, here, asked, clock, cooperative
) -> None:
    cooperative.scripted["/v1/territory"] = Answer(status=200, body=OUTLINES)
    give = ("consents", "give", "--purpose", asked.digest)
    code, _, err = run(*give, "--zones", "17300,17028")
    assert code == 0, err
    assert "Aytré, La Rochelle" in err
    assert "commence et finit dans ces zones" in err
    clock.advance(VALIDITY)
    assert "Aytré, La Rochelle" in run(*give)[2]
    clock.advance(VALIDITY)
    assert "Lieux comptés : tous." in run(*give, "--zones", "all")[2]
    areas = [each.body.limits.area for each in chain_of(here)]
    assert [None if area is None else area.zones for area in areas] == [
        ("17028", "17300"),
        ("17028", "17300"),
        None,
    ]


@pytest.mark.usefixtures("here")
def test_zones_that_leave_out_home_sign_nothing(run, asked, chains, cooperative) -> None:
    cooperative.scripted["/v1/territory"] = Answer(status=200, body=OUTLINES)
    code, _, err = run("consents", "give", "--purpose", asked.digest, "--zones", "17028")
    assert (code, chains()) == (1, 0)
    assert "Votre commune doit être parmi" in err


@pytest.mark.usefixtures("here")
def test_the_end_of_a_consent_is_said_thirty_days_before(run, asked, clock) -> None:
    assert run("consents", "give", "--purpose", asked.digest)[0] == 0
    clock.advance(VALIDITY - EXPIRY_NOTICE - timedelta(seconds=1))
    assert "expire le" not in run("consents", "list")[2]
    clock.advance(timedelta(seconds=1))
    assert "expire le" in run("consents", "list")[2]
