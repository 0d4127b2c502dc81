"""Name what reads fixes into trips, so that a store knows when another engine read its history.

Another model is seen by its bytes. Another rule or constant is not: whoever changes one in a way
that reads the same fixes differently raises `RULES`. `test_engine.py` fails where drawn histories
are read differently, and so reminds of most. It reads no fix, and brings no numpy to the pages.
"""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from personal_store.trips import model

RULES: Final = 1
"""Number of the rules and constants of cleaning, stays, legs, trips and modes."""


@cache
def engine_mark() -> str:
    """Return the mark of this program's engine: its rules' number, and a digest of its model."""
    trees = files(model).joinpath(model.MODEL_FILE).read_bytes()
    return f"{RULES}-{sha256(trees).hexdigest()[:16]}"
