"""What a resident has erased: the link from a consent to its member, and reports not yet counted.

The cooperative never held a body or its key: those are the store's, which erases its own. Here the
member's link goes, the reports that no batch holds go, and the log says so once for each leaf. What
stays is what a published sum rests on: the leaves, and the reports of batches that were frozen,
without their sender. Not a withdrawal, which comes first and needs nobody's answer.
"""

from dataclasses import dataclass
from typing import NoReturn

from sqlalchemy import Connection

from consents.errors import ConsentsError
from consents.records.erasure import read_erasure, shredding
from consents.records.receipt import EventType, SignedEvent, leaf_sha256, read_event
from consents.tlog.log import LogReceipt
from coop_aggregator.db import log as log_db
from coop_aggregator.db import members as members_db
from coop_aggregator.db import reports as reports_db
from coop_aggregator.db.identity import lock
from coop_aggregator.db.shards import Shards
from coop_aggregator.errors import ErasureRefused
from coop_aggregator.installation import Leader
from coop_aggregator.tlog.log import LeaderLog
from coop_aggregator.tlog.standing import standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Shredded:
    """One emptied leaf: the operator's entry about it with its proof, and the key that opens it."""

    target: str
    entry: LogReceipt
    commitment_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was done for one consent; `reports_kept` stay in frozen batches, without sender."""

    shredded: tuple[Shredded, ...]
    reports_kept: int


def erase(leader: Leader, token: bytes) -> Erased:
    """Erase what can be, and log it. Asking again changes nothing and answers the same entries.

    Raises ErasureRefused unless the consent's own key asks, or while the consent is in force.
    """
    try:
        request = read_erasure(token)
    except ConsentsError:
        _refuse()
    with leader.database.write() as connection:
        lock(connection)
        holder = members_db.consent_holder(connection, request.cid)
        log = leader.log(connection)
        if holder is None or holder.kid != request.kid or request.origin not in log.shards.origins:
            _refuse()
        events = [read_event(leaf) for leaf in log_db.leaves_of(connection, request.cid)]
        _expect_ended(log.shards, [event.leaf for event in events])
        choices = [event for event in events if event.payload.t.of_consent]
        positions = [_logged(connection, log, event) for event in choices]
        members_db.forget_holder(connection, request.cid)
        kept = reports_db.forget_sender(connection, request.cid)
        shredded = tuple(
            _shredded(connection, log, event.leaf, position)
            for event, position in zip(choices, positions, strict=True)
        )
    return Erased(shredded=shredded, reports_kept=kept)


def _expect_ended(shards: Shards, leaves: list[bytes]) -> None:
    state = standing(leaves, shards)
    if state is not None and state.status.permits:
        raise ErasureRefused(
            fr="Cet accord est en cours : retirez-le d'abord. Rien n'a été effacé.",
            en="This consent is in force: withdraw it first. Nothing was erased.",
            status=409,
        )


def _logged(connection: Connection, log: LeaderLog, event: SignedEvent) -> int:
    target = leaf_sha256(event.leaf)
    position = log_db.erasure_position(connection, target)
    if position is None:
        position = log.record(
            EventType.BODY_SHREDDED, purpose_digest=event.payload.pd, body=shredding(event.leaf)
        )
        log_db.add_erasure(connection, leaf_sha256=target, position=position)
    return position


def _shredded(connection: Connection, log: LeaderLog, leaf: bytes, position: int) -> Shredded:
    body = log_db.operator_body_at(connection, position)
    assert body is not None, "an operator's entry is kept with its body"
    return Shredded(
        target=leaf_sha256(leaf),
        entry=log.receipt(position),
        commitment_key=body.commitment_key,
    )


def _refuse() -> NoReturn:
    raise ErasureRefused(
        fr="Demande refusée. Attendu : la demande d'effacer un accord connu ici, signée par la clé "
        "de cet accord. Rien n'a été effacé.",
        en="Request refused. Expected: a request to erase a consent known here, signed by the key "
        "of that consent. Nothing was erased.",
    )
