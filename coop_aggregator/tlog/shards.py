"""The turn of the year: close the log, open the next, and let stewards follow the handover.

Both leaves are written in one transaction: there is no moment at which a log is closed and none is
open. The stewards are asked before, so that nothing is closed while they are silent, and cosign the
closed log's last checkpoint after. Not the rule of what a handover must show
(`consents.tlog.shards`).
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NoReturn
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from consents.errors import HandoverError
from consents.records.receipt import EventType
from consents.tlog.checkpoint import NoteKey, read_checkpoint
from consents.tlog.shards import (
    Handover,
    check_name,
    closing_digest,
    opening_digest,
    shard_origin,
    shard_year,
)
from contributions.weeks import TIME_ZONE_NAME
from coop_aggregator.db import witnessed as witnessed_db
from coop_aggregator.db.identity import lock
from coop_aggregator.db.shards import Shard, add_shard, load_shards
from coop_aggregator.errors import HandoverRefused
from coop_aggregator.installation import Helper, Leader
from coop_aggregator.tlog.log import LeaderLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """The log that was closed, and the one that goes on."""

    closed: Shard
    opened: Shard


def open_next(leader: Leader) -> Turned:
    """Close the log of the past year and open the next one, both or neither.

    Raises HandoverRefused while the open log is this year's.
    """
    now = leader.clock.now()
    with leader.database.write() as connection:
        lock(connection)
        log = leader.log(connection)
        number = log.shard.number + 1
        origin = shard_origin(log.origin, _next_year(log.shard, now))
        # On disk before the log that needs it: a rollback leaves a key that the next try takes up.
        key = leader.keys.make_log_key(number)
        vkey = NoteKey.of_log(origin, key.public_key()).vkey
        check_name(log.shard.vkey, vkey)
        log.join(EventType.SHARD_CLOSED, closing_digest(vkey))
        final = read_checkpoint(log.signed())
        add_shard(connection, number=number, origin=origin, vkey=vkey, first=log.end, now=now)
        opened = leader.log(connection)
        opened.join(EventType.SHARD_OPENED, opening_digest(log.shard.vkey, final))
        shards = load_shards(connection)
        return Turned(closed=shards.every[-2], opened=shards.current)


def handovers(log: LeaderLog) -> list[Handover]:
    """Return what shows each log to continue the one before, oldest first.

    Each with the newest checkpoints that a quorum cosigned, where there are any.
    """
    every = log.shards.every
    return [
        Handover(
            closing=log.of(old).proved(log.of(old).size() - 1),
            opening=log.of(new).proved(0),
            successor=new.vkey,
        )
        for old, new in pairwise(every)
    ]


def follow(helper: Helper, content: bytes) -> Shard:
    """Let the stewards follow the log that a handover names; following it again changes nothing.

    Raises HandoverRefused unless it binds the log as these stewards cosigned it, to its last leaf.
    """
    try:
        handover = Handover.parse(content)
    except HandoverError as error:
        _refuse(error)
    with helper.database.write() as connection:
        lock(connection)
        shards = load_shards(connection)
        known = handover.successor in shards.vkeys[1:]
        closed = shards.current
        if known:
            closed = shards.every[shards.vkeys.index(handover.successor) - 1]
        try:
            succession = handover.verify(closed.vkey)
        except HandoverError as error:
            _refuse(error)
        _expect_cosigned(connection, closed, handover)
        if not known:
            add_shard(
                connection,
                number=closed.number + 1,
                origin=succession.opened.origin,
                vkey=succession.vkey,
                first=closed.first + succession.final.size,
                now=helper.clock.now(),
            )
        return load_shards(connection).every[closed.number + 1]


def _next_year(shard: Shard, now: datetime) -> int:
    local = now.astimezone(ZoneInfo(TIME_ZONE_NAME)).year
    began = shard.opened_at.astimezone(ZoneInfo(TIME_ZONE_NAME)).year
    named = shard_year(shard.origin)
    year = local if named is None else named + 1
    if year > local or (named is None and began == local):
        raise HandoverRefused(
            fr="Le journal de cette année est ouvert : rien n'a été modifié. Recommencez en "
            "janvier.",
            en="The log of this year is open: nothing was changed. Try again in January.",
        )
    return year


def _expect_cosigned(connection: Connection, shard: Shard, handover: Handover) -> None:
    last = witnessed_db.latest_witnessed(connection, shard)
    final = read_checkpoint(handover.closing.checkpoint)
    if last is None or (last.size, last.root) != (final.size, final.root):
        raise HandoverRefused(
            fr="Passage refusé : ce journal clos n'est pas celui que ces témoins ont cosigné en "
            "dernier. Faites d'abord cosigner le dernier point de contrôle (« coop-aggregator "
            "witness » chez la coopérative) ; s'il est refusé, gardez les deux notes : ce sont des "
            "preuves.",
            en="Handover refused: this closed log is not the one that these stewards cosigned "
            "last. Have its last checkpoint cosigned first ('coop-aggregator witness' at the "
            "cooperative); if that is refused, keep both notes: they are evidence.",
        )


def _refuse(error: HandoverError) -> NoReturn:
    raise HandoverRefused(
        fr=f"Passage refusé ({error.fault.value}) : ce fichier ne montre pas que le nouveau "
        "journal continue celui qui est suivi ici. Rien n'a changé ; redemandez-le à la "
        "coopérative, et gardez celui-ci s'il vient d'elle.",
        en=f"Handover refused ({error.fault.value}): this file does not show that the new log "
        "continues the one that is followed here. Nothing was changed; ask the cooperative for "
        "it again, and keep this one if it came from there.",
    ) from error
