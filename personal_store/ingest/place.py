"""Where in a file reading can go on: what the journal of an import keeps. It reads nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonPlace:
    """A place between two entries of a top-level array: after `offset_bytes`, under `key`.

    `is_bare` says that the document is that array, and no object around it.
    """

    offset_bytes: int
    key: str
    is_bare: bool
