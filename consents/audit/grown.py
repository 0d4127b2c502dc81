"""Verifying logs into a timeline: whole the first time, only what is new the next.

A log that has grown since it was verified goes through the same single pass (`verify.replay`). Each
old leaf is hashed and must be the one that was verified, bit for bit, so that the signed root over
old and new leaves shows both that the log continues and that nothing before was touched. The
signatures and chains that are verified again are those of consents that the new leaves go on with,
from their first leaf, and must come to what was kept. What was kept can spare work, never accuse:
where an old leaf is another, or anything at all is found, the whole log is verified anew.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from itertools import islice

from consents.audit.timeline import Timeline, TimelineBuilder, TrustedKeys
from consents.canonical import base64url_bytes, parse_json
from consents.errors import CanonicalError, NoteError
from consents.tlog.checkpoint import read_checkpoint
from consents.verify.verification import LogFiles, Verification, verify_log


class _Diverged(Exception):
    """An entry is not the one that was verified in its place."""


def verified_timeline(
    logs: Sequence[LogFiles], keys: TrustedKeys, *, kept: Timeline | None = None
) -> tuple[Verification, Timeline | None]:
    """
    Verify whole logs, one for each year, and return what was found.

    With it comes their timeline where all of them are sound. `kept` is one of their beginning, with
    the keys of as many logs and the same stewards'; the entries are then read twice. Raises
    KeptError where it does not follow from the entries.
    """
    if kept is not None:
        with suppress(_Diverged):
            verification, timeline = _verified(logs, keys, kept)
            if timeline is not None:
                return verification, timeline
    return _verified(logs, keys, None)


def _verified(
    logs: Sequence[LogFiles], keys: TrustedKeys, kept: Timeline | None
) -> tuple[Verification, Timeline | None]:
    moved = frozenset() if kept is None else frozenset(_moved(logs, kept))
    builder = TimelineBuilder(kept, replayed=moved)
    *former, newest = logs
    verification = verify_log(
        newest,
        former=former,
        operator_kids=keys.operators,
        steward_kids=keys.stewards,
        observe=builder.observe,
        known=None if kept is None else _Known(kept, moved, builder).spares,
    )
    if verification.checkpoint is None or verification.findings:
        return verification, None
    finals = [read_checkpoint(each.checkpoint) for each in former]
    return verification, builder.timeline(verification.checkpoint, keys, former=finals)


class _Known:
    """Says which entries were verified before and are of consents that do not go on."""

    def __init__(self, kept: Timeline, moved: Collection[bytes], builder: TimelineBuilder) -> None:
        self._kept = kept
        self._size = len(kept)
        self._moved = moved
        self._builder = builder

    def spares(self, index: int, leaf_hash: bytes) -> bool:
        """Tell whether this entry needs no more; raise _Diverged when it is another."""
        if index >= self._size:
            return False
        if self._kept.leaf_hash(index) != leaf_hash:
            raise _Diverged
        if self._kept.cid(index) in self._moved:
            return False
        self._builder.skip()
        return True


def _moved(logs: Sequence[LogFiles], kept: Timeline) -> Iterator[bytes]:
    """Yield the consents that new entries go on with, and those of the operators' entries.

    The latter hold the leaves at both ends of each log, which the turn of a year is judged by.
    """
    yield from {kept.cid(act.position) for act in kept.acts}
    old = len(kept)
    for log in logs:
        try:
            size = read_checkpoint(log.checkpoint).size
        except NoteError:
            return
        for leaf in islice(log.entries, old, None) if old < size else ():
            cid = _claimed_cid(leaf)
            if cid is not None:
                yield cid
        old = max(0, old - size)


def claims(leaf: bytes, cid: str) -> bool:
    """Tell whether an entry claims to be of this consent; its signature is not looked at."""
    claimed = _claimed_cid(leaf)
    return claimed is not None and claimed.hex() == cid


def _claimed_cid(leaf: bytes) -> bytes | None:
    """Return the consent id that an entry claims; None where it cannot be read."""
    try:
        value = parse_json(base64url_bytes(leaf.decode("ascii").split(".")[1]))
        return bytes.fromhex(value["cid"]) if isinstance(value, dict) else None
    except (CanonicalError, IndexError, KeyError, TypeError, ValueError):
        return None
