"""Step 5 of 9 — contribution. In: `Permitted[WeekKilometres]`. Out: a report. Next: intake.

Turns a permitted week into the exact bytes that would leave: the exact vector (capped, rounded
down), the same vector under discrete Laplace noise, and the signed report. It sends nothing and
stores nothing: `jobs/sharing.py` does, after the ledger agreed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contributions.measurement import Measurement, encode
from contributions.messages import Report, sign_report
from contributions.noise import NoiseSource, noise_scale
from contributions.task import Task
from personal_store.gate import Permitted, WeekKilometres

REPORT_ID_LENGTH_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """A report ready to leave: what the week was, and the bytes that hide it in noise."""

    exact: Measurement = field(repr=False)
    report: Report
    jws: bytes


def contribute(
    permitted: Permitted[WeekKilometres],
    *,
    task: Task,
    n: int,
    consent_key: Ed25519PrivateKey,
    noise: NoiseSource,
    randomness: Callable[[int], bytes],
    now: datetime,
) -> Contribution:
    """Make the report of a permitted week.

    `n` counts the contributions already made under the same consent. Draws noise once; a caller
    that retries must resend the same bytes, never call again.
    """
    week = permitted.value
    grant = permitted.grant
    exact = encode(week.kilometres, task)
    report = Report(
        report_id=randomness(REPORT_ID_LENGTH_BYTES).hex(),
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
    return Contribution(exact=exact, report=report, jws=sign_report(report, consent_key))
