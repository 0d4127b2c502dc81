"""The door for live positions: OwnTracks in HTTP mode posts here, one message at a time.

Any answer outside 2xx makes the phone keep the message and try again, so an accepted message is
answered only once it is in the database. Spec: OwnTracks booklet, tech/http.
"""

import base64
import binascii

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from personal_store.db import devices, positionfixes
from personal_store.db.connection import reading, writing
from personal_store.errors import IngestError
from personal_store.ingest.owntracks import parse_owntracks_message
from personal_store.ingest.positionfix import Positionfix
from personal_store.store import Store


def live_routes(store: Store) -> APIRouter:
    """Return the routes that phones post to."""
    router = APIRouter(include_in_schema=False)

    @router.post("/pub")
    async def owntracks(request: Request) -> Response:
        token = _password(request.headers.get("authorization"))
        body = await request.body()
        return await run_in_threadpool(_take_in, store, token, body)

    return router


def _take_in(store: Store, token: str | None, body: bytes) -> Response:
    with reading(store.engine) as connection:
        device = devices.device_of(connection, token) if token else None
    if device is None:
        return JSONResponse([], status_code=401, headers={"WWW-Authenticate": "Basic"})
    now = store.clock.now()
    try:
        entries = parse_owntracks_message(body, device=device, now=now)
    except IngestError as error:
        return JSONResponse({"fr": error.fr, "en": error.en}, status_code=400)
    fixes = [entry for entry in entries if isinstance(entry, Positionfix)]
    with writing(store.engine) as connection:
        positionfixes.add(connection, fixes, received_at=now)
    return JSONResponse([])


def _password(authorization: str | None) -> str | None:
    """Return the password of HTTP Basic authentication (RFC 7617), None when there is none."""
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded.partition(":")[2] or None
