"""What each app is given, read back as the app's own documents say it is read."""

import base64
import json
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from personal_store.doors.device_setup import check_address, qr_code, set_ups
from personal_store.doors.devices import NewDevice
from personal_store.errors import DeviceRefused
from personal_store.ingest.live.letter import LiveApp

MADE = NewDevice(device="Téléphone & co", token="a+b/c=", encryption_key="K" * 32)


@pytest.fixture
def given():
    return {each.app: each for each in set_ups(MADE, address="https://maison.example/mob/")}


def test_every_app_has_one_set_up(given) -> None:
    assert set(given) == set(LiveApp)
    assert all(bool(each.link) != bool(each.lines) for each in given.values())


def test_the_link_of_owntracks_is_a_configuration_in_base64(given) -> None:
    scheme, _, inline = given[LiveApp.OWNTRACKS].link.partition("?inline=")
    assert scheme == "owntracks:///config"
    configuration = json.loads(base64.b64decode(unquote(inline)))
    assert configuration["_type"] == "configuration"
    assert configuration["mode"] == 3
    assert configuration["url"] == "https://maison.example/mob/pub"
    assert (configuration["auth"], configuration["password"]) == (True, MADE.token)
    assert configuration["encryptionKey"] == MADE.encryption_key
    assert len(configuration["tid"]) == 2


def test_the_link_of_overland_gives_back_every_character(given) -> None:
    parts = urlsplit(given[LiveApp.OVERLAND].link)
    assert (parts.scheme, parts.netloc) == ("overland", "setup")
    assert parse_qs(parts.query) == {
        "url": ["https://maison.example/mob/overland"],
        "token": [MADE.token],
        "device_id": [MADE.device],
    }


def test_the_lines_of_gpslogger_are_a_profile(given) -> None:
    profile = dict(line.split("=", 1) for line in given[LiveApp.GPSLOGGER].lines)
    assert profile["log_customurl_url"] == "https://maison.example/mob/gpslogger"
    assert profile["log_customurl_basicauth_password"] == MADE.token
    assert {"%LAT", "%LON"} <= {value for _, value in _pairs(profile["log_customurl_body"])}


def _pairs(query: str) -> list[tuple[str, str]]:
    return [tuple(each.split("=", 1)) for each in query.split("&")]


def test_traccar_is_given_its_address_and_its_identifier(given) -> None:
    assert given[LiveApp.TRACCAR].lines == ("https://maison.example/mob/traccar", MADE.token)


@pytest.mark.parametrize(
    "address",
    [
        *("", "maison.example", "ftp://maison.example", "https://", "https://a b", "https://é.fr"),
        *("https://maison.example:99999", "https://[", "https://a/" + "b" * 200, "https://a\nb"),
    ],
)
def test_what_is_no_web_address_is_refused(address) -> None:
    with pytest.raises(DeviceRefused, match="adresse"):
        check_address(address)


def test_secrets_are_in_no_representation(given) -> None:
    shown = repr([MADE, *given.values()])
    assert MADE.token not in shown
    assert MADE.encryption_key not in shown


def test_a_code_is_one_drawing_that_calls_nobody(given) -> None:
    drawn = qr_code(given[LiveApp.OWNTRACKS].link)
    assert drawn.startswith("<svg")
    assert drawn.count("<svg") == 1
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
