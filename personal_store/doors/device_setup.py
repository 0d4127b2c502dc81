"""How each app is told where to send: a link that it opens, or a file that it loads.

Every link holds the device's secrets, so it is shown once, as the token is. Drawn as a QR code it
is read off the screen by the phone's camera.
Specs: OwnTracks booklet, features/remoteconfig; Overland's README, "Configuration by Custom URL";
GPSLogger's preset properties; Traccar's client takes an address and an identifier, typed in.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

from personal_store.doors.devices import NewDevice
from personal_store.errors import DeviceRefused
from personal_store.ingest.live.gpslogger import SETUP_QUERY
from personal_store.ingest.live.letter import LiveApp

PATHS = {
    LiveApp.OWNTRACKS: "/pub",
    LiveApp.OVERLAND: "/overland",
    LiveApp.GPSLOGGER: "/gpslogger",
    LiveApp.TRACCAR: "/traccar",
}
_HTTP_MODE = 3
_SIGNIFICANT_CHANGES = 1
_LONGEST_ADDRESS = 200
_PLAIN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """What one app needs: a `link` to open or to draw, or lines to copy, each with its secrets."""

    app: LiveApp
    link: str | None = field(default=None, repr=False)
    lines: tuple[str, ...] = field(default=(), repr=False)


def set_ups(made: NewDevice, *, address: str) -> list[SetUp]:
    """Return the set-up of every app, for a server that phones reach at `address`.

    Raises DeviceRefused where `address` is no web address.
    """
    base = check_address(address)
    return [
        SetUp(app=LiveApp.OWNTRACKS, link=_owntracks(made, base + PATHS[LiveApp.OWNTRACKS])),
        SetUp(app=LiveApp.OVERLAND, link=_overland(made, base + PATHS[LiveApp.OVERLAND])),
        SetUp(app=LiveApp.GPSLOGGER, lines=_gpslogger(made, base + PATHS[LiveApp.GPSLOGGER])),
        SetUp(app=LiveApp.TRACCAR, lines=(base + PATHS[LiveApp.TRACCAR], made.token)),
    ]


def check_address(address: str) -> str:
    """Return a web address without its last slash. Raises DeviceRefused where it is none."""
    try:
        parts = urlsplit(address.strip())
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_web = False
    text = address.strip()
    if not is_web or len(text) > _LONGEST_ADDRESS or not _PLAIN.fullmatch(text):
        raise DeviceRefused(
            fr="Attendu : l'adresse à laquelle le téléphone joint cet espace, par exemple "
            "https://maison.example ; vu : autre chose ; corrigez-la.",
            en="Expected the address at which the phone reaches this store, for example "
            "https://home.example; this is something else; correct it.",
        )
    return text.rstrip("/")


def qr_code(text: str) -> str:
    """Return a QR code as SVG text, to stand in a page: no style, no script, no third party."""
    # Imported here: only this page draws.
    import segno  # noqa: PLC0415

    code = segno.make(text, error="m", micro=False)
    return str(code.svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True))


def _owntracks(made: NewDevice, url: str) -> str:
    configuration = {
        "_type": "configuration",
        "mode": _HTTP_MODE,
        "monitoring": _SIGNIFICANT_CHANGES,
        "url": url,
        "auth": True,
        "username": made.device,
        "password": made.token,
        "deviceId": made.device,
        "tid": made.device[:2],
        "encryptionKey": made.encryption_key,
    }
    raw = json.dumps(configuration, separators=(",", ":")).encode()
    return "owntracks:///config?inline=" + quote(base64.b64encode(raw).decode(), safe="")


def _overland(made: NewDevice, url: str) -> str:
    fields = {"url": url, "token": made.token, "device_id": made.device}
    return "overland://setup?" + urlencode(fields, quote_via=quote)


def _gpslogger(made: NewDevice, url: str) -> tuple[str, ...]:
    return (
        "log_customurl_enabled=true",
        f"log_customurl_url={url}",
        "log_customurl_method=POST",
        f"log_customurl_body={SETUP_QUERY}",
        "log_customurl_headers=Content-Type: application/x-www-form-urlencoded",
        "log_customurl_basicauth_username=personal-store",
        f"log_customurl_basicauth_password={made.token}",
        "log_customurl_discard_offline_locations_enabled=false",
    )
