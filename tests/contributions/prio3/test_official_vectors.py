"""The published vectors of draft-irtf-cfrg-vdaf (draft 20) and draft-ietf-ppm-l1-bound-sum (02).

Each file lists operations and what they give; every one is replayed on bytes. Files are pinned by
their SHA-256: a vector that changes is another vector.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contributions.errors import ContributionsError
from contributions.prio3.circuit import GadgetCall
from contributions.prio3.field import FIELD128
from contributions.prio3.gadgets import Gadget, PolyEval
from contributions.prio3.number_circuits import Count
from contributions.prio3.prio3 import Prio3, Verification
from contributions.prio3.variants import (
    prio3_count,
    prio3_histogram,
    prio3_l1_bound_sum,
    prio3_multihot_count_vec,
    prio3_sum,
    prio3_sum_vec,
)
from contributions.prio3.vector_circuits import SumVec
from contributions.prio3.xof import Expansion, derive_seed, xof_stream

PINS = Path(__file__).with_name("official_vectors.sha256").read_text(encoding="ascii")
SHA256 = {name: digest for digest, name in map(str.split, PINS.splitlines())}
"""As `sha256sum` writes it: run `sha256sum -c` in the folder of the vectors."""

TEST_ALGORITHM_ID = 0xFFFFFFFF
"""What the vectors' authors use for variants without a registered identifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HigherDegree(Count):
    """x from 0 to 2 by the gadget x(x-1)(x-2), of degree three: a circuit of the vectors alone."""

    @property
    def gadget(self) -> Gadget:
        return PolyEval(coefficients=(0, 2, -3, 1))

    @property
    def largest(self) -> int:
        return 2

    def encode(self, measurement: int) -> list[int]:
        return [measurement]

    def evaluate(
        self, encoded: Sequence[int], joint_rand: Sequence[int], *, shares: int, call: GadgetCall
    ) -> list[int]:
        del joint_rand, shares
        return [call(encoded)]


def _variant(name: str, vector: dict[str, Any]) -> Prio3[Any, Any]:
    shares = vector["shares"]
    sizes = {
        key: vector[key]
        for key in ("length", "chunk_length", "max_measurement", "max_weight", "max_value")
        if key in vector
    }
    if name == "Prio3SumVecWithMultiproof":
        circuit = SumVec(small_field=True, **sizes)
        return Prio3(circuit=circuit, algorithm_id=TEST_ALGORITHM_ID, shares=shares, proofs=3)
    if name == "Prio3HigherDegree":
        return Prio3(circuit=HigherDegree(), algorithm_id=TEST_ALGORITHM_ID, shares=shares)
    makers = {
        "Prio3Count": prio3_count,
        "Prio3Sum": prio3_sum,
        "Prio3SumVec": prio3_sum_vec,
        "Prio3Histogram": prio3_histogram,
        "Prio3MultihotCountVec": prio3_multihot_count_vec,
        "Prio3L1BoundSum": prio3_l1_bound_sum,
    }
    return makers[name](shares=shares, **sizes)


class _Replay:
    """Run a vector's operations one by one, comparing whatever the vector states."""

    def __init__(self, name: str, vector: dict[str, Any]) -> None:
        self.vdaf = _variant(name, vector)
        self.vector = vector
        self.ctx = bytes.fromhex(vector["ctx"])
        self.verifications: dict[tuple[int, int], Verification] = {}
        self.out_shares: dict[int, dict[int, tuple[int, ...]]] = {}

    def run(self, operation: dict[str, Any]) -> None:
        report = self.vector["reports"][operation.get("report_index", 0)]
        match operation["operation"]:
            case "shard":
                self._shard(report)
            case "verify_init":
                self._verify_init(operation, report)
            case "verifier_shares_to_message":
                self._combine(report)
            case "verify_next":
                self._verify_next(operation, report)
            case "aggregate":
                self._aggregate(operation["aggregator_id"])
            case "unshard":
                self._unshard()
            case unknown:
                pytest.fail(f"the vector asks for {unknown}")

    def _shard(self, report: dict[str, Any]) -> None:
        sharded = self.vdaf.shard(
            report["measurement"],
            ctx=self.ctx,
            nonce=bytes.fromhex(report["nonce"]),
            rand=bytes.fromhex(report["rand"]),
        )
        assert sharded.public_share.hex() == report["public_share"]
        assert [share.hex() for share in sharded.input_shares] == report["input_shares"]

    def _verify_init(self, operation: dict[str, Any], report: dict[str, Any]) -> None:
        keeper = operation["aggregator_id"]
        verification = self.vdaf.verify_init(
            verify_key=bytes.fromhex(self.vector["verify_key"]),
            ctx=self.ctx,
            keeper=keeper,
            nonce=bytes.fromhex(report["nonce"]),
            public_share=bytes.fromhex(report["public_share"]),
            input_share=bytes.fromhex(report["input_shares"][keeper]),
        )
        assert verification.verifier_share.hex() == report["verifier_shares"][0][keeper]
        self.verifications[operation["report_index"], keeper] = verification

    def _combine(self, report: dict[str, Any]) -> None:
        shares = [bytes.fromhex(share) for share in report["verifier_shares"][0]]
        message = self.vdaf.verifier_message(shares, ctx=self.ctx)
        assert message.hex() == report["verifier_messages"][0]

    def _verify_next(self, operation: dict[str, Any], report: dict[str, Any]) -> None:
        keeper = operation["aggregator_id"]
        out_share = self.vdaf.verify_next(
            self.verifications[operation["report_index"], keeper],
            bytes.fromhex(report["verifier_messages"][operation["round"] - 1]),
        )
        encoded = self.vdaf.circuit.field.encode(out_share).hex()
        assert encoded == report["out_shares"][keeper]
        self.out_shares.setdefault(keeper, {})[operation["report_index"]] = out_share

    def _aggregate(self, keeper: int) -> None:
        share = self.vdaf.aggregate(self.out_shares[keeper].values())
        assert self.vdaf.circuit.field.encode(share).hex() == self.vector["agg_shares"][keeper]

    def _unshard(self) -> None:
        field, length = self.vdaf.circuit.field, self.vdaf.circuit.output_length
        shares = [
            field.decode(bytes.fromhex(share), length=length) for share in self.vector["agg_shares"]
        ]
        result = self.vdaf.unshard(shares, reports=len(self.vector["reports"]))
        assert result == self.vector["agg_result"]


@pytest.fixture(scope="module")
def folder(reference: Path) -> Path:
    return reference / "vectors" / "vdaf"


def _load(folder: Path, name: str) -> dict[str, Any]:
    data = (folder / name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == SHA256[name]
    vector: dict[str, Any] = json.loads(data)
    return vector


def _prio3_names(*, bad: bool) -> list[str]:
    return [name for name in SHA256 if name.startswith("Prio3") and ("_bad_" in name) == bad]


def test_every_published_vector_is_pinned(folder: Path) -> None:
    assert {path.name for path in folder.glob("*.json")} == set(SHA256)


@pytest.mark.parametrize("name", _prio3_names(bad=False))
def test_good_vector_is_reproduced_byte_for_byte(folder: Path, name: str) -> None:
    vector = _load(folder, name)
    replay = _Replay(name.partition("_")[0], vector)
    assert vector["operations"]
    for operation in vector["operations"]:
        assert operation["success"]
        replay.run(operation)


@pytest.mark.parametrize("name", _prio3_names(bad=True))
def test_bad_vector_is_refused_where_it_says(folder: Path, name: str) -> None:
    vector = _load(folder, name)
    replay = _Replay(name.partition("_")[0], vector)
    *before, last = vector["operations"]
    for operation in before:
        assert operation["success"]
        replay.run(operation)
    assert not last["success"]
    with pytest.raises(ContributionsError):
        replay.run(last)


def test_xof_vector_is_reproduced(folder: Path) -> None:
    vector = _load(folder, "XofTurboShake128.json")
    seed, dst, binder = (bytes.fromhex(vector[key]) for key in ("seed", "dst", "binder"))
    assert derive_seed(seed, dst=dst, binder=binder).hex() == vector["derived_seed"]
    read = xof_stream(seed, dst=dst, binder=binder)
    expanded = Expansion(FIELD128, read, vector["length"]).elements()
    assert FIELD128.encode(expanded).hex() == vector["expanded_vec_field128"]
