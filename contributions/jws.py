"""Compact JWS with Ed25519, readable alone: the header carries the public key.

Specs: RFC 7515 (compact serialisation), RFC 9864 (`alg` "Ed25519"), RFC 7638 (`kid` is the key's
thumbprint), RFC 8037 (`jwk` of type OKP), RFC 8725 section 3.11 (`typ` names the kind of message,
so that one kind is never taken for another).

The signature and its serialisation are joserfc's; this adds one algorithm, four header members and
one spelling, and refuses everything else.
Whose key it is, is the caller's question; that the key signed these very bytes is answered here.
"""

import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from contributions.errors import Malformed, SignatureRefused
from contributions.wire import (
    base64url_text,
    expect_keys,
    expect_match,
    read_base64url,
    read_object,
)

ALGORITHM = "Ed25519"
"""The fully specified name of RFC 9864; "EdDSA" is deprecated."""

_HEADER_LIMIT_BYTES = 512
_HEADER_KEYS = frozenset({"alg", "jwk", "kid", "typ"})
_JWK_KEYS = frozenset({"crv", "kty", "x"})
_BASE64URL_32_BYTES = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPayload:
    """The bytes that were signed, the key that signed them and its RFC 7638 thumbprint."""

    payload: bytes
    public_key: Ed25519PublicKey
    kid: str


def public_jwk(public_key: Ed25519PublicKey) -> dict[str, str]:
    """Return the public JWK of a key: the members that RFC 7638 hashes, and no other."""
    return {"crv": "Ed25519", "kty": "OKP", "x": base64url_text(public_key.public_bytes_raw())}


def thumbprint(public_key: Ed25519PublicKey) -> str:
    """Return the RFC 7638 SHA-256 thumbprint of a key, base64url, 43 characters."""
    return OKPKey.import_key(public_key).thumbprint()


def key_from_jwk(value: object, where: str = "jwk") -> Ed25519PublicKey:
    """Read a public OKP Ed25519 JWK with exactly `kty`, `crv` and `x`; raises `Malformed`."""
    jwk = expect_keys(value, where, _JWK_KEYS)
    if jwk["kty"] != "OKP" or jwk["crv"] != "Ed25519":
        raise Malformed(f"expected kty OKP and crv Ed25519 at {where}")
    x = expect_match(jwk["x"], f"{where}.x", _BASE64URL_32_BYTES)
    return Ed25519PublicKey.from_public_bytes(read_base64url(x, f"{where}.x", size_bytes=32))


def sign(payload: bytes, *, key: Ed25519PrivateKey, typ: str) -> bytes:
    """Sign bytes into a compact JWS of kind `typ`."""
    public_key = key.public_key()
    header = {
        "alg": ALGORITHM,
        "jwk": public_jwk(public_key),
        "kid": thumbprint(public_key),
        "typ": typ,
    }
    token = jws.serialize_compact(header, payload, OKPKey.import_key(key), [ALGORITHM])
    return token.encode("ascii")


def verify(token: bytes, *, typ: str, limit_bytes: int) -> SignedPayload:
    """Verify a compact JWS of kind `typ` over the bytes as received.

    1. size and shape; 2. header: our algorithm, this `typ`, nothing more; 3. `kid` is the
    thumbprint of `jwk`; 4. the signature. The caller still owes: whose key is it?
    Raises `Malformed` for 1 and 2, `SignatureRefused` for 3 and 4.
    """
    if len(token) > limit_bytes:
        raise Malformed(f"expected a JWS of at most {limit_bytes} bytes, saw {len(token)}")
    parts = token.decode("latin-1").split(".")
    if len(parts) != 3:
        raise Malformed("expected a compact JWS: three base64url parts joined by dots")
    header_bytes = read_base64url(parts[0], "the JWS header")
    header = expect_keys(
        read_object(header_bytes, limit_bytes=_HEADER_LIMIT_BYTES), "the JWS header", _HEADER_KEYS
    )
    if header["alg"] != ALGORITHM or header["typ"] != typ:
        raise Malformed(f"expected alg Ed25519 and typ {typ} in the JWS header")
    public_key = key_from_jwk(header["jwk"], "the JWS header's jwk")
    kid = thumbprint(public_key)
    if header["kid"] != kid:
        raise SignatureRefused("expected kid to be the RFC 7638 thumbprint of jwk; refuse the JWS")
    for part, where in ((parts[1], "the payload"), (parts[2], "the signature")):
        # Stray bits in a last character would give one signature several spellings.
        read_base64url(part, where)
    registry = jws.JWSRegistry(algorithms=[ALGORITHM])
    # The library stops at 128 000 bytes, less than a task of many zones; the size is ours to bound.
    registry.max_payload_length = limit_bytes
    try:
        verified = jws.deserialize_compact(token, OKPKey.import_key(public_key), registry=registry)
    except JoseError as error:
        raise SignatureRefused("the signature is not by the key in the header") from error
    return SignedPayload(payload=verified.payload, public_key=public_key, kid=kid)
