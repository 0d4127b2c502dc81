"""Hold a cooperative to one log: each checkpoint that it showed must be continued by the next.

After each exchange the store asks for the proof that the newest log continues what it saw before,
in receipts and in earlier answers. Two notes that cannot belong to one log are kept as evidence,
for stewards and auditors: they verify with the log's key alone. From then on nothing is
contributed. Silence accuses nobody: the next exchange asks again.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from consents.errors import NoteError, ProofError
from consents.tlog import merkle
from consents.tlog.checkpoint import verify_checkpoint
from personal_store import cooperative
from personal_store.cooperative import Continuation
from personal_store.db import checkpoints
from personal_store.db.checkpoints import Seen
from personal_store.db.connection import reading, writing
from personal_store.errors import LogForked, TransportError
from personal_store.membership import Membership
from personal_store.store import Store


def watch(store: Store, membership: Membership, notes: Sequence[str]) -> None:
    """Check that the log continues `notes`, just received, and whatever was seen before.

    Raises LogForked once it does not, with the evidence kept.
    """
    expect_one_log(store, membership)
    with writing(store.engine) as connection:
        for note in notes:
            with suppress(NoteError):
                checkpoints.keep(connection, membership.url, _seen(membership, note))
        known = checkpoints.unlinked(connection, membership.url)
    with suppress(TransportError):
        for seen in known:
            _expect_same_size(store, membership, seen)
            _expect_continued(store, membership, seen)


def expect_one_log(store: Store, membership: Membership) -> None:
    """Raise LogForked when evidence of a fork is kept."""
    with reading(store.engine) as connection:
        if checkpoints.fork_of(connection, membership.url) is not None:
            raise forked()


def _seen(membership: Membership, note: str) -> Seen:
    number = membership.number_of(note)
    checkpoint = verify_checkpoint(note, membership.log_vkeys[number])
    return Seen(size=membership.start(number) + checkpoint.size, root=checkpoint.root, note=note)


def _expect_same_size(store: Store, membership: Membership, seen: Seen) -> None:
    with reading(store.engine) as connection:
        same = checkpoints.of_size(connection, membership.url, seen.size)
    if len(same) > 1:
        accuse(store, membership, [each.note for each in same])


def _expect_continued(store: Store, membership: Membership, seen: Seen) -> None:
    transport = store.connect(membership.url)
    number = membership.number_of(seen.note)
    start = membership.start(number)
    answer = cooperative.continuation(transport, membership, old=seen.size - start, number=number)
    newest = _seen(membership, answer.note)
    if number < len(membership.former) and newest.size > membership.start(number + 1):
        # A closed log that grows: it was handed over at another size.
        accuse(store, membership, [seen.note, newest.note])
    if newest.size < seen.size:
        accuse(store, membership, [seen.note, newest.note])
    if (newest.size, newest.root) == (seen.size, seen.root):
        return
    if not _continues(seen, newest, answer, start=start):
        accuse(store, membership, [seen.note, newest.note], answer.hashes)
    with writing(store.engine) as connection:
        checkpoints.keep(connection, membership.url, newest)
        checkpoints.link(connection, membership.url, seen)


def _continues(seen: Seen, newest: Seen, answer: Continuation, *, start: int) -> bool:
    try:
        merkle.verify_consistency(
            old_size=seen.size - start,
            new_size=newest.size - start,
            old_root=seen.root,
            new_root=newest.root,
            proof=answer.hashes,
        )
    except ProofError:
        return False
    return True


def accuse(
    store: Store, membership: Membership, notes: Sequence[str], hashes: Sequence[bytes] = ()
) -> NoReturn:
    """Keep what proves a fork, and raise LogForked."""
    evidence = {"checkpoints": list(notes), "hashes": [node.hex() for node in hashes]}
    with writing(store.engine) as connection:
        checkpoints.keep_fork(
            connection,
            membership.url,
            evidence=json.dumps(evidence, sort_keys=True),
            at=store.clock.now(),
        )
    raise forked()


def forked() -> LogForked:
    """Say that a log was forked, and what to do."""
    return LogForked(
        fr="La coopérative a montré deux journaux qui ne s'accordent pas : aucune contribution ne "
        "part plus. Les deux notes signées sont gardées ; portez-les aux témoins (« consents "
        "receipts »). Vous pouvez toujours retirer votre accord.",
        en="The cooperative has shown two logs that do not agree: no contribution leaves any more. "
        "Both signed notes are kept; take them to the stewards (“consents receipts”). You can "
        "still withdraw.",
    )
