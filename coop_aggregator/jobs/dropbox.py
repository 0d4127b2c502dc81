"""The drop-box job: fetch what residents left with the stewards, and honour it.

Runs before a batch is frozen: a withdrawal counts from the stewards' receipt. A slip is believed
only with the stewards' signature, whose key the caller pins. What does not fit yet (an event before
it is still on its way) is tried again for a week, then forgotten here; the stewards keep it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Protocol

from sqlalchemy import Connection

from consents.errors import ConsentsError
from consents.jws import thumbprint_of_raw
from consents.tlog.checkpoint import NoteKey
from consents.tlog.promise import DropboxSlip, read_slip
from coop_aggregator.db import slips as db
from coop_aggregator.db.identity import lock
from coop_aggregator.db.shards import load_shards
from coop_aggregator.errors import WitnessFailed
from coop_aggregator.installation import Leader
from coop_aggregator.intake import receive_slip
from coop_aggregator.jobs.witness import Answer
from coop_aggregator.tlog.dropbox import fetch_request

RETRIED = timedelta(days=7)
"""How long an event that does not fit is tried again."""

MAX_ANSWERS = 200
"""Answers that one run reads from one drop-box (500 slips each); beyond, it says so and fails."""

TAKEN_AT_ONCE = 200
"""Slips tried in one transaction."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundReport:
    """The same over all drop-boxes, and the names of those that were not read to their end."""

    fetched: int
    taken: int
    waiting: int
    missing: tuple[str, ...]


def run_round(leader: Leader, ways: Mapping[str, DropboxTransport]) -> RoundReport:
    """Honour the drop-box of each verifier key; raise WitnessFailed with fewer than the quorum.

    Every one is asked, and what was read is kept. One that cannot be read, or not to its end, may
    hold a withdrawal: nothing is to be published while `missing` names any.
    """
    missing: list[str] = []
    reports: list[DropboxReport] = []
    for vkey, transport in ways.items():
        try:
            reports.append(run_once(leader, transport, vkey=vkey))
        except WitnessFailed:
            missing.append(NoteKey.parse(vkey).name)
    if len(reports) < leader.witnesses.quorum:
        silent = ", ".join(missing)
        raise WitnessFailed(
            fr=f"Boîtes de dépôt non lues : {silent}. Attendu : {leader.witnesses.quorum} sur "
            f"{len(ways)}. Rien n'est à publier avant de les avoir lues toutes.",
            en=f"Drop-boxes not read: {silent}. Expected: {leader.witnesses.quorum} of "
            f"{len(ways)}. Nothing is to be published before all of them are read.",
        )
    return RoundReport(
        fetched=sum(each.fetched for each in reports),
        taken=sum(each.taken for each in reports),
        waiting=sum(each.waiting for each in reports),
        missing=tuple(missing),
    )


def run_once(
    leader: Leader, transport: DropboxTransport, *, vkey: str, answers: int = MAX_ANSWERS
) -> DropboxReport:
    """Fetch every new slip and take its event in.

    Raises WitnessFailed, also when more slips wait than `answers` hold: what was read is kept, and
    the next run goes on from there.
    """
    kid = _kid(vkey)
    fetched = taken = 0
    ended = False
    for _ in range(answers):
        new = _fetch(leader, transport, vkey)
        ended = not new
        if ended:
            break
        taken += _keep(leader, vkey, kid, new)
        fetched += len(new)
    # What was fetched counts already, whatever still waits behind it.
    report = _retry(leader, vkey, kid)
    if not ended:
        raise _flooded()
    return replace(report, fetched=fetched, taken=report.taken + taken)


def _keep(leader: Leader, vkey: str, kid: str, new: Sequence[db.NumberedSlip]) -> int:
    """Keep slips just fetched and take in those that fit, however old; return how many did."""
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
                cid=slip.event.payload.cid,
                received_at=slip.received_at,
            )
        return sum(_taken(leader, connection, vkey, each, slip) for each, slip in slips)


def _taken(
    leader: Leader,
    connection: Connection,
    vkey: str,
    numbered: db.NumberedSlip,
    slip: DropboxSlip,
) -> bool:
    fits = receive_slip(leader, connection, slip.event.leaf, received_at=slip.received_at)
    if fits:
        db.mark_taken(connection, witness=vkey, sequence=numbered.sequence)
    return fits


def _retry(leader: Leader, vkey: str, kid: str) -> DropboxReport:
    """Try again what was fetched earlier and did not fit, for a week from the stewards' receipt.

    After that it is forgotten: a stranger may leave any number of slips.
    """
    since = leader.clock.now() - RETRIED
    taken = after = 0
    while True:
        # A transaction each some slips: those who send meanwhile are not kept waiting for all.
        with leader.database.write() as connection:
            lock(connection)
            waiting = db.waiting_slips(
                connection, witness=vkey, since=since, after=after, limit=TAKEN_AT_ONCE
            )
            for each in waiting:
                taken += _taken(leader, connection, vkey, each, _believed(each, kid))
            if len(waiting) < TAKEN_AT_ONCE:
                db.forget_untaken(connection, witness=vkey, before=since)
                left = db.waiting_count(connection, witness=vkey, since=since)
                return DropboxReport(fetched=0, taken=taken, waiting=left)
        after = waiting[-1].sequence


def _fetch(leader: Leader, transport: DropboxTransport, vkey: str) -> Sequence[db.NumberedSlip]:
    # No transaction stays open while the network answers.
    with leader.database.read() as connection:
        after = db.last_fetched(connection, vkey)
        newest = load_shards(connection).current.number
    # Stewards follow a new year's log days after it opens: until then they know an older key.
    for number in range(newest, -1, -1):
        key = leader.keys.of_log(number)
        request = fetch_request(key, after=after, now=leader.clock.now())
        answer = transport.fetch_slips(json.dumps({"request": request.decode("ascii")}).encode())
        if answer.status != HTTPStatus.FORBIDDEN:
            break
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


def _flooded() -> WitnessFailed:
    return WitnessFailed(
        fr="La boîte de dépôt des témoins contient plus de reçus qu'un passage n'en lit. Ce qui a "
        "été lu est gardé ; relancez, et ne publiez rien avant d'en avoir vu la fin.",
        en="The stewards' drop-box holds more slips than one run reads. What was read is kept; run "
        "again, and publish nothing before its end was seen.",
    )


def _failed() -> WitnessFailed:
    return WitnessFailed(
        fr="La boîte de dépôt des témoins n'a pas répondu comme prévu. Attendu : des reçus signés "
        "par la clé donnée, dans l'ordre. Rien n'a été gardé de cette réponse.",
        en="The stewards' drop-box did not answer as expected. Expected: slips signed by the given "
        "key, in order. Nothing was kept of this answer.",
    )
