"""The report of a two-keeper task: one signed statement, and one sealed share for each keeper.

The consent's key signs what both keepers must agree on: ids, zone, consent, purpose, ε, the public
share, and the SHA-256 of *both* sealed shares. Both keepers receive the same signed bytes; each
also receives its own sealed share. A share moved to another report, or a second share under the
same report, does not match the statement; a statement sent twice has a `report_id` seen before.

A keeper reads here form, signature and share; whether the consent covers the report, the zone is
the member's and the time right is the intake's question. No value of the week is in clear.
Spec: JWS in `jws`, canonical bytes in `wire`, sealing in `envelope`, shares in `two_keepers`.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contributions import jws
from contributions.envelope import (
    MAX_SHARE_BYTES,
    SEAL_BYTES,
    Binding,
    Role,
    open_share,
    seal_share,
)
from contributions.errors import EnvelopeRefused, Malformed, ReportMismatch
from contributions.prio3.prio3 import Sharded
from contributions.statement import STATED_KEYS, Statement, read_stated
from contributions.task import Task
from contributions.two_keepers import vdaf_for
from contributions.wire import (
    HEX_32_BYTES,
    base64url_text,
    canonical_bytes,
    expect_integer,
    expect_keys,
    expect_match,
    expect_text,
    read_base64url,
    read_object,
    sha256_hex,
)

SEALED_REPORT_TYP = "mec-contribution+jws"
"""The kind that the consent audits read beside the local report's."""
STATEMENT_LIMIT_BYTES = 4_096
"""A statement takes about 900 bytes."""
UPLOAD_LIMIT_BYTES = 4 * STATEMENT_LIMIT_BYTES + 2 * MAX_SHARE_BYTES
"""Largest upload: statement, admission and sealed share, with room for their encoding."""
PUBLIC_SHARE_BYTES = 64
"""Two parts of joint randomness, one for each keeper."""

_VERSION = 1
_KEYS = STATED_KEYS | {"helper_sha256", "leader_sha256", "public_share", "v"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedReport(Statement):
    """What a store states about one resident-week to both keepers, in the same bytes.

    `public_share` (64 bytes) and the SHA-256 of the two sealed shares, in hexadecimal. Raises
    `Malformed`.
    """

    public_share: bytes
    leader_sha256: str
    helper_sha256: str

    def __post_init__(self) -> None:
        """Check every bound and keep the day of `at`."""
        Statement.__post_init__(self)
        for name in ("leader_sha256", "helper_sha256"):
            expect_match(getattr(self, name), name, HEX_32_BYTES)
        if len(self.public_share) != PUBLIC_SHARE_BYTES:
            raise Malformed(f"expected a public share of {PUBLIC_SHARE_BYTES} bytes")

    def share_sha256(self, role: Role) -> str:
        """Return the digest that a keeper's sealed share must have."""
        return self.leader_sha256 if role is Role.LEADER else self.helper_sha256

    def binding(self, role: Role) -> Binding:
        """Return what a keeper's share is sealed to."""
        return Binding(
            task_digest=self.task_digest,
            report_id=self.report_id,
            public_share=self.public_share,
            role=role,
        )

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are signed."""
        return canonical_bytes(
            {
                "v": _VERSION,
                "public_share": base64url_text(self.public_share),
                "leader_sha256": self.leader_sha256,
                "helper_sha256": self.helper_sha256,
            }
            | self.stated()
        )

    @classmethod
    def parse(cls, data: bytes) -> "SealedReport":
        """Read a statement from untrusted canonical bytes; raises `Malformed`."""
        fields = expect_keys(
            read_object(data, limit_bytes=STATEMENT_LIMIT_BYTES), "sealed report", _KEYS
        )
        expect_integer(fields["v"], "v", low=_VERSION, high=_VERSION)
        return cls(
            public_share=read_base64url(
                fields["public_share"], "public_share", size_bytes=PUBLIC_SHARE_BYTES
            ),
            leader_sha256=expect_match(fields["leader_sha256"], "leader_sha256", HEX_32_BYTES),
            helper_sha256=expect_match(fields["helper_sha256"], "helper_sha256", HEX_32_BYTES),
            **read_stated(fields),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedShares:
    """Both shares of one report, each sealed for its keeper."""

    report_id: str
    public_share: bytes
    leader: bytes
    helper: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What one keeper is sent: the signed statement, the share sealed for it, an admission.

    `admission` is the leader's answer to its own upload (`admission`): None to the leader.
    """

    statement: bytes
    sealed: bytes
    admission: bytes | None

    def to_bytes(self) -> bytes:
        """Return the canonical bytes of the request."""
        return canonical_bytes(
            {
                "report": self.statement.decode("ascii"),
                "sealed": base64url_text(self.sealed),
                "admission": None if self.admission is None else self.admission.decode("ascii"),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "Upload":
        """Read a request body, in any JSON spelling; raises `Malformed`."""
        fields = expect_keys(
            read_object(data, limit_bytes=UPLOAD_LIMIT_BYTES, canonical=False),
            "upload",
            frozenset({"admission", "report", "sealed"}),
        )
        longest, admission = 2 * STATEMENT_LIMIT_BYTES, fields["admission"]
        return cls(
            statement=expect_text(fields["report"], "report", longest=longest).encode("utf-8"),
            admission=None
            if admission is None
            else expect_text(admission, "admission", longest=longest).encode("utf-8"),
            sealed=read_base64url(fields["sealed"], "sealed"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedStatement:
    """A statement whose signature holds, with the consent's key that made it."""

    report: SealedReport
    public_key: Ed25519PublicKey
    kid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadUpload:
    """An upload whose signature and digest hold, with the consent's key that signed it."""

    report: SealedReport
    statement: bytes
    sealed: bytes
    admission: bytes | None
    public_key: Ed25519PublicKey
    kid: str


def seal_shares(sharded: Sharded, task: Task, *, report_id: str) -> SealedShares:
    """Seal both shares of a report, each for its keeper of the task."""
    leader, helper = (
        seal_share(
            share,
            keeper_key=keeper.hpke_key,
            binding=Binding(
                task_digest=task.digest,
                report_id=report_id,
                public_share=sharded.public_share,
                role=role,
            ),
        )
        for share, keeper, role in zip(sharded.input_shares, task.keepers, Role, strict=True)
    )
    return SealedShares(
        report_id=report_id, public_share=sharded.public_share, leader=leader, helper=helper
    )


def sign_sealed_report(report: SealedReport, key: Ed25519PrivateKey) -> bytes:
    """Sign a statement with the key of its consent into a compact JWS."""
    return jws.sign(report.to_bytes(), key=key, typ=SEALED_REPORT_TYP)


def read_statement(signed: bytes) -> SignedStatement:
    """Verify and read a signed statement; raises `Malformed` or `SignatureRefused`."""
    verified = jws.verify(signed, typ=SEALED_REPORT_TYP, limit_bytes=2 * STATEMENT_LIMIT_BYTES)
    report = SealedReport.parse(verified.payload)
    return SignedStatement(report=report, public_key=verified.public_key, kid=verified.kid)


def read_upload(data: bytes, *, role: Role) -> ReadUpload:
    """Read what a store sent to this keeper: form, signature, and that the share is the stated one.

    Raises `Malformed`, `SignatureRefused` or `ReportMismatch`. The caller still owes: `kid` is the
    key of consent `cid`, the report id is new, and `check_sealed_report`.
    """
    upload = Upload.parse(data)
    if (upload.admission is None) != (role is Role.LEADER):
        raise Malformed("expected the leader's admission in the helper's upload, and only there")
    signed = read_statement(upload.statement)
    if sha256_hex(upload.sealed) != signed.report.share_sha256(role):
        raise ReportMismatch("expected the sealed share that the report states; refuse it")
    return ReadUpload(
        report=signed.report,
        statement=upload.statement,
        sealed=upload.sealed,
        admission=upload.admission,
        public_key=signed.public_key,
        kid=signed.kid,
    )


def check_sealed_report(report: SealedReport, task: Task) -> None:
    """Check that a statement answers this two-keeper task.

    Raises `TrustModeNotServed` for a task without keepers, and `ReportMismatch` when the digest,
    the zone, ε or the purpose differ.
    """
    vdaf_for(task)
    answers = {
        "task_digest": report.task_digest == task.digest,
        "zone": task.zone(report.zone) is not None,
        "epsilon_micro": report.epsilon_micro == task.epsilon_micro,
        "pd": report.pd == task.purpose_digest,
    }
    wrong = [name for name, holds in answers.items() if not holds]
    if wrong:
        raise ReportMismatch(f"expected {', '.join(wrong)} as the task says; refuse the report")


def open_input_share(
    report: SealedReport, sealed: bytes, *, task: Task, role: Role, keeper_key: X25519PrivateKey
) -> bytes:
    """Open a keeper's own sealed share of a report, ready for `Prio3.verify_init`.

    Raises `EnvelopeRefused` without telling why.
    """
    size = vdaf_for(task).input_share_bytes(keeper_number(role))
    if len(sealed) != size + SEAL_BYTES:
        raise EnvelopeRefused("the share is not sealed for this keeper, task and report; refuse it")
    return open_share(sealed, keeper_key=keeper_key, binding=report.binding(role), share_bytes=size)


def keeper_number(role: Role) -> int:
    """Return the number of a keeper in Prio3: 0 for the leader, 1 for the helper."""
    return 0 if role is Role.LEADER else 1
