"""What an export may not get past the auditor with: links, doubles, texts that nothing binds."""

import json

import pytest

from consents.canonical import canonical_bytes
from consents.tlog.promise import drop_box_slip


def test_a_timeline_made_with_other_stewards_keys_is_not_believed(city, crowd, auditor):
    """A recovery by a steward whom only one of two policies names, and one working folder."""
    crowd[0].say("key.recovered", key=city.new_key("steward-c"), names=city.new_key("another key"))
    workspace = ("--workspace", auditor.folder / "work")
    assert auditor.audit("coverage", *workspace) == (0, [])
    city.witnesses = ("steward-a", "steward-b")
    auditor.policy.write_text(city.policy(), "utf-8")
    assert auditor.audit("coverage", *workspace, export=False) == (2, ["log"])


OPTIONAL = ("operator.jsonl", "purposes.jsonl", "notices.jsonl", "tasks.jsonl", "bodies.jsonl")


@pytest.mark.usefixtures("honest")
@pytest.mark.parametrize("name", [*OPTIONAL, "checkpoints", "batches", "releases", "checkpoint"])
@pytest.mark.parametrize("points_somewhere", [True, False], ids=["to a file", "to nothing"])
def test_a_link_in_an_export_cannot_be_verified(city, auditor, name, points_somewhere):
    folder = city.export()
    aside = folder.parent / "aside"
    if points_somewhere and (folder / name).exists():
        (folder / name).rename(aside)
    else:
        aside = folder.parent / "nothing"
        if (folder / name).exists():
            (folder / name).rename(folder.parent / "moved")
    (folder / name).symlink_to(aside)
    assert auditor.audit("release", export=False) == (3, ["no-file"])


@pytest.mark.usefixtures("honest")
@pytest.mark.parametrize("folder", ["batches", "releases", "checkpoints"])
def test_a_link_below_a_folder_of_an_export_cannot_be_verified(city, auditor, folder):
    path = next(iter(sorted((city.export() / folder).iterdir())))
    path.rename(city.folder.parent / "aside")
    path.symlink_to(city.folder.parent / "aside")
    assert auditor.audit("release", export=False) == (3, ["no-file"])


@pytest.mark.usefixtures("honest")
@pytest.mark.parametrize(
    "name", ["operator.jsonl", "purposes.jsonl", "notices.jsonl", "tasks.jsonl"]
)
def test_a_line_that_stands_twice_cannot_be_verified(city, auditor, name):
    path = city.export() / name
    path.write_bytes(path.read_bytes() + path.read_bytes().splitlines(keepends=True)[0])
    assert auditor.audit("coverage", export=False) == (3, ["bad-file"])


def test_two_bodies_of_one_entry_cannot_be_verified_in_either_order(city, honest, auditor):
    forged = {**city.bodies[-1], "body": canonical_bytes({"task_digest": honest.digest}).decode()}
    city.bodies.append(forged)
    assert auditor.audit("coverage") == (3, ["bad-file"])
    city.bodies.reverse()
    assert auditor.audit("coverage") == (3, ["bad-file"])


def test_a_body_of_an_entry_that_is_not_the_operator_s_cannot_be_verified(city, honest, auditor):
    assert honest.digest
    city.bodies.append({**city.bodies[-1], "position": 1})
    assert auditor.audit("coverage") == (3, ["bad-file"])


def test_a_notice_that_the_log_does_not_bind_is_seen(city, auditor):
    city.notices["of nobody"] = b"{}"
    assert auditor.audit("purposes") == (2, ["notice-edited"])


def test_a_notice_that_was_edited_is_seen(city, auditor):
    for digest, text in city.notices.items():
        city.notices[digest] = text.replace(b"version", b"Version")
    assert auditor.audit("purposes") == (2, ["no-notice", "notice-edited"])


def test_a_notice_that_was_not_handed_over_cannot_be_verified(city, auditor):
    city.notices.clear()
    assert auditor.audit("purposes") == (3, ["no-notice"])


def test_a_purpose_published_without_a_notice_cannot_be_verified(city, auditor, purpose):
    city.act("purpose.published", {"purpose_digest": purpose.digest})
    assert auditor.audit("purposes") == (3, ["no-notice"])


def test_notices_and_purposes_of_an_honest_city_are_as_they_were_logged(city, auditor):
    code, out = auditor.run(
        "audit", "purposes", city.export(), "--policy", auditor.policy, "--json"
    )
    assert code == 0
    assert json.loads(out)["facts"]["notices"] == 1


@pytest.mark.usefixtures("honest")
@pytest.mark.parametrize("cut", [7, 1])
def test_a_damaged_working_folder_is_never_a_success(auditor, cut):
    workspace = auditor.folder / "work"
    auditor.audit("coverage", "--workspace", workspace)
    for path in workspace.glob("*.items"):
        path.write_bytes(path.read_bytes()[:-cut])
    assert auditor.audit("coverage", "--workspace", workspace, export=False) == (
        3,
        ["bad-workspace"],
    )


@pytest.mark.usefixtures("honest")
@pytest.mark.parametrize("suffix", ["items", "timeline"])
def test_a_changed_byte_in_a_working_folder_is_never_a_success(auditor, suffix):
    workspace = auditor.folder / "work"
    auditor.audit("coverage", "--workspace", workspace)
    for path in workspace.glob(f"*.{suffix}"):
        content = path.read_bytes()
        path.write_bytes(content[:-90] + bytes([content[-90] ^ 1]) + content[-89:])
    assert auditor.audit("coverage", "--workspace", workspace, export=False) == (
        3,
        ["bad-workspace"],
    )


def test_a_flood_of_strangers_slips_hides_no_withdrawal(city, crowd, auditor):
    """The withdrawal that counts stands last, behind those of nobody whom the log knows."""
    task = city.ask()
    reports = [person.report(task) for person in crowd]
    strangers = [city.person(f"stranger {number}") for number in range(30)]
    flood = [
        city.slip(stranger.leaf("consent.withdrawn", n=1, p="00" * 32)) for stranger in strangers
    ]
    slip = city.slip(crowd[2].leaf("consent.withdrawn"))
    city.later()
    city.witness()
    city.commit(task, reports)
    evidence = auditor.evidence(*flood, slip)
    assert auditor.audit("after-withdrawal", *evidence) == (2, ["evidence-ignored"])
    code, out = auditor.run(
        *("audit", "promises", city.folder, "--policy", auditor.policy, "--json", *evidence)
    )
    facts = json.loads(out)["facts"]
    assert (code, facts["slips"], facts["strangers"]) == (0, 1, 30)


@pytest.mark.parametrize("line", ["a", "a.b.c", "e30.e30.e30", "..", "\u00e9.e30.e30"])
def test_evidence_that_is_neither_promise_nor_slip_cannot_be_verified(auditor, line):
    assert auditor.audit("promises", *auditor.evidence(line)) == (3, ["bad-evidence"])


def test_a_slip_that_no_steward_signed_cannot_be_verified(city, crowd, auditor):
    city.witnesses = ("steward-a", "steward-b", "stranger")
    forged = drop_box_slip(
        crowd[0].leaf("consent.withdrawn"), city.new_key("stranger"), now=city.now
    ).decode()
    assert auditor.audit("promises", *auditor.evidence(forged)) == (3, ["bad-evidence"])
