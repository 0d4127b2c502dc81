"""The door for phones: OwnTracks in HTTP mode, answered as its specification says."""

import base64
import json

import pytest

from personal_store.db import positionfixes
from personal_store.db.connection import reading
from personal_store.doors import devices
from personal_store.ingest.positionfix import SourceFormat

LOCATION = {"_type": "location", "lat": 46.16, "lon": -1.15, "tst": 1_762_671_600, "acc": 8}


def basic(user: str, password: str) -> dict[str, str]:
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {credentials}"}


TOKEN: dict[str, str] = {}  # filled in when a device is let in


@pytest.fixture
def post(stranger, joined):
    """Return a function that posts a message as the authorised telephone."""
    TOKEN.clear()
    TOKEN.update(basic("telephone", devices.add(joined, "telephone").token))

    def post(message, headers=TOKEN):
        content = message if isinstance(message, bytes) else json.dumps(message).encode()
        return stranger.post("/pub?u=telephone&d=one", content=content, headers=headers)

    return post


def kept(store):
    with reading(store.engine) as connection:
        return [
            fix
            for device in positionfixes.devices(connection)
            for fix in positionfixes.of_device(connection, device)
        ]


def test_a_location_is_kept_before_it_is_acknowledged(post, joined) -> None:
    answer = post(LOCATION)
    assert (answer.status_code, answer.json()) == (200, [])
    (fix,) = kept(joined)
    assert (fix.lat, fix.lon, fix.accuracy_m) == (46.16, -1.15, 8)
    assert fix.source is SourceFormat.OWNTRACKS_LIVE


def test_the_device_is_the_one_of_the_token_whatever_the_message_says(post, joined) -> None:
    post(LOCATION | {"topic": "owntracks/somebody/else", "tid": "zz"}, headers=TOKEN)
    assert {fix.device for fix in kept(joined)} == {"telephone"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("telephone", "another-token"),
        basic("telephone", ""),
        basic("the-token", ""),
        {"Authorization": "Bearer the-token"},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic /////w=="},
    ],
    ids=["none", "wrong", "empty", "in place of the user", "bearer", "cut", "no base64", "no text"],
)
def test_without_the_token_nothing_is_kept(post, joined, headers) -> None:
    answer = post(LOCATION, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Basic"
    assert kept(joined) == []


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"  \n",
        {"_type": "lwt", "tst": 1},
        {"_type": "waypoint", "desc": "home", "lat": 1, "lon": 1, "tst": 1, "rad": 5},
        {"_type": "never-heard-of"},
        {"_type": "status"},
        {},
    ],
    ids=["empty", "blank", "lwt", "waypoint", "unknown", "status", "no type"],
)
def test_what_holds_no_position_is_acknowledged_and_adds_nothing(post, joined, message) -> None:
    answer = post(message)
    assert (answer.status_code, answer.json()) == (200, [])
    assert kept(joined) == []


def test_a_retry_adds_nothing(post, joined) -> None:
    for _ in range(3):
        assert post(LOCATION).status_code == 200
    assert len(kept(joined)) == 1


def test_messages_that_come_out_of_order_are_kept_in_order(post, joined) -> None:
    for tst in (1_762_671_900, 1_762_671_600, 1_762_671_700):
        post(LOCATION | {"tst": tst})
    times = [fix.at.timestamp() for fix in kept(joined)]
    assert times == [1_762_671_600, 1_762_671_700, 1_762_671_900]


@pytest.mark.parametrize(
    "change",
    [{"lat": 146}, {"tst": 0}, {"tst": 4_000_000_000}, {"lat": None}, {"lat": "north"}],
    ids=str,
)
def test_a_position_that_cannot_be_is_acknowledged_and_not_kept(post, joined, change) -> None:
    assert post(LOCATION | change).status_code == 200
    assert kept(joined) == []


@pytest.mark.parametrize(
    "message",
    [b"{", b"[]", b"\xff\xfe", b"nonsense", b"[" * 100_000],
    ids=["cut", "list", "no text", "word", "deep"],
)
def test_what_will_never_be_a_message_is_acknowledged_and_counted(post, joined, message) -> None:
    answer = post(message)
    assert (answer.status_code, answer.json()) == (200, [])
    assert kept(joined) == []
    assert devices.every(joined)[0].unreadable == 1


def test_an_encrypted_message_that_does_not_open_is_refused_so_that_the_phone_keeps_it(
    post, joined
) -> None:
    answer = post({"_type": "encrypted", "data": "AA"})
    assert answer.status_code == 400
    assert set(answer.json()) == {"fr", "en"}
    assert kept(joined) == []


def test_a_new_token_ends_the_one_before(post, joined) -> None:
    renewed = devices.add(joined, "telephone")
    assert post(LOCATION).status_code == 401
    assert post(LOCATION, headers=basic("telephone", renewed.token)).status_code == 200


def test_a_revoked_token_opens_no_more(post, joined) -> None:
    assert post(LOCATION).status_code == 200
    devices.revoke(joined, "telephone")
    answer = post(LOCATION | {"tst": 1_762_671_700})
    assert (answer.status_code, answer.content) == (401, b"")
    assert len(kept(joined)) == 1


@pytest.mark.usefixtures("post")
def test_the_pages_do_not_open_with_a_phone_s_token(stranger) -> None:
    assert stranger.get("/fr/", headers=TOKEN).status_code == 303


def test_a_phone_needs_no_session_and_gets_none(post) -> None:
    assert "set-cookie" not in post(LOCATION).headers
