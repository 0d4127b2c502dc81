"""Prio3: split a measurement with a proof, check the shares together, add them apart.

Spec: draft-irtf-cfrg-vdaf section 7.2; messages as in section 7.2.7. Bytes in, bytes out: what
keepers exchange is parsed here, strictly, and every refusal is an exception.

A store calls `shard` and sends one input share to each keeper. Each keeper calls `verify_init`
and sends the other its verifier share; both combine the shares with `verifier_message` and end
with `verify_next`, which alone gives an output share. Output shares are added by `aggregate`.

It is not the transport, the envelope (`contributions.envelope`), the set of reports
(`contributions.collection`) or the noise. Keepers owe what the draft asks of them: one
verification of a nonce, one public share and one verification key chosen before any report.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic

from contributions.errors import Malformed, ProofRefused
from contributions.prio3.circuit import Circuit, Measurement, Result, expect_bounds
from contributions.prio3.derivation import Derivation
from contributions.prio3.field import FIELD64
from contributions.prio3.flp import decide, prove, query
from contributions.prio3.xof import SEED_BYTES

NONCE_BYTES = 16
"""Size of a nonce, which is the report's id."""
VERIFY_KEY_BYTES = SEED_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharded:
    """A report: the public share for all keepers, and one input share for each.

    Whoever holds every input share holds the measurement: they are hidden from `repr`.
    """

    public_share: bytes
    input_shares: tuple[bytes, ...]

    def __repr__(self) -> str:
        """Hide the shares."""
        return f"Sharded(input_shares=<{len(self.input_shares)} hidden>)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A keeper's part in checking one report: what it sends, and what it keeps meanwhile.

    `verifier_share` goes to the other keepers. `pending_out_share` becomes an output share when
    `verify_next` returns it, not before. `joint_rand_seed` is empty without joint randomness.
    """

    verifier_share: bytes
    pending_out_share: tuple[int, ...]
    joint_rand_seed: bytes

    def __repr__(self) -> str:
        """Hide the output share."""
        return "Verification(pending_out_share=<hidden>)"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputShare:
    """A keeper's share of a report, expanded: measurement, proofs, and blind (may be empty).

    `encoded_measurement` is the measurement's share as the bytes that the blind is bound to.
    """

    encoded_measurement: bytes
    measurement: Sequence[int]
    proofs: Sequence[int]
    blind: bytes

    def __repr__(self) -> str:
        """Hide the share."""
        return "InputShare(<hidden>)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prio3(Generic[Measurement, Result]):
    """One variant of Prio3: a circuit, an identifier, a number of shares and of proofs.

    `algorithm_id` from 1 to 2³²-1, `shares` from 2 to 255, `proofs` from 1 to 255; a circuit with
    joint randomness in Field64 needs 3 (section 9.6). Raises `Malformed` at construction.
    """

    circuit: Circuit[Measurement, Result]
    algorithm_id: int
    shares: int
    proofs: int = 1

    def __post_init__(self) -> None:
        """Check every bound; see the class."""
        expect_bounds(self.algorithm_id, "algorithm_id", high=2**32 - 1)
        expect_bounds(self.shares, "shares", high=255)
        expect_bounds(self.proofs, "proofs", high=255)
        if self.shares < 2:
            raise Malformed("expected at least two shares; one alone is the measurement")
        if self.joint and self.circuit.field == FIELD64 and self.proofs < 3:
            raise Malformed("expected three proofs: joint randomness in Field64 can be searched")

    @property
    def joint(self) -> bool:
        """Whether the circuit takes joint randomness."""
        return self.circuit.joint_rand_length > 0

    @property
    def rand_bytes(self) -> int:
        """How many random bytes `shard` takes (RAND_SIZE)."""
        return SEED_BYTES * self.shares * (2 if self.joint else 1)

    @property
    def public_share_bytes(self) -> int:
        """Exact size of a public share."""
        return SEED_BYTES * self.shares if self.joint else 0

    @property
    def verifier_share_bytes(self) -> int:
        """Exact size of a verifier share."""
        vector = self.circuit.verifier_length * self.proofs * self.circuit.field.element_bytes
        return vector + (SEED_BYTES if self.joint else 0)

    def input_share_bytes(self, keeper: int) -> int:
        """Exact size of a keeper's input share; keeper 0, the leader, has the large one."""
        blind = SEED_BYTES if self.joint else 0
        if keeper > 0:
            return SEED_BYTES + blind
        elements = self.circuit.encoded_length + self.circuit.proof_length * self.proofs
        return elements * self.circuit.field.element_bytes + blind

    def derivation(self, ctx: bytes) -> Derivation:
        """Return the derivations of this variant in an application context."""
        return Derivation(
            circuit=self.circuit, algorithm_id=self.algorithm_id, proofs=self.proofs, ctx=ctx
        )

    def shard(self, measurement: Measurement, *, ctx: bytes, nonce: bytes, rand: bytes) -> Sharded:
        """Split a measurement into input shares with proofs (section 7.2.1).

        `nonce` (16 bytes) is the report's id; `rand` (`rand_bytes`) is secret, uniform and used
        once. Raises `MeasurementRefused` outside the circuit's bounds, `Malformed` on sizes.
        """
        expect_size(nonce, NONCE_BYTES, "a nonce")
        expect_size(rand, self.rand_bytes, "random bytes")
        derive, field = self.derivation(ctx), self.circuit.field
        *seeds, prove_seed = _pieces(rand)
        # The draft's order: each helper's seed and blind, the leader's blind, the prover's seed.
        leader_blind = seeds.pop() if self.joint else b""
        helper_seeds = seeds[::2] if self.joint else seeds
        helper_blinds = seeds[1::2] if self.joint else [b""] * len(seeds)
        encoded = self.circuit.encode(measurement)
        helpers = [
            derive.measurement_share(k, seed).elements() for k, seed in enumerate(helper_seeds, 1)
        ]
        leader = _subtract(encoded, helpers, field.modulus)
        parts = [
            derive.joint_rand_part(
                keeper, blind=blind, encoded_share=field.encode(share), nonce=nonce
            )
            for keeper, (blind, share) in enumerate(
                zip([leader_blind, *helper_blinds], [leader, *helpers], strict=True)
            )
            if self.joint
        ]
        proofs = _subtract(
            self._prove(derive, encoded, prove_seed, parts),
            [derive.proofs_share(k, seed).elements() for k, seed in enumerate(helper_seeds, 1)],
            field.modulus,
        )
        return Sharded(
            public_share=b"".join(parts),
            input_shares=(
                field.encode(leader) + field.encode(proofs) + leader_blind,
                *(a + b for a, b in zip(helper_seeds, helper_blinds, strict=True)),
            ),
        )

    def verify_init(
        self,
        *,
        verify_key: bytes,
        ctx: bytes,
        keeper: int,
        nonce: bytes,
        public_share: bytes,
        input_share: bytes,
    ) -> Verification:
        """Query a keeper's share of a report (section 7.2.2): the first half of its check.

        Raises `Malformed` on a size or an element out of range, `ProofRefused` as `flp.query`.
        """
        expect_size(verify_key, VERIFY_KEY_BYTES, "a verification key")
        expect_size(nonce, NONCE_BYTES, "a nonce")
        expect_size(public_share, self.public_share_bytes, "a public share")
        derive, circuit = self.derivation(ctx), self.circuit
        share = self.read_input_share(input_share, derive=derive, keeper=keeper)
        part = seed = b""
        joint_rand: list[int] = []
        if self.joint:
            part = derive.joint_rand_part(
                keeper, blind=share.blind, encoded_share=share.encoded_measurement, nonce=nonce
            )
            # A keeper trusts the public share for the others' parts, never for its own.
            parts = _pieces(public_share)
            parts[keeper] = part
            seed = derive.joint_rand_seed(parts)
            joint_rand = derive.joint_rand(seed).elements()
        query_rand = derive.query_rand(verify_key, nonce).elements()
        verifiers = self._query(share, query_rand, joint_rand)
        return Verification(
            verifier_share=circuit.field.encode(verifiers) + part,
            pending_out_share=tuple(circuit.truncate(share.measurement)),
            joint_rand_seed=seed,
        )

    def verifier_message(self, verifier_shares: Sequence[bytes], *, ctx: bytes) -> bytes:
        """Combine every keeper's verifier share, in their order, and decide (section 7.2.2).

        Raises `Malformed` on a size, `ProofRefused` when the measurement is not proved valid.
        """
        if len(verifier_shares) != self.shares:
            raise Malformed(f"expected {self.shares} verifier shares, saw {len(verifier_shares)}")
        field, length = self.circuit.field, self.circuit.verifier_length * self.proofs
        vectors, parts = [], []
        for share in verifier_shares:
            expect_size(share, self.verifier_share_bytes, "a verifier share")
            size = length * field.element_bytes
            vectors.append(field.decode(share[:size], length=length))
            parts.append(share[size:])
        verifiers = [sum(column) % field.modulus for column in zip(*vectors, strict=True)]
        for proof in range(self.proofs):
            if not decide(self.circuit, _part(verifiers, proof, self.proofs)):
                raise ProofRefused("the measurement is not proved valid; refuse the report")
        return self.derivation(ctx).joint_rand_seed(parts) if self.joint else b""

    def verify_next(self, verification: Verification, message: bytes) -> tuple[int, ...]:
        """Return the output share of a report that every keeper found valid (section 7.2.2).

        Raises `ProofRefused` when the joint randomness that the store announced is not what the
        keepers computed from their shares.
        """
        if message != verification.joint_rand_seed:
            raise ProofRefused("the joint randomness is not the announced one; refuse the report")
        return verification.pending_out_share

    def aggregate(self, out_shares: Iterable[Sequence[int]]) -> tuple[int, ...]:
        """Return the sum of a keeper's output shares (section 7.2.4); of none, zeros."""
        zero = (0,) * self.circuit.output_length
        columns = zip(zero, *out_shares, strict=True)
        return tuple(sum(column) % self.circuit.field.modulus for column in columns)

    def unshard(self, aggregate_shares: Sequence[Sequence[int]], *, reports: int) -> Result:
        """Return the result of every keeper's aggregate share, without noise (section 7.2.5).

        Raises `TotalsRefused` when `reports` reports cannot add up to it. Keepers of a two-keeper
        task add noise first: `contributions.collection` reads those.
        """
        return self.circuit.decode(self.aggregate(aggregate_shares), reports=reports)

    def read_input_share(self, data: bytes, *, derive: Derivation, keeper: int) -> InputShare:
        """Read a keeper's input share, expanding a helper's seed (section 7.2.7).

        Raises `Malformed` for a keeper outside the variant, another size or an element overflow.
        """
        if not 0 <= keeper < self.shares:
            raise Malformed(f"expected a keeper from 0 to {self.shares - 1}")
        expect_size(data, self.input_share_bytes(keeper), "an input share")
        circuit, field = self.circuit, self.circuit.field
        if keeper > 0:
            seed, blind = data[:SEED_BYTES], data[SEED_BYTES:]
            measurement = derive.measurement_share(keeper, seed).elements()
            proofs = derive.proofs_share(keeper, seed).elements()
            encoded = field.encode(measurement) if self.joint else b""
        else:
            split = circuit.encoded_length * field.element_bytes
            end = len(data) - (SEED_BYTES if self.joint else 0)
            encoded, blind = data[:split], data[end:]
            measurement = field.decode(encoded, length=circuit.encoded_length)
            proofs = field.decode(data[split:end], length=circuit.proof_length * self.proofs)
        return InputShare(
            encoded_measurement=encoded, measurement=measurement, proofs=proofs, blind=blind
        )

    def _query(
        self, share: InputShare, query_rand: Sequence[int], joint_rand: Sequence[int]
    ) -> list[int]:
        """Return the verifier share's elements of every proof, one after the other."""
        verifiers: list[int] = []
        for proof in range(self.proofs):
            verifiers += query(
                self.circuit,
                share.measurement,
                _part(share.proofs, proof, self.proofs),
                query_rand=_part(query_rand, proof, self.proofs),
                joint_rand=_part(joint_rand, proof, self.proofs),
                shares=self.shares,
            )
        return verifiers

    def _prove(
        self, derive: Derivation, encoded: Sequence[int], seed: bytes, parts: Sequence[bytes]
    ) -> list[int]:
        """Return every proof of an encoded measurement, one after the other."""
        prove_rand = derive.prove_rand(seed).elements()
        joint_rand = (
            derive.joint_rand(derive.joint_rand_seed(parts)).elements() if self.joint else []
        )
        proofs: list[int] = []
        for proof in range(self.proofs):
            proofs += prove(
                self.circuit,
                encoded,
                prove_rand=_part(prove_rand, proof, self.proofs),
                joint_rand=_part(joint_rand, proof, self.proofs),
            )
        return proofs


def expect_size(data: bytes, size: int, what: str) -> None:
    """Raise `Malformed` unless bytes have exactly this size."""
    if len(data) != size:
        raise Malformed(f"expected {what} of {size} bytes, saw {len(data)}")


def _pieces(data: bytes) -> list[bytes]:
    """Cut bytes into seeds."""
    return [data[at : at + SEED_BYTES] for at in range(0, len(data), SEED_BYTES)]


def _part(vector: Sequence[int], index: int, parts: int) -> Sequence[int]:
    """Return one of the equal parts of a vector."""
    size = len(vector) // parts
    return vector[index * size : (index + 1) * size]


def _subtract(whole: Sequence[int], shares: Sequence[Sequence[int]], modulus: int) -> list[int]:
    """Return the leader's share: what the helpers' shares leave of the whole."""
    return [(x - sum(parts)) % modulus for x, *parts in zip(whole, *shares, strict=True)]
