"""What two keepers say to each other: set up a task, check reports together, close a bucket.

Every message is a compact JWS signed by the keeper that says it, over canonical bytes (`jws`,
`wire`): the reader knows the sender's key from the task and refuses any other. A message names its
task by digest. The leader asks, the helper answers; the same question has one answer, which the
helper keeps and repeats after a crash.

1. `CosignRequest`: the leader's signed task, the text of its purpose, and the verification key,
   sealed for the helper. The answer is the helper's own JWS over the same task bytes
   (`task.sign_task`).
2. `AggregationRequest` and `AggregationAnswer`: verifier shares and verdicts of one zone's reports.
3. `CollectionRequest` and `CollectionShare`: the set of reports, then a share that has its noise.

A keeper never sends an input share, an output share, or an aggregate share without noise.
It is not the transport nor the flow; verdicts are in `two_keepers`, sets in `collection`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar, Protocol, Self, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contributions import jws
from contributions.collection import MAX_REPORTS, ReportSet
from contributions.errors import Malformed, SignatureRefused
from contributions.measures import MAX_COORDINATES
from contributions.prio3.field import FIELD128
from contributions.task import TASK_LIMIT_BYTES, ZONE_CODE
from contributions.two_keepers import Verdict
from contributions.wire import (
    HEX_16_BYTES,
    HEX_32_BYTES,
    base64url_text,
    canonical_bytes,
    expect_integer,
    expect_keys,
    expect_list,
    expect_match,
    expect_member,
    expect_text,
    read_base64url,
    read_object,
    sha256_hex,
)

MAX_JOB_REPORTS = 512
"""Reports in one aggregation job: one numpy batch. Wide questions take fewer (`job_reports`)."""
MESSAGE_LIMIT_BYTES = 1_048_576
"""Largest message between keepers: longer ones are refused unread."""
_REPORT_FRAME_BYTES = 64
"""What a message says of a report beside its verifier share: an id or a verdict, and quotes."""
_JOB_FRAME_BYTES = 1_024
"""What a message says of its job: task, zone, names."""

_VERSION = 1


class KeeperMessage(Protocol):
    """A message with its kind and its canonical bytes."""

    TYP: ClassVar[str]

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are signed."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read untrusted canonical bytes; raises `Malformed`."""


_Message = TypeVar("_Message", bound=KeeperMessage)


def job_reports(verifier_share_bytes: int) -> int:
    """Return how many reports one job may hold, for the question and its answer to be read.

    `verifier_share_bytes` is the size of the task's verifier shares; base64url adds a third.

    >>> job_reports(352), job_reports(4_000)
    (512, 193)
    """
    each = 4 * ceil(verifier_share_bytes / 3) + _REPORT_FRAME_BYTES
    return max(1, min(MAX_JOB_REPORTS, (MESSAGE_LIMIT_BYTES - _JOB_FRAME_BYTES) // each))


def sign_message(message: KeeperMessage, key: Ed25519PrivateKey) -> bytes:
    """Sign a message with the keeper's key into a compact JWS."""
    return jws.sign(message.to_bytes(), key=key, typ=message.TYP)


def read_message(kind: type[_Message], signed: bytes, public_key: Ed25519PublicKey) -> _Message:
    """Verify a message of one kind against the other keeper's key, and read it.

    Raises `Malformed` or `SignatureRefused`, the latter also when another key signed it.
    """
    verified = jws.verify(signed, typ=kind.TYP, limit_bytes=2 * MESSAGE_LIMIT_BYTES)
    if verified.public_key != public_key:
        raise SignatureRefused("expected a message signed by the other keeper of the task")
    return kind.parse(verified.payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignRequest:
    """Leader to helper: the task as the leader signed it, its purpose, and the verification key.

    `verify_key_sealed` is made by `envelope.seal_verify_key`; the task commits to its SHA-256.
    `purpose` is the exact text that the task names by SHA-256, for the helper's operator to read.
    """

    TYP: ClassVar[str] = "mec-cosign-request+jws"

    task_jws: bytes
    verify_key_sealed: bytes
    purpose: bytes

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are signed."""
        return canonical_bytes(
            {
                "v": _VERSION,
                "task_jws": self.task_jws.decode("ascii"),
                "verify_key_sealed": base64url_text(self.verify_key_sealed),
                "purpose": base64url_text(self.purpose),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read untrusted canonical bytes; raises `Malformed`."""
        fields = _fields(data, {"purpose", "task_jws", "verify_key_sealed"})
        task_jws = expect_text(fields["task_jws"], "task_jws", longest=2 * TASK_LIMIT_BYTES)
        return cls(
            task_jws=task_jws.encode("utf-8"),
            verify_key_sealed=read_base64url(fields["verify_key_sealed"], "verify_key_sealed"),
            purpose=read_base64url(fields["purpose"], "purpose"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregationRequest:
    """Leader to helper: reports of one zone, each with the leader's verifier share, in order.

    `job_id` (16 bytes in hexadecimal) names the question: asked again, it has the same answer.
    1 to `MAX_JOB_REPORTS` distinct ids; all verifier shares have one size. Raises `Malformed`.
    """

    TYP: ClassVar[str] = "mec-aggregation-request+jws"

    task_digest: str
    zone: str
    job_id: str
    report_ids: tuple[str, ...]
    verifier_shares: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Check every bound; see the class."""
        expect_match(self.task_digest, "task_digest", HEX_32_BYTES)
        expect_match(self.zone, "zone", ZONE_CODE)
        expect_match(self.job_id, "job_id", HEX_16_BYTES)
        _expect_ids(self.report_ids)
        if len(self.verifier_shares) != len(self.report_ids):
            raise Malformed("expected one verifier share a report")
        _expect_one_size(self.verifier_shares)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are signed."""
        return canonical_bytes(
            {
                "v": _VERSION,
                "task_digest": self.task_digest,
                "zone": self.zone,
                "job_id": self.job_id,
                "report_ids": list(self.report_ids),
                "verifier_shares": base64url_text(b"".join(self.verifier_shares)),
            }
        )

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical bytes, which an answer repeats."""
        return sha256_hex(self.to_bytes())

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read untrusted canonical bytes; raises `Malformed`."""
        fields = _fields(data, {"job_id", "report_ids", "task_digest", "verifier_shares", "zone"})
        ids = tuple(
            expect_match(item, "report_ids", HEX_16_BYTES)
            for item in expect_list(fields["report_ids"], "report_ids")
        )
        joined = read_base64url(fields["verifier_shares"], "verifier_shares")
        return cls(
            task_digest=expect_match(fields["task_digest"], "task_digest", HEX_32_BYTES),
            zone=expect_match(fields["zone"], "zone", ZONE_CODE),
            job_id=expect_match(fields["job_id"], "job_id", HEX_16_BYTES),
            report_ids=ids,
            verifier_shares=_split(joined, len(ids)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregationAnswer:
    """Helper to leader: a verdict a report, and its own verifier share where it has the report.

    In the order of the request that `request_sha256` names. `verifier_shares` are empty bytes for
    a report that is missing here or whose sealed share does not open. The leader computes every
    verdict again (`two_keepers.verdicts`) and takes nobody's word. Raises `Malformed`.
    """

    TYP: ClassVar[str] = "mec-aggregation-answer+jws"

    request_sha256: str
    verdicts: tuple[Verdict, ...]
    verifier_shares: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Check every bound; see the class."""
        expect_match(self.request_sha256, "request_sha256", HEX_32_BYTES)
        if not 1 <= len(self.verdicts) <= MAX_JOB_REPORTS:
            raise Malformed(f"expected 1 to {MAX_JOB_REPORTS} verdicts")
        if len(self.verifier_shares) != len(self.verdicts):
            raise Malformed("expected one verifier share a verdict, empty where there is none")
        for verdict, share in zip(self.verdicts, self.verifier_shares, strict=True):
            if (verdict is Verdict.ACCEPTED and not share) or (
                verdict is Verdict.MISSING and share
            ):
                raise Malformed("expected a verifier share beside accepted, none beside missing")
        _expect_one_size([share for share in self.verifier_shares if share])

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are signed."""
        return canonical_bytes(
            {
                "v": _VERSION,
                "request_sha256": self.request_sha256,
                "verdicts": [verdict.value for verdict in self.verdicts],
                "verifier_shares": [base64url_text(share) for share in self.verifier_shares],
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read untrusted canonical bytes; raises `Malformed`."""
        fields = _fields(data, {"request_sha256", "verdicts", "verifier_shares"})
        return cls(
            request_sha256=expect_match(fields["request_sha256"], "request_sha256", HEX_32_BYTES),
            verdicts=tuple(
                expect_member(Verdict, item, "verdicts")
                for item in expect_list(fields["verdicts"], "verdicts")
            ),
            verifier_shares=tuple(
                read_base64url(item, "verifier_shares")
                for item in expect_list(fields["verifier_shares"], "verifier_shares")
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionRequest:
    """Leader to helper: close one bucket, whose reports I hold to be these.

    `zone` is None for the whole territory, which holds the reports of every zone. `commitment` is
    that of `collection.commitment` over the leader's own noised shares: drawn before it asks.
    """

    TYP: ClassVar[str] = "mec-collection-request+jws"

    task_digest: str
    zone: str | None
    reports: ReportSet
    commitment: str

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        expect_match(self.task_digest, "task_digest", HEX_32_BYTES)
        expect_match(self.commitment, "commitment", HEX_32_BYTES)
        _expect_zone(self.zone)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are signed."""
        return canonical_bytes({"v": _VERSION, "commitment": self.commitment, **_bucket(self)})

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read untrusted canonical bytes; raises `Malformed`."""
        fields = _fields(data, _BUCKET_KEYS | {"commitment"})
        return cls(
            commitment=expect_match(fields["commitment"], "commitment", HEX_32_BYTES),
            task_digest=expect_match(fields["task_digest"], "task_digest", HEX_32_BYTES),
            zone=_expect_zone(fields["zone"]),
            reports=_report_set(fields),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionShare:
    """Either keeper to the other: its aggregate share of a bucket, with its own noise, for good.

    The noise was drawn once; asked again, a keeper repeats these bytes. `noised_share` has one
    element of Field128 a coordinate. Raises `Malformed`.
    """

    TYP: ClassVar[str] = "mec-collection-share+jws"

    task_digest: str
    zone: str | None
    reports: ReportSet
    noised_share: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check every bound; see the class."""
        expect_match(self.task_digest, "task_digest", HEX_32_BYTES)
        _expect_zone(self.zone)
        if not 1 <= len(self.noised_share) <= MAX_COORDINATES:
            raise Malformed(f"expected a share of 1 to {MAX_COORDINATES} elements")
        if any(not 0 <= element < FIELD128.modulus for element in self.noised_share):
            raise Malformed("expected elements of Field128; refuse the aggregate share")

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are signed."""
        share = FIELD128.encode(self.noised_share)
        return canonical_bytes(
            {"v": _VERSION, **_bucket(self), "noised_share": base64url_text(share)}
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read untrusted canonical bytes; raises `Malformed`."""
        fields = _fields(data, _BUCKET_KEYS | {"noised_share"})
        share = read_base64url(fields["noised_share"], "noised_share")
        length = len(share) // FIELD128.element_bytes
        return cls(
            task_digest=expect_match(fields["task_digest"], "task_digest", HEX_32_BYTES),
            zone=_expect_zone(fields["zone"]),
            reports=_report_set(fields),
            noised_share=tuple(FIELD128.decode(share, length=length)),
        )


_BUCKET_KEYS = {"checksum", "count", "task_digest", "zone"}


def _bucket(message: CollectionRequest | CollectionShare) -> dict[str, object]:
    return {
        "task_digest": message.task_digest,
        "zone": message.zone,
        "count": message.reports.count,
        "checksum": message.reports.checksum,
    }


def _report_set(fields: dict[str, object]) -> ReportSet:
    return ReportSet(
        count=expect_integer(fields["count"], "count", low=0, high=MAX_REPORTS),
        checksum=expect_match(fields["checksum"], "checksum", HEX_32_BYTES),
    )


def _fields(data: bytes, keys: set[str]) -> dict[str, object]:
    fields = expect_keys(
        read_object(data, limit_bytes=MESSAGE_LIMIT_BYTES), "message", frozenset(keys | {"v"})
    )
    expect_integer(fields["v"], "v", low=_VERSION, high=_VERSION)
    return fields


def _expect_zone(zone: object) -> str | None:
    return None if zone is None else expect_match(zone, "zone", ZONE_CODE)


def _expect_ids(report_ids: Sequence[str]) -> None:
    if not 1 <= len(report_ids) <= MAX_JOB_REPORTS or len(set(report_ids)) != len(report_ids):
        raise Malformed(f"expected 1 to {MAX_JOB_REPORTS} distinct report ids")
    for report_id in report_ids:
        expect_match(report_id, "report_ids", HEX_16_BYTES)


def _expect_one_size(shares: Sequence[bytes]) -> None:
    if len({len(share) for share in shares}) > 1 or any(not share for share in shares):
        raise Malformed("expected verifier shares of one size")


def _split(joined: bytes, parts: int) -> tuple[bytes, ...]:
    if parts < 1 or len(joined) % parts:
        raise Malformed("expected verifier shares of one size, one a report")
    size = len(joined) // parts
    return tuple(joined[at : at + size] for at in range(0, len(joined), size))
