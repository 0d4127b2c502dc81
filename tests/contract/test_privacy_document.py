"""Each test that docs/privacy.md names for a check exists."""

import re

NAMED = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"^(?:    )?def (test_\w+)\(", re.MULTILINE)


def test_every_test_named_for_a_check_exists(repository):
    named = set(NAMED.findall((repository / "docs" / "privacy.md").read_text()))
    assert len(named) >= 40
    tests = "\n".join(path.read_text() for path in (repository / "tests").rglob("test_*.py"))
    assert named - set(DEFINED.findall(tests)) == set()
