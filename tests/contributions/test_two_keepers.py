"""What a two-keeper task fixes for everybody who splits and checks its reports."""

import pytest

from contributions.errors import ProofRefused
from contributions.task import TrustMode
from contributions.two_keepers import Verdict, context, shard, vdaf_for, verdicts

REPORT_ID = "ab" * 16


def test_a_report_split_for_one_task_is_proved_for_no_other(make_task):
    """T2: context = the task's digest, nonce = the report's id."""
    task, other = (
        make_task(trust_mode=TrustMode.TWO_KEEPERS, title_en=title) for title in ("one", "other")
    )
    vdaf = vdaf_for(task)
    sharded = shard(
        (1,) * len(task.coordinates), task, report_id=REPORT_ID, randomness=bytes(vdaf.rand_bytes)
    )

    def message(ctx):
        checks = [
            vdaf.verify_init(
                verify_key=bytes(32),
                ctx=ctx,
                keeper=keeper,
                nonce=bytes.fromhex(REPORT_ID),
                public_share=sharded.public_share,
                input_share=sharded.input_shares[keeper],
            )
            for keeper in range(2)
        ]
        return vdaf.verifier_message([check.verifier_share for check in checks], ctx=ctx)

    assert message(bytes.fromhex(task.digest)) == message(context(task))
    with pytest.raises(ProofRefused):
        message(context(other))


def test_a_public_share_that_neither_keeper_computed_is_refused(make_task):
    """K4: one function of what both hold, so that no store makes the keepers disagree."""
    task = make_task(trust_mode=TrustMode.TWO_KEEPERS)
    vdaf, ctx = vdaf_for(task), context(task)
    sharded = vdaf.shard(
        [1] * len(task.coordinates), ctx=ctx, nonce=bytes(16), rand=bytes(vdaf.rand_bytes)
    )
    leader, helper = (
        vdaf.verify_init(
            verify_key=bytes(32),
            ctx=ctx,
            keeper=keeper,
            nonce=bytes(16),
            public_share=sharded.public_share,
            input_share=sharded.input_shares[keeper],
        ).verifier_share
        for keeper in range(2)
    )
    told = sharded.public_share
    lies = [told[:-1] + bytes((told[-1] ^ 1,)), bytes((told[0] ^ 1,)) + told[1:]]
    answers = verdicts(
        task,
        public_shares=[told, *lies],
        leader_shares=[leader] * 3,
        helper_shares=[helper] * 3,
    )
    assert answers == [Verdict.ACCEPTED, Verdict.REFUSED, Verdict.REFUSED]
