"""The fully linear proof that an encoded measurement satisfies its circuit.

Spec: draft-irtf-cfrg-vdaf section 7.3 (and BBCGGI19, section 4.2). The prover evaluates the
circuit, records what enters the gadget at each call, and sends the polynomial of the gadget's
outputs. Each verifier, with shares of the measurement and of the proof, takes the outputs from
that polynomial and tests it at one random point; the test's shares are added and decided on.
Everything is a function of its arguments; no randomness is drawn.
"""

from collections.abc import Sequence
from typing import Any

from contributions.errors import ProofRefused
from contributions.prio3.circuit import Circuit
from contributions.prio3.polynomial import dot, evaluation_weights, extend, next_power_of_two


def prove(
    circuit: Circuit[Any, Any],
    encoded: Sequence[int],
    *,
    prove_rand: Sequence[int],
    joint_rand: Sequence[int],
) -> list[int]:
    """Return the proof (section 7.3.3): the wire seeds, then the gadget polynomial's values."""
    calls: list[Sequence[int]] = []

    def call(inputs: Sequence[int]) -> int:
        calls.append(inputs)
        return circuit.gadget.evaluate(circuit.field, inputs)

    circuit.evaluate(encoded, joint_rand, shares=1, call=call)
    polynomial = circuit.gadget.evaluate_polynomials(
        circuit.field, [prove_rand, *calls], nodes=circuit.wire_length
    )
    return [*prove_rand, *polynomial[: circuit.gadget_polynomial_length]]


def query(
    circuit: Circuit[Any, Any],
    encoded: Sequence[int],
    proof: Sequence[int],
    *,
    query_rand: Sequence[int],
    joint_rand: Sequence[int],
    shares: int,
) -> list[int]:
    """Return the (share of the) verifier message of (shares of) a measurement and its proof.

    Section 7.3.4. Raises `ProofRefused` when the random point is one of the wires' nodes, where
    the test would give a value of the measurement away.
    """
    field, arity = circuit.field, circuit.gadget.arity
    seeds, values = proof[:arity], proof[arity:]
    polynomial = extend(field, values, next_power_of_two(len(values)))
    step = len(polynomial) // circuit.wire_length
    calls: list[Sequence[int]] = []

    def call(inputs: Sequence[int]) -> int:
        calls.append(inputs)
        return polynomial[len(calls) * step]

    checks = circuit.evaluate(encoded, joint_rand, shares=shares, call=call)
    *factors, point = query_rand
    if pow(point, circuit.wire_length, field.modulus) == 1:
        raise ProofRefused("the test point is a node; refuse the report")
    reduced = dot(factors, checks) % field.modulus if circuit.checks > 1 else checks[0]
    at_wires = evaluation_weights(field, circuit.wire_length, point)
    at_polynomial = evaluation_weights(field, len(polynomial), point)
    return [
        reduced,
        *(dot(wire, at_wires) % field.modulus for wire in zip(seeds, *calls, strict=True)),
        dot(polynomial, at_polynomial) % field.modulus,
    ]


def decide(circuit: Circuit[Any, Any], verifier: Sequence[int]) -> bool:
    """Return whether a whole verifier message is that of a valid measurement (section 7.3.5)."""
    reduced, *wires, polynomial = verifier
    return reduced == 0 and circuit.gadget.evaluate(circuit.field, wires) == polynomial
