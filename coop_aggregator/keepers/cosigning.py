"""Both keepers sign a task before it is served: the leader proposes, the helper's operator agrees.

The leader's request carries the task that it signed and the secret verification key, sealed for
the helper; the task commits to that key, so that nobody can choose another once reports exist.
The helper keeps the proposal with its purpose's text and signs nothing by itself: its operator
reads both (`reading`) and runs `task sign`. Asked again, the helper answers with the signature that
was then made.
"""

from sqlalchemy import Connection

from consents.errors import ConsentsError
from consents.records.record import Purpose
from contributions import jws
from contributions.envelope import Role, open_verify_key, seal_verify_key
from contributions.errors import ContributionsError
from contributions.keeper_messages import CosignRequest, read_message, sign_message
from contributions.task import (
    TASK_LIMIT_BYTES,
    TASK_TYP,
    Task,
    TrustMode,
    join_signatures,
    read_task,
    sign_task,
)
from coop_aggregator.asking.questions import expect_within
from coop_aggregator.db import keepers as keepers_db
from coop_aggregator.db import questions as db
from coop_aggregator.db.identity import lock
from coop_aggregator.errors import KeeperRefused, TaskRefused
from coop_aggregator.installation import Helper, Leader
from coop_aggregator.keepers.channel import HelperChannel


def ask_helper(leader: Leader, week: str, channel: HelperChannel) -> db.StoredTask:
    """Sign the draft of `week`, have the helper sign it too, and serve it once both did.

    Returns the task as kept: its `jws` is None while the helper's operator has not signed. Raises
    TaskRefused, and KeeperRefused when the helper answers with anything but its own signature.
    """
    stored = _signed_by_leader(leader, week)
    if stored.jws is not None:
        return stored
    task = Task.parse(stored.body)
    assert stored.own_jws is not None, "the draft was signed just now"
    assert stored.verify_key is not None, "a draft of two keepers has a verification key"
    helper = task.keepers[1]
    request = CosignRequest(
        task_jws=stored.own_jws.encode("ascii"),
        verify_key_sealed=seal_verify_key(
            stored.verify_key, keeper_key=helper.hpke_key, task_digest=task.digest
        ),
        purpose=_purpose_text(leader, task),
    )
    answer = channel.cosign(sign_message(request, leader.keeper.sign))
    if answer is None:
        return stored
    signed = join_signatures(request.task_jws, answer)
    try:
        read_task(signed, leader.keeper.sign.public_key(), helper.sign_key)
    except ContributionsError as error:
        raise KeeperRefused(
            fr="L'autre gardien a répondu autre chose que sa signature de cette question.",
            en="The other keeper answered something else than its signature of this question.",
        ) from error
    with leader.database.write() as connection:
        lock(connection)
        db.set_task_signature(connection, stored.digest, signed.decode("ascii"))
    return _stored(leader, week)


def receive_proposal(helper: Helper, signed: bytes) -> bytes | None:
    """Keep the leader's proposal; return our signature once our operator has signed.

    1. The leader whose card our operator took signed the request, and the task in it. 2. The task
    names exactly the two cards that we know. 3. The verification key opens, and is the one that
    the task commits to. 4. The purpose is the one that the task names, and allows what it asks.
    5. There is no other proposal for the week. Raises KeeperRefused.
    """
    with helper.database.write() as connection:
        lock(connection)
        cards = keepers_db.both_keepers(connection)
        if not cards:
            raise _refused()
        try:
            request = read_message(CosignRequest, signed, cards[0].sign_key)
            verified = jws.verify(request.task_jws, typ=TASK_TYP, limit_bytes=2 * TASK_LIMIT_BYTES)
            task = Task.parse(verified.payload)
            if verified.public_key != cards[0].sign_key or task.keepers != cards:
                raise _refused()
            verify_key = open_verify_key(
                request.verify_key_sealed,
                keeper_key=helper.keeper.hpke,
                task_digest=task.digest,
                sha256=task.verify_key_sha256,
            )
            purpose = Purpose.parse(request.purpose)
            if purpose.digest != task.purpose_digest:
                raise _refused()
            expect_within(task, purpose)
        except (ContributionsError, ConsentsError, TaskRefused) as error:
            raise _refused() from error
        stored = _proposal(connection, task, request, verify_key)
    return None if stored.jws is None else stored.jws.encode("ascii").split(b"\n")[1]


def sign_proposal(helper: Helper, week: str) -> db.StoredTask:
    """Sign the leader's proposal for `week` with our own key: from now on we take its reports."""
    with helper.database.write() as connection:
        lock(connection)
        stored = db.task_by_week(connection, week)
        if stored is None or stored.own_jws is None:
            raise TaskRefused(
                fr=f"Aucune question proposée pour {week}. La coopérative la propose par "
                "« coop-aggregator task sign ».",
                en=f"No question was proposed for {week}. The cooperative proposes it with "
                "'coop-aggregator task sign'.",
            )
        if stored.jws is None:
            ours = sign_task(Task.parse(stored.body), helper.keeper.sign)
            signed = join_signatures(stored.own_jws.encode("ascii"), ours)
            db.set_task_signature(connection, stored.digest, signed.decode("ascii"))
    return _stored(helper, week)


def _signed_by_leader(leader: Leader, week: str) -> db.StoredTask:
    with leader.database.write() as connection:
        lock(connection)
        stored = db.task_by_week(connection, week)
        if stored is None:
            raise TaskRefused(
                fr=f"Aucune question pour {week}. Créez-la par « coop-aggregator task create ».",
                en=f"No question for {week}. Create it with 'coop-aggregator task create'.",
            )
        task = Task.parse(stored.body)
        if task.trust_mode is not TrustMode.TWO_KEEPERS:
            raise TaskRefused(
                fr="Cette question n'a pas de second gardien.",
                en="This question has no second keeper.",
            )
        if stored.own_jws is None:
            own = sign_task(task, leader.keeper.sign).decode("ascii")
            db.set_own_signature(connection, stored.digest, own)
    return _stored(leader, week)


def _proposal(
    connection: Connection, task: Task, request: CosignRequest, verify_key: bytes
) -> db.StoredTask:
    known = db.task_by_week(connection, task.week)
    if known is None:
        db.add_task(
            connection,
            digest=task.digest,
            week=task.week,
            body=task.to_bytes(),
            report_deadline=task.report_deadline,
            verify_key=verify_key,
            purpose=request.purpose,
        )
        db.set_own_signature(connection, task.digest, request.task_jws.decode("ascii"))
        known = db.task_by_week(connection, task.week)
    if known is None or known.digest != task.digest or known.verify_key != verify_key:
        raise _refused()
    if known.purpose is None:
        db.set_purpose(connection, task.digest, request.purpose)
    return known


def _purpose_text(leader: Leader, task: Task) -> bytes:
    with leader.database.read() as connection:
        text = db.purpose_body(connection, task.purpose_digest)
    assert text is not None, "a task is drafted under a published purpose, which is never deleted"
    return text


def _stored(side: Leader | Helper, week: str) -> db.StoredTask:
    with side.database.read() as connection:
        stored = db.task_by_week(connection, week)
    assert stored is not None, "the task was there a moment ago, and tasks are never deleted"
    return stored


def _refused() -> KeeperRefused:
    return KeeperRefused(
        fr=f"Proposition refusée : les fiches des gardiens ({Role.LEADER}, {Role.HELPER}), leurs "
        "signatures, la clé de vérification et la finalité doivent être celles de la question.",
        en=f"Proposal refused: the keepers' cards ({Role.LEADER}, {Role.HELPER}), their "
        "signatures, the verification key and the purpose must be those of the question.",
    )
