"""What the published vector of the XOF does not reach: skipped elements, tags and bounds."""

import pytest

from contributions.errors import Malformed
from contributions.prio3.field import FIELD64
from contributions.prio3.xof import Expansion, derive_seed, domain_separation_tag, xof_stream


def test_tag_spells_version_class_algorithm_usage_and_context() -> None:
    tag = domain_separation_tag(algorithm_id=7, usage=3, ctx=b"task")
    assert tag.hex() == "12" + "00" + "00000007" + "0003" + b"task".hex()


def test_element_not_below_the_modulus_is_skipped() -> None:
    pieces = [5, FIELD64.modulus, FIELD64.modulus + 1, 6, 2**64 - 1, 7]
    stream = b"".join(piece.to_bytes(8, "little") for piece in pieces)
    position = 0

    def read(length: int) -> bytes:
        nonlocal position
        position += length
        return stream[position - length : position]

    assert Expansion(FIELD64, read, 3).elements() == [5, 6, 7]
    assert position == len(stream)


def test_stream_in_pieces_is_the_stream() -> None:
    whole = xof_stream(b"s" * 32, dst=b"d", binder=b"b")(100)
    read = xof_stream(b"s" * 32, dst=b"d", binder=b"b")
    assert read(1) + read(60) + read(39) == whole


def test_bytes_do_not_move_between_tag_and_binder() -> None:
    assert derive_seed(bytes(32), dst=b"ab", binder=b"c") != derive_seed(
        bytes(32), dst=b"a", binder=b"bc"
    )


@pytest.mark.parametrize(("seed", "dst"), [(bytes(256), b""), (bytes(32), bytes(65_536))])
def test_seed_or_tag_without_room_for_its_length_is_refused(seed: bytes, dst: bytes) -> None:
    with pytest.raises(Malformed):
        xof_stream(seed, dst=dst, binder=b"")
