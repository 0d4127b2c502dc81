"""The tables of the resident's consents: one key and one chain of signed events per consent."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import ColumnClause, Connection, Row, delete, insert, literal_column, select, update

from consents.records.receipt import SignedEvent, read_event
from consents.records.record import ConsentBody
from consents.tlog.proofs import LogReceipt
from personal_store.db.tables import consent, consent_event
from personal_store.db.units import from_ms, to_ms

# SQLite's own count of rows: a clock may be set back between two consents, this never is.
_OLDEST_FIRST: ColumnClause[int] = literal_column("consent.rowid")
_NEWEST_FIRST = _OLDEST_FIRST.desc()


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One consent: for one purpose of one cooperative, with the key that signs its events.

    `erased_at` is when its bodies were erased here, `erasure` the log's word for it, as verified.
    """

    cid: str
    url: str
    purpose_digest: str
    key: Ed25519PrivateKey
    opened_at: datetime
    erased_at: datetime | None = None
    erasure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """A signed event of a consent, its clear body, and whatever proves that others have it.

    `promise` is the cooperative's, `slip` the stewards', `receipt` the log's own proof. `body` and
    `commitment_key` are None for events about keys, which have none, and once erased.
    """

    signed: SignedEvent
    body: ConsentBody | None
    commitment_key: bytes | None = field(repr=False)
    signed_at: datetime
    receipt: LogReceipt | None
    promise: bytes | None = None
    slip: bytes | None = None


def add(connection: Connection, new: Consent) -> None:
    """Keep a new consent and its key."""
    connection.execute(
        insert(consent).values(
            cid=new.cid,
            url=new.url,
            purpose_digest=new.purpose_digest,
            consent_key=new.key.private_bytes_raw(),
            opened_at_ms=to_ms(new.opened_at),
        )
    )


def newest_for(connection: Connection, *, url: str, purpose_digest: str) -> Consent | None:
    """Return the consent that was last opened for a purpose, None when none ever was."""
    query = (
        select(consent)
        .where(consent.c.url == url, consent.c.purpose_digest == purpose_digest)
        .order_by(_NEWEST_FIRST)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _consent(row)


def every(connection: Connection) -> list[Consent]:
    """Return the consents, oldest first."""
    return [_consent(row) for row in connection.execute(select(consent).order_by(_OLDEST_FIRST))]


def add_event(connection: Connection, event: KeptEvent) -> None:
    """Append an event to its consent's chain."""
    payload = event.signed.payload
    connection.execute(
        insert(consent_event).values(
            cid=payload.cid,
            n=payload.n,
            leaf=event.signed.leaf,
            body=None if event.body is None else event.body.to_bytes(),
            commitment_key=event.commitment_key,
            signed_at_ms=to_ms(event.signed_at),
        )
    )


def drop_from(connection: Connection, cid: str, n: int) -> None:
    """Forget the events of a consent from this number on: others stand in their place."""
    connection.execute(
        delete(consent_event).where(consent_event.c.cid == cid, consent_event.c.n >= n)
    )


def set_key(connection: Connection, cid: str, key: Ed25519PrivateKey) -> None:
    """Keep the key that signs for a consent from now on; the old one goes."""
    connection.execute(
        update(consent).where(consent.c.cid == cid).values(consent_key=key.private_bytes_raw())
    )


def keep_receipt(connection: Connection, *, cid: str, n: int, receipt: LogReceipt) -> None:
    """Keep the proof that the log holds an event."""
    hashes = [node.hex() for node in receipt.hashes]
    proof = {"index": receipt.index, "size": receipt.size, "hashes": hashes}
    connection.execute(
        update(consent_event)
        .where(consent_event.c.cid == cid, consent_event.c.n == n)
        .values(proof=json.dumps(proof), checkpoint=receipt.checkpoint)
    )


def keep_promise(connection: Connection, *, cid: str, n: int, promise: bytes) -> None:
    """Keep the cooperative's promise about an event; the first one stays."""
    connection.execute(
        update(consent_event)
        .where(consent_event.c.cid == cid, consent_event.c.n == n)
        .where(consent_event.c.promise.is_(None))
        .values(promise=promise.decode("ascii"))
    )


def keep_slip(connection: Connection, *, cid: str, n: int, slip: bytes) -> None:
    """Keep the stewards' slip for an event."""
    connection.execute(
        update(consent_event)
        .where(consent_event.c.cid == cid, consent_event.c.n == n)
        .values(slip=slip.decode("ascii"))
    )


def shred(connection: Connection, cid: str, *, at: datetime) -> None:
    """Erase the bodies of a consent and the keys of their commitments; the leaves stay."""
    connection.execute(
        update(consent_event)
        .where(consent_event.c.cid == cid)
        .values(body=None, commitment_key=None)
    )
    connection.execute(update(consent).where(consent.c.cid == cid).values(erased_at_ms=to_ms(at)))


def keep_erasure(connection: Connection, cid: str, said: str) -> None:
    """Keep what the log says of an erasure."""
    connection.execute(update(consent).where(consent.c.cid == cid).values(erasure=said))


def chain(connection: Connection, cid: str) -> list[KeptEvent]:
    """Return the events of a consent, oldest first."""
    query = select(consent_event).where(consent_event.c.cid == cid).order_by(consent_event.c.n)
    return [
        KeptEvent(
            signed=read_event(bytes(row.leaf)),
            body=None if row.body is None else ConsentBody.parse(bytes(row.body)),
            commitment_key=None if row.commitment_key is None else bytes(row.commitment_key),
            signed_at=from_ms(row.signed_at_ms),
            receipt=_receipt(bytes(row.leaf), row.proof, row.checkpoint),
            promise=None if row.promise is None else row.promise.encode("ascii"),
            slip=None if row.slip is None else row.slip.encode("ascii"),
        )
        for row in connection.execute(query)
    ]


def _consent(row: Row[Any]) -> Consent:
    return Consent(
        cid=row.cid,
        url=row.url,
        purpose_digest=row.purpose_digest,
        key=Ed25519PrivateKey.from_private_bytes(row.consent_key),
        opened_at=from_ms(row.opened_at_ms),
        erased_at=None if row.erased_at_ms is None else from_ms(row.erased_at_ms),
        erasure=row.erasure,
    )


def _receipt(leaf: bytes, proof: str | None, checkpoint: str | None) -> LogReceipt | None:
    if proof is None or checkpoint is None:
        return None
    document = json.loads(proof)
    return LogReceipt(
        leaf=leaf,
        index=document["index"],
        size=document["size"],
        hashes=tuple(bytes.fromhex(node) for node in document["hashes"]),
        checkpoint=checkpoint,
    )
