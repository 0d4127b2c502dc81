"""Over New Year: a store, its cooperative and the stewards, from one year's log into the next."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.__main__ import main as verify
from consents.checkpoint import NoteKey, read_checkpoint
from consents.checkpoint import cosign as line
from consents.jws import thumbprint
from consents.log import ConsentLog, MemoryNodes
from consents.policy import policy_text
from consents.receipt import EventType, LeafPayload, sign_event
from consents.shards import NO_PURPOSE, Handover, closing_digest, opening_digest
from coop_aggregator.db.shards import load_shards
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.export import export_log
from coop_aggregator.installation import init_helper
from coop_aggregator.jobs import witness as witness_job
from coop_aggregator.release import publish
from coop_aggregator.settings import Settings
from coop_aggregator.shards import follow, handovers, open_next
from personal_store.choices import consenting, erasing, log_years, own_log
from personal_store.choices.proofs import ProofState
from personal_store.db import checkpoints, memberships
from personal_store.db.connection import reading
from personal_store.db.trust import Trust
from personal_store.errors import GateClosed, LogForked, TransportError
from personal_store.transport import Answer
from tests.coop_aggregator.test_witness import Direct

OLD, NEW = "coop.test/log", "coop.test/log/2027"
DEADLINE = datetime(2027, 1, 20, tzinfo=UTC)
JANUARY = datetime(2027, 1, 1, 9, tzinfo=UTC)
HANDOVERS = "/v1/log/handovers"


@pytest.fixture
def task(ask):
    """Ask, for once, until after New Year."""
    return ask(report_deadline=DEADLINE)


@pytest.fixture
def stewards(leader, clock, tmp_path):
    settings = Settings(data=tmp_path / "stewards")
    made = init_helper(settings, clock, name="stewards.test", log_vkey=leader.who.log_vkey)
    yield made
    made.database.close()


@dataclass(frozen=True, kw_only=True)
class Year:
    """The cooperative and its stewards around the turn of the year."""

    leader: object
    stewards: object
    clock: object
    folder: object

    def shards(self):
        with self.leader.database.read() as connection:
            return load_shards(connection)

    def shown(self):
        with self.leader.database.read() as connection:
            return handovers(self.leader.log(connection))

    def cosign(self, number=-1):
        """Have the stewards cosign the log of a number."""
        vkey, shard = self.stewards.who.own_vkey, self.shards().every[number]
        witness_job.run_once(self.leader, Direct(self.stewards), vkey=vkey, shard=shard)

    def turn(self, *, followed=True, at=JANUARY):
        """Turn the year, with or without the stewards."""
        self.clock.at = max(self.clock.at, at)
        open_next(self.leader)
        self.cosign(-2)
        if followed:
            self.follow()

    def follow(self):
        follow(self.stewards, self.shown()[-1].to_bytes())
        self.cosign()

    def audits(self, *subjects):
        """Export everything, and return the exit code of each audit."""
        export_log(self.leader, self.folder / "export")
        *former, newest = self.shards().vkeys
        witness_vkeys = [self.stewards.who.own_vkey]
        policy = self.folder / "policy"
        policy.write_text(
            policy_text(log_vkey=newest, witness_vkeys=witness_vkeys, former_vkeys=former)
        )
        export = str(self.folder / "export")
        return [verify(["audit", each, export, "--policy", str(policy)]) for each in subjects]


@pytest.fixture
def year(leader, stewards, clock, tmp_path):
    return Year(leader=leader, stewards=stewards, clock=clock, folder=tmp_path)


@pytest.fixture
def settled(resident, year):
    """Return a resident with a logged consent, who pinned the stewards of this year's log."""
    resident.travel(walk=3)
    resident.give()
    resident.hand_over()
    witness_vkeys = [year.stewards.who.own_vkey]
    text = policy_text(log_vkey=year.leader.who.log_vkey, witness_vkeys=witness_vkeys)
    pinned = Trust(policy_text=text, stewards_url=None)
    consenting.pin_trust(resident.store, resident.member, pinned)
    year.cosign()
    resident.hand_over()
    return resident


def followed(resident):
    with reading(resident.store.engine) as connection:
        return memberships.every(connection)[0]


def forked(resident):
    with reading(resident.store.engine) as connection:
        return checkpoints.fork_of(connection, resident.member.url)


def states(resident):
    return [status.state for _, status in own_log.judged_events(resident.store)]


def showing(monkeypatch, network, *shown):
    """Have the cooperative show other handovers than its own."""
    serve = type(network).exchange
    document = {"handovers": [each.to_bytes().decode() for each in shown]}

    def exchange(self, method, path, body):
        if path == HANDOVERS:
            return Answer(status=200, body=json.dumps(document).encode())
        return serve(self, method, path, body)

    monkeypatch.setattr(type(network), "exchange", exchange)


def operators_leaf(kind, digest, *, origin, key, chain=()):
    payload = LeafPayload(
        t=kind,
        o=origin,
        cid="ab" * 16,
        n=len(chain),
        p="",
        pd=NO_PURPOSE,
        c=digest,
        at="2027-01-01T00:00:00Z",
        kid=thumbprint(key.public_key()),
    )
    return sign_event(payload, key)


@pytest.fixture
def second(leader, stewards):
    """Return a maker of another successor, signed and cosigned by everybody's real keys."""

    def second(*, origin=NEW, root=None, base=None):
        key = Ed25519PrivateKey.from_private_bytes(b"2" * 32)
        vkey = NoteKey.of_log(origin, key.public_key()).vkey
        old = ConsentLog(MemoryNodes(), OLD, leader.keys.log)
        with leader.database.read() as connection:
            log = leader.log(connection)
            leaves = list(log.of(log.shards.every[0]).leaves())
        for leaf in leaves[:-1] if base is None else base:
            old.append(leaf)
        last = old.append(
            operators_leaf(
                EventType.SHARD_CLOSED, closing_digest(vkey), origin=OLD, key=leader.keys.log
            )
        )
        final = read_checkpoint(old.checkpoint())
        if root is not None:
            final = replace(final, root=root)
        new = ConsentLog(MemoryNodes(), origin, key)
        first = new.append(
            operators_leaf(
                EventType.SHARD_OPENED,
                opening_digest(leader.who.log_vkey, final),
                origin=origin,
                key=key,
            )
        )
        receipts = [old.receipt(last), new.receipt(first)]
        now = stewards.clock.now()
        cosigned = [
            replace(
                each,
                checkpoint=each.checkpoint
                + line(each.checkpoint, stewards.who.name, stewards.key, now),
            )
            for each in receipts
        ]
        return Handover(closing=cosigned[0], opening=cosigned[1], successor=vkey)

    return second


def test_a_store_follows_the_log_into_the_next_year(settled, year):
    assert states(settled) == [ProofState.WITNESSED]
    year.turn()
    settled.hand_over()
    member = followed(settled)
    assert member.origins == (OLD, NEW)
    assert states(settled) == [ProofState.WITNESSED]
    assert forked(settled) is None


def test_a_consent_of_december_is_withdrawn_in_the_new_log(settled, year):
    year.turn()
    settled.withdraw()
    settled.hand_over()
    member = followed(settled)
    year.cosign()
    consenting.hand_over(settled.store, member)
    assert states(settled) == [ProofState.WITNESSED, ProofState.WITNESSED]
    (chain,) = settled.chains()
    origins = [read_checkpoint(each.receipt.checkpoint).origin for each in chain]
    assert origins == [OLD, NEW]
    assert forked(settled) is None


def test_a_withdrawal_signed_offline_in_december_ends_it_in_january(settled, year, network):
    settled.withdraw()
    network.down = True
    with pytest.raises(TransportError):
        settled.hand_over()
    network.down = False
    year.turn()
    settled.hand_over()
    year.cosign()
    (chain,) = settled.chains()
    assert chain[-1].signed.payload.o == OLD
    assert read_checkpoint(chain[-1].receipt.checkpoint).origin == NEW
    assert year.audits("promises", "coverage") == [0, 0]


def test_a_week_counts_in_january_on_a_consent_of_december(settled, join, task, year):
    other = join()
    other.travel(bike=4)
    other.give()
    other.hand_over()
    year.turn()
    for person in (settled, other):
        person.hand_over()
        replace(person, member=followed(person)).send(task)
    year.clock.at = task.report_deadline
    publish(year.leader, task.week, executor=InlineExecutor())
    year.cosign()
    subjects = ("coverage", "after-withdrawal", "budget", "promises", "release", "late")
    assert year.audits(*subjects) == [0] * len(subjects)


def test_nothing_leaves_for_a_log_that_is_not_followed_yet(settled, year, ask):
    year.turn(followed=False)
    january = ask(week="2026-W47", report_deadline=DEADLINE)
    assert january.log_origin == NEW
    assert isinstance(settled.preview(january).closed, GateClosed)
    year.follow()
    settled.hand_over()
    settled.asked()
    assert not isinstance(
        replace(settled, member=followed(settled)).preview(january).closed, GateClosed
    )


def test_a_store_waits_until_the_stewards_have_cosigned(settled, year):
    year.turn(followed=False)
    settled.hand_over()
    assert followed(settled).origins == (OLD,)
    year.follow()
    settled.hand_over()
    assert followed(settled).origins == (OLD, NEW)


def test_a_consent_is_erased_in_the_year_after(settled, year):
    year.turn()
    settled.withdraw()
    settled.hand_over()
    member = followed(settled)
    assert erasing.erase(settled.store) == 1
    assert erasing.confirm(settled.store, member).consents == 1


@pytest.mark.usefixtures("task")
def test_a_newcomer_of_january_knows_the_new_log_alone(year, join):
    year.turn()
    newcomer = join()
    assert newcomer.member.origins == (NEW,)
    newcomer.give()
    newcomer.hand_over()
    assert states(newcomer) == [ProofState.LOGGED]
    year.turn(at=datetime(2028, 1, 2, tzinfo=UTC))
    newcomer.hand_over()
    assert followed(newcomer).origins == (NEW, "coop.test/log/2028")


def test_two_years_are_followed_in_one_go(settled, year):
    year.turn()
    year.turn(at=datetime(2028, 1, 2, tzinfo=UTC))
    settled.hand_over()
    assert followed(settled).origins == (OLD, NEW, "coop.test/log/2028")


# What a cooperative may not show.


def test_a_successor_of_another_root_is_refused(settled, year, second, network, monkeypatch):
    year.turn()
    showing(monkeypatch, network, second(root=bytes(32)))
    with pytest.raises(TransportError):
        settled.hand_over()
    assert followed(settled).origins == (OLD,)


def test_a_log_of_another_name_is_refused(settled, year, second, network, monkeypatch):
    year.turn()
    showing(monkeypatch, network, second(origin="other.test/log/2027"))
    with pytest.raises(TransportError):
        settled.hand_over()
    assert followed(settled).origins == (OLD,)


def test_a_year_left_out_is_refused(settled, year, network, monkeypatch):
    year.turn()
    year.turn(at=datetime(2028, 1, 2, tzinfo=UTC))
    showing(monkeypatch, network, year.shown()[1])
    with pytest.raises(TransportError):
        settled.hand_over()
    assert followed(settled).origins == (OLD,)


def test_a_second_successor_is_a_fork_with_evidence(settled, year, second, network, monkeypatch):
    year.turn()
    settled.hand_over()
    showing(monkeypatch, network, second())
    with pytest.raises(LogForked):
        log_years.follow(settled.store, followed(settled))
    notes = json.loads(forked(settled))["checkpoints"]
    assert len({read_checkpoint(note).root for note in notes}) == 2


def test_a_closed_log_that_forgot_what_was_seen_is_a_fork(
    settled, year, second, network, monkeypatch
):
    year.turn()
    showing(monkeypatch, network, second(base=[]))
    with pytest.raises(LogForked):
        settled.hand_over()
    assert followed(settled).origins == (OLD,)


def test_a_fork_at_the_turn_does_not_hold_a_withdrawal_back(
    settled, year, second, network, monkeypatch
):
    year.turn()
    settled.hand_over()
    showing(monkeypatch, network, second())
    settled.withdraw()
    with pytest.raises(LogForked):
        consenting.hand_over(settled.store, followed(settled))
    (chain,) = settled.chains()
    assert chain[-1].receipt is not None


def test_a_handover_that_was_followed_cannot_be_taken_back(settled, year, network, monkeypatch):
    year.turn()
    settled.hand_over()
    showing(monkeypatch, network)
    with pytest.raises(TransportError):
        log_years.follow(settled.store, followed(settled))
    assert followed(settled).origins == (OLD, NEW)


@pytest.mark.parametrize("answer", [b"{}", b"[]", b'{"handovers": ["{}"]}', b'{"handovers": 1}'])
def test_an_answer_out_of_protocol_changes_nothing(settled, year, network, monkeypatch, answer):
    year.turn()
    serve = type(network).exchange

    def exchange(self, method, path, body):
        if path == HANDOVERS:
            return Answer(status=200, body=answer)
        return serve(self, method, path, body)

    monkeypatch.setattr(type(network), "exchange", exchange)
    with pytest.raises(TransportError):
        settled.hand_over()
    assert followed(settled).origins == (OLD,)
