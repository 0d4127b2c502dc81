"""From sealed shares to verifier shares, many at a time, on any executor; then to a sum.

A pure map over chunks: what one chunk gives depends on that chunk alone, and sums are exact in the
field, so that processes, a cluster or a single thread give the same bytes in any order. Shares are
opened here, in the keeper's own process; only the check runs elsewhere, and the key that opens
shares never travels.
Spec: `contributions.prio3.batch`; nothing of it is decided here (`two_keepers.verdicts`).
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contributions.envelope import Binding, Role, open_share
from contributions.errors import EnvelopeRefused
from contributions.prio3.batch import ReportShare, verify_init_batch
from contributions.prio3.field import FIELD128
from contributions.prio3.prio3 import Prio3, Verification
from contributions.sealed_report import keeper_number
from contributions.task import Task
from contributions.two_keepers import context, vdaf_for
from coop_aggregator.db.sealed import StoredShare


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What every report of one task is checked with, at one keeper. Travels to workers."""

    vdaf: Prio3[Sequence[int], list[int]]
    ctx: bytes
    verify_key: bytes
    role: Role
    task_digest: str

    def __repr__(self) -> str:
        """Hide the verification key."""
        return f"Check(role={self.role.value!r})"

    @classmethod
    def of(cls, task: Task, *, verify_key: bytes, role: Role) -> "Check":
        """Return the check that a task fixes."""
        return cls(
            vdaf=vdaf_for(task),
            ctx=context(task),
            verify_key=verify_key,
            role=role,
            task_digest=task.digest,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A report's verifier share, for the other keeper, and its output share, for nobody.

    `out_share` is encoded; it is added only once both keepers accepted the report.
    """

    verifier_share: bytes
    out_share: bytes

    def __repr__(self) -> str:
        """Hide the output share."""
        return "Checked(<hidden>)"


def open_shares(
    check: Check, shares: Sequence[StoredShare], key: X25519PrivateKey
) -> list[ReportShare | None]:
    """Open what is sealed for this keeper; None where it does not open or was erased."""
    size = check.vdaf.input_share_bytes(keeper_number(check.role))
    opened: list[ReportShare | None] = []
    for share in shares:
        binding = Binding(
            task_digest=check.task_digest,
            report_id=share.report_id,
            public_share=share.public_share,
            role=check.role,
        )
        try:
            clear = open_share(
                share.sealed or b"", keeper_key=key, binding=binding, share_bytes=size
            )
        except EnvelopeRefused:
            opened.append(None)
            continue
        opened.append(
            ReportShare(
                nonce=bytes.fromhex(share.report_id),
                public_share=share.public_share,
                input_share=clear,
            )
        )
    return opened


def check_chunk(check: Check, shares: Sequence[ReportShare]) -> list[Checked | None]:
    """Query every share of a chunk; None where a share is refused by itself."""
    answers = verify_init_batch(
        check.vdaf,
        shares,
        verify_key=check.verify_key,
        ctx=check.ctx,
        keeper=keeper_number(check.role),
    )
    return [
        Checked(
            verifier_share=answer.verifier_share,
            out_share=FIELD128.encode(answer.pending_out_share),
        )
        if isinstance(answer, Verification)
        else None
        for answer in answers
    ]


def check_on(
    executor: Executor, check: Check, shares: Sequence[ReportShare | None]
) -> list[Checked | None]:
    """Check a chunk on `executor`, keeping the places of shares that did not open."""
    present = [share for share in shares if share is not None]
    if not present:
        return [None] * len(shares)
    answers = iter(executor.submit(check_chunk, check, present).result())
    return [None if share is None else next(answers) for share in shares]


def add_up(length: int, encoded: Sequence[bytes]) -> bytes:
    """Return the sum of encoded vectors of `length` elements, in the field, encoded."""
    total = (0,) * length
    for vector in encoded:
        total = tuple(
            (a + b) % FIELD128.modulus
            for a, b in zip(total, FIELD128.integers(vector), strict=True)
        )
    return FIELD128.encode(total)
