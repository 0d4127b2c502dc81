"""The consent log over HTTP: C2SP tlog-tiles to the byte, proofs of single leaves, entries.

Checkpoints, hashes and proofs are public: they hold hashes of random values and tell no more than
how long the log is. Entries name consents and times, and go to the stewards alone (bearer token). A
proof never carries its leaf: a list of hashes would otherwise give the entries away.
Specs: C2SP tlog-tiles, tlog-checkpoint, tlog-proof.
"""

import hmac
import re
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Path, Query, Response
from sqlalchemy import Connection

from consents.canonical import base64_text
from consents.errors import LogError, ProofError
from consents.tlog.checkpoint import read_checkpoint
from consents.tlog.tiles import ENTRIES, Tile
from coop_aggregator.db import log as log_db
from coop_aggregator.installation import Leader
from coop_aggregator.tlog.log import LeaderLog
from coop_aggregator.tlog.shards import handovers

MAX_ENTRIES = 1000
MAX_LOG_SIZE = 2**53 - 1
"""Largest position that every JSON reader keeps exact (RFC 8785 section 3.2.2.3)."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""For tiles, partial ones as well: what a path names never changes (tlog-tiles)."""

_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_LEAF_HASH = re.compile(r"[0-9a-f]{64}")
_Token = Annotated[str, Header()]

MAX_SHARD = 9_999
"""Largest number of a yearly log that is asked for."""

_Origin = Annotated[str | None, Query(max_length=512)]
_Shard = Annotated[int, Path(ge=0, le=MAX_SHARD)]


def log_router(leader: Leader) -> APIRouter:
    """Return the log's interface: static tiles at the root, the rest below `/v1`."""
    router = APIRouter()
    _add_tiles(router, leader)
    _add_proofs(router, leader)
    _add_handovers(router, leader)
    _add_entries(router, leader)
    return router


def _add_tiles(router: APIRouter, leader: Leader) -> None:
    @router.get("/checkpoint", response_class=Response)
    def checkpoint(if_none_match: _Token = "") -> Response:
        return _checkpoint(leader, None, if_none_match)

    @router.get("/v1/log/checkpoint", response_class=Response)
    def checkpoint_by_origin(origin: _Origin = None, if_none_match: _Token = "") -> Response:
        return _checkpoint(leader, origin, if_none_match)

    @router.get("/shards/{shard}/checkpoint", response_class=Response)
    def checkpoint_of(shard: _Shard, if_none_match: _Token = "") -> Response:
        return _checkpoint(leader, shard, if_none_match)

    @router.get("/tile/{path:path}", response_class=Response)
    def tile(path: str, if_none_match: _Token = "", authorization: _Token = "") -> Response:
        asked = _asked_tile(leader, path, authorization)
        return _tile(leader, None, asked, if_none_match)

    @router.get("/shards/{shard}/tile/{path:path}", response_class=Response)
    def tile_of(
        shard: _Shard, path: str, if_none_match: _Token = "", authorization: _Token = ""
    ) -> Response:
        asked = _asked_tile(leader, path, authorization)
        return _tile(leader, shard, asked, if_none_match)


def _checkpoint(leader: Leader, shard: int | str | None, if_none_match: str) -> Response:
    with leader.database.read() as connection:
        note = _log(leader, connection, shard).published()
    return _cached(note.encode(), _TEXT, if_none_match, lifetime="no-cache")


def _asked_tile(leader: Leader, path: str, authorization: str) -> Tile:
    try:
        asked = Tile.parse(f"tile/{path}")
    except LogError as error:
        raise HTTPException(404) from error
    if asked.level == ENTRIES:
        _expect_steward(leader, authorization)
    return asked


def _tile(leader: Leader, shard: int | None, asked: Tile, if_none_match: str) -> Response:
    with leader.database.read() as connection:
        content = _log(leader, connection, shard).tile(asked)
    if content is None:
        raise HTTPException(404)
    lifetime = IMMUTABLE.replace("public", "private") if asked.level == ENTRIES else IMMUTABLE
    return _cached(content, _BYTES, if_none_match, lifetime=lifetime)


def _add_proofs(router: APIRouter, leader: Leader) -> None:
    @router.get("/v1/proof/{leaf_hash}", response_class=Response)
    def proof(leaf_hash: str) -> Response:
        if _LEAF_HASH.fullmatch(leaf_hash) is None:
            raise HTTPException(404)
        with leader.database.read() as connection:
            found = leader.log(connection).proof(bytes.fromhex(leaf_hash))
        if found is None:
            raise HTTPException(404)
        return Response(
            found.to_text(),
            media_type=_TEXT,
            headers={
                "Cache-Control": "no-cache",
                "Content-Disposition": f'inline; filename="{leaf_hash[:16]}.tlog-proof"',
            },
        )

    @router.get("/v1/log/consistency")
    def consistency(
        old: Annotated[int, Query(ge=1, le=MAX_LOG_SIZE)],
        origin: _Origin = None,
    ) -> dict[str, Any]:
        with leader.database.read() as connection:
            log = _log(leader, connection, origin)
            note = log.signed()
            size = read_checkpoint(note).size
            try:
                hashes = log.consistency(old, size)
            except ProofError as error:
                raise HTTPException(404) from error
        return {
            "old": old,
            "size": size,
            "hashes": [base64_text(node) for node in hashes],
            "checkpoint": note,
        }


def _add_handovers(router: APIRouter, leader: Leader) -> None:
    @router.get("/v1/log/handovers")
    def every() -> dict[str, Any]:
        with leader.database.read() as connection:
            found = handovers(leader.log(connection))
        return {"handovers": [each.to_bytes().decode() for each in found]}

    @router.get("/v1/log/handovers/{shard}", response_class=Response)
    def to(shard: Annotated[int, Path(ge=1, le=MAX_SHARD)]) -> Response:
        with leader.database.read() as connection:
            found = handovers(leader.log(connection))
        if shard > len(found):
            raise HTTPException(404)
        return Response(found[shard - 1].to_bytes(), media_type="application/json")


def _log(leader: Leader, connection: Connection, which: int | str | None) -> LeaderLog:
    """Return the log of this number or origin, by default the open one; 404 for none such."""
    log = leader.log(connection)
    if which is None:
        return log
    for shard in log.shards.every:
        if which in {shard.number, shard.origin}:
            return log.of(shard)
    raise HTTPException(404)


def _add_entries(router: APIRouter, leader: Leader) -> None:
    @router.get("/v1/log/entries")
    def entries(
        start: Annotated[int, Query(ge=0, le=MAX_LOG_SIZE)],
        end: Annotated[int, Query(ge=0, le=MAX_LOG_SIZE)],
        authorization: _Token = "",
    ) -> dict[str, Any]:
        _expect_steward(leader, authorization)
        with leader.database.read() as connection:
            leaves = log_db.leaf_range(connection, start=start, end=min(end, start + MAX_ENTRIES))
        return {"start": start, "entries": list(leaves)}


def _expect_steward(leader: Leader, authorization: str) -> None:
    expected = f"Bearer {leader.keys.steward_token}".encode()
    if not hmac.compare_digest(authorization.encode(), expected):
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})


def _cached(content: bytes, media_type: str, if_none_match: str, *, lifetime: str) -> Response:
    """Answer 304 to who holds these very bytes."""
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": lifetime}
    held = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    if tag in held or "*" in held:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
