"""Compact JWS that verify alone: Ed25519, the public key in the header, one spelling only.

The header is exactly `{"alg": "Ed25519", "jwk": {crv, kty, x}, "kid": RFC 7638 thumbprint}`.
A valid signature says that the holder of that key signed these bytes, and nothing about who the
holder is: trust in a `kid` comes from elsewhere (the consent's chain, an enrolment).
Specs: RFC 7515, RFC 8037, RFC 9864 (algorithm name), RFC 7638.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consents.canonical import base64url_bytes, base64url_text, canonical_bytes, parse_json
from consents.errors import CanonicalError, ForgedLeaf, MalformedLeaf

ALGORITHM = "Ed25519"
"""The fully specified JWS name of RFC 9864; "EdDSA" is deprecated."""

MAX_JWS_BYTES = 65_535
"""Longest token: log tiles write each entry's length in 16 bits (C2SP tlog-tiles)."""

_MEMBERS = frozenset({"alg", "jwk", "kid"})
_PUBLIC_KEY_BYTES = 32
_SEGMENTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedJws:
    """A token whose signature was checked on the bytes as received."""

    payload: bytes
    public_key: Ed25519PublicKey
    kid: str


def thumbprint(public_key: Ed25519PublicKey) -> str:
    """Return the RFC 7638 thumbprint of a key: 43 characters of URL-safe base64."""
    return thumbprint_of_raw(public_key.public_bytes_raw())


def thumbprint_of_raw(public_key: bytes) -> str:
    """Return the RFC 7638 thumbprint of a raw Ed25519 key of 32 bytes."""
    required = f'{{"crv":"{ALGORITHM}","kty":"OKP","x":"{base64url_text(public_key)}"}}'
    return base64url_text(sha256(required.encode("ascii")).digest())


def public_jwk(public_key: Ed25519PublicKey) -> dict[str, str]:
    """Return the JWK of a public key with its required members only: crv, kty, x."""
    return {"crv": ALGORITHM, "kty": "OKP", "x": base64url_text(public_key.public_bytes_raw())}


def public_key_of(jwk: object) -> Ed25519PublicKey:
    """Return the key of a `{crv, kty, x}` mapping; raise MalformedLeaf on anything else."""
    if not isinstance(jwk, Mapping) or set(jwk) != {"crv", "kty", "x"}:
        raise MalformedLeaf("expected a jwk with exactly crv, kty and x")
    x = jwk["x"]
    if jwk["kty"] != "OKP" or jwk["crv"] != ALGORITHM or not isinstance(x, str):
        raise MalformedLeaf('expected a jwk with kty "OKP", crv "Ed25519" and a text x')
    raw = _decoded(x, "jwk.x")
    if len(raw) != _PUBLIC_KEY_BYTES:
        raise MalformedLeaf(f"expected {_PUBLIC_KEY_BYTES} bytes in jwk.x, seen {len(raw)}")
    return Ed25519PublicKey.from_public_bytes(raw)


def sign_jws(payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """Return the compact JWS of `payload`; raise MalformedLeaf when it exceeds 65,535 bytes."""
    public = key.public_key()
    header = {"alg": ALGORITHM, "jwk": public_jwk(public), "kid": thumbprint(public)}
    signed = f"{base64url_text(canonical_bytes(header))}.{base64url_text(payload)}".encode("ascii")
    token = signed + b"." + base64url_text(key.sign(signed)).encode("ascii")
    if len(token) > MAX_JWS_BYTES:
        raise MalformedLeaf(f"expected at most {MAX_JWS_BYTES} bytes, seen {len(token)}")
    return token


def read_jws(token: bytes, *, typs: Collection[str] = ()) -> VerifiedJws:
    """
    Check a compact JWS against the key in its own header.

    With `typs`, the header must also carry a `typ` out of these; without, it must carry none.

    Raises MalformedLeaf for any other shape or spelling, ForgedLeaf when the signature fails or
    `kid` is not the key's thumbprint.
    """
    header, payload, signature = _segments(token)
    members = _header(header, typs)
    public_key = public_key_of(members["jwk"])
    kid = thumbprint(public_key)
    if members["kid"] != kid:
        raise ForgedLeaf("expected kid to be the thumbprint of the header's own key")
    try:
        public_key.verify(signature, token[: token.rindex(b".")])
    except InvalidSignature as error:
        raise ForgedLeaf("expected a signature by the header's own key over these bytes") from error
    return VerifiedJws(payload=payload, public_key=public_key, kid=kid)


def _segments(token: bytes) -> tuple[bytes, bytes, bytes]:
    if len(token) > MAX_JWS_BYTES:
        raise MalformedLeaf(f"expected at most {MAX_JWS_BYTES} bytes, seen {len(token)}")
    try:
        segments = token.decode("ascii").split(".")
    except UnicodeDecodeError as error:
        raise MalformedLeaf("expected ASCII, seen another byte") from error
    if len(segments) != _SEGMENTS:
        raise MalformedLeaf(f"expected three segments between dots, seen {len(segments)}")
    # Stray bits in a last character would give one signature several leaf bytes.
    names = ("header", "payload", "signature")
    header, payload, signature = map(_decoded, segments, names)
    return header, payload, signature


def _header(content: bytes, typs: Collection[str]) -> dict[str, object]:
    try:
        header = parse_json(content)
    except CanonicalError as error:
        raise MalformedLeaf("expected a JSON object as header") from error
    names = _MEMBERS | {"typ"} if typs else _MEMBERS
    if not isinstance(header, dict) or header.keys() != names:
        raise MalformedLeaf(f"expected a header with exactly {', '.join(sorted(names))}")
    if typs and header["typ"] not in typs:
        raise MalformedLeaf("expected a known typ in the header")
    if header["alg"] != ALGORITHM:
        raise MalformedLeaf(f'expected alg "{ALGORITHM}"')
    return header


def _decoded(text: str, name: str) -> bytes:
    try:
        return base64url_bytes(text)
    except CanonicalError as error:
        raise MalformedLeaf(f"expected URL-safe base64 without padding in {name}") from error
