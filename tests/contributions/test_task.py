import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.modes import ModeGroup
from contributions.errors import Malformed, SignatureRefused
from contributions.measures import DEFAULT_COORDINATES, Coordinate, Measure
from contributions.task import (
    Adjacency,
    Task,
    TrustMode,
    Zone,
    join_signatures,
    read_task,
    sign_task,
)


def test_the_bytes_of_a_task_round_trip_byte_for_byte(task):
    assert Task.parse(task.to_bytes()) == task
    assert Task.parse(task.to_bytes()).to_bytes() == task.to_bytes()


def test_the_digest_is_the_sha256_of_the_bytes_as_received(task):
    received = task.to_bytes()
    assert Task.parse(received).digest == hashlib.sha256(received).hexdigest()


def test_the_bytes_are_sorted_compact_json_without_floats(task):
    value = json.loads(task.to_bytes(), parse_float=pytest.fail)
    oracle = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert task.to_bytes() == oracle.encode()


def test_every_field_is_in_the_bytes(make_task, task):
    changes = {
        "title_fr": "x",
        "title_en": "x",
        "week": "2026-W45",
        "zones": (Zone(code="1", name="x"),),
        "coordinates": (Coordinate(measure=Measure.KILOMETRES, label="car", weight=1),),
        "scale": Fraction(2),
        "cap_units": 7,
        "epsilon_micro": 999_999,
        "epsilon_territory_micro": 7,
        "verify_key_sha256": "00" * 32,
        "adjacency": Adjacency.ZERO_OUT,
        "trust_mode": TrustMode.TWO_KEEPERS,
        "min_batch_size": 7,
        "purpose_digest": "00" * 32,
        "log_origin": "x",
        "aggregator_name": "x",
        "report_deadline": datetime(2027, 1, 1, tzinfo=UTC),
    }
    two_keepers = {"trust_mode": TrustMode.TWO_KEEPERS}
    base = make_task(**two_keepers)
    digests = {make_task(**(two_keepers | {name: value})).digest for name, value in changes.items()}
    digests.add(make_task(**two_keepers, keepers=base.keepers[::-1]).digest)
    assert len(digests | {task.digest, base.digest}) == len(changes) + 2


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"epsilon_micro": 0}, id="no noise budget"),
        pytest.param({"epsilon_micro": -1}, id="negative epsilon"),
        pytest.param({"epsilon_micro": 10_000_001}, id="epsilon above ten"),
        pytest.param({"epsilon_micro": True}, id="a boolean for a number"),
        pytest.param({"epsilon_micro": 1.0}, id="a float for a number"),
        pytest.param({"cap_units": 0}, id="no cap"),
        pytest.param({"cap_units": 10**6 + 1}, id="cap too fine"),
        pytest.param({"min_batch_size": 1}, id="a batch of one person"),
        pytest.param({"scale": Fraction(0)}, id="zero scale"),
        pytest.param({"scale": Fraction(-1, 2)}, id="negative scale"),
        pytest.param({"scale": 0.75}, id="inexact scale"),
        pytest.param({"scale": Fraction(1, 10**9)}, id="scale with ten digits"),
        pytest.param({"zones": ()}, id="no zone"),
        pytest.param({"zones": (Zone(code="1", name="a"), Zone(code="1", name="b"))}, id="twice"),
        pytest.param({"coordinates": ()}, id="no coordinate"),
        pytest.param(
            {"coordinates": (Coordinate(measure=Measure.KILOMETRES, label="car", weight=1),) * 2},
            id="car twice",
        ),
        pytest.param({"week": "2026-W54"}, id="week 54"),
        pytest.param({"week": "2025-W53"}, id="a 53rd week of a 52-week year"),
        pytest.param({"week": "2026-46"}, id="week without W"),
        pytest.param({"title_fr": ""}, id="empty title"),
        pytest.param({"title_en": "a\nb"}, id="line break in a title"),
        pytest.param({"title_en": " a"}, id="untrimmed title"),
        pytest.param({"title_en": "a" * 201}, id="long title"),
        pytest.param({"purpose_digest": "AB" * 32}, id="uppercase digest"),
        pytest.param({"purpose_digest": "ab" * 31}, id="short digest"),
        pytest.param({"log_origin": "a b"}, id="space in an origin"),
        pytest.param({"aggregator_name": 7}, id="a number for a name"),
        pytest.param({"report_deadline": datetime(2026, 11, 15, 23, tzinfo=UTC)}, id="at the end"),
        pytest.param({"report_deadline": datetime(2026, 11, 23)}, id="naive"),  # noqa: DTZ001
        pytest.param(
            {"report_deadline": datetime(2026, 11, 23, tzinfo=timezone(timedelta(hours=1)))},
            id="not UTC",
        ),
        pytest.param({"report_deadline": datetime(2026, 11, 23, 0, 0, 0, 1, UTC)}, id="fraction"),
        pytest.param({"report_deadline": "2026-11-23T00:00:00Z"}, id="a text for a time"),
        pytest.param({"adjacency": "replacement"}, id="a text for an adjacency"),
        pytest.param({"trust_mode": "local"}, id="a text for a trust mode"),
        pytest.param({"adjacency": Adjacency.ZERO_OUT}, id="zero-out under local"),
        pytest.param({"epsilon_territory_micro": 1}, id="a split under local"),
        pytest.param({"verify_key_sha256": "00" * 32}, id="a verification key under local"),
    ],
)
def test_a_task_out_of_bounds_is_refused(make_task, changes):
    with pytest.raises(Malformed):
        make_task(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"keepers": ()}, id="no keeper"),
        pytest.param({"epsilon_territory_micro": 0}, id="nothing for the territory"),
        pytest.param({"epsilon_territory_micro": 1_000_000}, id="nothing for the zones"),
        pytest.param({"verify_key_sha256": ""}, id="no verification key"),
    ],
)
def test_a_two_keeper_task_without_its_parts_is_refused(make_task, changes):
    with pytest.raises(Malformed):
        make_task(trust_mode=TrustMode.TWO_KEEPERS, **changes)


def test_keepers_without_four_keys_of_their_own_are_refused(make_task, shared_task):
    leader, helper = shared_task.keepers
    one_key = replace(helper, hpke_x=leader.hpke_x)
    for keepers in ((leader,), (leader, leader), (leader, one_key), (leader, helper, helper)):
        with pytest.raises(Malformed):
            make_task(trust_mode=TrustMode.TWO_KEEPERS, keepers=keepers)


def test_a_local_task_has_no_keepers(make_task, shared_task):
    with pytest.raises(Malformed):
        make_task(keepers=shared_task.keepers)


def test_both_parts_of_epsilon_add_up_to_it(make_task):
    task = make_task(trust_mode=TrustMode.TWO_KEEPERS, epsilon_territory_micro=300_001)
    assert task.epsilon_zone_micro + task.epsilon_territory_micro == task.epsilon_micro


@pytest.mark.parametrize("weight", [0, -1, 100_001, 1.5, True])
def test_a_weight_out_of_bounds_is_refused(weight):
    with pytest.raises(Malformed):
        Coordinate(measure=Measure.KILOMETRES, label="car", weight=weight)


def test_two_keepers_may_use_either_adjacency(make_task):
    for adjacency in Adjacency:
        task = make_task(trust_mode=TrustMode.TWO_KEEPERS, adjacency=adjacency)
        assert Task.parse(task.to_bytes()).adjacency is adjacency


def _changed(task: Task, **changes: object) -> bytes:
    value = json.loads(task.to_bytes()) | changes
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"extra": 1}, id="unknown key"),
        pytest.param({"v": 1}, id="another version"),
        pytest.param({"v": True}, id="a boolean version"),
        pytest.param({"scale": "6/8"}, id="not lowest terms"),
        pytest.param({"scale": "0/1"}, id="zero"),
        pytest.param({"scale": "٣/4"}, id="another script's digits"),
        pytest.param({"report_deadline": "٢٠26-11-23T00:00:00Z"}, id="other digits in a time"),
        pytest.param({"scale": 1}, id="an integer scale"),
        pytest.param({"trust_mode": "central"}, id="unknown trust mode"),
        pytest.param({"trust_mode": []}, id="a list for a trust mode"),
        pytest.param({"adjacency": None}, id="no adjacency"),
        pytest.param({"zones": {}}, id="an object for a list"),
        pytest.param({"zones": [{"code": "1"}]}, id="zone without a name"),
        pytest.param({"zones": [{"code": "1", "name": "a", "x": 1}]}, id="zone with more"),
        pytest.param({"zones": ["17300"]}, id="zone as a text"),
        pytest.param(
            {
                "coordinates": [
                    {"measure": "kilometres", "unit": "km", "label": "car", "weight": "600"}
                ]
            },
            id="text weight",
        ),
        pytest.param({"report_deadline": "2026-11-31T00:00:00Z"}, id="no such day"),
        pytest.param({"report_deadline": "2026-11-23T00:00:00+00:00"}, id="another spelling"),
        pytest.param({"epsilon_micro": 2**53}, id="beyond RFC 8785"),
        pytest.param({"title_en": "\ud800"}, id="lone surrogate"),
    ],
)
def test_task_bytes_out_of_the_format_are_refused(task, changes):
    value = json.loads(task.to_bytes()) | changes
    data = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    canonical = _changed(task, **changes) if "title_en" not in changes else data
    with pytest.raises(Malformed):
        Task.parse(canonical)


def test_a_missing_key_is_refused(task):
    value = json.loads(task.to_bytes())
    for name in value:
        data = json.dumps({k: v for k, v in value.items() if k != name}, separators=(",", ":"))
        with pytest.raises(Malformed):
            Task.parse(data.encode())


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param(lambda data: data + b"\n", id="a line break after"),
        pytest.param(lambda data: data.replace(b'":', b'": ', 1), id="a space"),
        pytest.param(lambda data: data.replace(b"1000", b"1e3", 1), id="an exponent"),
        pytest.param(lambda data: data.replace(b"1000", b"1000.0", 1), id="a fraction"),
        pytest.param(lambda data: data.replace("è".encode(), rb"\u00e8", 1), id="an escape"),
        pytest.param(lambda data: data.replace(b"{", b'{"v":1,', 1), id="a key twice"),
        pytest.param(lambda data: b"\xef\xbb\xbf" + data, id="a byte order mark"),
        pytest.param(lambda data: data[:-1], id="truncated"),
        pytest.param(lambda _data: b"[]", id="a list"),
        pytest.param(lambda _data: b"NaN", id="not a number"),
        pytest.param(lambda _data: b"\xff\xfe", id="not UTF-8"),
        pytest.param(lambda _data: b"[" * 100_000, id="deep nesting"),
        pytest.param(lambda _data: b"9" * 100_000, id="a huge number"),
        pytest.param(lambda data: data + b" " * 262_144, id="too long"),
    ],
)
def test_a_second_spelling_of_a_task_is_refused(task, spelling):
    data = task.to_bytes()
    assert spelling(data) != data
    with pytest.raises(Malformed):
        Task.parse(spelling(data))


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_a_task_or_malformed(data):
    with pytest.raises(Malformed):
        Task.parse(data)


def test_a_signed_task_is_read_with_the_key_of_the_aggregator(task, key):
    assert read_task(sign_task(task, key), key.public_key()) == task


def test_a_task_of_two_thousand_zones_is_read(make_task, key):
    zones = tuple(Zone(code=str(k), name="Saint-Médard-d’Aunis " + "x" * 70) for k in range(2_000))
    task = make_task(zones=zones)
    assert len(task.to_bytes()) > 128_000
    assert read_task(sign_task(task, key), key.public_key()) == task


def test_a_task_signed_by_another_key_is_refused(task, key, other_key):
    with pytest.raises(SignatureRefused):
        read_task(sign_task(task, other_key), key.public_key())


def _signed(task: Task, *keys: Ed25519PrivateKey) -> bytes:
    return b"\n".join(sign_task(task, key) for key in keys)


def test_a_task_of_two_keepers_is_read_when_both_signed_it(shared_task, sign_keys):  # T1
    leader, helper = sign_keys
    signed = join_signatures(sign_task(shared_task, leader), sign_task(shared_task, helper))
    assert read_task(signed, leader.public_key(), helper.public_key()) == shared_task


@pytest.mark.parametrize("signers", [(0,), (1,), (1, 0), (0, 0), (0, 1, 1), (0, 1, 0)])
def test_a_task_that_is_not_signed_by_leader_then_helper_is_refused(  # T1
    shared_task, sign_keys, signers
):
    """T1: A task MUST be signed by both keepers over the same bytes."""
    leader, helper = sign_keys
    signed = _signed(shared_task, *(sign_keys[signer] for signer in signers))
    with pytest.raises((Malformed, SignatureRefused)):
        read_task(signed, leader.public_key(), helper.public_key())


def test_keepers_that_sign_different_tasks_are_refused(make_task, shared_task, sign_keys):  # T1
    leader, helper = sign_keys
    other = make_task(trust_mode=TrustMode.TWO_KEEPERS, title_en="Another question")
    signed = join_signatures(sign_task(shared_task, leader), sign_task(other, helper))
    with pytest.raises(SignatureRefused):
        read_task(signed, leader.public_key(), helper.public_key())


def test_a_task_that_names_another_helper_than_the_pinned_one_is_refused(  # T1, J3
    shared_task, sign_keys, other_key
):
    leader, helper = sign_keys
    signed = _signed(shared_task, leader, helper)
    for pinned in (other_key.public_key(), None):
        with pytest.raises(SignatureRefused):
            read_task(signed, leader.public_key(), pinned)


def test_a_local_task_with_a_second_signature_is_refused(task, key, other_key):
    with pytest.raises(SignatureRefused):
        read_task(_signed(task, key, other_key), key.public_key(), other_key.public_key())


def test_the_default_coordinates_are_the_mode_groups_of_the_footprint():
    labels = [coordinate.label for coordinate in DEFAULT_COORDINATES]
    assert labels == [group.value for group in ModeGroup]


def test_the_default_weights_are_what_their_source_gives():
    speeds_and_minutes = {"walk": (5, 14), "bike": (14, 18), "car": (40, 19), "transit": (18, 41)}
    weights = {coordinate.label: coordinate.weight for coordinate in DEFAULT_COORDINATES}
    for label, (speed, minutes) in speeds_and_minutes.items():
        heavy_km = 2 * 21 * minutes / 60 * speed
        digit = 10 ** (len(str(int(heavy_km))) - 1)
        assert weights[label] == -(-heavy_km // digit) * digit


def test_a_zone_is_found_by_its_code(task):
    assert task.zone("17028") == Zone(code="17028", name="Aytré")
    assert task.zone("99999") is None
