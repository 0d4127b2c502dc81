"""What a reader is shown of two versions of a purpose."""

from dataclasses import replace

import pytest

from consents.__main__ import main


@pytest.fixture
def compare(tmp_path, capsys):
    """Return a function that runs the command on two contents: code, text, page."""

    def compare(old, new):
        paths = [tmp_path / "old", tmp_path / "new"]
        for path, content in zip(paths, (old, new), strict=True):
            path.write_bytes(content)
        page = tmp_path / "page.html"
        arguments = [*map(str, paths), "--html", str(page), "--lang", "en"]
        code = main(["purposes", "differences", *arguments])
        return code, capsys.readouterr().out, page.read_text() if page.exists() else ""

    return compare


def test_changed_words_are_shown_struck_and_new(compare, purpose):
    new = replace(purpose, text_en="Only <b>this</b>.", version="9")
    code, text, page = compare(purpose.to_bytes(), new.to_bytes())
    assert code == 0
    assert f"-text_en: {purpose.text_en}" in text
    assert "+text_en: Only <b>this</b>." in text
    assert "title_en" not in text
    assert "<ins>" in page
    assert "<del>" in page
    assert "&lt;b&gt;this" in page
    assert "<b>" not in page


def test_equal_purposes_are_said_to_be_equal(compare, purpose):
    code, text, page = compare(purpose.to_bytes(), purpose.to_bytes())
    assert (code, text) == (0, "No word changed.\n")
    assert "No word changed." in page
    assert "<ins>" not in page


def test_what_is_no_purpose_cannot_be_compared(compare, purpose):
    assert compare(purpose.to_bytes(), b"{}") == (3, "", "")
