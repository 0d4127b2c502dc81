"""A request for the consents that name a key, by whoever holds it.

A delegate, or a resident who lost their store, must know the newest event of a consent to sign the
next one. The key says who asks and for which: it alone finds them again, without a list on paper.
The time makes a copied request worth nothing later. Which chains name that key is for the operator,
who holds them (`ConsentState.known_kids`).
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.canonical import canonical_bytes, parse_json, utc_text, utc_time
from consents.errors import CanonicalError, RecordError
from consents.jws import read_jws, sign_jws

_VERSION = 2
_MEMBERS = {"v", "show", "o", "at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRequest:
    """What the holder of the key `kid` asks the operator of `origin` to show: the events of the
    consents that name it.

    `at` is the claimed time of asking, aware UTC.
    """

    origin: str
    at: datetime
    kid: str


def sign_chain_request(*, origin: str, key: Ed25519PrivateKey, now: datetime) -> bytes:
    """Return the signed request for the consents that name `key`, as a compact JWS."""
    content = {"v": _VERSION, "show": "chains", "o": origin, "at": utc_text(now)}
    return sign_jws(canonical_bytes(content), key)


def read_chain_request(token: bytes) -> ChainRequest:
    """Read a request whose signature holds; raise RecordError or LeafError."""
    verified = read_jws(token)
    try:
        value = parse_json(verified.payload)
        if (
            not isinstance(value, dict)
            or set(value) != _MEMBERS
            or (value["v"], value["show"]) != (_VERSION, "chains")
            or not all(isinstance(value[name], str) for name in ("o", "at"))
        ):
            raise RecordError("expected a request for the chains that name a key")
        at = utc_time(value["at"])
    except CanonicalError as error:
        raise RecordError("expected a request as UTF-8 JSON with its time") from error
    return ChainRequest(origin=value["o"], at=at, kid=verified.kid)
