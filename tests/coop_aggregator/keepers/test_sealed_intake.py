"""Step 6 for two keepers: what each takes in, and that both refuse alike, in four words."""

import hashlib
import itertools
from dataclasses import replace

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from consents.records.receipt import EventType
from contributions import jws
from contributions.admission import Admission
from contributions.envelope import Binding, Role, seal_share
from contributions.noise import OpenDPLaplace
from contributions.sealed_report import SealedShares
from contributions.task import TASK_TYP
from contributions.two_keepers import expires_at, vdaf_for
from coop_aggregator.db.sealed import counts
from coop_aggregator.errors import ReportRefused
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.jobs import retention
from coop_aggregator.keepers.aggregation import aggregate
from coop_aggregator.keepers.collection import collect
from coop_aggregator.keepers.intake import receive_share

WEEK = "2026-W46"
ROLES = list(Role)


def side_of(keepers, role):
    return keepers.leader if role is Role.LEADER else keepers.helper


def send(keepers, person, role, shares, **upload):
    """Send one half with what the keeper asks for; a leader that was fooled admits everything."""
    statement = upload.pop("statement", None) or person.statement(shares)
    admission = keepers.admission(statement) if role is Role.HELPER else None
    upload = {"statement": statement, "admission": admission} | upload
    return receive_share(side_of(keepers, role), person.upload(role, shares, **upload))


def refusal(*arguments, **upload):
    with pytest.raises(ReportRefused) as refused:
        send(*arguments, **upload)
    return refused.value


def kept(keepers, role):
    with side_of(keepers, role).database.read() as connection:
        return sum(counts(connection, keepers.task.digest).values())


def swapped(shares):
    return SealedShares(
        report_id=shares.report_id,
        public_share=shares.public_share,
        leader=shares.helper,
        helper=shares.leader,
    )


def truncated(shares):
    return replace(shares, leader=shares.leader[:-1], helper=shares.helper[:-1])


def misrouted(person, task):
    """Return halves of the right size for keepers who are not these."""
    shares = person.shares()
    sealed = {}
    for number, role in enumerate(Role):
        sealed[role.value] = seal_share(
            bytes(vdaf_for(task).input_share_bytes(number)),
            keeper_key=X25519PrivateKey.generate().public_key(),
            binding=Binding(
                task_digest=task.digest,
                report_id=shares.report_id,
                public_share=shares.public_share,
                role=role,
            ),
        )
    return replace(shares, **sealed)


MALFORMED = {
    "halves for the other keeper": lambda person, _task: swapped(person.shares()),
    "a truncated half": lambda person, _task: truncated(person.shares()),
    "halves for keepers that are not these": misrouted,
    "halves of another task": lambda person, task: replace(
        person.shares(task=replace(task, title_fr="Autre question")), report_id="ab" * 16
    ),
    "halves of another report": lambda person, _task: replace(
        person.shares(report_id="cd" * 16), report_id="ab" * 16
    ),
    "another public share": lambda person, _task: replace(person.shares(), public_share=bytes(64)),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("case", MALFORMED)
def test_a_share_that_is_not_for_this_keeper_task_and_report_is_malformed(keepers, case, role):
    """K2: Each keeper MUST refuse a half that is not sealed for it, this task and this report."""
    person = keepers.resident()
    shares = MALFORMED[case](person, keepers.task)
    told = refusal(keepers, person, role, shares)
    assert (told.status, told.reason) == (422, "malformed")
    assert kept(keepers, role) == 0


@pytest.mark.parametrize("role", ROLES)
def test_a_share_that_is_not_the_signed_one_is_malformed(keepers, role):
    person, other = keepers.resident(), keepers.resident()
    statement = person.statement(person.shares())
    told = refusal(keepers, person, role, other.shares(), statement=statement)
    assert told.reason == "malformed"


@pytest.mark.parametrize("role", ROLES)
def test_an_answer_to_another_question_is_malformed(keepers, role):
    person = keepers.resident()
    shares = person.shares()
    for change in ({"epsilon_micro": 7}, {"pd": "ab" * 32}, {"zone": "Z"}):
        statement = person.statement(shares, **change)
        assert refusal(keepers, person, role, shares, statement=statement).reason == "malformed"


@pytest.mark.parametrize("role", ROLES)
def test_the_same_upload_again_has_the_same_answer_and_is_kept_once(keepers, role):
    person = keepers.resident()
    shares = person.shares()
    first = send(keepers, person, role, shares)
    assert send(keepers, person, role, shares) == first
    assert kept(keepers, role) == 1


@pytest.mark.parametrize("role", ROLES)
def test_a_second_report_of_one_consent_is_a_duplicate(keepers, role):
    person = keepers.resident()
    send(keepers, person, role, person.shares())
    told = refusal(keepers, person, role, person.shares(report_id="cd" * 16))
    assert (told.status, told.reason) == (409, "duplicate")
    assert kept(keepers, role) == 1


@pytest.mark.parametrize("role", ROLES)
def test_a_report_id_that_was_seen_is_a_duplicate(keepers, role):
    first, second = keepers.resident(), keepers.resident()
    send(keepers, first, role, first.shares())
    shares = second.shares(report_id=first.shares().report_id)
    assert refusal(keepers, second, role, shares).reason == "duplicate"


def test_a_second_report_under_a_new_consent_is_the_leader_s_duplicate(keepers):
    person = keepers.resident()
    send(keepers, person, Role.LEADER, person.shares())
    person.send_event(EventType.WITHDRAWN)
    again = type(person)(
        coop=keepers, zone=person.zone, seed="another consent", member_id=person.member_id
    )
    again.member_key = person.member_key
    again.send_event()
    told = refusal(keepers, again, Role.LEADER, again.shares())
    assert told.reason == "duplicate"


@pytest.mark.parametrize("role", ROLES)
def test_a_report_after_the_deadline_is_late(keepers, role):
    person = keepers.resident()
    shares = person.shares()
    statement = person.statement(shares)
    keepers.after_deadline()
    told = refusal(keepers, person, role, shares, statement=statement)
    assert (told.status, told.reason) == (410, "late")


def close(keepers, *, how_far):
    """Close the week, without an answer or with some, and take it so far."""
    if how_far != "no answer":
        for _ in range(3):
            keepers.resident().send_sealed()
    keepers.after_deadline()
    aggregate(keepers.leader, WEEK, keepers.channel, executor=InlineExecutor())
    if how_far.startswith("collected"):
        collect(keepers.leader, WEEK, keepers.channel, noise=OpenDPLaplace())
    if how_far.endswith("expired"):
        now = keepers.clock.moment
        keepers.clock.moment = expires_at(keepers.task)
        for role in Role:
            retention.run_once(side_of(keepers, role))
        keepers.clock.moment = now


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize(
    ("role", "how_far"),
    [
        *itertools.product(Role, ["asked about", "collected", "collected, then expired"]),
        (Role.LEADER, "no answer"),
    ],
)
def test_a_closed_week_stays_closed_to_each_keeper_whose_clock_is_put_back(keepers, role, how_far):
    """K8: neither the clock nor the other keeper's refusal is what keeps a late report out."""
    late = keepers.resident()
    shares = late.shares()
    statement = late.statement(shares)
    admission = keepers.admission(statement) if role is Role.HELPER else None
    upload = late.upload(role, shares, statement=statement, admission=admission)
    close(keepers, how_far=how_far)
    keepers.clock.advance(days=-3)
    assert keepers.clock.now() < keepers.task.report_deadline
    with pytest.raises(ReportRefused) as refused:
        receive_share(side_of(keepers, role), upload)
    assert (refused.value.status, refused.value.reason) == (410, "late")


def test_a_report_that_no_consent_covers_is_uncovered_at_the_leader(keepers):
    person, other = keepers.resident("A"), keepers.resident("B")
    shares = person.shares()
    cases = [
        person.statement(shares, zone="B"),
        person.statement(shares, cid="ab" * 16),
        person.statement(shares, key=other.consent_key),
        person.statement(shares, head="ab" * 32),
    ]
    told = [refusal(keepers, person, Role.LEADER, shares, statement=each) for each in cases]
    assert {(each.status, each.reason, each.fr) for each in told} == {
        (403, "uncovered", told[0].fr)
    }


def test_a_report_that_the_leader_did_not_admit_is_uncovered_at_the_helper(keepers):
    """K3: The helper MUST take only statements that the leader admitted."""
    person, other = keepers.resident(), keepers.resident()
    shares = person.shares()
    elsewhere = keepers.admission(other.statement(other.shares()))
    ours = keepers.admission(person.statement(shares))
    touched = ours[:-1] + (b"A" if ours[-1:] != b"A" else b"Q")
    word = Admission(
        task_digest=keepers.task.digest,
        statement_sha256=hashlib.sha256(person.statement(shares)).hexdigest(),
    )
    # The very words, by the very key, as a message of another kind.
    as_task = jws.sign(word.to_bytes(), key=keepers.leader.keeper.sign, typ=TASK_TYP)
    for admission in (elsewhere, b"a.b.c", touched, as_task):
        told = refusal(keepers, person, Role.HELPER, shares, admission=admission)
        assert (told.status, told.reason) == (403, "uncovered")


@pytest.mark.parametrize("role", ROLES)
def test_both_keepers_refuse_in_the_same_words(keepers, role):
    """R1: A refusal MUST NOT say more than one of four reasons."""
    person = keepers.resident()
    told = refusal(keepers, person, role, swapped(person.shares()))
    assert told.fr.startswith("Ce rapport ne répond pas à une question posée ici.")


@pytest.mark.parametrize("role", ROLES)
def test_nothing_finer_than_the_week_is_kept_about_when_a_report_came(keepers, role):
    """K9: A keeper MUST NOT keep when, within the week, or from where a report came."""
    person = keepers.resident()
    send(keepers, person, role, person.shares())
    with side_of(keepers, role).database.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM sealed_reports").mappings().all()
    assert {"at", "received_at", "address"} & set(rows[0]) == set()
    assert not any("2026-" in str(value) for value in rows[0].values())


@pytest.mark.parametrize("role", ROLES)
def test_an_upload_leaves_no_line_in_the_access_log(keepers, serve, role):
    person = keepers.resident()
    shares = person.shares()
    statement = person.statement(shares)
    admission = keepers.admission(statement) if role is Role.HELPER else None
    upload = person.upload(role, shares, statement=statement, admission=admission)
    client = serve(side_of(keepers, role))
    with structlog.testing.capture_logs() as lines:
        assert client.post("/v1/sealed-reports", content=upload).status_code == 201
        client.get("/healthz")
    assert [line["path"] for line in lines] == ["/healthz"]
