"""Releases that do not follow from what was committed to."""

import json

import pytest

FIGURE = {"measure": "kilometres", "label": "car", "value": "1234.5", "n": None}


def nothing_but(**members):
    """A release that states no contribution, and these members."""
    return json.dumps({"n": 0, "week": "2026-W46", **members}).encode()


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
    city.release(task, batch, nothing_but(**members))
    assert auditor.audit("coverage") == (3, ["no-body"])


def test_a_batch_that_nobody_can_open_needs_no_cover_where_nothing_is_published(
    city, crowd, auditor
):
    task = city.ask()
    batch = city.commit(task, [person.report(task) for person in crowd])
    city.bodies.pop()
    city.release(task, batch, nothing_but(rows=[{**FIGURE, "value": None}]))
    assert auditor.audit("coverage") == (0, [])


@pytest.mark.parametrize(
    "release",
    [nothing_but(rows=[FIGURE]), b'{"n":true,"rows":[]}', b'{"rows":[]}'],
    ids=["figures of nobody", "no count", "a count that is none"],
)
def test_figures_of_an_open_batch_state_its_count(city, crowd, auditor, release):
    task = city.ask()
    batch = city.commit(task, [person.report(task) for person in crowd])
    city.release(task, batch, release)
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
    city.release(task, batch, b'{"n":50}')
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
    city.release(task, batch, b'{"n":0}')
    assert auditor.audit("release") == (2, ["release-twice"])
