"""What is read of a cooperative's answers: taken in or refused in its own words, promise and proof.

Every answer is checked against the log's key that the caller pinned; nothing is sent or kept here.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from consents.errors import ConsentsError, PromiseError
from consents.jws import thumbprint_of_raw
from consents.tlog.checkpoint import NoteKey, read_checkpoint
from consents.tlog.promise import check_promise
from consents.tlog.proofs import LogReceipt
from personal_store.errors import TransportError
from personal_store.transport import Answer

HTTP_OK = range(200, 300)
MAX_WORDS_LENGTH = 300  # of a refusal, which is shown as it came


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAnswer:
    """The answer to an event: a promise to log it, and the proof where it is logged already."""

    promise: bytes
    receipt: LogReceipt | None


def read_log_answer(
    document: Mapping[str, Any],
    leaf: bytes,
    *,
    log_vkeys: Sequence[str],
    signed_at: datetime,
    now: datetime,
) -> LogAnswer:
    """Verify the promise and the proof that answer an event; raise TransportError.

    `log_vkeys` are the keys of the cooperative's logs, one for each year, oldest first: what was
    sent again over New Year is answered with the promise of the first time.
    """
    try:
        promise = str(document["promise"]).encode("ascii")
        _check_promise(promise, leaf, log_vkeys, signed_at=signed_at, now=now)
        receipt = _receipt(document, leaf, log_vkeys) if "proof" in document else None
    except (KeyError, TypeError, ValueError, ConsentsError) as error:
        out_of_protocol("events", error)
    return LogAnswer(promise=promise, receipt=receipt)


def accepted(answer: Answer) -> Mapping[str, Any]:
    """Return the document of an answer; raise TransportError, in its own words, for a refusal."""
    if answer.status in HTTP_OK:
        return answer.document
    raise TransportError(
        fr=f"La coopérative a refusé : {_words(answer, 'detail')}",
        en=f"The cooperative refused: {_words(answer, 'detail_en')}",
    )


def _words(answer: Answer, member: str) -> str:
    """Return what the cooperative says, or its status; without what would steer a terminal."""
    words = answer.document.get(member)
    if not isinstance(words, str) or not words:
        return str(answer.status)
    return "".join(letter if letter.isprintable() else " " for letter in words[:MAX_WORDS_LENGTH])


def out_of_protocol(where: str, cause: Exception | None) -> NoReturn:
    """Raise TransportError for an answer that the protocol does not know."""
    raise TransportError(
        fr=f"La réponse de la coopérative ({where}) n'est pas celle du protocole : rien n'a été "
        "enregistré. Prévenez-la.",
        en=f"The cooperative's answer ({where}) is not what the protocol says: nothing was "
        "stored. Tell them.",
    ) from cause


def _check_promise(
    promise: bytes, leaf: bytes, log_vkeys: Sequence[str], *, signed_at: datetime, now: datetime
) -> None:
    *former, newest = (thumbprint_of_raw(NoteKey.parse(vkey).public_key) for vkey in log_vkeys)
    for kid in former:
        with suppress(PromiseError):
            check_promise(promise, leaf, kid=kid, now=now, since=signed_at)
            return
    check_promise(promise, leaf, kid=newest, now=now, since=signed_at)


def _receipt(document: Mapping[str, Any], leaf: bytes, log_vkeys: Sequence[str]) -> LogReceipt:
    proof = document["proof"]
    receipt = LogReceipt(
        leaf=leaf,
        index=int(proof["index"]),
        size=int(proof["size"]),
        hashes=tuple(bytes.fromhex(each) for each in proof["hashes"]),
        checkpoint=str(document["checkpoint"]),
    )
    origin = read_checkpoint(receipt.checkpoint).origin
    origins = [NoteKey.parse(vkey).name for vkey in log_vkeys]
    receipt.verify(log_vkeys[origins.index(origin)], earlier=origins)
    return receipt
