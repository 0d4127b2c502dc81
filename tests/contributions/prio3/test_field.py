import pytest
from hypothesis import given
from hypothesis import strategies as st

from contributions.errors import Malformed
from contributions.prio3.field import FIELD64, FIELD128, Field, roots_of_unity

FIELDS = pytest.mark.parametrize("field", [FIELD64, FIELD128], ids=["Field64", "Field128"])


def _is_probably_prime(number: int) -> bool:
    """Miller and Rabin's test with twelve bases: wrong for a composite once in 4^12."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        x = pow(base, odd, number)
        if x in (1, number - 1):
            continue
        if not any((x := x * x % number) == number - 1 for _ in range(twos - 1)):
            return False
    return True


@FIELDS
def test_modulus_is_prime_and_fills_its_bytes(field: Field) -> None:
    assert _is_probably_prime(field.modulus)
    assert field.modulus.bit_length() == 8 * field.element_bytes


@FIELDS
def test_generator_has_exactly_the_order_it_claims(field: Field) -> None:
    half = pow(field.generator, 2 ** (field.two_adicity - 1), field.modulus)
    assert half == field.modulus - 1


@FIELDS
def test_roots_of_unity_are_distinct_and_have_the_order(field: Field) -> None:
    roots = roots_of_unity(field, 16)
    assert len(set(roots)) == 16
    assert {pow(root, 16, field.modulus) for root in roots} == {1}


@FIELDS
@given(data=st.data())
def test_vector_survives_its_encoding(field: Field, data: st.DataObject) -> None:
    vector = data.draw(st.lists(st.integers(0, field.modulus - 1), max_size=5))
    assert field.decode(field.encode(vector), length=len(vector)) == vector


@FIELDS
def test_element_at_the_modulus_is_refused(field: Field) -> None:
    encoded = field.modulus.to_bytes(field.element_bytes, "little")
    with pytest.raises(Malformed):
        field.decode(encoded, length=1)


@FIELDS
@pytest.mark.parametrize("change", [-1, 1])
def test_another_size_is_refused(field: Field, change: int) -> None:
    with pytest.raises(Malformed):
        field.decode(bytes(3 * field.element_bytes + change), length=3)
