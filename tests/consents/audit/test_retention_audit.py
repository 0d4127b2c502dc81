"""A batch erased at the end of its stated days is lawful; early, selective or unfounded is not."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from consents.records.retention import erased_from
from contributions.task import Task

DEADLINE = datetime(2026, 11, 30, tzinfo=UTC)
SUBJECTS = ("coverage", "after-withdrawal", "budget", "release", "late", "promises", "purposes")


def erase(city, batch, task, **options):
    """Erase a batch as an operator does: log it, and hand its contributions over no more."""
    position = city.act(
        "batch.erased", {"task_digest": task.digest, "batch_position": batch}, **options
    )
    city.batches.pop(batch, None)
    path = city.folder / "batches" / f"{batch}.jsonl"
    path.unlink(missing_ok=True)
    return position


def week(city, crowd, name, deadline):
    """Ask, freeze and release one week."""
    task = city.ask(week=name, report_deadline=deadline)
    city.now = deadline
    batch = city.commit(task, [person.report(task) for person in crowd])
    city.release(task, batch)
    city.witness()
    return task, batch


@pytest.fixture
def released(city, crowd):
    return week(city, crowd, "2026-W46", DEADLINE)


@pytest.fixture
def due(city):
    return erased_from(city.purpose, closed_at=DEADLINE)


def test_days_count_from_the_close_of_the_question(purpose, due):
    assert due - DEADLINE == timedelta(days=purpose.retention_days)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_batch_erased_at_the_end_of_its_days_is_lawful(city, released, auditor, due, subject):
    task, batch = released
    city.now = due
    erase(city, batch, task)
    city.witness()
    assert auditor.audit(subject) == (0, [])


def test_what_was_erased_is_counted_and_said(city, released, auditor, due):
    task, batch = released
    city.now = due
    erase(city, batch, task)
    folder = city.export()
    code, out = auditor.run("audit", "coverage", folder, "--policy", auditor.policy, "--json")
    facts = json.loads(out)["facts"]
    assert (code, facts["erased"], facts["batches"], facts["items"]) == (0, 1, 0, 0)
    assert facts["erased_items"] == 5
    said = auditor.run("audit", "coverage", folder, "--policy", auditor.policy)[1]
    assert "Lots effacés à la fin de la conservation annoncée" in said
    assert "n'est plus vérifiable\N{NO-BREAK SPACE}: 1" in said


@pytest.fixture
def erased(city, released, due):
    """The entry of a batch that was erased at the end of its days."""
    task, batch = released
    city.now = due
    erase(city, batch, task)
    city.witness()
    return batch


@pytest.mark.parametrize("subject", ["coverage", "after-withdrawal", "budget"])
def test_a_fault_beside_an_erased_batch_is_found(city, crowd, erased, auditor, subject):
    task = city.ask(week="2027-W46", report_deadline=city.now + timedelta(days=14))
    reports = [person.report(task) for person in crowd[:2]]
    crowd[0].say("consent.withdrawn")
    city.later()
    batch = city.commit(task, reports, epsilon_sum_micro=1)
    arguments = ("audit", subject, city.export(), "--policy", auditor.policy, "--json")
    code, out = auditor.run(*arguments)
    document = json.loads(out)
    assert (code, document["facts"]["erased"]) == (2, 1)
    assert {each["entry"] for each in document["findings"]} == {batch}
    if subject == "coverage":
        assert document["rows"] == [
            [erased, "2026-W46", 5, 0, "erased"],
            [batch, "2027-W46", 2, 1, "checked"],
        ]


def test_the_yearly_record_still_counts_what_was_erased(city, released, auditor, due):
    task, batch = released
    city.now = due
    erase(city, batch, task)
    arguments = (city.export(), "--policy", auditor.policy, "--year", "2026", "--json")
    code, out = auditor.run("report", "annual", *arguments)
    facts = json.loads(out)["facts"]
    assert (code, facts["items"], facts["epsilon_sum_micro"]) == (0, 5, 5_000_000)


def test_an_erasure_one_second_early_is_a_violation(city, released, auditor, due):
    task, batch = released
    city.now = due - timedelta(seconds=1)
    erase(city, batch, task)
    assert auditor.audit("coverage") == (2, ["erased-early"])


def test_an_early_erasure_dated_ahead_is_a_violation_by_the_witnesses(city, released, auditor, due):
    task, batch = released
    city.now = due - timedelta(days=30)
    erase(city, batch, task, at=due)
    city.witness()
    assert auditor.audit("coverage") == (2, ["erased-early"])


def test_a_batch_that_is_missing_without_a_word_stays_unproved(city, released, auditor, due):
    city.now = due
    del city.batches[released[1]]
    assert auditor.audit("coverage") == (3, ["no-batch"])


def test_one_contribution_taken_out_of_a_batch_is_a_violation(city, released, auditor, due):
    city.now = due
    city.batches[released[1]].pop()
    assert auditor.audit("coverage") == (2, ["batch-mismatch"])


@pytest.mark.parametrize("kept", ["all", "none"])
def test_contributions_handed_over_beside_their_erasure_are_a_violation(
    city, released, auditor, due, kept
):
    task, batch = released
    city.now = due
    items = city.batches[batch]
    erase(city, batch, task)
    city.batches[batch] = items if kept == "all" else []
    code, problems = auditor.audit("coverage")
    assert code == 2
    assert "erased-unfounded" in problems


@pytest.fixture
def both(city, crowd, released):
    """Return two released weeks, the older first."""
    return released, week(city, crowd, "2026-W47", DEADLINE + timedelta(days=7))


@pytest.mark.parametrize("missing", [False, True])
def test_erasing_a_later_batch_and_not_an_earlier_one_is_a_violation(
    city, both, auditor, due, missing
):
    older, newer = both
    city.now = due + timedelta(days=7)
    erase(city, newer[1], newer[0])
    if missing:
        del city.batches[older[1]]
    code, problems = auditor.audit("coverage")
    assert code == 2
    assert "erased-selectively" in problems


def test_an_erasure_dated_back_hides_no_batch_that_was_kept(city, both, auditor, due):
    older, _ = both
    city.now = due + timedelta(days=8)
    city.witness()
    erase(city, older[1], older[0], at=due)
    assert auditor.audit("coverage") == (2, ["erased-selectively"])


def test_a_later_batch_that_is_not_due_stays(city, both, auditor, due):
    older, newer = both
    city.now = due
    erase(city, older[1], older[0])
    assert auditor.audit("coverage") == (0, [])
    assert list(city.batches) == [newer[1]]


def test_one_run_erases_whatever_is_due(city, both, auditor, due):
    city.now = due + timedelta(days=7)
    for task, batch in both:
        erase(city, batch, task)
    assert auditor.audit("release") == (0, [])


@pytest.mark.parametrize("where", ["no batch", "a later entry", "another question", "no question"])
def test_an_erasure_of_nothing_that_the_log_holds_is_a_violation(city, both, auditor, due, where):
    (task, batch), newer = both
    city.now = due + timedelta(days=7)
    erase(city, newer[1], newer[0])
    if where == "another question":
        erase(city, batch, newer[0])
    elif where == "no question":
        erase(city, batch, city.ask(week="2026-W40"))
        del city.tasks[Task.parse(list(city.tasks.values())[-1]).digest]
    else:
        erase(city, batch, task)
        city.act(
            "batch.erased",
            {"task_digest": task.digest, "batch_position": 0 if where == "no batch" else 10**6},
        )
    code, problems = auditor.audit("coverage")
    assert code == 2
    assert "erased-unfounded" in problems


def test_a_release_of_an_erased_batch_still_has_to_state_its_count(city, crowd, auditor, due):
    task = city.ask(report_deadline=DEADLINE)
    city.now = DEADLINE
    batch = city.commit(task, [person.report(task) for person in crowd])
    city.release(task, batch, city.statement(task, n=4))
    city.now = due
    erase(city, batch, task)
    assert auditor.audit("release") == (2, ["release-count"])


def test_without_the_purpose_s_text_an_erasure_cannot_be_judged(city, released, auditor, due):
    task, batch = released
    city.now = due
    erase(city, batch, task)
    city.purposes.clear()
    assert auditor.audit("coverage")[0] == 3


def test_an_auditor_s_own_copy_goes_with_a_lawful_erasure(city, released, auditor, due):
    task, batch = released
    workspace = auditor.folder / "workspace"
    assert auditor.audit("coverage", "--workspace", workspace)[0] == 0
    assert len(list(workspace.glob("*.items"))) == 1
    city.now = due
    erase(city, batch, task)
    city.witness()
    assert auditor.audit("coverage", "--workspace", workspace)[0] == 0
    assert list(workspace.glob("*.items")) == []
