"""Prio3: a report split between keepers who check it together and read it apart.

Reading order, each file beside its section of draft-irtf-cfrg-vdaf (draft 20, June 2026):
`field` (6.1), `polynomial` (6.1.3), `xof` (6.2), `gadgets` (appendix A), `circuit` (7.3.2),
`range_check`, `number_circuits` and `vector_circuits` (7.4; `L1BoundSum` is
draft-ietf-ppm-l1-bound-sum, draft 02), `flp` (7.3), `derivation` and `prio3` (7.2), `variants`
(7.4). `limbs`, `flp_batch` and `batch` check many reports at once, bit for bit as `prio3`.

It moves no message and draws no randomness: nonces, keys and random bytes are parameters. It
computes with Python integers and is not constant-time: no party learns how long another party's
computation took unless its host tells.
"""
