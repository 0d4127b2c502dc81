"""Everything that can go wrong with consents, their log and its proofs.

The tree::

    ConsentsError
    ├── CanonicalError         a value or text without exactly one spelling
    ├── RecordError            a purpose or a consent body breaks its schema
    │   └── NotOpened          a body and key do not open the leaf's commitment
    ├── LeafError              a leaf cannot be taken in
    │   ├── MalformedLeaf      not the compact JWS, header or payload that we know
    │   └── ForgedLeaf         well formed, but the signature or key does not match
    ├── ChainError             an event does not continue its consent's chain
    ├── ProofError             an inclusion or consistency proof does not hold
    ├── NoteError              a signed note or verifier key cannot be trusted
    │   ├── MalformedNote      not the text that the specification describes
    │   ├── UntrustedNote      no signature by the trusted key
    │   └── ForgedNote         a signature claims the trusted key and fails
    ├── PolicyError            a policy file cannot say whose word counts
    ├── PromiseError           a promise to merge, or a drop-box receipt, is not what it must be
    ├── LogError               a leaf or size does not belong to this log
    ├── HandoverError          a log is not the successor that the one before it named
    ├── ExportError            a file of an export misses or has another form
    └── WitnessRefusal         a witness may not cosign; `status` is the HTTP answer
        ├── MalformedRequest   400
        ├── UntrustedLog       403
        ├── UnknownLog         404
        ├── SizeConflict       409, carries the size to answer with
        └── Inconsistent       422

Sentences are for developers, in English: expected, seen, what to do, never personal data.
"""

from enum import StrEnum
from http import HTTPStatus


class ConsentsError(Exception):
    """Base of every error of this package."""


class CanonicalError(ConsentsError):
    """A value or text does not have exactly one spelling."""


class RecordError(ConsentsError):
    """A purpose or a consent body breaks its schema."""


class NotOpened(RecordError):
    """A body and key do not open the commitment of the leaf shown with them."""


class LeafError(ConsentsError):
    """A leaf cannot be taken in."""


class MalformedLeaf(LeafError):
    """The bytes are not the compact JWS, header or payload that we know."""


class ForgedLeaf(LeafError):
    """The leaf is well formed, but its signature or its key does not match."""


class ChainFault(StrEnum):
    """Which rule of a consent's chain an event broke."""

    ORIGIN = "origin"
    CONSENT_ID = "consent-id"
    COUNTER = "counter"
    PREVIOUS = "previous"
    KEY = "key"
    PURPOSE = "purpose"
    TRANSITION = "transition"


class ChainError(ConsentsError):
    """An event does not continue its consent's chain."""

    def __init__(self, fault: ChainFault, sentence: str) -> None:
        """Keep the broken rule beside the sentence."""
        super().__init__(sentence)
        self.fault = fault


class ProofError(ConsentsError):
    """An inclusion or consistency proof does not hold."""


class NoteError(ConsentsError):
    """A signed note or a verifier key cannot be trusted."""


class MalformedNote(NoteError):
    """The text is not what the signed-note or checkpoint specification describes."""


class UntrustedNote(NoteError):
    """No signature on the note was made by the trusted key."""


class ForgedNote(NoteError):
    """A signature claims the trusted key's name and id, and fails."""


class PolicyError(ConsentsError):
    """A policy file cannot say whose word counts."""


class PromiseError(ConsentsError):
    """A promise to merge, or a drop-box receipt, is not what it must be."""


class ExportError(ConsentsError):
    """A file of an export misses or has another form: nothing can be verified from it."""


class KeptError(ConsentsError):
    """What an auditor kept of an audit is damaged, or was made from something else."""


class LogError(ConsentsError):
    """A leaf or a size does not belong to this log."""


class HandoverFault(StrEnum):
    """What is wrong where one year's log goes over into the next."""

    FORM = "form"
    PROOF = "proof"
    NOT_CLOSED = "not-closed"
    NOT_OPENED = "not-opened"
    SUCCESSOR = "successor"
    PREDECESSOR = "predecessor"
    NAME = "name"


class HandoverError(ConsentsError):
    """A log is not the successor that the one before it named, or does not bind it."""

    def __init__(self, fault: HandoverFault, sentence: str) -> None:
        """Keep what is wrong beside the sentence."""
        super().__init__(sentence)
        self.fault = fault


class WitnessRefusal(ConsentsError):
    """A witness may not cosign; `status` is what its HTTP shell answers."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class MalformedRequest(WitnessRefusal):
    """The request is not an old size, a proof, an empty line and a checkpoint."""

    status = HTTPStatus.BAD_REQUEST


class UntrustedLog(WitnessRefusal):
    """The checkpoint carries no valid signature by the key trusted for its origin."""

    status = HTTPStatus.FORBIDDEN


class UnknownLog(WitnessRefusal):
    """The checkpoint's origin is not a log that this witness follows."""

    status = HTTPStatus.NOT_FOUND


class SizeConflict(WitnessRefusal):
    """The old size is not the size that this witness last cosigned."""

    status = HTTPStatus.CONFLICT

    def __init__(self, sentence: str, *, size: int) -> None:
        """Keep the last cosigned `size`, the body of the 409 answer."""
        super().__init__(sentence)
        self.size = size


class RootConflict(WitnessRefusal):
    """The checkpoint has the size that this witness last cosigned, and another root: a fork.

    Its answer bears no size: there is none from which to try again.
    """

    status = HTTPStatus.CONFLICT


class Inconsistent(WitnessRefusal):
    """The checkpoint does not continue what this witness cosigned before."""
