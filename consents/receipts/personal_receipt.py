"""The receipt that a resident keeps of one choice: the leaf, what it says, and to what it agrees.

One file of canonical JSON, from which the machine-readable record (`consents.receipts.jsonld`) and
the printed page (`consents.receipts.printable`) are both made. Reading it checks that everything in
it belongs together; that the log holds the leaf is what `log_receipt` shows, where it is there
already.
"""

from dataclasses import dataclass

from consents.canonical import canonical_bytes, parse_json
from consents.errors import CanonicalError, ProofError, RecordError
from consents.records.erasure import Opening
from consents.records.notice import Notice
from consents.records.receipt import Purpose
from consents.tlog.proofs import LogReceipt

MAX_RECEIPT_BYTES = 1_048_576
"""Longest receipt read."""

_MEMBERS = frozenset({"log_receipt", "notice", "opening", "purpose"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalReceipt:
    """
    Leaf and body, purpose and notice, and the proof of logging once there is one.

    `notice` is None where the purpose's own text is the notice, as a body says by naming it.
    Construction raises RecordError unless the body names this purpose and this notice, and the
    proof is for this leaf.
    """

    opening: Opening
    purpose: Purpose
    notice: Notice | None
    log_receipt: LogReceipt | None = None

    def __post_init__(self) -> None:
        """Check that the parts belong together."""
        body, payload = self.opening.body, self.opening.event.payload
        agreed = {each.purpose_digest for each in body.purposes}
        if self.purpose.digest != payload.pd or payload.pd not in agreed:
            raise RecordError("expected the purpose that the leaf and its body name")
        shown = self.purpose if self.notice is None else self.notice
        if shown.digest != body.privacy_notice.sha256:
            raise RecordError("expected the notice that the body names")
        if self.log_receipt is not None and self.log_receipt.leaf != self.opening.event.leaf:
            raise RecordError("expected the proof of this leaf, seen another's")

    def to_bytes(self) -> bytes:
        """Return the file to keep."""
        proof = None if self.log_receipt is None else self.log_receipt.to_bytes().decode()
        return canonical_bytes(
            {
                "opening": self.opening.to_bytes().decode(),
                "purpose": self.purpose.to_bytes().decode(),
                "notice": None if self.notice is None else self.notice.to_bytes().decode(),
                "log_receipt": proof,
            }
        )

    @classmethod
    def parse(cls, content: bytes) -> "PersonalReceipt":
        """Read a kept file; raise RecordError. Who is trusted for the log is not its question."""
        if len(content) > MAX_RECEIPT_BYTES:
            raise RecordError(f"expected at most {MAX_RECEIPT_BYTES} bytes")
        try:
            value = parse_json(content)
        except CanonicalError as error:
            raise RecordError("expected a receipt as UTF-8 JSON") from error
        if not isinstance(value, dict) or set(value) != _MEMBERS:
            raise RecordError(f"expected exactly {', '.join(sorted(_MEMBERS))}")
        proof, notice = value["log_receipt"], value["notice"]
        try:
            log_receipt = None if proof is None else LogReceipt.parse(str(proof).encode())
        except ProofError as error:
            raise RecordError("expected a proof of logging in the receipt") from error
        return cls(
            opening=Opening.parse(str(value["opening"]).encode()),
            purpose=Purpose.parse(str(value["purpose"]).encode()),
            notice=None if notice is None else Notice.parse(str(notice).encode()),
            log_receipt=log_receipt,
        )
