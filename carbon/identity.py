"""Which factor set is the newest: its name and its SHA-256, for programs that only have to name it.

A cooperative names the factors that every store must compute with and reads none of them.
It is not a factor set: see `carbon.factors`.

>>> newest_set().name == load_factor_set().name
True
"""

from dataclasses import dataclass

from carbon.factors import load_factor_set


@dataclass(frozen=True, slots=True, kw_only=True)
class SetIdentity:
    """The name of a factor set and the SHA-256 that pins its files, in hexadecimal.

    >>> SetIdentity(name="factors-2026-11-22", sha256="00" * 32).name
    'factors-2026-11-22'
    """

    name: str
    sha256: str


def newest_set() -> SetIdentity:
    """Return the identity of the newest set that the package carries.

    >>> len(newest_set().sha256)
    64
    """
    newest = load_factor_set()
    return SetIdentity(name=newest.name, sha256=newest.sha256)
