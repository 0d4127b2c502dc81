"""The leader's word, for the helper, that one report is a member's, from home, and the only one.

The helper knows no member: it takes a sealed report only with the leader's signature over that very
statement. The leader checks the consent, the zone and that this member answered once, takes its
own share, and answers the store with the admission; the store shows it to the helper. The helper
learns nothing more about a resident than the statement says.

It does not protect against a leader that invents members: noise does, since it covers each
resident whoever else is in the sum. Spec: JWS in `jws`, canonical bytes in `wire`.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contributions import jws
from contributions.errors import ReportMismatch, SignatureRefused
from contributions.task import Task
from contributions.two_keepers import expect_keepers
from contributions.wire import (
    HEX_32_BYTES,
    canonical_bytes,
    expect_integer,
    expect_keys,
    expect_match,
    read_object,
    sha256_hex,
)

ADMISSION_TYP = "mec-admission+jws"
"""`typ` of the JWS: no other signed message reads as an admission."""
ADMISSION_LIMIT_BYTES = 1_024
"""Longer admissions are refused unread."""

_VERSION = 1
_KEYS = frozenset({"statement_sha256", "task_digest", "v"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The report whose signed statement has this SHA-256 counts for this task."""

    task_digest: str
    statement_sha256: str

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        expect_match(self.task_digest, "task_digest", HEX_32_BYTES)
        expect_match(self.statement_sha256, "statement_sha256", HEX_32_BYTES)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are signed."""
        return canonical_bytes(
            {
                "v": _VERSION,
                "task_digest": self.task_digest,
                "statement_sha256": self.statement_sha256,
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "Admission":
        """Read an admission from untrusted canonical bytes; raises `Malformed`."""
        fields = expect_keys(
            read_object(data, limit_bytes=ADMISSION_LIMIT_BYTES), "admission", _KEYS
        )
        expect_integer(fields["v"], "v", low=_VERSION, high=_VERSION)
        return cls(
            task_digest=expect_match(fields["task_digest"], "task_digest", HEX_32_BYTES),
            statement_sha256=expect_match(
                fields["statement_sha256"], "statement_sha256", HEX_32_BYTES
            ),
        )


def sign_admission(admission: Admission, key: Ed25519PrivateKey) -> bytes:
    """Sign an admission with the leader's key into a compact JWS."""
    return jws.sign(admission.to_bytes(), key=key, typ=ADMISSION_TYP)


def check_admission(signed: bytes, *, statement: bytes, task: Task) -> None:
    """Check that the task's leader admitted this signed statement.

    Raises `Malformed`, `SignatureRefused` for another key than the leader's, `ReportMismatch` for
    the admission of another report or task.
    """
    verified = jws.verify(signed, typ=ADMISSION_TYP, limit_bytes=2 * ADMISSION_LIMIT_BYTES)
    leader, _helper = expect_keepers(task)
    if verified.public_key != leader.sign_key:
        raise SignatureRefused("expected an admission signed by the task's leader")
    expected = Admission(task_digest=task.digest, statement_sha256=sha256_hex(statement))
    if Admission.parse(verified.payload) != expected:
        raise ReportMismatch("expected the admission of this very report; refuse it")
