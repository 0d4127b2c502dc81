"""What a two-keeper task fixes for everybody who splits and checks its reports."""

import pytest

from contributions.errors import ProofRefused
from contributions.task import TrustMode
from contributions.two_keepers import context, shard, vdaf_for

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
