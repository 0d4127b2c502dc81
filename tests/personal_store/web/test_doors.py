"""Every door for live positions, open and locked: what is kept, and what the app is told."""

import asyncio
import base64
import gzip
import json
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from nacl.secret import SecretBox

from personal_store.app import create_lockable_app, jobs_of
from personal_store.db import evidence, positionfixes
from personal_store.db.connection import reading
from personal_store.doors import devices
from personal_store.doors.reception import Reception
from personal_store.doors.register import REGISTER_FILE
from personal_store.ingest.live.letter import Letter, LiveApp
from personal_store.ingest.live.read import read_letter
from personal_store.lock import Lock, open_lock
from personal_store.web.security import MAX_BODY_BYTES

PASSPHRASE = "trois mots au hasard"
TST = 1_762_671_600
FEATURE = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [-1.15, 46.16]},
    "properties": {
        "timestamp": "2025-11-09T07:00:00Z",
        "speed": 4,
        "horizontal_accuracy": 30,
        "motion": ["cycling"],
        "device_id": "somebody else",
    },
}
LATER = {**FEATURE, "properties": {**FEATURE["properties"], "timestamp": "2025-11-09T07:05:00Z"}}


@pytest.fixture
def made(joined):
    return devices.add(joined, "telephone")


@pytest.fixture
def locked(joined, made, write_vault) -> Lock:
    """Return the lock of the store before anybody gave its passphrase."""
    assert made.device == "telephone"
    write_vault(joined.folder, PASSPHRASE)
    reception = Reception(joined.folder, joined.randomness)
    return Lock(joined.folder, joined.clock, reception, lambda _folder, _key: joined)


@pytest.fixture
def at_the_locked(browse, locked):
    return browse(create_lockable_app(locked))


def work(lock) -> None:
    """Do once what the server does beside its pages."""
    for job in jobs_of(lock, watched=None):
        job()


def bearer(made) -> dict[str, str]:
    return {"Authorization": f"Bearer {made.token}"}


def kept(store):
    with reading(store.engine) as connection:
        return positionfixes.of_device(connection, "telephone")


def _owntracks(client, made):
    body = {"_type": "location", "lat": 46.16, "lon": -1.15, "tst": TST, "vel": 36}
    return client.post("/pub", json=body, headers=bearer(made))


def _overland(client, made):
    return client.post("/overland", json={"locations": [FEATURE]}, headers=bearer(made))


def _gpslogger_get(client, made):
    query = {"lat": "46.16", "lon": "-1.15", "timestamp": str(TST), "spd": "10", "act": ""}
    return client.get("/gpslogger", params=query, headers=bearer(made))


def _gpslogger_form(client, made):
    form = {"lat": "46.16", "lon": "-1.15", "time": "2025-11-09T07:00:00.000Z"}
    return client.post("/gpslogger", data=form, headers=bearer(made))


def _gpslogger_json(client, made):
    body = {"lat": "46.16", "lon": "-1.15", "tst": str(TST), "vel": "10", "bs": "true"}
    return client.post("/gpslogger", json=body, headers=bearer(made))


def _traccar_query(client, made):
    query = {"id": made.token, "location": "46.16,-1.15", "timestamp": TST, "speed": 10}
    return client.get("/traccar", params=query)


def _traccar_form(client, made):
    form = {"deviceid": made.token, "lat": "46.16", "lon": "-1.15", "timestamp": f"{TST}000"}
    return client.post("/traccar", data=form)


def _traccar_json(client, made):
    coords = {"latitude": 46.16, "longitude": -1.15, "speed": 10, "heading": -1}
    location = {"timestamp": "2025-11-09T07:00:00.000Z", "coords": coords}
    return client.post("/traccar", json={"device_id": made.token, "location": location})


SENDERS = {
    "owntracks": _owntracks,
    "overland": _overland,
    "gpslogger-get": _gpslogger_get,
    "gpslogger-post": _gpslogger_form,
    "gpslogger-json": _gpslogger_json,
    "traccar-query": _traccar_query,
    "traccar-form": _traccar_form,
    "traccar-json": _traccar_json,
}


def send(client, made, sender):
    """Send one position as each app does."""
    return SENDERS[sender](client, made)


APPS = {
    "owntracks": b"[]",
    "overland": b'{"result":"ok"}',
    "gpslogger-get": b"",
    "gpslogger-post": b"",
    "gpslogger-json": b"",
    "traccar-query": b"",
    "traccar-form": b"",
    "traccar-json": b"",
}


@pytest.mark.parametrize("sender", APPS)
def test_a_position_of_each_app_is_kept_and_answered_as_it_expects(stranger, joined, made, sender):
    answer = send(stranger, made, sender)
    assert (answer.status_code, answer.content) == (200, APPS[sender])
    (fix,) = kept(joined)
    assert (fix.lat, fix.lon, fix.at.timestamp()) == (46.16, -1.15, TST)


@pytest.mark.parametrize("sender", APPS)
def test_a_locked_store_answers_the_same_and_gives_it_when_it_is_opened(
    at_the_locked, locked, joined, made, sender
):
    answer = send(at_the_locked, made, sender)
    assert (answer.status_code, answer.content) == (200, APPS[sender])
    assert kept(joined) == []
    at_the_locked.post("/fr/login", data={"passphrase": PASSPHRASE})
    assert not locked.is_locked
    work(locked)
    assert [fix.at.timestamp() for fix in kept(joined)] == [TST]
    assert send(at_the_locked, made, sender).status_code == 200
    assert len(kept(joined)) == 1


def test_logging_in_waits_for_no_inbox_and_the_week_says_what_is_left(
    at_the_locked, locked, joined, made
):
    work(locked)
    for _ in range(3):
        send(at_the_locked, made, "owntracks")
    at_the_locked.post("/fr/login", data={"passphrase": PASSPHRASE})
    assert kept(joined) == []
    assert "3 messages en attente" in at_the_locked.get("/fr/").text
    work(locked)
    assert "en attente" not in at_the_locked.get("/fr/").text
    assert len(kept(joined)) == 1


def test_opening_calls_whoever_empties_the_inbox_once(locked):
    calls = []
    locked.on_open = lambda: calls.append(locked.is_locked)
    for _ in range(2):
        locked.give(PASSPHRASE)
    assert calls == [False]


@pytest.mark.parametrize(
    ("sender", "speed_mps"),
    [
        ("owntracks", 10),
        ("overland", 4),
        ("gpslogger-get", 10),
        ("gpslogger-json", 10),
        ("traccar-query", pytest.approx(10 * 1852 / 3600)),
        ("traccar-json", 10),
    ],
)
def test_the_speed_of_each_app_is_in_its_own_unit(stranger, joined, made, sender, speed_mps):
    send(stranger, made, sender)
    assert kept(joined)[0].speed_mps == speed_mps


@pytest.mark.parametrize("sender", APPS)
def test_a_wrong_token_is_401_without_a_word(stranger, at_the_locked, sender):
    wrong = devices.NewDevice(device="telephone", token="wrong", encryption_key="")
    for client in (stranger, at_the_locked):
        answer = send(client, wrong, sender)
        assert (answer.status_code, answer.content) == (401, b"")


def test_a_token_revoked_while_locked_opens_no_more(at_the_locked, joined, made):
    devices.revoke(joined, "telephone")
    assert send(at_the_locked, made, "owntracks").status_code == 401


def test_a_register_that_cannot_be_read_lets_nobody_in(at_the_locked, joined, made):
    (joined.folder / REGISTER_FILE).write_text("{")
    assert send(at_the_locked, made, "owntracks").status_code == 401


@pytest.mark.parametrize("path", ["/pub", "/overland"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_another_method_is_405(stranger, made, path, method):
    answer = stranger.request(method, path, headers=bearer(made))
    assert answer.status_code == 405


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_gpslogger_may_send_by_any_method_that_it_offers(stranger, joined, made, method):
    form = f"lat=46.16&lon=-1.15&timestamp={TST}"
    answer = stranger.request(method, "/gpslogger", content=form, headers=bearer(made))
    assert (answer.status_code, answer.content) == (200, b"")
    assert devices.every(joined)[0].positions == 1


@pytest.mark.parametrize("body", [b"{", b"[]", b"[" * 50_000, b"{}", b'{"locations":3}'])
def test_a_batch_that_is_none_is_acknowledged_and_counted(stranger, joined, made, body):
    answer = stranger.post("/overland", content=body, headers=bearer(made))
    assert answer.json() == {"result": "ok"}
    assert devices.every(joined)[0].unreadable == 1


def test_positions_that_cannot_be_are_counted(stranger, joined, made):
    impossible = {**FEATURE, "geometry": {"type": "Point", "coordinates": [-1.15, 146]}}
    mark = {"type": "Feature", "properties": {"action": "will_terminate"}}
    batch = {"locations": [FEATURE, impossible, mark]}
    stranger.post("/overland", json=batch, headers=bearer(made))
    (device,) = devices.every(joined)
    assert (device.positions, device.rejected, device.unreadable) == (1, 1, 0)
    assert device.seen_at == joined.clock.now()


def test_the_mode_of_a_trip_becomes_evidence_over_its_batch(stranger, joined, made):
    trip = {"mode": "tram", "start": "2025-11-09T06:59:00Z", "distance": 900}
    body = {"locations": [FEATURE, LATER], "trip": trip}
    stranger.post("/overland", json=body, headers=bearer(made))
    with reading(joined.engine) as connection:
        (leg,) = evidence.every(connection)
    assert (leg.mode, leg.device, leg.end - leg.start) == (
        "tram",
        "telephone",
        timedelta(minutes=5),
    )


def test_an_encrypted_position_is_opened_and_answered_encrypted(stranger, joined, made):
    message = {"_type": "location", "lat": 46.16, "lon": -1.15, "tst": TST}
    box = SecretBox(made.encryption_key.encode())
    sealed = bytes(box.encrypt(json.dumps(message).encode()))
    body = {"_type": "encrypted", "data": base64.b64encode(sealed).decode()}
    answer = stranger.post("/pub", json=body, headers=bearer(made)).json()
    assert len(kept(joined)) == 1
    assert answer["_type"] == "encrypted"
    assert json.loads(box.decrypt(base64.b64decode(answer["data"]))) == []


def test_a_key_put_right_while_the_server_runs_opens_the_next_message(stranger, joined, made):
    message = {"_type": "location", "lat": 46.16, "lon": -1.15, "tst": TST}
    sealed = bytes(SecretBox(b"phone".ljust(32, b"\0")).encrypt(json.dumps(message).encode()))
    body = {"_type": "encrypted", "data": base64.b64encode(sealed).decode()}
    assert stranger.post("/pub", json=body, headers=bearer(made)).status_code == 400
    devices.correct_key(joined, "telephone", "phone")
    assert stranger.post("/pub", json=body, headers=bearer(made)).status_code == 200
    assert len(kept(joined)) == 1


def test_of_an_endless_body_no_more_than_the_limit_is_taken(joined):
    given = []

    def endless():
        while True:
            given.append(65_536)
            yield b"[" * given[-1]

    async def receive():
        return {"type": "http.request", "body": next(pieces), "more_body": True}

    async def send(message):
        answered.append(message)

    pieces, answered = endless(), []
    scope = {"type": "http", "method": "POST", "path": "/pub", "headers": [(b"host", b"localhost")]}
    scope |= {"query_string": b"", "http_version": "1.1", "scheme": "http", "server": None}
    asyncio.run(create_lockable_app(open_lock(joined))(scope, receive, send))
    assert answered[0]["status"] == 413
    assert sum(given) <= MAX_BODY_BYTES + 65_536


LARGEST = {
    "positions": b'{"locations":[' + json.dumps(FEATURE).encode().replace(b" ", b""),
    "lists": b'{"locations":[[]',
}


@pytest.mark.parametrize("begin", LARGEST.values(), ids=LARGEST)
def test_the_largest_body_takes_a_bounded_memory(begin):
    one = b"," + begin.partition(b"[")[2]
    body = begin + one * ((MAX_BODY_BYTES - len(begin) - 2) // len(one)) + b"]}"
    letter = Letter(
        app=LiveApp.OVERLAND,
        door="d",
        received_at=datetime(2026, 11, 18, tzinfo=UTC),
        content_type="",
        query="",
        body=body,
    )
    tracemalloc.start()
    try:
        read_letter(letter, device="phone", encryption_key=None, randomness=bytes)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 64 * 1024 * 1024


def test_a_traccar_position_without_a_time_was_measured_when_it_came(stranger, joined, made):
    stranger.get("/traccar", params={"id": made.token, "lat": "46.16", "lon": "-1.15"})
    assert kept(joined)[0].at == joined.clock.now()


def test_every_page_of_a_locked_store_leads_to_the_form_that_says_so(at_the_locked):
    for path in ("/fr/", "/fr/sharing", "/fr/devices", "/fr/import"):
        assert at_the_locked.get(path).headers["location"] == "/fr/login"
    assert "verrouillé" in at_the_locked.get("/fr/login").text


def test_the_secrets_of_a_new_device_are_shown_once_with_codes_to_read(browser, joined):
    form = {"name": "Mon <téléphone>", "address": "https://maison.example"}
    page = browser.post("/fr/devices/add", data=form)
    assert page.status_code == 200
    assert page.text.count("<svg") == 2
    assert "overland://setup?url=https%3A%2F%2Fmaison.example%2Foverland" in page.text
    assert "<téléphone>" not in page.text
    (device,) = devices.every(joined)
    assert device.token_sha256 not in page.text
    again = browser.get("/fr/devices").text
    assert "owntracks:" not in again
    assert device.encryption_key not in again


@pytest.mark.parametrize("address", ["", "javascript:alert(1)", "maison", "https://", "http://a b"])
def test_an_address_that_is_none_makes_no_device(browser, joined, address):
    page = browser.post("/fr/devices/add", data={"name": "x", "address": address})
    assert page.status_code == 409
    assert devices.every(joined) == []


def test_a_device_is_renamed_and_its_positions_stay(browser, joined, made, stranger):
    send(stranger, made, "owntracks")
    browser.post("/fr/devices/rename", data={"device": "telephone", "name": "Vélo"})
    assert "Vélo" in browser.get("/fr/devices").text
    assert len(kept(joined)) == 1


def test_a_device_is_shut_out_from_its_page(browser, made, stranger):
    browser.post("/fr/devices/revoke", data={"device": "telephone"})
    assert send(stranger, made, "overland").status_code == 401


PACKED = {
    "gzip": ("gzip", gzip.compress, 200),
    "deflate": ("deflate", zlib.compress, 200),
    "nothing": ("identity", lambda body: body, 200),
    "a bomb": ("gzip", lambda _: gzip.compress(b" " * 200_000_000), 413),
    "cut": ("gzip", lambda body: gzip.compress(body)[:-9], 400),
    "not packed at all": ("gzip", lambda body: body, 400),
    "an unknown packing": ("br", lambda body: body, 415),
}


@pytest.mark.parametrize("case", PACKED.values(), ids=PACKED)
def test_a_packed_message_is_read_or_kept_by_its_sender(stranger, joined, made, case):
    encoding, pack, status = case
    tst = int(joined.clock.now().timestamp()) - 60
    body = json.dumps({"_type": "location", "lat": 46.16, "lon": -1.15, "tst": tst}).encode()
    headers = bearer(made) | {"Content-Encoding": encoding}
    answer = stranger.post("/pub", content=pack(body), headers=headers)
    assert answer.status_code == status
    with reading(joined.engine) as connection:
        assert positionfixes.count(connection) == (status == 200)


def test_a_packed_message_of_a_stranger_is_only_401(stranger):
    for content in (b"no gzip", gzip.compress(b" " * 200_000_000)):
        answer = stranger.post("/pub", content=content, headers={"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.content) == (401, b"")
