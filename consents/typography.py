"""The no-break spaces of French pages, so that no line begins with a sign that ends a word.

A narrow screen breaks a line at any plain space, which leaves a lone « : » or « ? » behind. It is
not a writer of sentences: those keep plain spaces, so that people can search and compare them; a
page gets the spaces when it is made. What is shown to be copied, byte for byte, keeps its own.

Spec: Lexique des règles typographiques en usage à l'Imprimerie nationale, the no-break spaces of
punctuation; Unicode U+00A0 and U+202F.
"""

import re
from typing import Final

_NO_BREAK: Final = "\u00a0"
_NARROW: Final = "\u202f"
_MARKUP: Final = re.compile(
    r"<(?P<name>pre|code|textarea|style|script)\b.*?</(?P=name)\s*>|<[^>]*>", re.DOTALL
)
_SPACES: Final = (
    (re.compile(r" (?=[;!?])"), _NARROW),
    (re.compile(r" (?=[:»])|(?<=«) "), _NO_BREAK),
)


def french_page(html: str) -> str:
    r"""Return a French page whose signs stay on the line of their word.

    Attributes and what stands in `pre`, `code` and `textarea` are left as they are.

    >>> french_page('<p title="a : b">« Oui » : <code>a : b</code></p>')
    '<p title="a : b">«\xa0Oui\xa0»\xa0: <code>a : b</code></p>'
    """
    parts = []
    end = 0
    for markup in _MARKUP.finditer(html):
        parts += [_spaced(html[end : markup.start()]), markup[0]]
        end = markup.end()
    return "".join([*parts, _spaced(html[end:])])


def _spaced(text: str) -> str:
    for plain, no_break in _SPACES:
        text = plain.sub(no_break, text)
    return text
