"""Keepers' messages: round trips, the other keeper's signature, strict bounds."""

import json

import pytest

from contributions.admission import ADMISSION_TYP
from contributions.collection import ReportSet
from contributions.errors import ContributionsError, Malformed, SignatureRefused
from contributions.keeper import Keeper
from contributions.keeper_messages import (
    MAX_JOB_REPORTS,
    MESSAGE_LIMIT_BYTES,
    AggregationAnswer,
    AggregationRequest,
    CollectionRequest,
    CollectionShare,
    CosignRequest,
    job_reports,
    read_message,
    sign_message,
)
from contributions.measures import MAX_COORDINATES, Coordinate, Measure
from contributions.messages import MEMBERSHIP_TYP, REPORT_TYP
from contributions.prio3.field import FIELD128
from contributions.sealed_report import SEALED_REPORT_TYP
from contributions.task import MAX_CAP_UNITS, TASK_TYP, TrustMode
from contributions.two_keepers import Verdict, vdaf_for

DIGEST = "ab" * 32
IDS = ("01" * 16, "02" * 16, "03" * 16)
REQUEST = AggregationRequest(
    task_digest="ab" * 32,
    zone="17300",
    job_id="aa" * 16,
    report_ids=IDS,
    verifier_shares=(b"x" * 352, b"y" * 352, b"z" * 352),
)
ANSWER = AggregationAnswer(
    request_sha256=REQUEST.sha256,
    verdicts=(Verdict.ACCEPTED, Verdict.REFUSED, Verdict.MISSING),
    verifier_shares=(b"a" * 352, b"b" * 352, b""),
)
SET = ReportSet.of(IDS)
MESSAGES = [
    CosignRequest(task_jws=b"a.b.c", verify_key_sealed=b"k" * 80, purpose="{é}".encode()),
    REQUEST,
    ANSWER,
    CollectionRequest(task_digest="ab" * 32, zone=None, reports=SET, commitment="cd" * 32),
    CollectionShare(
        task_digest="ab" * 32, zone="17300", reports=SET, noised_share=(0, FIELD128.modulus - 1)
    ),
]


def _name(message):
    return type(message).__name__


@pytest.mark.parametrize("message", MESSAGES, ids=_name)
def test_a_message_round_trips_under_its_signature(message, key):
    signed = sign_message(message, key)
    assert read_message(type(message), signed, key.public_key()) == message


@pytest.mark.parametrize("message", MESSAGES, ids=_name)
def test_a_message_of_another_signer_is_refused(message, key, other_key):
    with pytest.raises(SignatureRefused):
        read_message(type(message), sign_message(message, other_key), key.public_key())


@pytest.mark.parametrize("message", MESSAGES, ids=_name)
def test_one_kind_is_never_taken_for_another(message, key):
    signed = sign_message(message, key)
    for other in MESSAGES:
        if type(other) is not type(message):
            with pytest.raises(Malformed):
                read_message(type(other), signed, key.public_key())


@pytest.mark.parametrize("message", MESSAGES, ids=_name)
def test_unknown_and_missing_keys_are_refused(message):
    value = json.loads(message.to_bytes())
    changed = [value | {"extra": 1}, *({k: v for k, v in value.items() if k != n} for n in value)]
    for each in changed:
        data = json.dumps(each, sort_keys=True, separators=(",", ":")).encode()
        with pytest.raises(Malformed):
            type(message).parse(data)


@pytest.mark.parametrize("message", MESSAGES, ids=_name)
def test_truncated_bytes_are_refused(message):
    data = message.to_bytes()
    for size in range(0, len(data), 7):
        with pytest.raises(ContributionsError):
            type(message).parse(data[:size])


@pytest.mark.parametrize(
    "changes",
    [
        {"report_ids": ()},
        {"report_ids": (IDS[0],) * 3},
        {"report_ids": tuple(f"{k:032x}" for k in range(MAX_JOB_REPORTS + 1))},
        {"verifier_shares": (b"x",) * 2},
        {"verifier_shares": (b"x", b"yy", b"z")},
        {"verifier_shares": (b"",) * 3},
        {"job_id": "aa"},
        {"zone": "a b"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_request_out_of_bounds_is_refused(changes):
    fields = {
        name: getattr(REQUEST, name) for name in REQUEST.__dataclass_fields__ if name != "TYP"
    }
    with pytest.raises(Malformed):
        AggregationRequest(**(fields | changes))


@pytest.mark.parametrize(
    ("verdicts", "shares"),
    [
        ((), ()),
        ((Verdict.ACCEPTED,), (b"",)),
        ((Verdict.MISSING,), (b"x",)),
        ((Verdict.ACCEPTED,), ()),
        ((Verdict.ACCEPTED,) * 2, (b"x", b"yy")),
    ],
)
def test_an_answer_that_contradicts_itself_is_refused(verdicts, shares):
    with pytest.raises(Malformed):
        AggregationAnswer(request_sha256="00" * 32, verdicts=verdicts, verifier_shares=shares)


@pytest.mark.parametrize("share", [(), (-1,), (FIELD128.modulus,), (0,) * 129])
def test_a_share_that_is_no_vector_of_the_field_is_refused(share):
    with pytest.raises(Malformed):
        CollectionShare(task_digest="ab" * 32, zone=None, reports=SET, noised_share=share)


WIDEST = tuple(
    Coordinate(measure=Measure.FLOWS, label=f"Z{rank}", weight=42)
    for rank in range(MAX_COORDINATES)
)


@pytest.mark.parametrize(
    "question",
    [{}, {"coordinates": WIDEST}, {"coordinates": WIDEST, "cap_units": MAX_CAP_UNITS}],
    ids=["8 coordinates", "128 coordinates", "128 coordinates, largest Q"],
)
def test_a_full_job_and_its_answer_fit_their_limit(make_task, key, question):
    outlines = {"territory_sha256": DIGEST} if question else {}
    task = make_task(trust_mode=TrustMode.TWO_KEEPERS, **outlines, **question)
    size = vdaf_for(task).verifier_share_bytes
    count = job_reports(size)
    request = AggregationRequest(
        task_digest=DIGEST,
        zone="Z" * 32,
        job_id="aa" * 16,
        report_ids=tuple(f"{k:032x}" for k in range(count)),
        verifier_shares=(b"v" * size,) * count,
    )
    answer = AggregationAnswer(
        request_sha256=request.sha256,
        verdicts=(Verdict.ACCEPTED,) * count,
        verifier_shares=request.verifier_shares,
    )
    for message in (request, answer):
        signed = sign_message(message, key)
        assert read_message(type(message), signed, key.public_key()) == message


def test_the_widest_question_takes_more_than_one_message_for_512_reports(make_task):
    task = make_task(
        trust_mode=TrustMode.TWO_KEEPERS,
        territory_sha256=DIGEST,
        coordinates=WIDEST,
        cap_units=MAX_CAP_UNITS,
    )
    size = vdaf_for(task).verifier_share_bytes
    assert MAX_JOB_REPORTS * size * 4 // 3 > MESSAGE_LIMIT_BYTES
    assert MAX_JOB_REPORTS // 2 < job_reports(size) < MAX_JOB_REPORTS


def test_a_keeper_says_who_it_is_and_is_read_back(shared_task):
    for keeper in shared_task.keepers:
        assert Keeper.parse(keeper.to_bytes()) == keeper


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "ftp://a"},
        {"url": "https://a/"},
        {"url": "https://a b"},
        {"name": ""},
        {"hpke_x": "A" * 42},
        {"sign_x": "A" * 42 + "B"},
        {"sign_x": "A" * 43 + "="},
    ],
    ids=str,
)
def test_a_keeper_out_of_bounds_is_refused(shared_task, changes):
    keeper = shared_task.keepers[0]
    with pytest.raises(Malformed):
        Keeper(**(keeper.to_json() | changes))


def test_every_signed_message_has_a_kind_of_its_own():
    """A signature of one thing is never taken for one of another, by the same key."""
    kinds = [
        ADMISSION_TYP,
        MEMBERSHIP_TYP,
        REPORT_TYP,
        SEALED_REPORT_TYP,
        TASK_TYP,
        *(
            message.TYP
            for message in (
                AggregationAnswer,
                AggregationRequest,
                CollectionRequest,
                CollectionShare,
                CosignRequest,
            )
        ),
    ]
    assert len(set(kinds)) == len(kinds)
