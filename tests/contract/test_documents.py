"""Documents lead somewhere, and the list of changes says once what is missing."""

import re

import pytest

PAGES = ("README.md", "CHANGELOG.md", "docs/**/*.md", "carbon/data/*.md")


def _anchors(text: str) -> set[str]:
    """Return the anchors that a forge makes of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}


@pytest.mark.parametrize("pattern", PAGES)
def test_every_link_between_documents_leads_somewhere(repository, pattern):
    dead = []
    pages = sorted(repository.glob(pattern))
    assert pages
    for page in pages:
        for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", page.read_text()):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            if not target.exists() or (anchor and anchor not in _anchors(target.read_text())):
                dead.append(f"{page.relative_to(repository)}: {link}")
    assert dead == []


def test_what_is_missing_is_listed_once_and_last(repository):
    text = (repository / "CHANGELOG.md").read_text()
    assert text.count("### Not yet") == 1
    missing = text.split("### Not yet\n")[1].split("\n## ")[0]
    lines = [line for line in missing.splitlines() if line.startswith("- ")]
    assert lines
    assert len(lines) == len(set(lines))
