"""The whole way of a two-keeper report, from a vector to two equal verdicts, and every forgery."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from contributions.admission import Admission, check_admission, sign_admission
from contributions.envelope import Role, open_verify_key, seal_verify_key
from contributions.errors import (
    ContributionsError,
    EnvelopeRefused,
    Malformed,
    MeasurementRefused,
    ReportMismatch,
    SignatureRefused,
    TrustModeNotServed,
)
from contributions.sealed_report import (
    SealedReport,
    Upload,
    check_sealed_report,
    keeper_number,
    open_input_share,
    read_upload,
    seal_shares,
    sign_sealed_report,
)
from contributions.task import Adjacency
from contributions.two_keepers import (
    Level,
    Verdict,
    context,
    keeper_noise_scale,
    shard,
    vdaf_for,
    verdicts,
)

VERIFY_KEY = bytes(range(32))
REPORT_ID = "07" * 16


@pytest.fixture
def make_uploads(shared_task, key, sign_keys):
    def make(vector=(12, 0, 0, 987, 1, 0, 0, 0), *, report_id=REPORT_ID, seed=1, **changes):
        randomness = random.Random(seed).randbytes(vdaf_for(shared_task).rand_bytes)
        sharded = shard(vector, shared_task, report_id=report_id, randomness=randomness)
        sealed = seal_shares(sharded, shared_task, report_id=report_id)
        fields = {
            "report_id": report_id,
            "task_digest": shared_task.digest,
            "zone": "17300",
            "public_share": sealed.public_share,
            "leader_sha256": sha256(sealed.leader).hexdigest(),
            "helper_sha256": sha256(sealed.helper).hexdigest(),
            "cid": "02" * 16,
            "n": 3,
            "head": "cd" * 32,
            "pd": shared_task.purpose_digest,
            "epsilon_micro": shared_task.epsilon_micro,
            "at": datetime(2026, 11, 17, 9, 30, 12, 345, tzinfo=UTC),
        }
        statement = sign_sealed_report(SealedReport(**(fields | changes)), key)
        word = Admission(
            task_digest=shared_task.digest, statement_sha256=sha256(statement).hexdigest()
        )
        return {
            Role.LEADER: Upload(statement=statement, sealed=sealed.leader, admission=None),
            Role.HELPER: Upload(
                statement=statement,
                sealed=sealed.helper,
                admission=sign_admission(word, sign_keys[0]),
            ),
        }

    return make


@pytest.fixture
def verify(shared_task, hpke_keys):
    """Return the keepers' verifications of one report, leader first."""

    def run(uploads):
        read = {role: read_upload(uploads[role].to_bytes(), role=role) for role in Role}
        return [
            vdaf_for(shared_task).verify_init(
                verify_key=VERIFY_KEY,
                ctx=context(shared_task),
                keeper=keeper_number(role),
                nonce=bytes.fromhex(read[role].report.report_id),
                public_share=read[role].report.public_share,
                input_share=open_input_share(
                    read[role].report,
                    read[role].sealed,
                    task=shared_task,
                    role=role,
                    keeper_key=hpke_keys[keeper_number(role)],
                ),
            )
            for role in Role
        ]

    return run


def _verdict(task, uploads, verifications):
    report = read_upload(uploads[Role.LEADER].to_bytes(), role=Role.LEADER).report
    return verdicts(
        task,
        public_shares=[report.public_share],
        leader_shares=[verifications[0].verifier_share],
        helper_shares=[verifications[1].verifier_share],
    )


def test_two_keepers_accept_an_honest_report_and_hold_its_sum_together(
    shared_task, make_uploads, verify
):
    vector = (12, 0, 0, 987, 1, 0, 0, 0)
    uploads = make_uploads(vector)
    both = verify(uploads)
    assert _verdict(shared_task, uploads, both) == [Verdict.ACCEPTED]
    total = vdaf_for(shared_task).unshard([each.pending_out_share for each in both], reports=1)
    assert tuple(total) == vector


def test_the_variant_of_the_design_follows_from_the_task(shared_task):  # T2
    """T2: Every party MUST derive the same variant from a task."""
    variant = vdaf_for(shared_task)
    assert (variant.shares, variant.algorithm_id) == (2, 7)
    assert variant.circuit.chunk_length == 9
    assert variant.input_share_bytes(0) == 2256
    assert variant.verifier_share_bytes == 352


def test_a_vector_over_the_cap_is_not_shared(shared_task):
    with pytest.raises(MeasurementRefused):
        shard((1001, 0, 0, 0, 0, 0, 0, 0), shared_task, report_id=REPORT_ID, randomness=bytes(128))


def test_a_public_share_that_one_keeper_finds_false_is_refused_by_both(  # K4
    shared_task, make_uploads, verify
):
    """K4: A report MUST count at both or neither, decided from what both hold."""
    uploads = make_uploads()
    both = verify(uploads)
    report = read_upload(uploads[Role.LEADER].to_bytes(), role=Role.LEADER).report
    for at in (0, 31, 32, 63):
        changed = bytearray(report.public_share)
        changed[at] ^= 1
        (verdict,) = verdicts(
            shared_task,
            public_shares=[bytes(changed)],
            leader_shares=[both[0].verifier_share],
            helper_shares=[both[1].verifier_share],
        )
        assert verdict is Verdict.REFUSED


def test_shares_of_two_reports_do_not_make_a_third(shared_task, make_uploads, verify):
    first, second = make_uploads(seed=1), make_uploads(seed=2)
    mixed = [verify(first)[0], verify(second)[1]]
    assert _verdict(shared_task, first, mixed) == [Verdict.REFUSED]


def test_a_verifier_share_of_another_size_is_refused(shared_task, make_uploads, verify):
    uploads = make_uploads()
    both = verify(uploads)
    report = read_upload(uploads[Role.LEADER].to_bytes(), role=Role.LEADER).report
    assert verdicts(
        shared_task,
        public_shares=[report.public_share],
        leader_shares=[both[0].verifier_share],
        helper_shares=[both[1].verifier_share[:-1]],
    ) == [Verdict.REFUSED]


def test_a_share_that_the_statement_does_not_name_is_refused(make_uploads):  # S2
    """S2: A keeper MUST refuse a share that the signed statement does not name."""
    uploads, other = make_uploads(seed=1), make_uploads(seed=2)
    for role in Role:
        swapped = replace(uploads[role], sealed=other[role].sealed)
        with pytest.raises(ReportMismatch):
            read_upload(swapped.to_bytes(), role=role)


def test_a_share_sent_to_the_wrong_keeper_is_refused(make_uploads):  # S2
    uploads = make_uploads()
    misrouted = replace(uploads[Role.HELPER], sealed=uploads[Role.LEADER].sealed)
    with pytest.raises(ReportMismatch):
        read_upload(misrouted.to_bytes(), role=Role.HELPER)


def test_a_share_sealed_for_one_keeper_does_not_open_for_the_other(  # S1
    shared_task, make_uploads, hpke_keys
):
    uploads = make_uploads()
    read = read_upload(uploads[Role.LEADER].to_bytes(), role=Role.LEADER)
    with pytest.raises(EnvelopeRefused):
        open_input_share(
            read.report,
            read.sealed,
            task=shared_task,
            role=Role.LEADER,
            keeper_key=hpke_keys[1],
        )


def test_an_upload_with_any_byte_changed_is_refused(make_uploads):  # S2
    data = make_uploads()[Role.LEADER].to_bytes()
    generator = random.Random(3)
    for at in generator.sample(range(len(data)), 200):
        changed = bytearray(data)
        changed[at] ^= 1 << generator.randrange(7)
        with pytest.raises(ContributionsError):
            read_upload(bytes(changed), role=Role.LEADER)


def test_a_statement_signed_by_nobody_is_refused(make_uploads):
    upload = make_uploads()[Role.LEADER]
    head, payload, signature = upload.statement.split(b".")
    forged = b".".join([head, payload, b"A" * len(signature)])
    with pytest.raises(SignatureRefused):
        read_upload(replace(upload, statement=forged).to_bytes(), role=Role.LEADER)


def test_an_upload_without_its_admission_is_refused_by_the_helper_only(make_uploads):  # K3
    uploads = make_uploads()
    bare = replace(uploads[Role.HELPER], admission=None)
    with pytest.raises(Malformed):
        read_upload(bare.to_bytes(), role=Role.HELPER)
    dressed = replace(uploads[Role.LEADER], admission=uploads[Role.HELPER].admission)
    with pytest.raises(Malformed):
        read_upload(dressed.to_bytes(), role=Role.LEADER)


def test_an_admission_holds_for_one_statement_of_one_task_by_the_leader(  # K3
    shared_task, make_task, make_uploads, sign_keys
):
    """K3: The helper MUST refuse a share without the admission of that very statement."""
    upload, other = make_uploads(seed=1)[Role.HELPER], make_uploads(seed=2)[Role.HELPER]
    check_admission(upload.admission, statement=upload.statement, task=shared_task)
    with pytest.raises(ReportMismatch):
        check_admission(other.admission, statement=upload.statement, task=shared_task)
    elsewhere = make_task(trust_mode=shared_task.trust_mode, week="2026-W45")
    with pytest.raises(ReportMismatch):
        check_admission(upload.admission, statement=upload.statement, task=elsewhere)
    word = Admission(
        task_digest=shared_task.digest, statement_sha256=sha256(upload.statement).hexdigest()
    )
    with pytest.raises(SignatureRefused):
        check_admission(
            sign_admission(word, sign_keys[1]), statement=upload.statement, task=shared_task
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"task_digest": "00" * 32},
        {"zone": "99999"},
        {"epsilon_micro": 1},
        {"pd": "00" * 32},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_statement_that_does_not_answer_the_task_is_refused(shared_task, make_uploads, changes):
    upload = make_uploads(**changes)[Role.LEADER]
    read = read_upload(upload.to_bytes(), role=Role.LEADER)
    with pytest.raises(ReportMismatch):
        check_sealed_report(read.report, shared_task)


def test_an_honest_statement_answers_its_task(shared_task, make_uploads):
    read = read_upload(make_uploads()[Role.LEADER].to_bytes(), role=Role.LEADER)
    check_sealed_report(read.report, shared_task)


def test_a_local_task_takes_no_sealed_report(task, make_uploads):
    read = read_upload(make_uploads()[Role.LEADER].to_bytes(), role=Role.LEADER)
    with pytest.raises(TrustModeNotServed):
        check_sealed_report(read.report, task)


def test_a_statement_says_the_day_and_not_the_hour(make_uploads):
    read = read_upload(make_uploads()[Role.LEADER].to_bytes(), role=Role.LEADER)
    assert read.report.at == datetime(2026, 11, 17, tzinfo=UTC)


def test_any_upload_is_read_or_malformed():
    generator = random.Random(5)
    for size in (0, 1, 30, 3_000):
        with pytest.raises(ContributionsError):
            read_upload(generator.randbytes(size), role=Role.LEADER)


def test_noise_of_a_level_follows_its_part_of_epsilon_and_the_adjacency(make_task, shared_task):
    task = make_task(
        trust_mode=shared_task.trust_mode,
        adjacency=Adjacency.ZERO_OUT,
        epsilon_territory_micro=250_000,
    )
    assert keeper_noise_scale(task, Level.TERRITORY) == 4_000
    assert keeper_noise_scale(task, Level.ZONE) * 3 == 4_000
    assert keeper_noise_scale(shared_task, Level.ZONE) == 4_000


def test_a_verification_key_opens_for_its_task_and_commitment_only(shared_task, hpke_keys):
    sealed = seal_verify_key(
        VERIFY_KEY, keeper_key=hpke_keys[1].public_key(), task_digest=shared_task.digest
    )
    expected = {
        "keeper_key": hpke_keys[1],
        "task_digest": shared_task.digest,
        "sha256": shared_task.verify_key_sha256,
    }
    assert open_verify_key(sealed, **expected) == VERIFY_KEY
    wrong = [
        {"keeper_key": hpke_keys[0]},
        {"task_digest": "00" * 32},
        {"sha256": "00" * 32},
    ]
    for change in wrong:
        with pytest.raises(EnvelopeRefused):
            open_verify_key(sealed, **(expected | change))
