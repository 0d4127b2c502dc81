"""Who the resident is to a cooperative, and the keys that the store holds it to.

The cooperative keeps a log for each year; the first one's key was pinned at enrolment, and each
later one is trusted only once the one before it was seen to hand over
(`personal_store.choices.log_years`).
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consents.errors import UntrustedNote
from consents.jws import thumbprint_of_raw
from consents.tlog.checkpoint import NoteKey, read_checkpoint
from consents.tlog.proofs import LogReceipt
from contributions.keeper import Keeper


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerLog:
    """The closed log of an earlier year: its name, its key and how many leaves it ended with."""

    origin: str
    vkey: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """
    What enrolment gave, and the logs that were followed since.

    `log_origin` and `log_vkey` are the open log's, `former` the closed ones, oldest first.
    """

    url: str
    member_id: str
    member_key: Ed25519PrivateKey
    zone: str
    log_origin: str
    log_vkey: str
    task_key: Ed25519PublicKey
    keepers: tuple[Keeper, ...] = ()
    former: tuple[FormerLog, ...] = ()

    @property
    def helper_key(self) -> Ed25519PublicKey | None:
        """The key of the second keeper, pinned at enrolment; None where there is none."""
        return self.keepers[1].sign_key if self.keepers else None

    @property
    def origins(self) -> tuple[str, ...]:
        """The names of the logs, oldest first."""
        return (*(each.origin for each in self.former), self.log_origin)

    @property
    def log_vkeys(self) -> tuple[str, ...]:
        """The verifier keys of the logs, oldest first."""
        return (*(each.vkey for each in self.former), self.log_vkey)

    @property
    def kids(self) -> tuple[str, ...]:
        """Thumbprints of these keys, oldest first."""
        return tuple(thumbprint_of_raw(NoteKey.parse(vkey).public_key) for vkey in self.log_vkeys)

    def number_of(self, note: str) -> int:
        """Return the number of the log, from 0, that a note claims; raise NoteError for no log."""
        origin = read_checkpoint(note).origin
        if origin not in self.origins:
            raise UntrustedNote("expected a checkpoint of a log that is followed")
        return self.origins.index(origin)

    def start(self, number: int) -> int:
        """Return how many leaves the logs before this one hold."""
        return sum(each.size for each in self.former[:number])

    def verify(self, receipt: LogReceipt) -> None:
        """Check a receipt against the key of its log; raise ConsentsError."""
        vkey = self.log_vkeys[self.number_of(receipt.checkpoint)]
        receipt.verify(vkey, earlier=self.origins)
