"""The drop-box job: fetch what residents left with the stewards, and honour it.

Runs before a batch is frozen: a withdrawal counts from the stewards' receipt. A slip is believed
only with the stewards' signature, whose key the caller pins. What does not fit yet (an event before
it is still on its way) is tried again for a week.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sqlalchemy import Connection

from consents.checkpoint import NoteKey
from consents.errors import ConsentsError
from consents.jws import thumbprint_of_raw
from consents.promise import DropboxSlip, read_slip
from coop_aggregator.db import slips as db
from coop_aggregator.db.identity import lock
from coop_aggregator.dropbox import fetch_request
from coop_aggregator.errors import WitnessFailed
from coop_aggregator.installation import Leader
from coop_aggregator.intake import receive_slip
from coop_aggregator.jobs.witness import Answer

RETRIED = timedelta(days=7)
"""How long an event that does not fit is tried again."""

_OK = 200


class DropboxTransport(Protocol):
    """One way to reach one drop-box."""

    def fetch_slips(self, body: bytes) -> Answer:
        """POST `body` to the drop-box. Raises WitnessFailed when it cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DropboxReport:
    """How many slips this run fetched, how many events the log took, how many still wait."""

    fetched: int
    taken: int
    waiting: int


def run_round(leader: Leader, ways: Mapping[str, DropboxTransport]) -> None:
    """Honour the drop-box of each verifier key; raise WitnessFailed once all were asked.

    One that cannot be read holds back what follows: it may hold a withdrawal.
    """
    failed: WitnessFailed | None = None
    for vkey, transport in ways.items():
        try:
            run_once(leader, transport, vkey=vkey)
        except WitnessFailed as error:
            failed = error
    if failed is not None:
        raise failed


def run_once(leader: Leader, transport: DropboxTransport, *, vkey: str) -> DropboxReport:
    """Fetch every new slip and take its event in. Raises WitnessFailed."""
    kid = _kid(vkey)
    fetched = 0
    while new := _fetch(leader, transport, vkey):
        # Everything is checked before anything is kept: one bad slip, and the drop-box is not ours.
        slips = [(each, _believed(each, kid)) for each in new]
        with leader.database.write() as connection:
            lock(connection)
            for each, slip in slips:
                db.add_fetched(
                    connection,
                    witness=vkey,
                    slip=each,
                    leaf_sha256=slip.event.head,
                    received_at=slip.received_at,
                )
        fetched += len(new)
    with leader.database.write() as connection:
        lock(connection)
        return _take(leader, connection, vkey, kid, fetched)


def _take(
    leader: Leader, connection: Connection, vkey: str, kid: str, fetched: int
) -> DropboxReport:
    since = leader.clock.now() - RETRIED
    waiting = db.waiting_slips(connection, witness=vkey, since=since)
    taken = 0
    for each in waiting:
        if receive_slip(leader, connection, _believed(each, kid).event.leaf):
            db.mark_taken(connection, witness=vkey, sequence=each.sequence)
            taken += 1
    return DropboxReport(fetched=fetched, taken=taken, waiting=len(waiting) - taken)


def _fetch(leader: Leader, transport: DropboxTransport, vkey: str) -> Sequence[db.NumberedSlip]:
    # No transaction stays open while the network answers.
    with leader.database.read() as connection:
        after = db.last_fetched(connection, vkey)
    request = fetch_request(leader.keys.log, after=after, now=leader.clock.now())
    answer = transport.fetch_slips(json.dumps({"request": request.decode("ascii")}).encode())
    if answer.status != _OK:
        raise _failed()
    try:
        found = [
            db.NumberedSlip(sequence=int(each["sequence"]), slip=str(each["slip"]).encode("ascii"))
            for each in json.loads(answer.text)["slips"]
        ]
    except (ValueError, KeyError, TypeError, UnicodeEncodeError) as error:
        raise _failed() from error
    numbers = [each.sequence for each in found]
    if numbers != sorted(set(numbers)) or (numbers and numbers[0] <= after):
        raise _failed()
    return found


def _believed(each: db.NumberedSlip, kid: str) -> DropboxSlip:
    try:
        return read_slip(each.slip, kid=kid)
    except ConsentsError as error:
        raise _failed() from error


def _kid(vkey: str) -> str:
    try:
        return thumbprint_of_raw(NoteKey.parse(vkey).public_key)
    except ConsentsError as error:
        raise _failed() from error


def _failed() -> WitnessFailed:
    return WitnessFailed(
        fr="La boîte de dépôt des témoins n'a pas répondu comme prévu. Attendu : des reçus signés "
        "par la clé donnée, dans l'ordre. Rien n'a été gardé de cette réponse.",
        en="The stewards' drop-box did not answer as expected. Expected: slips signed by the given "
        "key, in order. Nothing was kept of this answer.",
    )
