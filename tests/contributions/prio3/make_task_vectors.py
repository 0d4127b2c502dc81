"""Write the vectors of a task's own Prio3, for whoever implements a keeper or a store anew.

    PYTHONPATH=. python tests/contributions/prio3/make_task_vectors.py > .../task_vectors.json

Everything is derived from SHAKE-128 of a stated label: nobody has to trust a choice of ours.
"""

import hashlib
import json
import sys

from contributions.prio3.variants import prio3_l1_bound_sum

CASES = (
    ("one mode fills the cap", (0, 0, 0, 1000, 0, 0, 0, 0)),
    ("a quiet week", (0,) * 8),
    ("an ordinary week", (12, 0, 3, 487, 60, 0, 0, 7)),
)


def stream(label: str, size: int) -> bytes:
    """Return bytes of a label."""
    return hashlib.shake_128(b"mobilites-en-commun vectors v1 " + label.encode()).digest(size)


def vectors() -> dict[str, object]:
    """Return what every case gives, bytes in hexadecimal."""
    vdaf = prio3_l1_bound_sum(shares=2, length=8, max_value=1000, chunk_length=9)
    ctx, verify_key = stream("ctx", 32), stream("verify key", 32)
    cases = []
    for name, measurement in CASES:
        nonce = stream(f"nonce: {name}", 16)
        rand = stream(f"rand: {name}", vdaf.rand_bytes)
        sharded = vdaf.shard(measurement, ctx=ctx, nonce=nonce, rand=rand)
        both = [
            vdaf.verify_init(
                verify_key=verify_key,
                ctx=ctx,
                keeper=keeper,
                nonce=nonce,
                public_share=sharded.public_share,
                input_share=share,
            )
            for keeper, share in enumerate(sharded.input_shares)
        ]
        message = vdaf.verifier_message([each.verifier_share for each in both], ctx=ctx)
        outs = [vdaf.circuit.field.encode(vdaf.verify_next(each, message)) for each in both]
        cases.append(
            {
                "name": name,
                "measurement": list(measurement),
                "nonce": nonce.hex(),
                "rand": rand.hex(),
                "public_share": sharded.public_share.hex(),
                "input_shares": [share.hex() for share in sharded.input_shares],
                "verifier_shares": [each.verifier_share.hex() for each in both],
                "verifier_message": message.hex(),
                "out_shares": [out.hex() for out in outs],
            }
        )
    return {
        "variant": "Prio3L1BoundSum shares=2 length=8 max_value=1000 chunk_length=9",
        "ctx": ctx.hex(),
        "verify_key": verify_key.hex(),
        "cases": cases,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(vectors(), indent=1) + "\n")
