"""Keep the resident's own words of an export: each once, under this store's own numbers.

The same word a second time adds nothing. What is there stays: a home of the export beside a home
of this store becomes another place, and a place that was hidden since is not named again.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from personal_store.db import corrections, places
from personal_store.trips.corrections import Correction, Habit
from personal_store.trips.locations import Place, PlaceKind, place_at
from personal_store.trips.own_words import Word


def add(connection: Connection, words: Sequence[Word], *, at: datetime) -> int:
    """Keep the words that are not there yet, in their order; return how many were new."""
    if not words:
        return 0
    named = places.every(connection)
    known: list[Word] = [*corrections.every(connection), *corrections.habits(connection), *named]
    there = Counter(map(_what, known))
    hidden = [each for each in named if each.hidden]
    single = {each.kind for each in named if each.kind is not PlaceKind.OTHER}
    new = 0
    for word in words:
        what = _what(word)
        if there[what]:
            # One of those kept is this one; the same said again later is another.
            there[what] -= 1
            continue
        if isinstance(word, Place) and not word.hidden and place_at(word.centre, hidden):
            continue
        new += 1
        if isinstance(word, Correction):
            corrections.add(connection, word, at=at)
        elif isinstance(word, Habit):
            corrections.add_habit(connection, word, at=at)
        else:
            kind = PlaceKind.OTHER if word.kind in single else word.kind
            places.add(connection, replace(word, kind=kind), at=at)
    return new


def _what(word: Word) -> Word:
    """Return a word less what a store makes of it: its number, and of a place its kind."""
    if isinstance(word, Place):
        return replace(word, number=0, kind=PlaceKind.OTHER)
    return replace(word, number=0)
