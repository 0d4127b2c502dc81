"""Who may see the pages: sessions by passphrase, headers, and refusals of forged requests.

Once unlocked, the server holds the database, so a page is shown only to a browser that gave the
passphrase. Sessions live in memory: a restart ends them. It is not user management: a store has
one owner.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from personal_store.doors.device_setup import PATHS
from personal_store.lock import Lock

COOKIE = "session"
SESSION_LIFETIME = timedelta(hours=12)
MAX_BODY_BYTES = 1024 * 1024
MAX_UPLOAD_BYTES = 8 * 10**9
UPLOAD_PATHS = frozenset({"/fr/import", "/en/import"})
_LIVE_PATHS = frozenset(PATHS.values())
_STATIC = "/static/"
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


Refuse = Callable[[Request, int], Response]
"""Gives the answer to a request that is refused with a status: 400, 403 or 413."""


class Guard:
    """ASGI middleware: our own names alone, no cross-site form, no large body, security headers."""

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str], refuse: Refuse) -> None:
        """Stand in front of `app`, which answers to `hosts`; `refuse` speaks to people."""
        self._app = app
        self._hosts = frozenset(hosts)
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 400 (another name), 403 or 413 in its place."""
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

        most_bytes = MAX_UPLOAD_BYTES if scope["path"] in UPLOAD_PATHS else MAX_BODY_BYTES
        status = self._status(scope["path"], headers, most_bytes)
        if status is None:
            try:
                await self._app(scope, _bounded(receive, most_bytes), with_headers)
            except _TooLarge:
                status = 413
        if status is not None:
            is_app = scope["path"] in _LIVE_PATHS and status in {403, 413}
            answer = (
                Response(status_code=status) if is_app else self._refuse(Request(scope), status)
            )
            await answer(scope, receive, with_headers)

    def _status(self, path: str, headers: Mapping[bytes, bytes], most_bytes: int) -> int | None:
        """Return with what a request is refused before any of its body is read."""
        host = headers.get(b"host", b"")
        # The style of the refusal itself is asked for under the name that was refused.
        if host.decode("latin-1").split(":")[0] not in self._hosts and not path.startswith(_STATIC):
            return 400
        origin = headers.get(b"origin")
        if origin is not None and origin.partition(b"://")[2] != host:
            return 403
        length = headers.get(b"content-length", b"0")
        return None if length.isdigit() and int(length) <= most_bytes else 413


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
