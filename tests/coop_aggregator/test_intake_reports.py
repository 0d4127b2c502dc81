"""Step 6, reports: what is kept, what is refused, and how little a refusal says."""

import hashlib
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.records.receipt import EventType
from coop_aggregator import intake
from coop_aggregator.db.reports import report_count, reports_of
from coop_aggregator.errors import ReportRefused


def refusal(send):
    """Return the status and the reason of the refusal that `send` meets."""
    with pytest.raises(ReportRefused) as refused:
        send()
    return refused.value.status, refused.value.reason


def kept(coop):
    with coop.leader.database.read() as connection:
        return report_count(connection, coop.task.digest)


def stranger_key():
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"stranger").digest())


def test_a_covered_report_is_kept_exactly_as_received(coop):
    resident = coop.resident()
    signed = resident.report([5, -3, 0, 0, 0, 0, 0, 0])
    intake.receive_report(coop.leader, signed)
    with coop.leader.database.read() as connection:
        (stored,) = reports_of(connection, coop.task.digest)
    assert stored.jws.encode() == signed


REFUSED = {
    "a vector that is too short": (lambda r: r.report([1, 2]), 422, "malformed"),
    "a vector that is too long": (lambda r: r.report([0] * 9), 422, "malformed"),
    "a number that no noise makes": (
        lambda r: r.report([40_000, 0, 0, 0, 0, 0, 0, 0]),
        422,
        "malformed",
    ),
    "another privacy loss than the task's": (
        lambda r: r.report(epsilon_micro=1_000_000),
        422,
        "malformed",
    ),
    "a task nobody asked": (lambda r: r.report(task_digest="ab" * 32), 422, "malformed"),
    "another purpose than the task's": (lambda r: r.report(pd="ab" * 32), 422, "malformed"),
    "a zone outside the task": (lambda r: r.report(zone="Z"), 422, "malformed"),
    "a zone that is not the member's": (lambda r: r.report(zone="B"), 403, "uncovered"),
    "a consent nobody gave": (lambda r: r.report(cid="ab" * 16), 403, "uncovered"),
    "another event than the consent's last": (lambda r: r.report(head="ab" * 32), 403, "uncovered"),
    "a key that is not the consent's": (lambda r: r.report(key=stranger_key()), 403, "uncovered"),
    "a signature by the member key": (lambda r: r.report(key=r.member_key), 403, "uncovered"),
    "bytes that are no report": (lambda _r: b"a.b.c", 422, "malformed"),
    "nothing at all": (lambda _r: b"", 422, "malformed"),
    "forty kilobytes": (lambda _r: b"a" * 40_000, 422, "malformed"),
    "a changed last byte": (
        lambda r: r.report()[:-1] + (b"A" if r.report()[-1:] != b"A" else b"Q"),
        422,
        "malformed",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_report_is_refused_with_a_reason_code_only(light_coop, case):
    """R1: A refusal MUST NOT say more than one of four reasons."""
    make, status, reason = REFUSED[case]
    resident = light_coop.resident()
    signed = make(resident)
    assert refusal(lambda: intake.receive_report(light_coop.leader, signed)) == (status, reason)
    assert kept(light_coop) == 0


def test_every_uncovered_report_gets_the_same_words(light_coop):
    """P5: A report MUST be signed by the key of the consent that covers it."""
    first, second = light_coop.resident(), light_coop.resident()
    second.send_event(EventType.WITHDRAWN)
    said = set()
    for signed in (first.report(zone="B"), first.report(cid="ab" * 16), second.report()):
        with pytest.raises(ReportRefused) as refused:
            intake.receive_report(light_coop.leader, signed)
        said.add((refused.value.fr, refused.value.en, refused.value.status, refused.value.reason))
    assert len(said) == 1


def test_a_report_after_a_withdrawal_is_refused(coop):
    resident = coop.resident()
    resident.send_event(EventType.WITHDRAWN)
    assert refusal(resident.send_report) == (403, "uncovered")


def test_a_report_before_any_consent_is_refused(light_coop):
    resident = light_coop.resident(consents=False)
    assert refusal(resident.send_report) == (403, "uncovered")


def test_a_report_after_a_renewed_consent_is_kept(light_coop):
    resident = light_coop.resident()
    resident.send_event(EventType.RENEWED)
    resident.send_report()
    assert kept(light_coop) == 1


def test_a_report_at_the_deadline_is_late(light_coop):
    resident = light_coop.resident()
    light_coop.after_deadline()
    assert refusal(resident.send_report) == (410, "late")


def test_a_report_one_second_before_the_deadline_is_kept(light_coop):
    resident = light_coop.resident()
    light_coop.after_deadline()
    light_coop.clock.advance(seconds=-1)
    resident.send_report()
    assert kept(light_coop) == 1


def test_the_same_report_twice_is_a_duplicate(coop):
    resident = coop.resident()
    resident.send_report()
    assert refusal(resident.send_report) == (409, "duplicate")


def test_a_second_report_of_the_same_member_is_a_duplicate(coop):
    resident = coop.resident()
    resident.send_report()
    assert refusal(lambda: resident.send_report(report_id="cd" * 16)) == (409, "duplicate")


def test_a_report_under_the_id_of_another_member_s_is_a_duplicate(light_coop):
    first, second = light_coop.resident(), light_coop.resident()
    kept_id = first.send_report().report_id
    assert refusal(lambda: second.send_report(report_id=kept_id)) == (409, "duplicate")


def test_the_same_report_posted_by_two_threads_is_kept_once(coop):
    resident = coop.resident()
    signed = resident.report()
    together = threading.Barrier(2)
    outcomes = []

    def post():
        together.wait()
        try:
            intake.receive_report(coop.leader, signed)
            outcomes.append("kept")
        except ReportRefused as refused:
            outcomes.append(refused.reason)

    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["duplicate", "kept"]
    assert kept(coop) == 1
