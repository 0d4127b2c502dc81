"""What travels between a personal store and the cooperative: enrolment, membership, report.

A report of the trust mode `local` carries the vector *after* noise, signed by the key of the
consent that permits it. Its own fields say which consent, which purpose and how much privacy it
spends, so that every item of a release can be shown to be covered.

Reading checks form and signature; whether the key is the consent's, the zone the member's and the
time right is the intake's question. Two keepers' sealed reports are not in this module.
Spec: docs of the protocol; JWS in `jws`, canonical bytes in `wire`, releases in `release`.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contributions import jws
from contributions.errors import Malformed, ReportMismatch, TrustModeNotServed
from contributions.keeper import Keeper
from contributions.measures import MAX_COORDINATES
from contributions.statement import STATED_KEYS, Statement, read_stated
from contributions.task import (
    LOG_ORIGIN,
    ZONE_CODE,
    Task,
    TrustMode,
)
from contributions.wire import (
    HEX_32_BYTES,
    IDENTIFIER,
    INTEGER_LIMIT,
    canonical_bytes,
    expect_integer,
    expect_keys,
    expect_list,
    expect_match,
    expect_text,
    read_object,
)

__all__ = [
    "Enrolled",
    "Enrolment",
    "Membership",
    "Report",
    "SignedMembership",
    "SignedReport",
    "check_report",
    "read_membership",
    "read_report",
    "sign_membership",
    "sign_report",
]

REPORT_TYP = "mec-report+jws"
"""`typ` of a signed report of trust mode `local`."""
MEMBERSHIP_TYP = "mec-membership+jws"
"""`typ` of a signed membership; one never reads as the other."""
MESSAGE_LIMIT_BYTES = 16_384
"""A report of 128 coordinates takes under 4 kB; nothing that a store sends is larger than this."""

_VERSION = 1
_REPORT_KEYS = STATED_KEYS | {"v", "vector"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Statement):
    """One resident-week under trust mode `local`: the noised vector and what permits it.

    `vector` has 1 to `MAX_COORDINATES` numbers, each below 2**53 in magnitude. Raises `Malformed`.
    """

    vector: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check every bound and keep the day of `at`."""
        Statement.__post_init__(self)
        if not 1 <= len(self.vector) <= MAX_COORDINATES:
            raise Malformed(f"expected a vector of 1 to {MAX_COORDINATES} coordinates")
        for value in self.vector:
            expect_integer(value, "vector", low=1 - INTEGER_LIMIT, high=INTEGER_LIMIT - 1)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are signed: what leaves, and nothing else does."""
        return canonical_bytes({"v": _VERSION, "vector": list(self.vector)} | self.stated())

    @classmethod
    def parse(cls, data: bytes) -> "Report":
        """Read a report from untrusted canonical bytes; raises `Malformed`."""
        fields = expect_keys(
            read_object(data, limit_bytes=MESSAGE_LIMIT_BYTES), "report", _REPORT_KEYS
        )
        expect_integer(fields["v"], "v", low=_VERSION, high=_VERSION)
        bound = INTEGER_LIMIT - 1
        return cls(
            vector=tuple(
                expect_integer(value, "vector", low=-bound, high=bound)
                for value in expect_list(fields["vector"], "vector")
            ),
            **read_stated(fields),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReport:
    """A report whose signature holds, with the key that made it."""

    report: Report
    public_key: Ed25519PublicKey
    kid: str


def sign_report(report: Report, key: Ed25519PrivateKey) -> bytes:
    """Sign a report with the key of its consent into a compact JWS."""
    return jws.sign(report.to_bytes(), key=key, typ=REPORT_TYP)


def read_report(signed: bytes) -> SignedReport:
    """Verify and read a signed report; raises `Malformed` or `SignatureRefused`.

    The caller still owes: `kid` is the key of consent `cid`, and `check_report`.
    """
    verified = jws.verify(signed, typ=REPORT_TYP, limit_bytes=2 * MESSAGE_LIMIT_BYTES)
    report = Report.parse(verified.payload)
    return SignedReport(report=report, public_key=verified.public_key, kid=verified.kid)


def check_report(report: Report, task: Task) -> None:
    """Check that a report answers this task.

    Raises `TrustModeNotServed` unless the task is `local`, and `ReportMismatch` when the digest,
    the zone, the length of the vector, ε or the purpose differ.
    """
    if task.trust_mode is not TrustMode.LOCAL:
        raise TrustModeNotServed(
            f"expected trust mode local, saw {task.trust_mode}: its answer is a statement "
            "and two sealed shares, sent to both keepers, never a local report"
        )
    answers = {
        "task_digest": report.task_digest == task.digest,
        "zone": task.zone(report.zone) is not None,
        "vector": len(report.vector) == len(task.coordinates),
        "epsilon_micro": report.epsilon_micro == task.epsilon_micro,
        "pd": report.pd == task.purpose_digest,
    }
    wrong = [name for name, holds in answers.items() if not holds]
    if wrong:
        raise ReportMismatch(f"expected {', '.join(wrong)} as the task says; refuse the report")


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A member's word that a consent leaf is theirs: sent beside the leaf, never in the log.

    It lets the cooperative count one member once without putting the member in the log.
    """

    member_id: str
    leaf_sha256: str

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        expect_match(self.member_id, "member_id", IDENTIFIER)
        expect_match(self.leaf_sha256, "leaf_sha256", HEX_32_BYTES)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are signed."""
        return canonical_bytes({"member_id": self.member_id, "leaf_sha256": self.leaf_sha256})

    @classmethod
    def parse(cls, data: bytes) -> "Membership":
        """Read a membership from untrusted canonical bytes; raises `Malformed`."""
        fields = expect_keys(
            read_object(data, limit_bytes=MESSAGE_LIMIT_BYTES),
            "membership",
            frozenset({"leaf_sha256", "member_id"}),
        )
        return cls(
            member_id=expect_match(fields["member_id"], "member_id", IDENTIFIER),
            leaf_sha256=expect_match(fields["leaf_sha256"], "leaf_sha256", HEX_32_BYTES),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedMembership:
    """A membership whose signature holds, with the key that made it."""

    membership: Membership
    public_key: Ed25519PublicKey
    kid: str


def sign_membership(membership: Membership, key: Ed25519PrivateKey) -> bytes:
    """Sign a membership with the member's key into a compact JWS."""
    return jws.sign(membership.to_bytes(), key=key, typ=MEMBERSHIP_TYP)


def read_membership(signed: bytes) -> SignedMembership:
    """Verify and read a membership; raises `Malformed` or `SignatureRefused`.

    The caller still owes: `kid` is the key that this member enrolled with.
    """
    verified = jws.verify(signed, typ=MEMBERSHIP_TYP, limit_bytes=2 * MESSAGE_LIMIT_BYTES)
    membership = Membership.parse(verified.payload)
    return SignedMembership(membership=membership, public_key=verified.public_key, kid=verified.kid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A store asks to join with a code from the cooperative; body of `POST /v1/enrolments`.

    `member_x` is the public Ed25519 key, base64url. `code` (1 to 128 characters) is a secret.
    """

    code: str
    member_x: str
    zone: str

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        expect_text(self.code, "code", longest=128)
        expect_match(self.zone, "zone", ZONE_CODE)
        jws.key_from_jwk(self.member_jwk, "member_jwk")

    def __repr__(self) -> str:
        """Hide the code: whoever holds it can join."""
        return f"Enrolment(code=<hidden>, zone={self.zone!r})"

    @property
    def member_jwk(self) -> dict[str, str]:
        """The member's public key as a JWK."""
        return {"crv": "Ed25519", "kty": "OKP", "x": self.member_x}

    def to_bytes(self) -> bytes:
        """Return the canonical bytes of the request."""
        return canonical_bytes(
            {"code": self.code, "member_jwk": self.member_jwk, "zone": self.zone}
        )

    @classmethod
    def parse(cls, data: bytes) -> "Enrolment":
        """Read a request body, in any JSON spelling; raises `Malformed`."""
        fields = expect_keys(
            read_object(data, limit_bytes=MESSAGE_LIMIT_BYTES, canonical=False),
            "enrolment",
            frozenset({"code", "member_jwk", "zone"}),
        )
        key = jws.key_from_jwk(fields["member_jwk"], "member_jwk")
        return cls(
            code=expect_text(fields["code"], "code", longest=128),
            member_x=jws.public_jwk(key)["x"],
            zone=expect_match(fields["zone"], "zone", ZONE_CODE),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """The cooperative's answer to an enrolment: who the member is and which keys to check.

    `log_vkey` is the verifier key of the consent log (C2SP signed note), `task_x` the public
    Ed25519 key that signs tasks, base64url. `keepers`, leader then helper, are those of two-keeper
    tasks, none where the cooperative asks none; the leader signs with the task key.
    """

    member_id: str
    log_vkey: str
    task_x: str
    log_origin: str
    keepers: tuple[Keeper, ...] = ()

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        expect_match(self.member_id, "member_id", IDENTIFIER)
        expect_text(self.log_vkey, "log_vkey", longest=256)
        expect_match(self.log_origin, "log_origin", LOG_ORIGIN)
        jws.key_from_jwk(self.task_key_jwk, "task_key_jwk")
        if self.keepers and (len(self.keepers) != 2 or self.keepers[0].sign_x != self.task_x):
            raise Malformed("expected no keeper, or a leader that signs tasks and a helper")

    @property
    def task_key_jwk(self) -> dict[str, str]:
        """The public key that signs tasks, as a JWK."""
        return {"crv": "Ed25519", "kty": "OKP", "x": self.task_x}

    @property
    def task_key(self) -> Ed25519PublicKey:
        """The public key that signs tasks, ready for `read_task`."""
        return jws.key_from_jwk(self.task_key_jwk, "task_key_jwk")

    def to_bytes(self) -> bytes:
        """Return the canonical bytes of the answer."""
        return canonical_bytes(
            {
                "member_id": self.member_id,
                "log_vkey": self.log_vkey,
                "task_key_jwk": self.task_key_jwk,
                "log_origin": self.log_origin,
                "keepers": [keeper.to_json() for keeper in self.keepers],
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "Enrolled":
        """Read an answer body, in any JSON spelling; raises `Malformed`."""
        fields = expect_keys(
            read_object(data, limit_bytes=MESSAGE_LIMIT_BYTES, canonical=False),
            "enrolled",
            frozenset({"keepers", "log_origin", "log_vkey", "member_id", "task_key_jwk"}),
        )
        key = jws.key_from_jwk(fields["task_key_jwk"], "task_key_jwk")
        return cls(
            member_id=expect_match(fields["member_id"], "member_id", IDENTIFIER),
            log_vkey=expect_text(fields["log_vkey"], "log_vkey", longest=256),
            task_x=jws.public_jwk(key)["x"],
            log_origin=expect_match(fields["log_origin"], "log_origin", LOG_ORIGIN),
            keepers=tuple(
                Keeper.from_json(item) for item in expect_list(fields["keepers"], "keepers")
            ),
        )
