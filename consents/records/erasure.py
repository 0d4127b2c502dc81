"""Opening a commitment, and what is left when its key and body are erased.

A leaf holds only `c = HMAC-SHA256(k, body)`, with a key `k` that is used once. Who has body and
key shows that the leaf speaks of that body. When both are deleted, with every copy and backup, the
leaf, its proofs and its signature stay as they are and tell nothing of the body: the signature is
over the leaf, never over the body. `body.shredded` says in the log that this was done.

The random consent id stays: what is left is pseudonymous, not anonymous.

A resident asks for it with a request signed by the consent's own key, and can check the entries
that answer it: each is the operator's, and commits to the leaf that it says was emptied.

    request  {"cid", "erase", "o", "v"}     signed by the key of the consent
"""

import hmac
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.canonical import canonical_bytes, commitment, parse_json
from consents.errors import CanonicalError, LeafError, NotOpened, RecordError
from consents.jws import read_jws, sign_jws
from consents.records.receipt import ConsentBody, EventType, SignedEvent, leaf_sha256, read_event

_MEMBERS = frozenset({"body", "commitment_key", "leaf"})
_REQUEST_VERSION = 1
_REQUEST = frozenset({"cid", "erase", "o", "v"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """
    A leaf's event together with the clear body that its commitment stands for.

    Construction checks that the key opens it; raises NotOpened, or RecordError for a bad key.
    """

    event: SignedEvent
    body: ConsentBody = field(repr=False)
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Compare the commitments, and the event types of leaf and body."""
        try:
            made = self.body.commitment(key=self.key)
        except CanonicalError as error:
            raise RecordError("expected a commitment key of 32 bytes") from error
        if not hmac.compare_digest(made, self.event.payload.c):
            raise NotOpened("expected a body and key that open the leaf's commitment")
        if self.body.event_type is not self.event.payload.t:
            raise NotOpened("expected a body of the same event as the leaf")

    def to_bytes(self) -> bytes:
        """Return the file that opens the leaf for whoever is shown it."""
        return canonical_bytes(
            {
                "leaf": self.event.leaf.decode("ascii"),
                "body": self.body.to_bytes().decode("utf-8"),
                "commitment_key": self.key.hex(),
            }
        )

    @classmethod
    def parse(cls, content: bytes) -> "Opening":
        """Read such a file; raise RecordError, also when it opens nothing."""
        try:
            value = parse_json(content)
            if not isinstance(value, dict) or set(value) != _MEMBERS:
                raise RecordError("expected exactly body, commitment_key and leaf")
            event = read_event(str(value["leaf"]).encode("ascii"))
            key = bytes.fromhex(str(value["commitment_key"]))
        except (CanonicalError, LeafError, ValueError) as error:
            raise RecordError("expected a leaf that verifies and a key in hex") from error
        return cls(event=event, body=ConsentBody.parse(str(value["body"]).encode()), key=key)


def shredding(leaf: bytes) -> dict[str, str]:
    """Return the body of the operator's `body.shredded` entry: which leaf was emptied."""
    return {"target": leaf_sha256(leaf)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRequest:
    """What the holder of the key `kid` asks the operator of `origin` to erase: a consent, whole."""

    cid: str
    origin: str
    kid: str


def sign_erasure(*, cid: str, origin: str, key: Ed25519PrivateKey) -> bytes:
    """Return the signed request to erase what is kept beside the leaves of a consent."""
    content = {"v": _REQUEST_VERSION, "erase": "consent", "cid": cid, "o": origin}
    return sign_jws(canonical_bytes(content), key)


def read_erasure(token: bytes) -> ErasureRequest:
    """Read a request whose signature holds; raise RecordError or LeafError.

    Whether the key is the consent's own is for the caller, who knows its chain.
    """
    verified = read_jws(token)
    try:
        value = parse_json(verified.payload)
    except CanonicalError as error:
        raise RecordError("expected a request as UTF-8 JSON") from error
    if (
        not isinstance(value, dict)
        or set(value) != _REQUEST
        or (value["v"], value["erase"]) != (_REQUEST_VERSION, "consent")
        or not all(isinstance(value[name], str) for name in ("cid", "o"))
    ):
        raise RecordError("expected a request to erase one consent")
    return ErasureRequest(cid=value["cid"], origin=value["o"], kid=verified.kid)


def check_shredded(entry: bytes, *, target: bytes, key: bytes, operator_kid: str) -> None:
    """Check that the operator's `entry` says that the leaf `target` was emptied.

    `key` is the commitment key that opens the entry. Raises LeafError, or NotOpened.
    """
    event = read_event(entry)
    payload = event.payload
    if payload.t is not EventType.BODY_SHREDDED or payload.kid != operator_kid:
        raise NotOpened("expected the operator's entry about an erasure")
    try:
        made = commitment(key=key, body=shredding(target))
    except CanonicalError as error:
        raise RecordError("expected a commitment key of 32 bytes") from error
    if not hmac.compare_digest(made, payload.c):
        raise NotOpened("expected an entry about this very leaf")
