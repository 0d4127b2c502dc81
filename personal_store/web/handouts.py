"""Files that an answer hands out: a new key, the proofs of what was just ended.

They are kept in memory alone, under a name that nobody guesses, until as many newer ones have come
or the program ends: a download that broke off can be asked for again. What they prove is proved
elsewhere too. Not the receipts, which the store keeps.
"""

import secrets
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO

MOST_KEPT = 16
"""Files kept at a time, in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handout:
    """A file to take away: its name, its media type and its bytes."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(slots=True)
class Handouts:
    """The newest handouts by token."""

    _kept: dict[str, Handout] = field(default_factory=dict, repr=False)

    def keep(self, handout: Handout) -> str:
        """Keep a file; return the token that gives it back."""
        token = secrets.token_urlsafe(16)
        self._kept[token] = handout
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return token

    def of(self, token: str) -> Handout | None:
        """Return the file of a token, None once it is forgotten."""
        return self._kept.get(token)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return files as one archive."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()
