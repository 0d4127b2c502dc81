"""Sending to two keepers: one share each, the same bytes again, and keys that were pinned."""

from dataclasses import replace

import pytest

from carbon.modes import TransportMode
from contributions.admission import check_admission
from contributions.envelope import Role
from contributions.sealed_report import check_sealed_report, keeper_number, open_input_share
from contributions.task import TrustMode, sign_task
from contributions.two_keepers import context, vdaf_for
from personal_store.db import memberships
from personal_store.db.connection import reading
from personal_store.db.contributions import ContributionState
from personal_store.documents.sharing import preview_document, preview_sentences
from personal_store.errors import PreviewChanged, TransportError
from personal_store.jobs import joining, sharing
from personal_store.web.contexts import readable_report

CAR, BIKE = TransportMode.CAR, TransportMode.BIKE
VERIFY_KEY = bytes(32)


@pytest.fixture(autouse=True)
def _joined_with_keepers(keepers):
    """Have the cooperative name its keepers before anybody joins."""


@pytest.fixture
def shared(resident):
    """Return a two-keeper question that a consenting resident may answer."""
    resident.travel({CAR: 120.0, BIKE: 30.0})
    resident.give()
    return resident.asked(trust_mode=TrustMode.TWO_KEEPERS)


def _out_shares(task, keepers):
    """Check the newest report as both keepers do; return what they would add."""
    found = []
    for keeper in (keepers.leader, keepers.helper):
        read = keeper.read[-1]
        check_sealed_report(read.report, task)
        found.append(
            vdaf_for(task).verify_init(
                verify_key=VERIFY_KEY,
                ctx=context(task),
                keeper=keeper_number(keeper.role),
                nonce=bytes.fromhex(read.report.report_id),
                public_share=read.report.public_share,
                input_share=open_input_share(
                    read.report,
                    read.sealed,
                    task=task,
                    role=keeper.role,
                    keeper_key=keeper.hpke_key,
                ),
            )
        )
    message = vdaf_for(task).verifier_message(
        [each.verifier_share for each in found], ctx=context(task)
    )
    return [vdaf_for(task).verify_next(each, message) for each in found]


def test_the_keepers_together_hold_the_exact_vector_and_each_alone_a_share(
    resident, shared, keepers
):
    sent = resident.send(shared)
    shares = _out_shares(shared, keepers)
    assert tuple(vdaf_for(shared).unshard(shares, reports=1)) == sent.exact
    assert sent.exact[3] == 200
    for share in shares:
        assert all(value > 10**6 for value in share)


def test_a_week_is_split_by_secret_randomness_that_serves_nothing_else(resident, shared, keepers):
    """Whoever could guess the randomness would have the helper's half, and with it the week."""
    drawn, real = [], resident.store.randomness

    def listening(size):
        drawn.append(real(size))
        return drawn[-1]

    heard = replace(resident, store=replace(resident.store, randomness=listening))
    sent = heard.send(shared)
    vdaf, read = vdaf_for(shared), keepers.helper.read[-1]
    (secret,) = (each for each in drawn if len(each) == vdaf.rand_bytes)
    expected = vdaf.shard(
        list(sent.exact),
        ctx=context(shared),
        nonce=bytes.fromhex(read.report.report_id),
        rand=secret,
    )
    half = open_input_share(
        read.report, read.sealed, task=shared, role=Role.HELPER, keeper_key=keepers.helper.hpke_key
    )
    assert half == expected.input_shares[1]
    assert read.report.public_share == expected.public_share


def test_each_keeper_is_sent_its_own_share_and_never_the_other_s(resident, shared, keepers):  # S1
    """S1: Each share MUST be sealed for its keeper and sent to that keeper alone."""
    sent = resident.send(shared)
    assert [each.sealed for each in keepers.leader.read] == [sent.sealed_leader]
    assert [each.sealed for each in keepers.helper.read] == [sent.sealed_helper]
    assert sent.sealed_helper not in keepers.leader.uploads[0]
    assert resident.cooperative.reports == []


def test_both_keepers_read_the_same_signed_bytes_that_were_previewed(  # P3
    resident, shared, keepers
):
    shown = resident.preview(shared).kept
    sent = resident.send(shared)
    statements = {each.read[0].statement for each in (keepers.leader, keepers.helper)}
    assert statements == {shown.report} == {sent.report}


def test_the_helper_is_shown_the_leader_s_admission(resident, shared, keepers):  # K3
    resident.send(shared)
    read = keepers.helper.read[0]
    check_admission(read.admission, statement=read.statement, task=shared)


@pytest.mark.parametrize("failing", ["leader", "helper"])
@pytest.mark.parametrize("how", ["offline", "lose_answers"])
def test_a_half_delivered_report_is_completed_with_the_same_bytes(  # S3
    resident, shared, keepers, failing, how
):
    """S3: A retry MUST send the same bytes."""
    keeper = getattr(keepers, failing)
    setattr(keeper, how, True)
    with pytest.raises(TransportError):
        resident.send(shared)
    (row,) = resident.ledger()
    assert row.state is ContributionState.RESERVED
    setattr(keeper, how, False)
    sent = sharing.run_once(resident.store, resident.member, shared)
    assert sent.state is ContributionState.SENT
    for each in (keepers.leader, keepers.helper):
        assert len(set(each.uploads)) == 1
    assert len(resident.ledger()) == 1


def test_a_report_that_both_have_is_not_sent_again(resident, shared, keepers):
    resident.send(shared)
    resident.send(shared)
    assert len(keepers.leader.uploads) == len(keepers.helper.uploads) == 1


def test_both_parts_of_epsilon_are_debited(resident, shared):  # P4, S4
    """S4: A store MUST debit both parts of a split."""
    sent = resident.send(shared)
    both = shared.epsilon_zone_micro + shared.epsilon_territory_micro
    assert sent.epsilon_micro == both == 4_000_000


def test_a_trip_added_after_the_preview_makes_other_shares_and_nothing_leaves(
    resident, shared, keepers
):
    resident.preview(shared)
    resident.travel({CAR: 60.0})
    with pytest.raises(PreviewChanged):
        sharing.run_once(resident.store, resident.member, shared)
    assert keepers.leader.uploads == keepers.helper.uploads == []


def test_a_quiet_week_leaves_like_any_other(keepers, resident):  # P6
    resident.give()
    task = resident.asked(trust_mode=TrustMode.TWO_KEEPERS)
    sent = resident.send(task)
    assert sent.exact == (0,) * len(task.coordinates)
    assert tuple(vdaf_for(task).unshard(_out_shares(task, keepers), reports=1)) == sent.exact


def test_a_quiet_week_is_as_long_on_the_wire_as_a_full_one(keepers, resident):  # P6
    """P6: A week without travel MUST be answered like any other."""
    resident.give()
    quiet = resident.send(resident.asked(trust_mode=TrustMode.TWO_KEEPERS, week="2026-W45"))
    resident.travel({CAR: 600.0})
    full = resident.send(resident.asked(trust_mode=TrustMode.TWO_KEEPERS))
    assert len(quiet.report) == len(full.report)
    assert len(quiet.sealed_leader) == len(full.sealed_leader)
    assert len(keepers.helper.uploads[0]) == len(keepers.helper.uploads[1])


def test_the_page_shows_the_statement_that_would_leave(resident, shared):
    readable = readable_report(resident.preview(shared))
    assert "leader_sha256" in readable
    assert '"vector"' not in readable


def test_the_preview_says_who_is_given_which_half(resident, shared):
    said = preview_sentences(resident.preview(shared))
    assert "moitié scellée pour leader (2304 octets)" in said["fr"]
    assert "the other for helper (112 bytes)" in said["en"]
    assert preview_document(resident.preview(shared))["sealed"] == {
        "leader_bytes": 2304,
        "helper_bytes": 112,
    }


def test_a_task_that_the_helper_did_not_sign_is_not_kept(resident):  # T1
    task = resident.asked(trust_mode=TrustMode.TWO_KEEPERS)
    forged = replace(task, title_en="Signed by one keeper alone")
    resident.cooperative.asked.append(sign_task(forged, resident.cooperative.task_key))
    with pytest.raises(TransportError):
        resident.asked(trust_mode=TrustMode.TWO_KEEPERS, week="2026-W45")
    with reading(resident.store.engine) as connection:
        kept = memberships.tasks(connection, resident.member)
    assert [each.task.digest for each in kept] == [task.digest]


def test_the_pinned_keepers_are_read_back(keepers, resident):  # J3
    with reading(resident.store.engine) as connection:
        (member,) = memberships.every(connection)
    assert member.keepers == keepers.cards


class TestJoining:
    """J3: a store MUST ask each keeper itself, and pin both."""

    def enrolled(self, cooperative, keepers):
        cooperative.serve_enrolment(keepers.cards)

    def test_a_keeper_that_says_another_key_is_not_joined(self, store, cooperative, keepers):
        self.enrolled(cooperative, keepers)
        helper = keepers.helper
        helper.card = replace(helper.card, hpke_x=keepers.leader.card.hpke_x)
        outside = replace(store, connect=cooperative.connect)
        with pytest.raises(TransportError, match="ne confirme pas"):
            joining.run_once(outside, url=cooperative.url, code="c", zone="17300")
        with reading(store.engine) as connection:
            assert memberships.every(connection) == []

    def test_keepers_that_confirm_are_pinned(self, store, cooperative, keepers):
        self.enrolled(cooperative, keepers)
        outside = replace(store, connect=cooperative.connect)
        joined = joining.run_once(outside, url=cooperative.url, code="c", zone="17300")
        assert joined.keepers == keepers.cards
        assert joined.helper_key == keepers.helper_key.public_key()
