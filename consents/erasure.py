"""Opening a commitment, and what is left when its key and body are erased.

A leaf holds only `c = HMAC-SHA256(k, body)`, with a key `k` that is used once. Who has body and
key shows that the leaf speaks of that body. When both are deleted, with every copy and backup, the
leaf, its proofs and its signature stay as they are and tell nothing of the body: the signature is
over the leaf, never over the body. `body.shredded` says in the log that this was done.

The random consent id stays: what is left is pseudonymous, not anonymous.
"""

import hmac
from dataclasses import dataclass, field

from consents.canonical import canonical_bytes, parse_json
from consents.errors import CanonicalError, LeafError, NotOpened, RecordError
from consents.receipt import ConsentBody, SignedEvent, leaf_sha256, read_event

_MEMBERS = frozenset({"body", "commitment_key", "leaf"})


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
