"""Follow the cooperative's log from one year into the next, and only into the one that it named.

A handover is believed when the log trusted so far names the new one in its last leaf, the new one
binds that log's size and root in its first, the stewards (where the resident named some) cosigned
both, and the closed log continues every checkpoint that was seen of it. A second successor, or a
closed log that contradicts what was seen, is a fork: the signed notes are kept as evidence.
"""

from collections.abc import Sequence

from consents.errors import ConsentsError, HandoverError, ProofError
from consents.tlog import merkle
from consents.tlog.checkpoint import Checkpoint, read_checkpoint
from consents.tlog.shards import Handover, Succession
from personal_store import cooperative
from personal_store.answers import out_of_protocol
from personal_store.choices.fork_watch import accuse
from personal_store.db import checkpoints, memberships, successions, trust
from personal_store.db.checkpoints import Seen
from personal_store.db.connection import reading, writing
from personal_store.membership import Membership
from personal_store.store import Store


def follow(store: Store, membership: Membership) -> Membership:
    """
    Return the membership with every log that was handed over to by now; ask nobody offline.

    A log that too few stewards have cosigned yet is followed the next time. Raises TransportError
    for a handover that does not hold, LogForked for one that contradicts what was seen.
    """
    # What was followed earlier by whoever holds the same store: the caller may not know it yet.
    with reading(store.engine) as connection:
        membership = memberships.of(connection, membership.url)
    shown = cooperative.handovers(store.connect(membership.url), after=membership.log_vkeys[0])
    if len(shown) < len(membership.former):
        out_of_protocol("log/handovers", None)
    _expect_known(store, membership, shown)
    for handover in shown[len(membership.former) :]:
        try:
            succession = handover.verify(membership.log_vkey)
        except HandoverError as error:
            out_of_protocol("log/handovers", error)
        if not _cosigned(store, membership, handover):
            break
        _expect_continues(store, membership, handover, succession)
        membership = _keep(store, membership, handover, succession)
    return membership


def _expect_known(store: Store, membership: Membership, shown: Sequence[Handover]) -> None:
    """Hold the cooperative to what was followed: another successor, or another end, is a fork."""
    with reading(store.engine) as connection:
        kept = successions.every(connection, membership.url)
    for vkey, before, handover in zip(membership.log_vkeys, kept, shown, strict=False):
        try:
            same_end = _end(handover) == _end(before)
            if handover.successor == before.successor and same_end:
                continue
            handover.verify(vkey)
        except ConsentsError as error:
            out_of_protocol("log/handovers", error)
        accuse(store, membership, [before.closing.checkpoint, handover.closing.checkpoint])


def _end(handover: Handover) -> Checkpoint:
    return read_checkpoint(handover.closing.checkpoint)


def _cosigned(store: Store, membership: Membership, handover: Handover) -> bool:
    """Tell whether the pinned stewards cosigned both notes; without any, the log's word is all."""
    with reading(store.engine) as connection:
        pinned = trust.pinned_for(connection, membership.url)
    if pinned is None:
        return True
    try:
        policy = pinned.policy.followed_by([*membership.log_vkeys, handover.successor])
        for receipt in (handover.closing, handover.opening):
            policy.attest(receipt.checkpoint)
    except ConsentsError:
        return False
    return True


def _expect_continues(
    store: Store, membership: Membership, handover: Handover, succession: Succession
) -> None:
    """Check that the closed log continues whatever was seen of it; accuse it otherwise."""
    number, final = len(membership.former), succession.final
    start = membership.start(number)
    with reading(store.engine) as connection:
        seen = checkpoints.unlinked(connection, membership.url)
    for each in (each for each in seen if each.size > start):
        notes = [each.note, handover.closing.checkpoint]
        size = each.size - start
        if size > final.size or (size == final.size and each.root != final.root):
            accuse(store, membership, notes)
        if size == final.size:
            continue
        answer = cooperative.continuation(
            store.connect(membership.url), membership, old=size, number=number
        )
        if read_checkpoint(answer.note).root != final.root:
            accuse(store, membership, [answer.note, handover.closing.checkpoint])
        try:
            merkle.verify_consistency(
                old_size=size,
                new_size=final.size,
                old_root=each.root,
                new_root=final.root,
                proof=answer.hashes,
            )
        except ProofError:
            accuse(store, membership, notes, answer.hashes)


def _keep(
    store: Store, membership: Membership, handover: Handover, succession: Succession
) -> Membership:
    start = membership.start(len(membership.former))
    final = succession.final
    last = Seen(size=start + final.size, root=final.root, note=handover.closing.checkpoint)
    # The new log is held to what it showed first, so that nobody is shown another one later.
    opened = Seen(
        size=last.size + succession.opened.size,
        root=succession.opened.root,
        note=handover.opening.checkpoint,
    )
    with writing(store.engine) as connection:
        successions.add(
            connection, membership.url, len(membership.former), handover, size=final.size
        )
        for each in (*checkpoints.unlinked(connection, membership.url), last):
            if each.size <= last.size:
                checkpoints.keep(connection, membership.url, each)
                checkpoints.link(connection, membership.url, each)
        checkpoints.keep(connection, membership.url, opened)
        return memberships.of(connection, membership.url)
