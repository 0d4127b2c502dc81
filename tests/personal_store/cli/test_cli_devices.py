"""The commands about devices and the sealed inbox, as the program runs them."""

import json

import pytest

from personal_store.serving import announced

ADDRESS = "http://127.0.0.1:8640/"


@pytest.fixture
def added(ready, run) -> dict[str, str]:
    assert ready.exists()
    return json.loads(run("devices", "add", "téléphone")[1])


@pytest.mark.usefixtures("added")
def test_a_renamed_device_is_listed_under_its_new_name(run) -> None:
    run("devices", "rename", "téléphone", "Vélo")
    (device,) = json.loads(run("devices", "list", "--json")[1])
    assert (device["device"], device["name"]) == ("téléphone", "Vélo")


@pytest.mark.usefixtures("added")
def test_a_device_that_sent_nothing_is_listed_in_the_singular(run) -> None:
    said = run("devices", "list")[2]
    nothing = "téléphone : aucun message encore ; 0 position, 0 impossible, 0 message illisible.\n"
    assert said == nothing
    said = run("--lang", "en", "devices", "list")[2]
    assert said == "téléphone: no message yet; 0 positions, 0 impossible, 0 unreadable messages.\n"


@pytest.mark.usefixtures("added")
@pytest.mark.parametrize("key", ["", "x" * 33, "é" * 17])
def test_a_key_that_owntracks_does_not_take_is_refused(run, tmp_path, key) -> None:
    file = tmp_path / "key"
    file.write_text(key)
    code, out, err = run("devices", "key", "téléphone", "--key-file", file)
    assert (code, out) == (1, "")
    assert "32 octets" in err


@pytest.mark.usefixtures("added")
def test_the_key_of_a_device_that_may_not_send_is_not_changed(run, tmp_path) -> None:
    file = tmp_path / "key"
    file.write_text("the phone's")
    run("devices", "revoke", "téléphone")
    assert run("devices", "key", "téléphone", "--key-file", file)[0] == 1


@pytest.mark.usefixtures("added")
def test_unlocking_beside_a_locked_server_says_how_to_open_it(run, data) -> None:
    with announced(data, ADDRESS):
        code, _, err = run("unlock")
    assert code == 0
    assert f"{ADDRESS}fr/login" in err
    assert ADDRESS not in run("unlock")[2]


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize(
    ("address", "is_told"), [("http://127.0.0.1:8640", True), ("https://maison.example", False)]
)
def test_an_address_that_no_phone_reaches_is_said_so(run, address, is_told) -> None:
    code, _, err = run("devices", "add", "téléphone", "--address", address)
    assert code == 0
    assert ("ne valent que sur cette machine" in err) == is_told
