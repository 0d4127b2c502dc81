"""Releases that do not follow from what was committed to."""

import pytest

FIGURE = {"measure": "kilometres", "label": "car", "value": "1234.5", "n": None}


@pytest.mark.parametrize(
    "members",
    [
        {"rows": [FIGURE]},
        {"rows": [{**FIGURE, "value": None, "exact": 5}]},
        {"rows": [], "exact": [5, 6, 7]},
        {"rows": {}},
    ],
    ids=["a figure", "a figure by another name", "figures beside the rows", "no rows"],
)
def test_a_batch_that_nobody_can_open_excuses_no_figure(city, crowd, auditor, members):
    task = city.ask()
    batch = city.commit(task, [person.report(task) for person in crowd])
    city.bodies.pop()
    city.release(task, batch, city.statement(task, n=0, **members))
    assert auditor.audit("coverage") == (3, ["no-body"])


def test_a_batch_that_nobody_can_open_needs_no_cover_where_nothing_is_published(
    city, crowd, auditor
):
    task = city.ask()
    batch = city.commit(task, [person.report(task) for person in crowd])
    city.bodies.pop()
    city.release(task, batch, city.statement(task, n=0, rows=[{**FIGURE, "value": None}]))
    assert auditor.audit("coverage") == (0, [])
    assert auditor.audit("release") == (0, [])


def test_an_empty_release_of_another_question_excuses_no_closed_batch(city, crowd, auditor):
    task, other = city.ask(), city.ask("2026-W47")
    batch = city.commit(task, [person.report(task) for person in crowd])
    city.bodies.pop()
    city.release(task, batch, city.statement(other, n=0))
    assert auditor.audit("coverage") == (3, ["no-body"])


def test_a_question_that_has_an_open_batch_excuses_no_closed_one(city, crowd, auditor):
    task = city.ask()
    city.commit(task, [person.report(task) for person in crowd])
    closed = city.commit(task, [city.person("ghost").report(task)])
    city.bodies.pop()
    city.release(task, closed, city.statement(task, n=0))
    assert auditor.audit("coverage") == (3, ["no-body"])


def test_one_empty_release_does_not_excuse_two_closed_batches(city, crowd, auditor):
    task = city.ask()
    for _ in range(2):
        closed = city.commit(task, [person.report(task) for person in crowd])
        city.bodies.pop()
        city.release(task, closed, city.statement(task, n=0))
    code, problems = auditor.audit("coverage")
    assert (code, problems) == (3, ["no-body"])


def test_a_closed_batch_of_another_purpose_is_not_excused(city, auditor):
    task = city.ask()
    body = {"task_digest": task.digest, "root": "00" * 32, "report_count": 1}
    closed = city.act("batch.committed", body, purpose_digest="ab" * 32)
    city.bodies.pop()
    city.batches[closed] = []
    city.release(task, closed, city.statement(task, n=0))
    assert auditor.audit("coverage") == (3, ["no-body"])


def test_a_release_that_states_another_question_than_its_batch_is_seen(city, crowd, auditor):
    task, other = city.ask(), city.ask("2026-W47")
    batch = city.commit(task, [person.report(task) for person in crowd])
    city.release(task, batch, city.statement(other, n=len(crowd)))
    assert auditor.audit("release") == (2, ["release-without-batch"])


@pytest.mark.parametrize(
    "members",
    [{"n": 0, "rows": [FIGURE]}, {"n": True, "rows": []}, {"rows": []}],
    ids=["figures of nobody", "a count that is none", "no count"],
)
def test_figures_of_an_open_batch_state_its_count(city, crowd, auditor, members):
    task = city.ask()
    batch = city.commit(task, [person.report(task) for person in crowd])
    city.release(task, batch, city.statement(task, **members))
    assert auditor.audit("release") == (2, ["release-count"])


@pytest.mark.parametrize("name", ["purposes.jsonl", "tasks.jsonl"])
def test_half_a_character_cannot_be_audited(city, auditor, name):
    city.ask()
    city.export()
    with (city.folder / name).open("ab") as file:
        file.write(b'"\\ud800"\n')
    assert auditor.audit("coverage", export=False)[0] == 3


def test_a_purpose_digest_that_is_none_cannot_be_audited(city, auditor):
    task = city.ask()
    city.export()
    path = city.folder / "tasks.jsonl"
    path.write_text(path.read_text().replace(task.purpose_digest, "zz"))
    assert auditor.audit("coverage", export=False)[0] == 3


def test_a_release_that_was_changed_is_seen(city, crowd, auditor):
    task = city.ask()
    position = city.release(task, city.commit(task, [person.report(task) for person in crowd]))
    city.releases[position] = b'{"n":5,"week":"2026-W46","x":1}'
    assert auditor.audit("release") == (2, ["release-changed"])


def test_a_release_that_states_another_count_is_seen(city, crowd, auditor):
    task = city.ask()
    batch = city.commit(task, [person.report(task) for person in crowd])
    city.release(task, batch, city.statement(task, n=50))
    assert auditor.audit("release") == (2, ["release-count"])


def test_a_release_before_its_batch_is_seen(city, crowd, auditor):
    task = city.ask()
    city.batches[len(city.leaves) + 1] = []
    city.release(task, len(city.leaves) + 1)
    city.batches.clear()
    city.commit(task, [person.report(task) for person in crowd])
    assert auditor.audit("release") == (2, ["release-without-batch"])


def test_a_second_release_of_a_question_is_seen(city, crowd, auditor):
    task = city.ask()
    batch = city.commit(task, [person.report(task) for person in crowd])
    city.release(task, batch)
    city.release(task, batch, city.statement(task, n=0))
    assert auditor.audit("release") == (2, ["release-twice"])
