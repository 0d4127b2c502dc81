"""Releases that do not follow from what was committed to."""


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
