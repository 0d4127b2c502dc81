"""Invitations, members and the consents they hold. Codes are known by their digest only."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from coop_aggregator.db.tables import consents, invitations, members, named_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member as the cooperative knows them: a random id, a public key, a home zone."""

    member_id: str
    key_x: str
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentHolder:
    """Which member holds a consent, for which purpose, and the thumbprint of its key.

    `member_id` is None once the resident had the link erased.
    """

    cid: str
    member_id: str | None
    purpose_digest: str
    kid: str


def add_invitations(connection: Connection, code_digests: Iterable[str]) -> None:
    """Keep the digests of fresh codes."""
    connection.execute(
        insert(invitations),
        [{"code_sha256": digest, "used": False} for digest in code_digests],
    )


def use_invitation(connection: Connection, code_digest: str) -> bool:
    """Consume a code; False when it is unknown or was used. One statement, hence atomic."""
    result = connection.execute(
        update(invitations)
        .where(invitations.c.code_sha256 == code_digest, invitations.c.used.is_(False))
        .values(used=True)
    )
    return result.rowcount == 1


def invitation_exists(connection: Connection, code_digest: str) -> bool:
    """Tell whether such a code was ever given out."""
    found = select(invitations.c.used).where(invitations.c.code_sha256 == code_digest)
    return connection.scalar(found) is not None


def add_member(connection: Connection, member: Member) -> None:
    """Keep a new member. The public key must be new (unique constraint)."""
    connection.execute(
        insert(members).values(member_id=member.member_id, key_x=member.key_x, zone=member.zone)
    )


def member_by_id(connection: Connection, member_id: str) -> Member | None:
    """Return the member of this id, or None."""
    return _member(connection, members.c.member_id == member_id)


def member_by_key(connection: Connection, key_x: str) -> Member | None:
    """Return the member who enrolled with this public key, or None."""
    return _member(connection, members.c.key_x == key_x)


def member_count(connection: Connection) -> int:
    """Return how many members enrolled."""
    return connection.scalar(select(func.count()).select_from(members)) or 0


def add_consent(connection: Connection, holder: ConsentHolder) -> None:
    """Keep who holds a consent. Its id and its key must be new (unique constraints)."""
    connection.execute(
        insert(consents).values(
            cid=holder.cid,
            member_id=holder.member_id,
            purpose_digest=holder.purpose_digest,
            kid=holder.kid,
        )
    )


def set_consent_key(connection: Connection, *, cid: str, kid: str) -> None:
    """Note that another key continues a consent. It must be new (unique constraint)."""
    connection.execute(update(consents).where(consents.c.cid == cid).values(kid=kid))


def consent_holder(connection: Connection, cid: str) -> ConsentHolder | None:
    """Return who holds consent `cid`, or None."""
    row = connection.execute(select(consents).where(consents.c.cid == cid)).one_or_none()
    if row is None:
        return None
    return ConsentHolder(
        cid=row.cid, member_id=row.member_id, purpose_digest=row.purpose_digest, kid=row.kid
    )


def forget_holder(connection: Connection, cid: str) -> None:
    """Erase which member holds a consent; its key stays known, so that no other takes it."""
    connection.execute(update(consents).where(consents.c.cid == cid).values(member_id=None))


def consent_key_known(connection: Connection, kid: str) -> bool:
    """Tell whether some consent already uses this key."""
    return connection.scalar(select(consents.c.cid).where(consents.c.kid == kid)) is not None


def add_named_key(connection: Connection, *, kid: str, cid: str) -> None:
    """Note that a consent names a key; noted already, nothing changes."""
    known = select(named_keys.c.cid).where(named_keys.c.kid == kid, named_keys.c.cid == cid)
    if connection.scalar(known) is None:
        connection.execute(insert(named_keys).values(kid=kid, cid=cid))


def consents_naming(connection: Connection, kid: str, *, limit: int) -> tuple[str, ...]:
    """
    Return the ids of consents that name a key or did once: each member's first, then the second.

    Whoever saw a key can name it in any number of their own, with ids of their choice; taken in
    turn, they keep no other member's out. Those without a holder any more are taken as one's.
    """
    turn = func.row_number().over(partition_by=consents.c.member_id, order_by=consents.c.cid)
    query = (
        select(named_keys.c.cid)
        .join(consents, consents.c.cid == named_keys.c.cid)
        .where(named_keys.c.kid == kid)
        .order_by(turn, named_keys.c.cid)
        .limit(limit)
    )
    return tuple(connection.scalars(query))


def consents_of(connection: Connection, *, member_id: str, purpose_digest: str) -> tuple[str, ...]:
    """Return the ids of all consents of a member for a purpose, whatever their state."""
    return tuple(
        connection.scalars(
            select(consents.c.cid)
            .where(consents.c.member_id == member_id, consents.c.purpose_digest == purpose_digest)
            .order_by(consents.c.cid)
        )
    )


def _member(connection: Connection, condition: object) -> Member | None:
    row = connection.execute(select(members).where(condition)).one_or_none()  # type: ignore[arg-type]
    if row is None:
        return None
    return Member(member_id=row.member_id, key_x=row.key_x, zone=row.zone)
