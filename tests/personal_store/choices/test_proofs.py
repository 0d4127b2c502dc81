"""What proves a choice: promised, left with the stewards, logged, witnessed, or a broken word."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from stewards_in_memory import STEWARD, STEWARDS_URL, Stewards, serve_cosigned_proof

from consents.__main__ import main as consents_main
from consents.tlog.checkpoint import NoteKey
from consents.tlog.policy import policy_text
from personal_store.choices import consenting, own_log
from personal_store.choices.consenting import Choice
from personal_store.choices.proofs import ProofState
from personal_store.db.trust import Trust
from personal_store.errors import StoreError, TransportError


@pytest.fixture
def stewards(clock):
    return Stewards(clock)


@pytest.fixture
def trusting(joined, member, cooperative, stewards):
    """Return the store of a resident who pinned the stewards' policy."""
    ways = {cooperative.url: cooperative, STEWARDS_URL: stewards}
    store = replace(joined, connect=ways.__getitem__)
    text = policy_text(log_vkey=member.log_vkey, witness_vkeys=[stewards.vkey])
    consenting.pin_trust(store, member, Trust(policy_text=text, stewards_url=STEWARDS_URL))
    return store


@pytest.fixture
def give(joined, member, cooperative):
    def give():
        asked = cooperative.publish()
        told = cooperative.notice(asked)
        choice = Choice(membership=member, purpose=asked, notice=told, language="fr")
        now = joined.clock.now()
        return consenting.give(joined.engine, choice, now=now, randomness=joined.randomness)

    return give


@pytest.fixture
def withdraw(joined, member):
    def withdraw():
        now, random = joined.clock.now(), joined.randomness
        consenting.withdraw(joined.engine, member, language="fr", now=now, randomness=random)

    return withdraw


@pytest.fixture
def given_and_withdrawn(joined, give, withdraw):
    """Consent and withdraw without telling anybody; return the states of both."""
    give()
    withdraw()
    return states(joined)


def states(store):
    return [status.state for _, status in own_log.judged_events(store)]


def test_a_choice_that_nobody_saw_is_only_signed(joined, give) -> None:
    give()
    assert states(joined) == [ProofState.SIGNED]


def test_a_promise_is_verified_and_kept_until_the_proof_comes(
    joined, member, give, cooperative
) -> None:
    give()
    cooperative.patient = True
    assert consenting.hand_over(joined, member) == 1
    assert states(joined) == [ProofState.PROMISED]
    cooperative.patient = False
    consenting.hand_over(joined, member)
    assert states(joined) == [ProofState.LOGGED]


def test_a_promise_that_is_not_kept_is_told_and_is_evidence(
    joined, member, give, cooperative, clock
) -> None:
    give()
    cooperative.patient = True
    consenting.hand_over(joined, member)
    clock.advance(timedelta(hours=2))
    assert states(joined) == [ProofState.OVERDUE]


def test_asking_again_keeps_the_first_promise(joined, member, give, cooperative, clock) -> None:
    give()
    cooperative.patient = True
    consenting.hand_over(joined, member)
    (event, _), *_rest = own_log.judged_events(joined)
    clock.advance(timedelta(minutes=30))
    consenting.hand_over(joined, member)
    (again, _), *_rest = own_log.judged_events(joined)
    assert again.promise == event.promise


def test_a_promise_by_another_key_is_refused(joined, member, give, cooperative) -> None:
    give()
    cooperative.patient = True
    cooperative.log_key = cooperative.task_key
    with pytest.raises(TransportError, match="protocole"):
        consenting.hand_over(joined, member)
    assert states(joined) == [ProofState.SIGNED]


def test_a_withdrawal_is_left_with_the_stewards_when_the_cooperative_is_silent(
    trusting, member, give, withdraw, cooperative
) -> None:
    give()
    consenting.hand_over(trusting, member)
    cooperative.offline = True
    withdraw()
    with pytest.raises(TransportError):
        consenting.hand_over(trusting, member)
    assert states(trusting)[-1] is ProofState.LEFT


def test_a_consent_is_never_left_with_the_stewards(trusting, member, give, cooperative) -> None:
    give()
    cooperative.offline = True
    with pytest.raises(TransportError):
        consenting.hand_over(trusting, member)
    assert states(trusting) == [ProofState.SIGNED]


def test_with_everybody_silent_the_withdrawal_waits_for_either(
    trusting, member, given_and_withdrawn, cooperative, stewards
) -> None:
    assert given_and_withdrawn == [ProofState.SIGNED] * 2
    cooperative.offline = stewards.offline = True
    with pytest.raises(TransportError):
        consenting.hand_over(trusting, member)
    assert states(trusting)[-1] is ProofState.SIGNED
    stewards.offline = False
    with pytest.raises(TransportError):
        consenting.hand_over(trusting, member)
    assert states(trusting)[-1] is ProofState.LEFT


def test_a_slip_by_somebody_else_is_not_kept(
    trusting, member, given_and_withdrawn, cooperative, stewards
) -> None:
    assert given_and_withdrawn == [ProofState.SIGNED] * 2
    stewards.key = Ed25519PrivateKey.from_private_bytes(b"x" * 32)
    cooperative.offline = True
    with pytest.raises(TransportError):
        consenting.hand_over(trusting, member)
    assert states(trusting)[-1] is ProofState.SIGNED


def test_a_proof_that_the_pinned_stewards_cosigned_is_told_with_their_name(
    trusting, member, give, cooperative, stewards
) -> None:
    give()
    consenting.hand_over(trusting, member)
    assert states(trusting) == [ProofState.LOGGED]
    serve_cosigned_proof(cooperative, stewards)
    assert consenting.refresh_proofs(trusting, member) == 1
    ((_, status),) = own_log.judged_events(trusting)
    assert status.state is ProofState.WITNESSED
    assert status.witnesses == (STEWARD,)


def test_a_cosignature_by_somebody_else_witnesses_nothing(
    trusting, member, give, cooperative, clock
) -> None:
    give()
    consenting.hand_over(trusting, member)
    serve_cosigned_proof(cooperative, Stewards(clock, seed=b"z"))
    assert consenting.refresh_proofs(trusting, member) == 0
    assert states(trusting) == [ProofState.LOGGED]


def test_a_policy_for_another_log_is_refused(joined, member, stewards) -> None:
    other = NoteKey.of_log("other.example/log", stewards.key.public_key()).vkey
    key = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
    witness = NoteKey.of_witness("w.example", key.public_key()).vkey
    text = policy_text(log_vkey=other, witness_vkeys=[witness])
    for wrong in (text, "nonsense", ""):
        with pytest.raises(StoreError):
            consenting.pin_trust(joined, member, Trust(policy_text=wrong, stewards_url=None))


def test_receipts_are_files_that_the_auditor_s_tool_reads(
    joined, member, given_and_withdrawn, tmp_path, capsys
) -> None:
    assert len(given_and_withdrawn) == 2
    consenting.hand_over(joined, member)
    written = own_log.write_receipts(joined, tmp_path / "receipts")
    proofs = [path for path in written if path.suffix == ".tlog-proof"]
    openings = [path for path in written if path.name.endswith(".opening.json")]
    assert (len(proofs), len(openings)) == (2, 2)
    for path in proofs:
        assert consents_main(["verify", "receipt", str(path), "--vkey", member.log_vkey]) == 0
    for path in openings:
        assert consents_main(["verify", "opening", str(path)]) == 0
    assert len((tmp_path / "receipts" / "evidence.jsonl").read_text().splitlines()) == 2
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
    capsys.readouterr()
