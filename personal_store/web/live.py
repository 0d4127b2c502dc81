"""The doors for live positions: OwnTracks, Overland, GPSLogger and Traccar, each at its own path.

A door finds the token and hands the letter over to the reception; what was sent is not read here,
so that doors are the same whether the store is open or locked. An answer outside 2xx makes an app
keep its message: it is given only where that message was not kept here.

Where the token lies: the password of HTTP Basic, or a bearer token; for Traccar, whose client has
room for neither, its identifier.
"""

import asyncio
import base64
import binascii
import zlib
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from personal_store.clock import Clock
from personal_store.doors.device_setup import PATHS
from personal_store.doors.reception import REFUSED, Reception
from personal_store.errors import IngestError
from personal_store.ingest.live.letter import Letter, LiveApp, Reply
from personal_store.ingest.live.traccar import traccar_token
from personal_store.web.security import MAX_BODY_BYTES

_METHODS = {
    # GPSLogger offers each of these for its custom address.
    LiveApp.GPSLOGGER: ["GET", "POST", "PUT", "PATCH", "DELETE"],
    LiveApp.TRACCAR: ["GET", "POST"],
}
_GZIP_OR_ZLIB = 15 + 32  # zlib's own way to say "look at the header"
_CHALLENGE = {"WWW-Authenticate": "Basic"}


def live_routes(reception: Reception, clock: Clock) -> APIRouter:
    """Return the routes that phones send to."""
    router = APIRouter(include_in_schema=False)
    for app, path in PATHS.items():
        methods = _METHODS.get(app, ["POST"])
        router.add_api_route(path, _door(app, reception, clock), methods=methods)
    return router


def _door(
    app: LiveApp, reception: Reception, clock: Clock
) -> Callable[[Request], Awaitable[Response]]:
    async def door(request: Request) -> Response:
        packed = await request.body()
        plain = unpacked_body(packed, request.headers.get("content-encoding", ""))
        body = plain if isinstance(plain, bytes) else b""
        query = request.url.query
        content_type = request.headers.get("content-type", "")
        token = (
            _identifier(query, content_type, body)
            if app is LiveApp.TRACCAR
            else _secret(request.headers.get("authorization"))
        )
        opened = reception.door_of(token) if token else None
        reply = REFUSED
        if opened is not None and not isinstance(plain, bytes):
            reply = plain
        elif opened is not None:
            letter = Letter(
                app=app,
                door=opened,
                received_at=clock.now(),
                content_type=content_type,
                query=query,
                body=body,
            )
            reply = await asyncio.wrap_future(reception.deliver(letter))
        headers = _CHALLENGE if reply.status == 401 else None
        return Response(reply.body, reply.status, headers=headers, media_type=reply.media_type)

    return door


def unpacked_body(packed: bytes, encoding: str) -> bytes | Reply:
    """Return a body as its sender wrote it, or the refusal that keeps it on the phone.

    Packed by gzip or deflate, it may unpack to what an unpacked one may be and no more.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return packed
        case "gzip" | "x-gzip" | "deflate":
            unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)
        case _:
            return Reply(status=415)
    try:
        body = unpacking.decompress(packed, MAX_BODY_BYTES + 1)
    except zlib.error:
        return Reply(status=400)
    if len(body) > MAX_BODY_BYTES:
        return Reply(status=413)
    return body if unpacking.eof else Reply(status=400)


def _identifier(query: str, content_type: str, body: bytes) -> str | None:
    try:
        return traccar_token(query=query, content_type=content_type, body=body)
    except IngestError:
        return None


def _secret(authorization: str | None) -> str | None:
    """Return a bearer token, or the password of HTTP Basic (RFC 6750, RFC 7617)."""
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded.partition(":")[2] or None
