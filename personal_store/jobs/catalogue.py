"""Keep what the cooperative asks: its signed tasks, and the purposes that they name."""

from contextlib import suppress

from sqlalchemy import Engine

from consents.records.notice import Notice
from consents.records.record import Purpose
from contributions.task import Task
from personal_store import cooperative
from personal_store.db import memberships
from personal_store.db.connection import reading, writing
from personal_store.errors import StoreError, TransportError, WordingChanged
from personal_store.membership import Membership
from personal_store.transport import Transport


def run_once(engine: Engine, member: Membership, transport: Transport) -> int:
    """Fetch and keep the tasks, their purposes and territories; return how many are asked.

    Every store asks for the same documents, by their digest: this tells nothing of the resident.
    Outlines that the cooperative does not give stop the questions about flows alone.
    """
    signed = cooperative.tasks(transport, member)
    named = sorted({each.task.purpose_digest for each in signed})
    with reading(engine) as connection:
        untold = [each for each in named if memberships.notice_document(connection, each) is None]
        missing = [each for each in named if memberships.purpose_document(connection, each) is None]
        outlines = sorted({each.task.territory_sha256 for each in signed} - {""})
        unknown = [
            each for each in outlines if memberships.territory_document(connection, each) is None
        ]
    documents = {digest: cooperative.purpose(transport, digest) for digest in missing}
    territories = dict[str, bytes]()
    for digest in unknown:
        with suppress(TransportError):
            territories[digest] = cooperative.territory(transport, digest)
    notices = {digest: cooperative.notice(transport, digest) for digest in untold}
    with writing(engine) as connection:
        for digest, document in documents.items():
            memberships.keep_purpose(connection, digest, document)
        for digest, document in territories.items():
            memberships.keep_territory(connection, digest, document)
        for digest, told in notices.items():
            if told is not None:
                memberships.keep_notice(connection, digest, told)
        memberships.keep_tasks(connection, member.url, signed)
    return len(signed)


def purpose_asked(engine: Engine, member: Membership, transport: Transport) -> Purpose:
    """Return the purpose of the newest task, as kept; ask the cooperative when it answers.

    Offline, the kept one serves, so that withdrawing never needs the network. Raises StoreError
    when nothing was ever asked.
    """
    with suppress(TransportError):
        run_once(engine, member, transport)
    kept = newest_purpose(engine, member)
    if kept is None:
        raise StoreError(
            fr="La coopérative n'a encore rien demandé : il n'y a rien à décider.",
            en="The cooperative has asked nothing yet: there is nothing to decide.",
        )
    return kept


def purpose_read(
    engine: Engine, member: Membership, transport: Transport, *, digest: str
) -> Purpose:
    """Return the purpose that the resident read, named by its hex digest or its start.

    Raises WordingChanged when the newest one is another: a consent is to the text that was read,
    StoreError when nothing was ever asked.
    """
    newest = purpose_asked(engine, member, transport)
    if not digest or not newest.digest.startswith(digest):
        raise WordingChanged(
            fr="Le texte a changé depuis que vous l'avez lu : relisez-le, rien n'a été signé.",
            en="The text has changed since you read it: read it again; nothing was signed.",
        )
    return newest


def newest_purpose(engine: Engine, member: Membership) -> Purpose | None:
    """Return the purpose of the newest kept task, None when nothing was asked."""
    with reading(engine) as connection:
        for each in memberships.tasks(connection, member):
            document = memberships.purpose_document(connection, each.task.purpose_digest)
            if document is not None:
                return Purpose.parse(document)
    return None


def notice_of(engine: Engine, asked: Purpose) -> Notice:
    """Return the notice that goes with a purpose; raise StoreError when none was published."""
    with reading(engine) as connection:
        document = memberships.notice_document(connection, asked.digest)
    if document is None:
        raise StoreError(
            fr="La coopérative n'a pas dit qui traite vos données, où et comment exercer vos "
            "droits (article 13 du RGPD) : il n'y a rien à signer. Prévenez-la.",
            en="The cooperative has not said who processes your data, where, and how to exercise "
            "your rights (GDPR Article 13): there is nothing to sign. Tell them.",
        )
    return Notice.parse(document)


def the_membership(engine: Engine) -> Membership:
    """Return the resident's membership; raise StoreError when there is none."""
    with reading(engine) as connection:
        joined = memberships.every(connection)
    if not joined:
        raise StoreError(
            fr="Vous n'avez adhéré à aucune coopérative : lancez d'abord « enrol ».",
            en="You have joined no cooperative: run “enrol” first.",
        )
    return joined[-1]


def find_task(engine: Engine, member: Membership, start: str) -> Task:
    """Return the one kept task whose digest starts so."""
    with reading(engine) as connection:
        found = [
            each.task
            for each in memberships.tasks(connection, member)
            if start and each.task.digest.startswith(start)
        ]
    if len(found) != 1:
        raise StoreError(
            fr=f"{len(found)} question(s) commencent par « {start} » : lancez « tasks » et "
            "donnez les premiers caractères d'une seule.",
            en=f"{len(found)} task(s) start with “{start}”: run “tasks” and give the first "
            "characters of a single one.",
        )
    return found[0]
