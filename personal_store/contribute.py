"""Step 5 of 9 — contribution. In: `Permitted[WeekFigures]`. Out: a report. Next: intake.

Turns a permitted week into the exact bytes that would leave. The exact vector is capped and rounded
down; then, in trust mode `local`, it leaves under discrete Laplace noise, and in `two-keepers` as
two shares, each sealed for one keeper, under one signed statement. It sends nothing and stores
nothing: `jobs/sharing.py` does, after the ledger agreed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contributions.measurement import Measurement, encode
from contributions.messages import Report, read_report, sign_report
from contributions.noise import NoiseSource, noise_scale
from contributions.sealed_report import (
    SealedReport,
    SealedShares,
    read_statement,
    seal_shares,
    sign_sealed_report,
)
from contributions.task import Task, TrustMode
from contributions.two_keepers import shard, vdaf_for
from contributions.wire import sha256_hex
from personal_store.gate import Permitted, WeekFigures

REPORT_ID_LENGTH_BYTES = 16

Randomness = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """A report ready to leave: what the week was, and the bytes that hide it.

    `jws` is the signed report of `local`, or the signed statement about `sealed` of `two-keepers`.
    """

    exact: Measurement = field(repr=False)
    jws: bytes
    sealed: SealedShares | None = field(default=None, repr=False)


def contribute(
    permitted: Permitted[WeekFigures],
    *,
    task: Task,
    n: int,
    consent_key: Ed25519PrivateKey,
    noise: NoiseSource,
    randomness: Randomness,
    now: datetime,
) -> Contribution:
    """Make the report of a permitted week.

    `n` counts the contributions already made under the same consent. Draws once; a caller that
    retries must resend the same bytes, never call again.
    """
    week, grant = permitted.value, permitted.grant
    exact = encode(week.figures, task)
    report_id = randomness(REPORT_ID_LENGTH_BYTES).hex()
    if task.trust_mode is TrustMode.LOCAL:
        report = Report(
            report_id=report_id,
            task_digest=task.digest,
            zone=week.zone,
            vector=noise.laplace(exact.vector, noise_scale(task)),
            cid=grant.cid,
            n=n,
            head=grant.head,
            pd=grant.purpose_digest,
            epsilon_micro=task.epsilon_micro,
            at=now,
        )
        return Contribution(exact=exact, jws=sign_report(report, consent_key))
    sealed = _sealed(exact, task, report_id=report_id, randomness=randomness)
    statement = SealedReport(
        report_id=report_id,
        task_digest=task.digest,
        zone=week.zone,
        public_share=sealed.public_share,
        leader_sha256=sha256_hex(sealed.leader),
        helper_sha256=sha256_hex(sealed.helper),
        cid=grant.cid,
        n=n,
        head=grant.head,
        pd=grant.purpose_digest,
        epsilon_micro=task.epsilon_micro,
        at=now,
    )
    return Contribution(exact=exact, jws=sign_sealed_report(statement, consent_key), sealed=sealed)


def read_own(jws: bytes, task: Task) -> Report | SealedReport:
    """Read back what `contribute` signed for a task."""
    if task.trust_mode is TrustMode.LOCAL:
        return read_report(jws).report
    return read_statement(jws).report


def _sealed(
    exact: Measurement, task: Task, *, report_id: str, randomness: Randomness
) -> SealedShares:
    secret = randomness(vdaf_for(task).rand_bytes)
    sharded = shard(exact.vector, task, report_id=report_id, randomness=secret)
    return seal_shares(sharded, task, report_id=report_id)
