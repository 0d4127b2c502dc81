"""Both keepers sign a task, or nobody answers it."""

import json
from dataclasses import replace

import pytest

from consents.canonical import sha256_hex
from consents.records.record import Purpose
from contributions.envelope import seal_verify_key
from contributions.keeper_messages import CosignRequest, sign_message
from contributions.task import Task, sign_task
from coop_aggregator.asking.questions import Question, draft_task
from coop_aggregator.db import questions as db
from coop_aggregator.errors import KeeperRefused, TaskRefused
from coop_aggregator.keepers.cards import pair
from coop_aggregator.keepers.cosigning import ask_helper, receive_proposal, sign_proposal

LATER = "2026-W45"
WEEK = "2026-W46"


@pytest.fixture
def drafted(keepers):
    """Return two keepers with a second question that nobody signed."""
    with keepers.leader.database.write() as connection:
        asked = Question(week=LATER, trust_mode=keepers.task.trust_mode)
        draft_task(connection, keepers.leader.who, asked)
    return keepers


def stored(side, week=LATER):
    with side.database.read() as connection:
        return db.task_by_week(connection, week)


def purpose_of(pair):
    with pair.leader.database.read() as connection:
        return db.purpose_body(connection, pair.task.purpose_digest)


def proposal(pair, *, purpose=None, **changes):
    """Return a signed proposal of the signed question, with something changed."""
    kept = stored(pair.leader, WEEK)
    task = replace(Task.parse(kept.body), week="2026-W44", **changes)
    key = kept.verify_key
    request = CosignRequest(
        task_jws=sign_task(task, pair.leader.keeper.sign),
        verify_key_sealed=seal_verify_key(
            key, keeper_key=pair.helper.keeper.hpke.public_key(), task_digest=task.digest
        ),
        purpose=purpose or purpose_of(pair),
    )
    return sign_message(request, pair.leader.keeper.sign)


def test_a_task_is_served_only_when_both_signed_it(drafted, serve):
    """K1: A task of two keepers MUST be served only when both signed the same bytes."""

    def served():
        listed = serve(drafted.leader).get("/v1/tasks").json()["tasks"]
        return any(each["jws"] == stored(drafted.leader).jws for each in listed)

    assert ask_helper(drafted.leader, LATER, drafted.channel).jws is None
    assert not served()
    sign_proposal(drafted.helper, LATER)
    both = ask_helper(drafted.leader, LATER, drafted.channel).jws
    assert len(both.split("\n")) == 2
    assert served()


def test_the_helper_signs_nothing_that_was_not_proposed(drafted):
    with pytest.raises(TaskRefused):
        sign_proposal(drafted.helper, LATER)


def test_both_keep_the_same_verification_key_and_the_task_only_its_digest(keepers):
    ours, theirs = (stored(side, WEEK) for side in (keepers.leader, keepers.helper))
    assert ours.verify_key == theirs.verify_key
    assert ours.verify_key.hex() not in ours.body.decode()
    assert len(ours.verify_key) == 32


def test_a_proposal_in_order_is_kept(keepers):
    assert receive_proposal(keepers.helper, proposal(keepers)) is None


REFUSED = {
    "another verification key than the committed one": {"verify_key_sha256": "ab" * 32},
    "keepers in another order": {"keepers": "reversed"},
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_proposal_that_does_not_fit_what_the_operators_agreed_on_is_refused(keepers, case):
    changes = dict(REFUSED[case])
    if changes.get("keepers"):
        changes["keepers"] = tuple(reversed(keepers.task.keepers))
    with pytest.raises(KeeperRefused):
        receive_proposal(keepers.helper, proposal(keepers, **changes))


def test_a_purpose_that_the_task_does_not_name_is_refused(keepers):
    other = replace(Purpose.parse(purpose_of(keepers)), version="2").to_bytes()
    with pytest.raises(KeeperRefused):
        receive_proposal(keepers.helper, proposal(keepers, purpose=other))


@pytest.mark.parametrize("change", [{"epsilon_week_micro": 1}, {"fields": ("zone_of_residence",)}])
def test_a_task_that_its_purpose_does_not_allow_is_refused(keepers, change):
    narrow = replace(Purpose.parse(purpose_of(keepers)), **change)
    request = proposal(keepers, purpose=narrow.to_bytes(), purpose_digest=narrow.digest)
    with pytest.raises(KeeperRefused):
        receive_proposal(keepers.helper, request)


def test_a_purpose_that_is_none_is_refused(keepers):
    nothing = b"{}"
    request = proposal(keepers, purpose=nothing, purpose_digest=sha256_hex(nothing))
    with pytest.raises(KeeperRefused):
        receive_proposal(keepers.helper, request)


def test_a_proposal_by_somebody_else_is_refused(keepers, private_key):
    request = proposal(keepers)
    kept = CosignRequest(task_jws=b"a.b.c", verify_key_sealed=b"x" * 80, purpose=b"{}")
    # The last character of an Ed25519 signature carries two bits: another one is another signature.
    touched = request[:-1] + (b"A" if request[-1:] != b"A" else b"Q")
    for forged in (touched, sign_message(kept, private_key("stranger"))):
        with pytest.raises(KeeperRefused):
            receive_proposal(keepers.helper, forged)


def test_a_second_proposal_for_a_week_is_refused(keepers):
    receive_proposal(keepers.helper, proposal(keepers))
    with pytest.raises(KeeperRefused):
        receive_proposal(keepers.helper, proposal(keepers, title_fr="Autre"))


def test_the_operators_exchange_cards_and_sign_on_the_command_line(run_cli, tmp_path):
    city, stewards = tmp_path / "city", tmp_path / "stewards"
    code, out, _ = run_cli(
        "init", "--name", "Coop", "--origin", "coop.example/log", "--json", data=city
    )
    assert code == 0
    vkey = json.loads(out)["vkey"]
    assert (
        run_cli(
            *("init", "--role", "helper", "--name", "stewards.example", "--log-vkey", vkey),
            data=stewards,
        )[0]
        == 0
    )
    for own, other in ((city, stewards), (stewards, city)):
        made = run_cli("keeper", "card", "--url", f"http://{own.name}.example", "--json", data=own)
        card = tmp_path / f"{own.name}.json"
        card.write_text(made[1])
        assert run_cli("keeper", "pair", card, data=other)[0] == 0
        assert run_cli("keeper", "pair", card, data=own)[0] == 1
    assert run_cli("task", "sign", "--week", "2025-W10", data=stewards)[0] == 1


@pytest.mark.parametrize("shared", ["hpke_x", "sign_x"])
def test_a_card_with_one_of_our_own_keys_is_refused(keepers, tmp_path, shared):
    """Two keepers are two organisations: one key in common is one hand too many."""
    leader, helper = keepers.task.keepers
    file = tmp_path / "card.json"
    file.write_bytes(replace(helper, **{shared: getattr(leader, shared)}).to_bytes())
    with pytest.raises(KeeperRefused):
        pair(keepers.leader, file)
    file.write_bytes(helper.to_bytes())
    assert pair(keepers.leader, file) == helper
