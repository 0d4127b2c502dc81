"""The stewards' drop-box: what a resident leaves there when the cooperative does not answer.

Only withdrawals: they take rights away, so that nothing is to be checked but their signature, and
counting from their receipt hurts nobody. The stewards answer with a signed slip at once. Slips name
consents; the cooperative alone may fetch them, and shows who it is by signing with the log's key.
Not the merging (`intake.receive_slip`), and not a judgement on the chain, which stewards lack.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.canonical import canonical_bytes, parse_json, utc_text, utc_time
from consents.errors import CanonicalError, ConsentsError
from consents.jws import read_jws, sign_jws
from consents.records.receipt import EventType, leaf_sha256, read_event
from consents.tlog.promise import drop_box_slip
from coop_aggregator.db import slips as db
from coop_aggregator.db.identity import lock
from coop_aggregator.db.shards import load_shards
from coop_aggregator.errors import DropboxRefused, EventRefused
from coop_aggregator.installation import Helper

FETCH_TOLERANCE = timedelta(minutes=10)
"""How old or early a request to fetch may be: a copied one is worth nothing later."""

MAX_SLIPS = 500
"""Slips of one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """What the cooperative asks for: the slips numbered above `after`."""

    after: int
    at: datetime


def receive_withdrawal(helper: Helper, leaf: bytes) -> bytes:
    """Return our slip for a withdrawal, dated now or when it first came. Raises EventRefused."""
    try:
        payload = read_event(leaf).payload
    except ConsentsError as error:
        raise _refused() from error
    if payload.t is not EventType.WITHDRAWN:
        raise _refused()
    digest = leaf_sha256(leaf)
    with helper.database.write() as connection:
        lock(connection)
        if load_shards(connection).named(payload.o) is None:
            raise _refused()
        kept = db.slip_for(connection, digest)
        if kept is not None:
            return kept
        now = helper.clock.now()
        slip = drop_box_slip(leaf, helper.key, now=now)
        db.add_slip(connection, leaf_sha256=digest, slip=slip, received_at=now)
    return slip


def slips_after(helper: Helper, request: bytes) -> Sequence[db.NumberedSlip]:
    """Return the next slips to the cooperative that signed `request`. Raises DropboxRefused."""
    with helper.database.read() as connection:
        fetch = _read_fetch(request, kids=load_shards(connection).kids)
        if abs(fetch.at - helper.clock.now()) > FETCH_TOLERANCE:
            raise _not_ours()
        return db.slips_after(connection, after=fetch.after, limit=MAX_SLIPS)


def fetch_request(key: Ed25519PrivateKey, *, after: int, now: datetime) -> bytes:
    """Return the cooperative's signed request for the slips numbered above `after`."""
    content = {"v": 1, "fetch_after": after, "at": utc_text(now)}
    return sign_jws(canonical_bytes(content), key)


def _read_fetch(token: bytes, *, kids: Sequence[str]) -> Fetch:
    try:
        verified = read_jws(token)
        value = parse_json(verified.payload)
        if not isinstance(value, dict) or set(value) != {"v", "fetch_after", "at"}:
            raise _not_ours()
        after = value["fetch_after"]
        if verified.kid not in kids or not isinstance(after, int) or after < 0:
            raise _not_ours()
        return Fetch(after=after, at=utc_time(str(value["at"])))
    except (ConsentsError, CanonicalError) as error:
        raise _not_ours() from error


def _refused() -> EventRefused:
    return EventRefused(
        fr="Dépôt refusé. Attendu : un retrait bien formé et signé, pour le journal que suivent "
        "ces témoins. Rien n'a été gardé.",
        en="Not taken in. Expected: a well-formed, signed withdrawal, for the log that these "
        "stewards follow. Nothing was kept.",
    )


def _not_ours() -> DropboxRefused:
    return DropboxRefused(
        fr="Les dépôts ne sont remis qu'à la coopérative, qui signe sa demande avec la clé du "
        "journal et l'heure qu'il est.",
        en="Slips are handed to the cooperative only, which signs its request with the log's key "
        "and the present time.",
    )
