"""The page about this package computes what it says."""

import doctest


def test_the_examples_of_the_page_run(repository):
    page = repository / "docs" / "carbon.md"
    outcome = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert (outcome.failed, outcome.attempted > 30) == (0, True)
