"""The tables of what the resident joined: memberships, purposes and tasks, verbatim."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from consents.tlog.checkpoint import NoteKey
from contributions.keeper import Keeper
from contributions.task import read_task
from personal_store.cooperative import SignedTask
from personal_store.db import successions
from personal_store.db.tables import membership, notice, purpose, task, territory
from personal_store.db.units import to_ms
from personal_store.membership import FormerLog, Membership


def add(connection: Connection, joined: Membership, *, at: datetime) -> None:
    """Keep a new membership."""
    connection.execute(
        insert(membership).values(
            url=joined.url,
            member_id=joined.member_id,
            member_key=joined.member_key.private_bytes_raw(),
            zone=joined.zone,
            log_origin=joined.log_origin,
            log_vkey=joined.log_vkey,
            task_key=joined.task_key.public_bytes_raw(),
            enrolled_at_ms=to_ms(at),
            keepers=json.dumps([keeper.to_json() for keeper in joined.keepers]),
        )
    )


def pin_keepers(connection: Connection, joined: Membership, keepers: Sequence[Keeper]) -> None:
    """Keep the keepers of a membership that had none; those that are pinned stay."""
    connection.execute(
        update(membership)
        .where(membership.c.url == joined.url, membership.c.keepers == json.dumps([]))
        .values(keepers=json.dumps([keeper.to_json() for keeper in keepers]))
    )


def every(connection: Connection) -> list[Membership]:
    """Return the memberships, oldest first."""
    query = select(membership).order_by(membership.c.enrolled_at_ms, membership.c.url)
    return [_membership(connection, row) for row in connection.execute(query).all()]


def of(connection: Connection, url: str) -> Membership:
    """Return the membership at a cooperative, with every log that was followed by now."""
    row = connection.execute(select(membership).where(membership.c.url == url)).one()
    return _membership(connection, row)


def _membership(connection: Connection, row: Row[Any]) -> Membership:
    handovers = successions.every(connection, row.url)
    vkeys = [row.log_vkey, *(each.successor for each in handovers)]
    origins = [row.log_origin, *(NoteKey.parse(vkey).name for vkey in vkeys[1:])]
    return Membership(
        url=row.url,
        member_id=row.member_id,
        member_key=Ed25519PrivateKey.from_private_bytes(row.member_key),
        zone=row.zone,
        log_origin=origins[-1],
        log_vkey=vkeys[-1],
        task_key=Ed25519PublicKey.from_public_bytes(row.task_key),
        keepers=tuple(Keeper.from_json(each) for each in json.loads(row.keepers)),
        former=tuple(
            FormerLog(origin=origin, vkey=vkey, size=handover.closing.size)
            for origin, vkey, handover in zip(origins, vkeys, handovers, strict=False)
        ),
    )


def keep_tasks(connection: Connection, url: str, signed: list[SignedTask]) -> None:
    """Keep the tasks that are not there yet, as they were signed."""
    for each in signed:
        connection.execute(
            upsert(task)
            .values(digest=each.task.digest, url=url, jws=each.jws)
            .on_conflict_do_nothing()
        )


def tasks(connection: Connection, joined: Membership) -> list[SignedTask]:
    """Return the kept tasks of a membership, newest week first."""
    query = select(task.c.jws).where(task.c.url == joined.url)
    signed = [
        SignedTask(task=read_task(jws, joined.task_key, joined.helper_key), jws=jws)
        for jws in connection.scalars(query)
    ]
    return sorted(signed, key=lambda each: (each.task.week, each.task.digest), reverse=True)


def keep_purpose(connection: Connection, digest: str, document: bytes) -> None:
    """Keep the bytes of a purpose under its digest."""
    connection.execute(
        upsert(purpose).values(digest=digest, document=document).on_conflict_do_nothing()
    )


def keep_notice(connection: Connection, purpose_digest: str, document: bytes) -> None:
    """Keep the bytes of a purpose's notice; the first one stays, as what was shown does."""
    connection.execute(
        upsert(notice)
        .values(purpose_digest=purpose_digest, document=document)
        .on_conflict_do_nothing()
    )


def notice_document(connection: Connection, purpose_digest: str) -> bytes | None:
    """Return the bytes of a purpose's notice, None when none was fetched."""
    query = select(notice.c.document).where(notice.c.purpose_digest == purpose_digest)
    document = connection.scalar(query)
    return None if document is None else bytes(document)


def purpose_document(connection: Connection, digest: str) -> bytes | None:
    """Return the bytes of a purpose as received, None when it was never fetched."""
    document = connection.scalar(select(purpose.c.document).where(purpose.c.digest == digest))
    return None if document is None else bytes(document)


def keep_territory(connection: Connection, digest: str, document: bytes) -> None:
    """Keep the bytes of a territory under its digest."""
    connection.execute(
        upsert(territory).values(digest=digest, document=document).on_conflict_do_nothing()
    )


def territory_document(connection: Connection, digest: str) -> bytes | None:
    """Return the bytes of a territory as received, None when it was never fetched."""
    document = connection.scalar(select(territory.c.document).where(territory.c.digest == digest))
    return None if document is None else bytes(document)
