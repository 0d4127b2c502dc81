"""Each MUST of docs/protocol.md is quoted by the test that holds it, and no test quotes another."""

import re

STATED = re.compile(r"^- \*\*([A-Z]\d+)\*\*", re.MULTILINE)
QUOTED = re.compile(r"\b([JCKPRSTW]\d+): .*?MUST", re.DOTALL)


def test_every_must_is_quoted_by_a_test(repository):
    stated = set(STATED.findall((repository / "docs" / "protocol.md").read_text()))
    assert len(stated) >= 19
    tests = "\n".join(path.read_text() for path in (repository / "tests").rglob("test_*.py"))
    docstrings = re.findall(r'"""([JCKPRSTW]\d+: .*?)"""', tests, re.DOTALL)
    quoted = {identifier for text in docstrings for identifier in QUOTED.findall(text)}
    assert quoted == stated
