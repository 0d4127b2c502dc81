"""What Prio3 derives from seeds: shares, and the randomness of prover, verifiers and both.

Spec: draft-irtf-cfrg-vdaf section 7.2.6. Every use has its own domain: the algorithm, the
application context (for a task, its digest) and a usage number. Keepers are numbered from 0.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from contributions.errors import Malformed
from contributions.prio3.circuit import Circuit
from contributions.prio3.xof import (
    SEED_BYTES,
    Expansion,
    derive_seed,
    domain_separation_tag,
    xof_stream,
)

MAX_CONTEXT_BYTES = 65_527
"""Longest application context: with the eight bytes before it, a domain separation tag."""

_MEASUREMENT_SHARE = 1
_PROOF_SHARE = 2
_JOINT_RANDOMNESS = 3
_PROVE_RANDOMNESS = 4
_QUERY_RANDOMNESS = 5
_JOINT_RAND_SEED = 6
_JOINT_RAND_PART = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """The derivations of one variant in one application context; raises `Malformed`."""

    circuit: Circuit[Any, Any]
    algorithm_id: int
    proofs: int
    ctx: bytes

    def __post_init__(self) -> None:
        """Bound the context."""
        if len(self.ctx) > MAX_CONTEXT_BYTES:
            raise Malformed(f"expected an application context of at most {MAX_CONTEXT_BYTES} bytes")

    def measurement_share(self, keeper: int, seed: bytes) -> Expansion:
        """Expand a helper's seed into its share of the encoded measurement."""
        return self._vector(_MEASUREMENT_SHARE, seed, bytes((keeper,)), self.circuit.encoded_length)

    def proofs_share(self, keeper: int, seed: bytes) -> Expansion:
        """Expand a helper's seed into its share of every proof."""
        binder = bytes((self.proofs, keeper))
        return self._vector(_PROOF_SHARE, seed, binder, self.circuit.proof_length * self.proofs)

    def prove_rand(self, seed: bytes) -> Expansion:
        """Expand the prover's seed into the wire seeds of every proof."""
        length = self.circuit.prove_rand_length * self.proofs
        return self._vector(_PROVE_RANDOMNESS, seed, bytes((self.proofs,)), length)

    def query_rand(self, verify_key: bytes, nonce: bytes) -> Expansion:
        """Expand the keepers' key into the tests of every proof of the report with this nonce."""
        length = self.circuit.query_rand_length * self.proofs
        return self._vector(_QUERY_RANDOMNESS, verify_key, bytes((self.proofs,)) + nonce, length)

    def joint_rand_part(
        self, keeper: int, *, blind: bytes, encoded_share: bytes, nonce: bytes
    ) -> bytes:
        """Derive a keeper's part of the joint randomness from its share, as encoded bytes."""
        return self._seed(_JOINT_RAND_PART, blind, bytes((keeper,)) + nonce + encoded_share)

    def joint_rand_seed(self, parts: Iterable[bytes]) -> bytes:
        """Derive the joint randomness's seed from every keeper's part."""
        return self._seed(_JOINT_RAND_SEED, bytes(SEED_BYTES), b"".join(parts))

    def joint_rand(self, seed: bytes) -> Expansion:
        """Expand the joint randomness of every proof from its seed."""
        length = self.circuit.joint_rand_length * self.proofs
        return self._vector(_JOINT_RANDOMNESS, seed, bytes((self.proofs,)), length)

    def _tag(self, usage: int) -> bytes:
        return domain_separation_tag(algorithm_id=self.algorithm_id, usage=usage, ctx=self.ctx)

    def _seed(self, usage: int, seed: bytes, binder: bytes) -> bytes:
        return derive_seed(seed, dst=self._tag(usage), binder=binder)

    def _vector(self, usage: int, seed: bytes, binder: bytes, length: int) -> Expansion:
        read = xof_stream(seed, dst=self._tag(usage), binder=binder)
        return Expansion(self.circuit.field, read, length)
