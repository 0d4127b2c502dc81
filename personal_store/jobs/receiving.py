"""Take in letters: what they hold goes into the database, in the caller's transaction.

Live messages and drained ones go through here alike, each with the time at which it was received.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from personal_store.db import devices, evidence, positionfixes
from personal_store.db.devices import Device, Visit
from personal_store.db.fix_rows import fix_row
from personal_store.db.units import to_ms
from personal_store.ingest.live.letter import Letter, LetterRead
from personal_store.ingest.live.read import read_letter
from personal_store.ingest.positionfix import Evidence, Positionfix, Rejected
from personal_store.vault import Randomness


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A letter with what was read in it, None where its door is closed."""

    letter: Letter
    read: LetterRead | None


def open_doors(connection: Connection) -> dict[str, Device]:
    """Return the devices that may send, by their door."""
    return {each.door: each for each in devices.every(connection) if each.revoked_at is None}


def run_once(
    connection: Connection,
    letters: Sequence[Letter],
    *,
    doors: Mapping[str, Device],
    randomness: Randomness,
) -> list[Received]:
    """Read the letters, add what they hold, and count it to their devices."""
    received = [
        Received(letter=letter, read=_read(letter, doors.get(letter.door), randomness))
        for letter in letters
    ]
    rows = [
        fix_row(entry, to_ms(each.letter.received_at))
        for each in received
        if each.read
        for entry in each.read.entries
        if isinstance(entry, Positionfix)
    ]
    positionfixes.add_rows(connection, rows)
    for each in received:
        statements = [e for e in each.read.entries if isinstance(e, Evidence)] if each.read else []
        evidence.add(connection, statements, received_at=each.letter.received_at)
    devices.note(connection, _visits(received))
    return received


def _read(letter: Letter, device: Device | None, randomness: Randomness) -> LetterRead | None:
    if device is None:
        return None
    return read_letter(
        letter,
        device=device.device,
        encryption_key=device.encryption_key,
        randomness=randomness,
    )


def _visits(received: Sequence[Received]) -> list[Visit]:
    """Return one visit for each door, however many letters came through it."""
    by_door: dict[str, list[tuple[Letter, LetterRead]]] = {}
    for each in received:
        if each.read is not None:
            by_door.setdefault(each.letter.door, []).append((each.letter, each.read))
    return [
        Visit(
            door=door,
            seen_at=max(letter.received_at for letter, _ in letters),
            positions=_count(letters, Positionfix),
            rejected=_count(letters, Rejected),
            unreadable=sum(read.unreadable for _, read in letters),
        )
        for door, letters in by_door.items()
    ]


def _count(letters: Sequence[tuple[Letter, LetterRead]], kind: type) -> int:
    return sum(isinstance(entry, kind) for _, read in letters for entry in read.entries)
