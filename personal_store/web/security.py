"""Who may see the pages: sessions by passphrase, headers, and refusals of forged requests.

Once unlocked, the server holds the database, so a page is shown only to a browser that gave the
passphrase. Sessions live in memory: a restart ends them. It is not user management: a store has
one owner.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from personal_store.doors.device_setup import PATHS
from personal_store.lock import Lock

COOKIE = "session"
SESSION_LIFETIME = timedelta(hours=12)
MAX_BODY_BYTES = 1024 * 1024
MAX_UPLOAD_BYTES = 8 * 10**9
UPLOAD_PATHS = frozenset({"/fr/import", "/en/import"})
_LIVE_PATHS = frozenset(PATHS.values())
HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
    (b"x-content-type-options", b"nosniff"),
    # Not "no-referrer": browsers would then send "Origin: null" with our own forms.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


@dataclass(slots=True)
class Sessions:
    """The browsers that gave the passphrase, until they leave or 12 hours have passed."""

    lock: Lock
    _open_until: dict[str, datetime] = field(default_factory=dict, repr=False)

    def open(self, passphrase: str) -> str:
        """Return a new session's token; raise as `Lock.give`, which opens a locked store."""
        self.lock.give(passphrase)
        token = secrets.token_urlsafe(32)
        self._open_until[token] = self.lock.clock.now() + SESSION_LIFETIME
        return token

    def is_open(self, token: str | None) -> bool:
        """Tell whether a token was given by `open` and has not run out."""
        until = self._open_until.get(token or "")
        return until is not None and self.lock.clock.now() < until

    def close(self, token: str | None) -> None:
        """End a session."""
        self._open_until.pop(token or "", None)


class Guard:
    """ASGI middleware: security headers on every answer, no large body, no cross-site form."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 403 or 413 in its place."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if scope["method"] == "HEAD" and scope["path"] not in _LIVE_PATHS:
            # RFC 9110, 9.3.2: the same answer without its body. A live door keeps what GET brings.
            scope, send = {**scope, "method": "GET"}, _without_body(send)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        origin = headers.get(b"origin")
        if origin is not None and origin.partition(b"://")[2] != headers.get(b"host"):
            await _refuse(with_headers, 403)
            return
        length = headers.get(b"content-length", b"0")
        most_bytes = MAX_UPLOAD_BYTES if scope["path"] in UPLOAD_PATHS else MAX_BODY_BYTES
        if not length.isdigit() or int(length) > most_bytes:
            await _refuse(with_headers, 413)
            return
        try:
            await self._app(scope, _bounded(receive, most_bytes), with_headers)
        except _TooLarge:
            await _refuse(with_headers, 413)


def _without_body(send: Send) -> Send:
    async def headers_alone(message: Message) -> None:
        is_body = message["type"] == "http.response.body"
        await send({**message, "body": b""} if is_body else message)

    return headers_alone


class _TooLarge(Exception):
    """The body is larger than it said, or than it may be; nothing was answered yet."""


def _bounded(receive: Receive, most_bytes: int) -> Receive:
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most_bytes:
            raise _TooLarge
        return message

    return bounded


async def _refuse(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})
