"""The no-break spaces of French pages, beside what must stay as it is."""

import doctest

import pytest

from consents import typography
from consents.typography import french_page

PLAIN = {
    "attribute": '<input value="a : b ?">',
    "bytes": "<pre>a : b</pre><code class=x>c ; d</code><textarea>e ?</textarea>",
    "hours": "<p>à 13:59, 1 450 km</p>",
    "entity": "<p>l&#39;un &amp; l&#39;autre</p>",
    "comparison in an attribute": '<p title="« a »">b</p>',
}


@pytest.mark.parametrize("sign", [":", ";", "!", "?", "»"])
def test_a_sign_stays_with_the_word_before_it(sign) -> None:
    page = french_page(f"<p>mot {sign} suite</p>")
    assert f" {sign}" not in page
    assert page.replace("\u00a0", " ").replace("\u202f", " ") == f"<p>mot {sign} suite</p>"


def test_an_opening_quotation_mark_stays_with_the_word_after_it() -> None:
    assert "«\u00a0mot" in french_page("<p>« mot</p>")


def test_a_sign_after_an_element_stays_with_it() -> None:
    assert "</strong>\u00a0:" in french_page("<p><strong>mot</strong> : suite</p>")


@pytest.mark.parametrize("html", PLAIN.values(), ids=PLAIN.keys())
def test_what_is_to_be_copied_or_sent_is_left_as_it_is(html) -> None:
    assert french_page(html) == html


def test_the_examples_of_the_module_hold() -> None:
    results = doctest.testmod(typography)
    assert results.attempted >= 1
    assert results.failed == 0
