"""What every answer carries and what no request may do: headers, size limit, access log.

Pure ASGI: the body of a request is counted as it comes in and dropped beyond the limit. The access
log holds method, path, status and duration; no address, no agent, no query.
"""

import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_TOO_LARGE = (
    '{"type":"urn:mobilites-en-commun:body-too-large","title":"Corps trop long",'
    '"title_en":"Body too large","status":413,'
    '"detail":"Le corps de la requête dépasse la limite. Envoyez un message à la fois.",'
    '"detail_en":"The request body exceeds the limit. Send one message at a time."}'
).encode()


class SecurityHeaders:
    """Add the headers above to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class BodyLimit:
    """Answer 413 to a body longer than `max_bytes`, announced or not."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        """Wrap `app`."""
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdigit() or int(announced) > self._max_bytes:
            await _refuse(send)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._max_bytes:
                await _refuse(send)
                return
        await self._app(scope, _replay(bytes(body), receive), send)


UNLOGGED = frozenset(
    {
        "/v1/dropbox",
        "/v1/erasures",
        "/v1/events",
        "/v1/reports",
        "/v1/sealed-reports",
    }
)
"""Doors whose uses are not logged one by one: a line has a time, and a time is a habit.

What a store does there stands, with its time, in the log that stewards read; beside it, a line of
the server's would tell which connection was whose. Enrolments are logged: nobody enrols twice, and
an operator must see who tries codes.
"""

UNLOGGED_BELOW = ("/v1/proof/",)
"""Beginnings of paths whose rest names somebody's entry."""


class AccessLog:
    """Log one JSON line a request, without anything that points at a person.

    What a store sends or asks about its own entries leaves no line unless it met a fault of ours,
    and then without the part of the path that names an entry.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app
        self._log = structlog.get_logger("access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        status = 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            path, named = _loggable(scope["path"])
            if not named or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                self._log.info(
                    "request",
                    method=scope["method"],
                    path=path,
                    status=status,
                    duration_ms=round((time.monotonic() - started) * 1000, 1),
                )


def _loggable(path: str) -> tuple[str, bool]:
    """Return a path without what names an entry, and whether its uses are somebody's."""
    for start in UNLOGGED_BELOW:
        if path.startswith(start):
            return start, True
    return path, path.rstrip("/") in UNLOGGED


def _replay(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _refuse(send: Send) -> None:
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(_TOO_LARGE)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _TOO_LARGE})
