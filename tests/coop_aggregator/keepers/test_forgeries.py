"""Forged reports: refused by both keepers, and each keeper's share of the sum keeps every bit.

A forger follows the envelope to the letter (signs, seals, is a member) and lies inside it. What is
seen from outside is refused when it comes in; what only the proof shows is refused when both
check. The oracle of the sums is the scalar `prio3`, over the honest reports alone.
"""

import hashlib
from dataclasses import replace

import pytest

from contributions.envelope import Binding, Role, open_share, seal_share
from contributions.prio3.field import FIELD128
from contributions.prio3.vector_circuits import L1BoundSum
from contributions.sealed_report import keeper_number, seal_shares
from contributions.two_keepers import context, vdaf_for
from coop_aggregator.db import jobs as jobs_db
from coop_aggregator.db import sealed
from coop_aggregator.db.questions import task_by_digest
from coop_aggregator.db.sealed import State
from coop_aggregator.errors import ReportRefused
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.keepers.aggregation import aggregate
from coop_aggregator.keepers.intake import receive_share

WEEK = "2026-W46"
MILLION = 10**6


class Unchecked(L1BoundSum):
    """The task's circuit with an encoding that writes whatever it is told."""

    def encode(self, measurement):
        return list(measurement)


def sharded(person, encoded, *, ctx=None, report_id=None, nonce=None):
    """Split any encoded vector, with the proof that the honest code makes of it."""
    task = person.coop.task
    vdaf = vdaf_for(task)
    circuit = Unchecked(
        length=vdaf.circuit.length,
        max_value=vdaf.circuit.max_value,
        chunk_length=vdaf.circuit.chunk_length,
    )
    report_id = report_id or hashlib.sha256(person.seed.encode()).hexdigest()[:32]
    made = replace(vdaf, circuit=circuit).shard(
        encoded,
        ctx=ctx or context(task),
        nonce=bytes.fromhex(nonce or report_id),
        rand=hashlib.shake_256(person.seed.encode()).digest(vdaf.rand_bytes),
    )
    return made, report_id


def sealed_up(person, made):
    whole, report_id = made
    return seal_shares(whole, person.coop.task, report_id=report_id)


def encoded(person, vector):
    return vdaf_for(person.coop.task).circuit.encode(vector)


def bit_of_a_million(person, *, consistent):
    """One element is 10⁶; `consistent` writes it into the sum as well, so that they agree."""
    bits = encoded(person, [0] * 8)
    bits[0] = MILLION
    if consistent:
        bits[-(len(bits) // 9)] = MILLION
    return sealed_up(person, sharded(person, bits))


def over_the_cap(person):
    """Every bit is a bit, and so is the written sum: they do not agree."""
    bits = encoded(person, [1000] + [0] * 7)
    bits[len(bits) // 9 : 2 * len(bits) // 9] = [1] * (len(bits) // 9)
    return sealed_up(person, sharded(person, bits))


def minus_one(person):
    bits = encoded(person, [0] * 8)
    bits[0] = FIELD128.modulus - 1
    return sealed_up(person, sharded(person, bits))


def another_context(person):
    """The shares of another task, sealed and signed for this one."""
    return sealed_up(person, sharded(person, encoded(person, [5] * 8), ctx=bytes(32)))


def another_nonce(person):
    """The shares of another report, sealed and signed for this one."""
    return sealed_up(person, sharded(person, encoded(person, [5] * 8), nonce="cd" * 16))


def roles_swapped_inside(person):
    """Each keeper finds, sealed for it, what Prio3 made for the other: the sizes tell."""
    made, report_id = sharded(person, encoded(person, [5] * 8))
    ours, theirs = made.input_shares
    padded = theirs + bytes(len(ours) - len(theirs))
    return sealed_up(person, (replace(made, input_shares=(padded, ours[: len(theirs)])), report_id))


def a_changed_half(person, role):
    """An honest report, of which one keeper's half was changed before it was sealed."""
    made, report_id = sharded(person, encoded(person, [5] * 8))
    halves = list(made.input_shares)
    number = keeper_number(role)
    halves[number] = bytes([halves[number][0] ^ 1]) + halves[number][1:]
    return sealed_up(person, (replace(made, input_shares=tuple(halves)), report_id))


def an_element_above_the_modulus(person):
    made, report_id = sharded(person, encoded(person, [5] * 8))
    ours = b"\xff" * 16 + made.input_shares[0][16:]
    return sealed_up(person, (replace(made, input_shares=(ours, made.input_shares[1])), report_id))


PROVED = {
    "a bit of a million": lambda person: bit_of_a_million(person, consistent=False),
    "a bit of a million, in the sum as well": lambda person: bit_of_a_million(
        person, consistent=True
    ),
    "a bit of minus one": minus_one,
    "more than the cap": over_the_cap,
    "shares of another task": another_context,
    "shares of another report": another_nonce,
    "each the other's half": roles_swapped_inside,
    "the leader's half changed": lambda person: a_changed_half(person, Role.LEADER),
    "the helper's half changed": lambda person: a_changed_half(person, Role.HELPER),
}


def sides(keepers):
    return {Role.LEADER: keepers.leader, Role.HELPER: keepers.helper}


def honest(keepers):
    """Send three honest answers; return each keeper's share of their sum, by scalar Prio3."""
    task, vdaf = keepers.task, vdaf_for(keepers.task)
    with keepers.leader.database.read() as connection:
        verify_key = task_by_digest(connection, task.digest).verify_key
    parts = {role: [] for role in Role}
    for number in range(1, 4):
        person = keepers.resident()
        shares = person.shares([number] * 8)
        person.send_sealed(shares=shares)
        for role, side in sides(keepers).items():
            clear = open_share(
                shares.leader if role is Role.LEADER else shares.helper,
                keeper_key=side.keeper.hpke,
                binding=Binding(
                    task_digest=task.digest,
                    report_id=shares.report_id,
                    public_share=shares.public_share,
                    role=role,
                ),
                share_bytes=vdaf.input_share_bytes(keeper_number(role)),
            )
            found = vdaf.verify_init(
                verify_key=verify_key,
                ctx=context(task),
                keeper=keeper_number(role),
                nonce=bytes.fromhex(shares.report_id),
                public_share=shares.public_share,
                input_share=clear,
            )
            parts[role].append(found.pending_out_share)
    return {role: FIELD128.encode(vdaf.aggregate(each)) for role, each in parts.items()}


def aggregated(keepers):
    """Close the week; return each keeper's share of the sum, and its states."""
    keepers.after_deadline()
    aggregate(keepers.leader, WEEK, keepers.channel, executor=InlineExecutor())
    shares, states = {}, {}
    for role, side in sides(keepers).items():
        with side.database.read() as connection:
            (job,) = jobs_db.jobs_of(connection, keepers.task.digest)
            counted = sealed.counts(connection, keepers.task.digest)
        shares[role] = job.share
        states[role] = {state: count for state, count in counted.items() if count}
    return shares, states


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_forger_s_tools_make_good_reports_of_good_vectors(keepers):
    """Otherwise every forgery would be refused for another reason than its lie."""
    person = keepers.resident()
    person.send_sealed(shares=sealed_up(person, sharded(person, encoded(person, [5] * 8))))
    shares, states = aggregated(keepers)
    assert states == {key: {State.ACCEPTED: 1} for key in Role}
    total = [
        (a + b) % FIELD128.modulus
        for a, b in zip(*map(FIELD128.integers, shares.values()), strict=True)
    ]
    assert total == [5] * 8


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("case", PROVED)
def test_a_report_that_lies_inside_is_refused_by_both_and_moves_no_bit(keepers, case):
    """K4: A report MUST count at both keepers or at neither, decided from what both computed."""
    expected = honest(keepers)
    forger = keepers.resident()
    forger.send_sealed(shares=PROVED[case](forger))
    shares, states = aggregated(keepers)
    assert states == {key: {State.ACCEPTED: 3, State.REFUSED: 1} for key in Role}
    assert shares == expected


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_half_that_the_leader_cannot_read_is_never_asked_about(keepers):
    """The helper keeps it as received, which never counts, until it is erased."""
    expected = honest(keepers)
    forger = keepers.resident()
    forger.send_sealed(shares=an_element_above_the_modulus(forger))
    shares, states = aggregated(keepers)
    assert states[Role.LEADER] == {State.ACCEPTED: 3, State.REFUSED: 1}
    assert states[Role.HELPER] == {State.ACCEPTED: 3, State.RECEIVED: 1}
    assert shares == expected


def outside(person):
    """Return, by name, halves that do not fit the keeper they are sent to."""
    shares, task = person.shares([900] + [0] * 7), person.coop.task
    other = replace(shares, leader=shares.helper, helper=shares.leader)
    cut = replace(shares, leader=shares.leader[:-1], helper=shares.helper[:-1])
    short = replace(shares, leader=b"\x00", helper=b"\x00")
    elsewhere = person.shares(task=replace(task, title_fr="Une autre question"))
    binding = {
        "task_digest": task.digest,
        "report_id": shares.report_id,
        "public_share": shares.public_share,
    }
    keys = {role: keeper.hpke_key for role, keeper in zip(Role, task.keepers, strict=True)}
    # Opens for each keeper, but says that it is the other's.
    misnamed = {
        role.value: seal_share(
            bytes(vdaf_for(task).input_share_bytes(keeper_number(role))),
            keeper_key=keys[role],
            binding=Binding(**binding, role=next(other for other in Role if other is not role)),
        )
        for role in Role
    }
    return {
        "swapped roles": other,
        "truncated": cut,
        "a single byte": short,
        "wrong context": replace(elsewhere, report_id=shares.report_id),
        "the other role in the binding": replace(shares, **misnamed),
    }


@pytest.mark.parametrize("kind", ["sqlite"])
def test_what_both_refuse_at_the_door_moves_no_bit(keepers):
    """K2: Each keeper MUST refuse a half that is not sealed for it, this task and this report."""
    expected = honest(keepers)
    person = keepers.resident()
    for shares in outside(person).values():
        statement = person.statement(shares)
        for role, side in sides(keepers).items():
            admission = keepers.admission(statement) if role is Role.HELPER else None
            upload = person.upload(role, shares, statement=statement, admission=admission)
            with pytest.raises(ReportRefused) as refused:
                receive_share(side, upload)
            assert refused.value.reason == "malformed"
    shares, states = aggregated(keepers)
    assert states == {key: {State.ACCEPTED: 3} for key in Role}
    assert shares == expected


@pytest.mark.parametrize("kind", ["sqlite"])
def test_replayed_and_late_reports_move_no_bit(keepers):
    """The same upload is answered alike and counts once; a new one comes too late at both."""
    expected = honest(keepers)
    person, late = keepers.resident(), keepers.resident()
    again = person.shares()
    person.send_sealed(shares=again)
    person.send_sealed(shares=again)
    sent_late = late.shares()
    statement = late.statement(sent_late)
    keepers.after_deadline()
    for role, side in sides(keepers).items():
        admission = keepers.admission(statement) if role is Role.HELPER else None
        upload = late.upload(role, sent_late, statement=statement, admission=admission)
        with pytest.raises(ReportRefused) as refused:
            receive_share(side, upload)
        assert refused.value.reason == "late"
    shares, states = aggregated(keepers)
    assert states == {key: {State.ACCEPTED: 4} for key in Role}
    for role, total in shares.items():
        assert len(total) == len(expected[role])
    whole = [
        (a + b) % FIELD128.modulus
        for a, b in zip(*map(FIELD128.integers, shares.values()), strict=True)
    ]
    assert whole == [1 + 2 + 3 + 1] * 8
