"""Rewritten, forked and cut logs, impossible dates, hostile servers.

The operator holds every key and file of its own; each attack stands beside its honest control. The
numbers are those of the design's acceptance checks. Vectors (1), shredding (12), scale (16) and
interoperability (17) have modules of their own; equal ease (15) needs a browser.
"""

from datetime import timedelta

import pytest

from consents.errors import RootConflict, SizeConflict
from consents.records.receipt import read_event
from consents.tlog import merkle
from consents.tlog.checkpoint import NoteKey
from consents.tlog.witness import AddCheckpoint, WitnessState, witness_step

EVERY_AUDIT = (
    "coverage",
    "after-withdrawal",
    "purposes",
    "budget",
    "late",
    "promises",
    "release",
    "monitor",
)


@pytest.mark.parametrize("subject", EVERY_AUDIT)
@pytest.mark.usefixtures("honest")
def test_control_an_honest_week_raises_no_alarm(auditor, subject):
    assert auditor.audit(subject) == (0, [])


# 2. Delete a withdrawal, rebuild, sign again.


@pytest.mark.usefixtures("honest")
def test_2_a_deleted_withdrawal_shows_against_a_kept_checkpoint(city, withdrawn, auditor):
    auditor.keep(city.witness())
    city.leaves.remove(withdrawn)
    assert auditor.audit("monitor") == (2, ["fork"])


@pytest.mark.usefixtures("honest")
def test_2_the_witness_refuses_the_rebuilt_log(city, withdrawn):
    seen = len(city.leaves)
    state = WitnessState(
        origin=city.origin, size=seen, root=merkle.root(map(merkle.leaf_hash, city.leaves))
    )
    city.leaves.remove(withdrawn)
    request = AddCheckpoint(old_size=seen - 1, proof=(), checkpoint=city.note())
    with pytest.raises(SizeConflict):
        witness_step(state, request, origin_vkey=city.vkey)


@pytest.mark.usefixtures("honest")
def test_2_the_residents_promise_can_no_longer_be_met(city, withdrawn, auditor):
    promised = city.promise(withdrawn)
    city.leaves.remove(withdrawn)
    city.later(timedelta(hours=3))
    assert auditor.audit("promises", *auditor.evidence(promised)) == (2, ["promise-broken"])


@pytest.mark.usefixtures("honest")
def test_2_control_the_kept_checkpoint_of_an_honest_log_raises_no_alarm(city, auditor):
    auditor.keep(city.witness())
    city.person("newcomer").say("consent.given")
    assert auditor.audit("monitor") == (0, [])


# 3. Back-date a consent, even with the resident's signature.


def test_3_a_back_dated_consent_covers_nothing_before_it(city, crowd, auditor):
    late = city.person("late")
    task = city.ask()
    before = city.now
    leaf = late.leaf("consent.given", at=before - timedelta(days=1))
    late.events.append(read_event(leaf))
    city.commit(task, [*(person.report(task) for person in crowd), late.report(task)])
    city.append(leaf)
    city.later()
    assert auditor.audit("coverage") == (2, ["never-consented"])


@pytest.mark.usefixtures("crowd")
def test_3_a_back_dated_consent_is_flagged(city, auditor):
    city.person("late").say("consent.given", at=city.now - timedelta(days=1))
    assert auditor.audit("late") == (2, ["late"])


@pytest.mark.usefixtures("crowd")
def test_3_a_consent_dated_ahead_is_flagged(city, auditor):
    city.person("early").say("consent.given", at=city.now + timedelta(days=1))
    assert auditor.audit("late") == (2, ["late"])


def test_3_control_a_withdrawal_written_offline_is_not_an_alarm(city, crowd, auditor):
    crowd[0].say("consent.withdrawn", at=city.now - timedelta(days=1))
    assert auditor.audit("late") == (0, [])


# 4. Two views of equal size.


def other_view(city):
    return [*city.leaves[:-1], city.person("ghost").leaf("consent.given")]


@pytest.mark.usefixtures("crowd")
def test_4_a_second_view_of_equal_size_is_refused_by_the_witness(city):
    state = WitnessState(
        origin=city.origin,
        size=len(city.leaves),
        root=merkle.root(map(merkle.leaf_hash, city.leaves)),
    )
    request = AddCheckpoint(
        old_size=state.size, proof=(), checkpoint=city.note(leaves=other_view(city))
    )
    with pytest.raises(RootConflict):
        witness_step(state, request, origin_vkey=city.vkey)


@pytest.mark.usefixtures("crowd")
def test_4_a_second_view_shows_against_a_kept_checkpoint(city, auditor):
    auditor.keep(city.witness())
    city.leaves = other_view(city)
    assert auditor.audit("monitor") == (2, ["fork"])


@pytest.mark.usefixtures("crowd")
def test_4_both_views_are_kept_as_evidence(city, auditor):
    workspace = auditor.folder / "work"
    first = city.witness()
    city.export(note=first)
    auditor.audit("monitor", "--workspace", workspace, export=False)
    city.leaves = other_view(city)
    second = city.cosigned()
    city.export(note=second)
    assert auditor.audit("monitor", "--workspace", workspace, export=False)[0] == 2
    assert (workspace / "checkpoint").read_text("utf-8") == first
    assert (workspace / "refused-checkpoint").read_text("utf-8") == second


@pytest.mark.usefixtures("city", "crowd")
def test_4_control_the_same_view_twice_is_no_fork(auditor):
    workspace = auditor.folder / "work"
    auditor.audit("monitor", "--workspace", workspace)
    assert auditor.audit("monitor", "--workspace", workspace) == (0, [])


# 9. Truncate, or reorder.


@pytest.mark.usefixtures("crowd")
def test_9_a_log_cut_back_shows_against_a_kept_checkpoint(city, auditor):
    auditor.keep(city.witness())
    city.leaves = city.leaves[:-1]
    city.notes = []
    assert auditor.audit("monitor") == (2, ["fork"])


@pytest.mark.usefixtures("crowd")
def test_9_a_log_cut_back_shows_against_the_checkpoints_that_it_ships_itself(city, auditor):
    city.leaves = city.leaves[:-1]
    assert auditor.audit("monitor") == (2, ["fork"])


@pytest.mark.usefixtures("crowd")
def test_9_entries_cut_below_the_signed_size_are_missed(city, auditor):
    city.export()
    path = city.folder / "entries.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert auditor.audit("monitor", export=False) == (2, ["log"])


@pytest.mark.usefixtures("crowd")
def test_9_two_entries_that_changed_places_are_seen(city, auditor):
    auditor.keep(city.witness())
    city.leaves[-1], city.leaves[-2] = city.leaves[-2], city.leaves[-1]
    assert auditor.audit("monitor") == (2, ["fork"])


# 14. A hostile server.


@pytest.mark.usefixtures("honest")
def test_14_keys_that_came_with_the_log_are_refused(city, auditor):
    city.export()
    auditor.policy = city.folder / "stewards.policy"
    auditor.policy.write_text(city.policy(), "utf-8")
    assert auditor.audit("coverage", export=False) == (3, ["keys-beside-log"])


@pytest.mark.usefixtures("honest")
def test_14_keys_linked_into_the_log_from_outside_are_refused(city, auditor):
    city.export()
    (city.folder / "real.policy").write_text(city.policy(), "utf-8")
    auditor.policy = auditor.folder / "link.policy"
    auditor.policy.symlink_to(city.folder / "real.policy")
    assert auditor.audit("coverage", export=False) == (3, ["keys-beside-log"])


@pytest.mark.usefixtures("honest")
def test_14_a_workspace_in_the_export_is_refused(city, auditor):
    workspace = city.folder / "work"
    assert auditor.audit("coverage", "--workspace", workspace) == (3, ["keys-beside-log"])


@pytest.mark.usefixtures("honest")
def test_14_a_witness_with_the_logs_key_is_refused(city, auditor):
    twin = NoteKey.of_witness("twin", city.key.public_key()).vkey
    auditor.policy.write_text(f"log {city.vkey}\nwitness twin {twin}\nquorum twin\n", "utf-8")
    assert auditor.audit("coverage") == (3, ["bad-policy"])


@pytest.mark.parametrize("subject", EVERY_AUDIT)
@pytest.mark.usefixtures("honest")
def test_14_a_missing_quorum_is_never_a_success(city, auditor, subject):
    city.export(note=city.cosigned("a"))
    assert auditor.audit(subject, export=False) == (3, ["no-quorum"])


@pytest.mark.usefixtures("honest")
def test_14_another_logs_checkpoint_is_not_accepted(city, auditor):
    auditor.policy.write_text(city.policy().replace(city.origin, "other.example"), "utf-8")
    assert auditor.audit("coverage")[0] == 3


@pytest.mark.parametrize("name", ["checkpoint", "entries.jsonl"])
@pytest.mark.usefixtures("honest")
def test_14_a_missing_file_is_never_a_success(city, auditor, name):
    city.export()
    (city.folder / name).unlink()
    assert auditor.audit("coverage", export=False) == (3, ["no-file"])


@pytest.mark.parametrize("name", ["operator.jsonl", "tasks.jsonl", "purposes.jsonl"])
@pytest.mark.usefixtures("honest")
def test_14_a_damaged_file_is_never_a_success(city, auditor, name):
    city.export()
    (city.folder / name).write_bytes(b"{not json\n")
    assert auditor.audit("coverage", export=False)[0] == 3
