"""Empty the sealed inbox into the database, each letter once.

What was read and how far are committed together; the file goes only after. So a crash at any point
leaves either letters that are still to read, or a file of which the database knows that it is
read. Letters that do not open are on disk, sealed, before that is committed: they may open once a
device's key is put right.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from personal_store.db import inbox as kept
from personal_store.db.connection import reading, writing
from personal_store.doors import inbox
from personal_store.doors.inbox import SealedLetter, SealedLetters
from personal_store.ingest.live.letter import Letter
from personal_store.ingest.positionfix import Positionfix
from personal_store.jobs import receiving
from personal_store.jobs.receiving import Received
from personal_store.store import Store

LETTERS_AT_A_TIME = 500
BYTES_AT_A_TIME = 4 * 1024 * 1024
"""In one transaction, whichever is reached first: it bounds the memory, whatever was sent."""


@dataclass(slots=True, kw_only=True)
class DrainReport:
    """What the inbox held.

    `letters` counts messages and `positions` what they gave. `closed` counts messages of devices
    that were revoked since, which are dropped. `unopened` counts messages that were damaged, or
    encrypted with another key than the device's; the files that hold these alone are in
    `set_aside`.
    """

    letters: int = 0
    positions: int = 0
    closed: int = 0
    unopened: int = 0
    set_aside: list[Path]


def run_once(store: Store, *, retry_kept: bool = False) -> DrainReport:
    """Read every sealed letter of the store's folder, then remove the inbox.

    With `retry_kept`, also those that did not open before.
    """
    report = DrainReport(set_aside=[])
    if not retry_kept and not inbox.has_waiting(store.folder):
        return report
    with writing(store.engine) as connection:
        key = kept.private_key(connection, randomness=store.randomness)
    with inbox.draining(
        store.folder, randomness=store.randomness, retry_kept=retry_kept
    ) as inboxes:
        for letters in inboxes:
            while _drain_some(store, letters, key, report):
                pass
            with reading(store.engine) as connection:
                unopened = kept.mark(connection, generation=letters.generation).unopened
            if unopened:
                report.set_aside.append(letters.kept_path)
            letters.remove()
    return report


def count_waiting(store: Store) -> int:
    """Return how many letters are still to drain."""
    if not inbox.has_waiting(store.folder):
        return 0
    with reading(store.engine) as connection:
        mark = kept.newest_mark(connection)
    return inbox.count_waiting(
        store.folder, generation=mark.generation, drained_bytes=mark.drained_bytes
    )


def _drain_some(
    store: Store, letters: SealedLetters, key: X25519PrivateKey, report: DrainReport
) -> bool:
    """Take in the next letters in one transaction; tell whether there were any."""
    with writing(store.engine) as connection:
        mark = kept.mark(connection, generation=letters.generation)
        frames = list(_some(letters.after(mark.drained_bytes)))
        if not frames:
            return False
        opened = [(frame.sealed, _unsealed(frame, key)) for frame in frames]
        received = receiving.run_once(
            connection,
            [letter for _, letter in opened if letter is not None],
            doors=receiving.open_doors(connection),
            randomness=store.randomness,
        )
        refused = {id(each.letter) for each in received if each.read and each.read.refused}
        unopened = [sealed for sealed, letter in opened if letter is None or id(letter) in refused]
        if unopened:
            letters.keep(unopened)
        kept.move_mark(
            connection,
            replace(mark, drained_bytes=frames[-1].end, unopened=mark.unopened + len(unopened)),
        )
    _count(report, received, len(unopened))
    return True


def _some(frames: Iterator[SealedLetter]) -> Iterator[SealedLetter]:
    """Yield as many frames as one transaction takes."""
    size_bytes = 0
    for frame in islice(frames, LETTERS_AT_A_TIME):
        yield frame
        size_bytes += len(frame.sealed)
        if size_bytes > BYTES_AT_A_TIME:
            return


def _unsealed(frame: SealedLetter, key: X25519PrivateKey) -> Letter | None:
    with suppress(ValueError):
        return Letter.from_bytes(inbox.unseal(frame.sealed, key))
    return None


def _count(report: DrainReport, received: Sequence[Received], unopened: int) -> None:
    report.unopened += unopened
    report.letters += len(received)
    for each in received:
        if each.read is None:
            report.closed += 1
        else:
            report.positions += sum(isinstance(e, Positionfix) for e in each.read.entries)
