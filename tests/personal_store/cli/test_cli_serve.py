"""`personal-store serve` says what is in its way before it serves anything."""

import socket

import pytest

pytestmark = pytest.mark.usefixtures("ready")


@pytest.fixture
def busy_port():
    """Return a port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@pytest.mark.parametrize(
    ("language", "said"), [("fr", "Le port {} est déjà pris"), ("en", "Port {} is already taken")]
)
def test_a_busy_port_is_said_in_one_sentence(run, options, busy_port, language, said) -> None:
    spoken = [*options, "--lang", language]
    code, out, err = run("serve", "--port", busy_port, options=spoken)
    assert (code, out) == (1, "")
    assert err.startswith(said.format(busy_port))
    assert err.count("\n") == 1


def test_an_address_of_another_machine_is_refused_in_words(run) -> None:
    code, _, err = run("serve", "--host", "192.0.2.1")
    assert code == 1
    assert err.startswith("Impossible d'écouter sur 192.0.2.1")


@pytest.mark.parametrize(
    ("locale", "said"), [("fr_FR", "n'existe pas"), ("en_GB", "does not exist")]
)
def test_a_watched_folder_that_is_not_there_is_refused(
    run, tmp_path, busy_port, locale, said
) -> None:
    # Refused before the port is looked at, so that nothing is served if it is not refused.
    watched = tmp_path / "nowhere"
    environment = {"PERSONAL_STORE_WATCH": str(watched), "LANG": locale}
    code, out, err = run("serve", "--port", busy_port, **environment)
    assert (code, out) == (1, "")
    assert str(watched) in err
    assert said in err
