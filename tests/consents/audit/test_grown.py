"""An audit of a log that has grown verifies what is new, and believes nothing kept blindly.

The auditor's own folder is damaged, exchanged and resealed here; the operator rewrites what was
verified before. Each stands beside its honest control.
"""

import json
from hashlib import sha256

import pytest

from consents.audit.files import Export, Workspace, read_policy
from consents.audit.kept import Kept
from consents.audit.logs import trusted_keys
from consents.audit.opening import open_case
from consents.audit.timeline import RECORD_BYTES
from consents.records.receipt import EventType, leaf_sha256, read_event
from consents.verify import replay

DIGEST_BYTES = 32


@pytest.fixture
def work(auditor):
    """The auditor's working folder, after an audit of the log as it stands."""
    folder = auditor.folder / "work"
    assert auditor.audit("coverage", "--workspace", folder) == (0, [])
    return folder


def again(auditor, work, **options):
    return auditor.audit("coverage", "--workspace", work, **options)


def kept(work):
    return next(iter(work.glob("*.timeline")))


def reseal(work, change):
    """Change the content of a kept timeline, and make its digest that of the changed content."""
    content = change(kept(work).read_bytes()[:-DIGEST_BYTES])
    kept(work).write_bytes(content + sha256(content).digest())


CID, STATUS, LEAF_HASH = 3, 17, 120
"""Offsets of a byte of these in a record."""


def with_record(content, position, offset, value):
    """Return the content with another byte in one record."""
    header, _, records = content.partition(b"\n")
    changed = bytearray(records)
    changed[position * RECORD_BYTES + offset] = value
    return header + b"\n" + bytes(changed)


def timelines(city, auditor, work):
    """Return the timelines of the present export: on from the folder, and from nothing."""
    folder = city.export()
    policy = read_policy(auditor.policy, export=folder)
    return [
        open_case(Export(folder=folder), policy, workspace=each).timeline
        for each in (Workspace(folder=work), None)
    ]


@pytest.fixture
def checked(monkeypatch):
    """The leaves whose signatures are verified, in order; verifying goes on as always."""
    seen = []

    def counted(leaf):
        seen.append(leaf)
        return read_event(leaf)

    monkeypatch.setattr(replay, "read_event", counted)
    return seen


def test_only_new_entries_and_what_they_go_on_with_are_verified(
    city, crowd, auditor, work, checked
):
    crowd[3].say("consent.limited")
    assert again(auditor, work) == (0, [])
    spared = {person.events[0].leaf for person in crowd[:3] + crowd[4:]}
    assert set(checked) == set(city.leaves) - spared
    assert len(checked) == len(city.leaves) - len(spared)


@pytest.mark.usefixtures("honest")
def test_nothing_is_verified_again_of_the_same_log(city, auditor, work, checked):
    assert city.leaves
    assert again(auditor, work, export=False) == (0, [])
    assert checked == []


def test_a_grown_log_comes_to_what_the_whole_one_comes_to(city, crowd, honest, auditor, work):
    assert honest.digest
    old, new = city.new_key("resident 4"), city.new_key("next")
    crowd[4].say("key.rotated", names=new)
    crowd[4].say("key.rotated", key=new, names=old)
    child = city.person("child")
    child.say("signer.joined", names=city.new_key("parent"))
    child.say("consent.given")
    on, whole = timelines(city, auditor, work)
    assert on == whole
    child.say("consent.given", key=city.new_key("parent"))
    crowd[2].say("consent.withdrawn")
    on, whole = timelines(city, auditor, work)
    assert on == whole


@pytest.mark.usefixtures("honest")
def test_a_new_year_s_log_goes_on_from_what_was_kept_of_the_old_one(
    city, crowd, auditor, work, checked
):
    city.turn()
    auditor.trust_every_log()
    crowd[2].say("consent.limited")
    assert again(auditor, work) == (0, [])
    assert not {leaf_sha256(leaf) for leaf in checked} & {crowd[4].events[0].head}
    on, whole = timelines(city, auditor, work)
    assert on == whole
    assert len(on.former) == 1


def test_a_false_signature_among_the_new_entries_is_found(city, crowd, auditor, work):
    leaf = crowd[2].leaf("consent.limited")
    city.append(leaf[:-8] + b"AAAAAAA" + leaf[-1:])
    assert again(auditor, work) == (2, ["log"])


def test_a_new_entry_that_breaks_an_old_chain_is_found(city, crowd, auditor, work):
    city.append(crowd[2].leaf("consent.limited", n=7))
    assert again(auditor, work) == (2, ["log"])


def test_a_withdrawal_deleted_since_the_last_audit_is_a_fork(city, crowd, auditor):
    """Without any checkpoint but the one in the folder: the operator hands over none."""
    withdrawal = crowd[3].say("consent.withdrawn")
    work = auditor.folder / "work"
    assert again(auditor, work) == (0, [])
    before = kept(work).read_bytes()
    city.leaves.remove(withdrawal)
    city.person("newcomer").say("consent.given")
    city.person("another").say("consent.given")
    city.notes = []
    assert again(auditor, work) == (2, ["fork"])
    assert kept(work).read_bytes() == before


def test_a_log_that_was_cut_back_since_the_last_audit_is_a_fork(city, crowd, auditor, work):
    assert crowd
    city.leaves.pop()
    city.notes = []
    assert again(auditor, work) == (2, ["fork"])


@pytest.mark.usefixtures("honest")
@pytest.mark.parametrize("place", ["first", "header", "records", "last"])
@pytest.mark.parametrize("grown", [True, False])
def test_a_flipped_bit_in_what_was_kept_is_never_a_success(city, auditor, work, place, grown):
    content = bytearray(kept(work).read_bytes())
    line = content.index(b"\n")
    where = {"first": 0, "header": line // 2, "records": line + 300, "last": -1}[place]
    content[where] ^= 1
    kept(work).write_bytes(content)
    if grown:
        city.person("newcomer").say("consent.given")
    assert again(auditor, work) == (3, ["bad-workspace"])


@pytest.mark.usefixtures("crowd")
def test_leaf_hashes_that_nobody_signed_are_never_believed(auditor, work):
    reseal(work, lambda content: with_record(content, 1, LEAF_HASH, 0))
    assert again(auditor, work, export=False) == (3, ["bad-workspace"])


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("cut", [1, RECORD_BYTES])
def test_records_that_are_missing_are_never_believed(auditor, work, cut):
    reseal(work, lambda content: content[:-cut])
    assert again(auditor, work, export=False) == (3, ["bad-workspace"])


@pytest.mark.usefixtures("crowd")
def test_what_was_kept_under_a_note_of_nobody_s_is_never_believed(city, auditor, work):
    city.key = city.new_key("stranger")
    note = json.dumps(city.cosigned()).encode()

    def exchange(content):
        header, _, records = content.partition(b"\n")
        told = json.loads(header)
        told["notes"] = [json.loads(note)]
        return json.dumps(told).encode() + b"\n" + records

    reseal(work, exchange)
    assert again(auditor, work, export=False) == (3, ["bad-workspace"])


def test_a_state_that_does_not_follow_from_the_entries_is_found_where_they_go_on(
    city, crowd, auditor
):
    crowd[1].say("consent.withdrawn")
    work = auditor.folder / "work"
    assert again(auditor, work) == (0, [])
    position = len(city.leaves) - 1
    given = list(EventType).index(EventType.GIVEN)
    reseal(work, lambda content: with_record(content, position, STATUS, given))
    crowd[1].say("consent.given")
    assert again(auditor, work) == (3, ["bad-workspace"])


def test_a_folder_that_was_tampered_with_accuses_nobody(city, crowd, auditor, work):
    """An entry kept under another consent would leave a gap in its chain."""
    position = city.leaves.index(crowd[1].events[0].leaf)
    reseal(work, lambda content: with_record(content, position, CID, 7))
    crowd[1].say("consent.limited")
    assert again(auditor, work) == (0, [])


@pytest.mark.usefixtures("crowd")
def test_what_an_older_program_kept_is_verified_anew(auditor, work):
    reseal(work, lambda content: content.replace(b"consents-timeline/4", b"consents-timeline/3"))
    assert again(auditor, work) == (0, [])
    assert b"consents-timeline/4" in kept(work).read_bytes()


@pytest.mark.usefixtures("crowd")
def test_what_is_kept_of_a_log_stays_one_file(city, auditor, work):
    city.person("newcomer").say("consent.given")
    again(auditor, work)
    assert len(list(work.glob("*.timeline"))) == 1


@pytest.mark.usefixtures("honest")
def test_what_is_kept_reads_back_as_it_was_written(city, auditor):
    folder = city.export()
    policy = read_policy(auditor.policy, export=folder)
    timeline = open_case(Export(folder=folder), policy).timeline
    file = Kept(timeline=timeline, notes=(Export(folder=folder).note(),), vkeys=(city.vkey,))
    assert Kept.parse(file.to_bytes(), policy=policy) == file
    assert timeline.keys == trusted_keys(policy, [city.vkey])
