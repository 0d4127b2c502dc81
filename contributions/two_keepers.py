"""Trust mode `two-keepers`: from a bounded vector to two sealed shares, and to one verdict.

Spec: Prio3L1BoundSum (`prio3`) with two shares, keeper 0 the leader. Everything follows from the
task: length = its coordinates, largest sum = its cap Q, chunk = floor of the square root of the
encoded bits, application context = the task's digest, nonce = the report's id.

A report counts when both keepers accept it, and they always agree: `verdicts` is one function of
what both hold (the public share that the store signed, both verifier shares). A store could send a
public share that only one keeper finds true; comparing it with what both computed closes that gap,
which a keeper that looks at its own half alone leaves open.

It moves no message, draws no randomness and keeps nothing.
Source: design page on privacy, section (b) steps 4 to 8.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from math import isqrt

from contributions.errors import Malformed, TrustModeNotServed
from contributions.keeper import Keeper
from contributions.noise import laplace_variance
from contributions.prio3.prio3 import Sharded
from contributions.prio3.variants import L1Variant, prio3_l1_bound_sum
from contributions.prio3.xof import SEED_BYTES
from contributions.task import Adjacency, Task, TrustMode

KEEPERS = 2
"""Shares of a report, and draws of noise in a published figure."""
COLLECTED_WITHIN = timedelta(days=28)
"""How long after its deadline a task may be checked and collected; then it expires.

Long enough for an operator on holiday; short, because it bounds how long a keeper holds sealed
reports, and how old a copy of its database may be and still draw noise again.
"""


class Level(StrEnum):
    """Which figures a draw of noise protects: one zone's, or the whole territory's."""

    ZONE = "zone"
    TERRITORY = "territory"


class Verdict(StrEnum):
    """What keepers say of a report: it counts, it never will, or it has not arrived here."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    MISSING = "missing"


def vdaf_for(task: Task) -> L1Variant:
    """Return the variant of Prio3 that a two-keeper task fixes.

    Raises `TrustModeNotServed` for a task that has no keepers.
    """
    expect_keepers(task)
    length = len(task.coordinates)
    bits = task.cap_units.bit_length()
    return prio3_l1_bound_sum(
        shares=KEEPERS,
        length=length,
        max_value=task.cap_units,
        chunk_length=max(1, isqrt((length + 1) * bits)),
    )


def context(task: Task) -> bytes:
    """Return the application context: the 32 bytes of the task's digest."""
    return bytes.fromhex(task.digest)


def expires_at(task: Task) -> datetime:
    """Return when a task expires: from then on nobody checks or collects its reports."""
    return task.report_deadline + COLLECTED_WITHIN


def shard(vector: Sequence[int], task: Task, *, report_id: str, randomness: bytes) -> Sharded:
    """Split a vector with Σz ≤ Q into the leader's and the helper's share, with their proof.

    `randomness` (`vdaf_for(task).rand_bytes` bytes) is secret, uniform and used once. Raises
    `MeasurementRefused` for a vector over the cap.
    """
    return vdaf_for(task).shard(
        list(vector), ctx=context(task), nonce=bytes.fromhex(report_id), rand=randomness
    )


def verdicts(
    task: Task,
    *,
    public_shares: Sequence[bytes],
    leader_shares: Sequence[bytes],
    helper_shares: Sequence[bytes],
) -> list[Verdict]:
    """Decide about reports whose verifier shares both keepers hold, in the same order.

    Accepted means that the sum is proved within the cap, and that the joint randomness parts which
    the store announced are those that each keeper computed: then, and only then, each keeper's
    pending output share is good to add. Raises `Malformed` when the lengths differ.
    """
    if not len(public_shares) == len(leader_shares) == len(helper_shares):
        raise Malformed("expected one public share and two verifier shares a report")
    from contributions.prio3.batch import verifier_messages  # noqa: PLC0415 (numpy, for keepers)

    pairs = list(zip(leader_shares, helper_shares, strict=True))
    messages = verifier_messages(vdaf_for(task), pairs, ctx=context(task))
    return [
        Verdict.ACCEPTED
        if isinstance(message, bytes) and public == b"".join(each[-SEED_BYTES:] for each in pair)
        else Verdict.REFUSED
        for message, public, pair in zip(messages, public_shares, pairs, strict=True)
    ]


def keeper_noise_scale(task: Task, level: Level) -> Fraction:
    """Return b = κQ/ε of one keeper's draw, in units: κ is 1 under zero-out, 2 under replacement.

    Sensitivity: vectors are non-negative with Σz ≤ Q, so that one resident-week moves a sum by at
    most Q against the empty week, by at most 2Q against any other, in L1. Loss of the one draw
    that the other keeper does not know: (ε, 0), ε the part of the task's that `level` has.
    """
    expect_keepers(task)
    kappa = 1 if task.adjacency is Adjacency.ZERO_OUT else 2
    epsilon = task.epsilon_zone_micro if level is Level.ZONE else task.epsilon_territory_micro
    return Fraction(kappa * task.cap_units * 10**6, epsilon)


def released_noise_variance(task: Task, level: Level) -> float:
    """Return the variance of what both keepers add together: 2 · 2q/(1-q)², in units²."""
    return KEEPERS * laplace_variance(keeper_noise_scale(task, level))


def expect_keepers(task: Task) -> tuple[Keeper, Keeper]:
    """Return the leader and the helper of a task; raises `TrustModeNotServed` when it has none."""
    if task.trust_mode is not TrustMode.TWO_KEEPERS:
        raise TrustModeNotServed(
            f"expected trust mode two-keepers, saw {task.trust_mode}: its reports are not shared"
        )
    leader, helper = task.keepers
    return leader, helper
