"""Integers as sums of zeros and ones, and the check that they are zeros and ones.

Spec: draft-irtf-cfrg-vdaf section 7.4.2 (encoding of `Sum`) and section 7.4.3 (`SumVec`'s check).
An integer from 0 to m takes as many elements as m has bits: weights 1, 2, 4, ... and a last one
that makes all of them add up to m, so that nothing above m can be written at all.
"""

from collections.abc import Sequence

from contributions.prio3.circuit import GadgetCall
from contributions.prio3.field import Field
from contributions.prio3.polynomial import dot


def weights(largest: int) -> list[int]:
    """Return the weights of the elements of an integer from 0 to `largest`."""
    powers = [1 << bit for bit in range(largest.bit_length() - 1)]
    return [*powers, largest - sum(powers)]


def encode_range_checked(value: int, largest: int) -> list[int]:
    """Return the zeros and ones of an integer from 0 to `largest`."""
    *powers, last = weights(largest)
    above = value > sum(powers)
    rest = value - last if above else value
    return [*((rest >> bit) & 1 for bit in range(len(powers))), int(above)]


def decode_range_checked(field: Field, elements: Sequence[int], largest: int) -> int:
    """Return the integer of (shares of) its elements, as (a share of) one element."""
    return dot(weights(largest), elements) % field.modulus


def decode_each(field: Field, elements: Sequence[int], largest: int) -> list[int]:
    """Return the integers of consecutive runs of elements."""
    each = largest.bit_length()
    return [
        decode_range_checked(field, elements[at : at + each], largest)
        for at in range(0, len(elements), each)
    ]


def check_zeros_and_ones(
    field: Field,
    encoded: Sequence[int],
    joint_rand: Sequence[int],
    *,
    chunk_length: int,
    shares: int,
    call: GadgetCall,
) -> int:
    """Return (a share of) a sum over x of random factors times x·(x - 1), by chunks.

    Zero when every element is zero or one, and otherwise only with the probability of a root of
    a random polynomial. The gadget is a parallel sum of products; each of its calls takes one
    element of the joint randomness, r, and the factors r, r², r³, ...
    """
    p = field.modulus
    one = field.inverse(shares)
    total = 0
    for index, r in enumerate(joint_rand):
        chunk = list(encoded[index * chunk_length : (index + 1) * chunk_length])
        chunk += [0] * (chunk_length - len(chunk))
        inputs: list[int] = []
        power = r
        for element in chunk:
            inputs += (power * element % p, (element - one) % p)
            power = power * r % p
        total += call(inputs)
    return total % p


def calls_for(encoded_length: int, chunk_length: int) -> int:
    """Return how many chunks cover an encoded measurement."""
    return -(-encoded_length // chunk_length)
