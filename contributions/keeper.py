"""A keeper of shares: who it is, where it listens, and the two public keys that it answers for.

A two-keeper task names a leader (the cooperative) and a helper (another organisation). One key
opens what is sealed for the keeper (X25519, see `envelope`), the other signs what it says (Ed25519,
see `jws`); a store pins both at joining.
It holds no private key and opens no connection.
"""

import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from contributions import jws
from contributions.errors import Malformed
from contributions.wire import (
    base64url_text,
    canonical_bytes,
    expect_keys,
    expect_match,
    expect_text,
    read_base64url,
    read_object,
)

KEEPER_LIMIT_BYTES = 2_048
KEEPER_URL = re.compile(r"https?://[!-~]{1,240}")
"""Where a keeper listens; whether plain http is acceptable is the transport's question."""

_KEYS = frozenset({"hpke_x", "name", "sign_x", "url"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """One keeper; `hpke_x` and `sign_x` are its raw public keys, 32 bytes in base64url.

    `url` is the root under which the keeper's addresses are, without a slash at its end.
    Raises `Malformed` at construction.
    """

    name: str
    url: str
    hpke_x: str
    sign_x: str

    def __post_init__(self) -> None:
        """Check every bound; see the class."""
        expect_text(self.name, "keeper.name", longest=200)
        expect_match(self.url, "keeper.url", KEEPER_URL)
        if self.url.endswith("/"):
            raise Malformed("expected keeper.url without a slash at its end")
        read_base64url(self.hpke_x, "keeper.hpke_x", size_bytes=32)
        read_base64url(self.sign_x, "keeper.sign_x", size_bytes=32)

    @classmethod
    def of(
        cls, *, name: str, url: str, hpke_key: X25519PublicKey, sign_key: Ed25519PublicKey
    ) -> "Keeper":
        """Return the keeper that holds the private halves of these keys."""
        return cls(
            name=name,
            url=url,
            hpke_x=base64url_text(hpke_key.public_bytes_raw()),
            sign_x=base64url_text(sign_key.public_bytes_raw()),
        )

    @property
    def hpke_key(self) -> X25519PublicKey:
        """The key to seal shares with."""
        raw = read_base64url(self.hpke_x, "keeper.hpke_x", size_bytes=32)
        return X25519PublicKey.from_public_bytes(raw)

    @property
    def sign_key(self) -> Ed25519PublicKey:
        """The key that verifies what the keeper signs."""
        raw = read_base64url(self.sign_x, "keeper.sign_x", size_bytes=32)
        return Ed25519PublicKey.from_public_bytes(raw)

    @property
    def kid(self) -> str:
        """The RFC 7638 thumbprint of the signing key: what people compare out of band."""
        return jws.thumbprint(self.sign_key)

    def to_json(self) -> dict[str, object]:
        """Return the keeper as it stands in a task or an enrolment."""
        return {
            "name": self.name,
            "url": self.url,
            "hpke_x": self.hpke_x,
            "sign_x": self.sign_x,
        }

    @classmethod
    def from_json(cls, value: object) -> "Keeper":
        """Read a keeper of a task or an enrolment; raises `Malformed`."""
        fields = expect_keys(value, "keeper", _KEYS)
        return cls(
            name=expect_text(fields["name"], "keeper.name", longest=200),
            url=expect_match(fields["url"], "keeper.url", KEEPER_URL),
            hpke_x=expect_text(fields["hpke_x"], "keeper.hpke_x", longest=43),
            sign_x=expect_text(fields["sign_x"], "keeper.sign_x", longest=43),
        )

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that a keeper answers with when asked who it is."""
        return canonical_bytes(self.to_json())

    @classmethod
    def parse(cls, data: bytes) -> "Keeper":
        """Read a keeper's answer about itself, in any JSON spelling; raises `Malformed`."""
        return cls.from_json(read_object(data, limit_bytes=KEEPER_LIMIT_BYTES, canonical=False))
