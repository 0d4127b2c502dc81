"""The witness job: have the stewards cosign the newest checkpoint, and keep their cosignature.

Not a witness: this is the log's side of C2SP tlog-witness. The stewards' key is pinned by the
caller and never taken from the answer.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from consents.checkpoint import verify_checkpoint, verify_cosignature
from consents.errors import ConsentsError
from consents.witness import AddCheckpoint
from coop_aggregator.db import log as db
from coop_aggregator.errors import WitnessFailed
from coop_aggregator.installation import Leader

_CONFLICT = 409
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a witness answered to `add-checkpoint`."""

    status: int
    text: str


class WitnessTransport(Protocol):
    """One way to reach one witness."""

    def add_checkpoint(self, body: bytes) -> Answer:
        """POST `body` to the witness. Raises WitnessFailed when it cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessReport:
    """The size that is cosigned now; `fresh` is False when it already was."""

    size: int
    fresh: bool


def run_once(leader: Leader, transport: WitnessTransport, *, vkey: str) -> WitnessReport:
    """Submit the newest checkpoint and keep the cosignature. Raises WitnessFailed."""
    with leader.database.read() as connection:
        note = leader.log(connection).checkpoint(cosigned=False)
        known = db.last_cosigned_size(connection, vkey)
    size = verify_checkpoint(note, leader.who.log_vkey).size
    if known == size:
        return WitnessReport(size=size, fresh=False)
    answer = transport.add_checkpoint(_request(leader, note, old_size=known, size=size))
    if answer.status == _CONFLICT:
        # The witness remembers another size than we do (a lost answer): it says which.
        told = _size(answer.text, at_most=size)
        answer = transport.add_checkpoint(_request(leader, note, old_size=told, size=size))
    if answer.status != _OK:
        raise _failed(
            f"une réponse 200, reçu {answer.status}", f"an answer 200, seen {answer.status}"
        )
    _keep(leader, note=note, lines=answer.text, size=size, vkey=vkey)
    return WitnessReport(size=size, fresh=True)


def _request(leader: Leader, note: str, *, old_size: int, size: int) -> bytes:
    # No transaction stays open while the network answers.
    with leader.database.read() as connection:
        proof = tuple(leader.log(connection).consistency(old_size, size))
    return AddCheckpoint(old_size=old_size, proof=proof, checkpoint=note).to_bytes()


def _keep(leader: Leader, *, note: str, lines: str, size: int, vkey: str) -> None:
    line, cosigned_at = _own_line(note, lines, vkey)
    with leader.database.write() as connection:
        db.add_cosignature(
            connection,
            db.Cosignature(size=size, witness=vkey, line=line, cosigned_at=cosigned_at),
        )


def _own_line(note: str, lines: str, vkey: str) -> tuple[str, datetime]:
    """Return the line that the pinned key signed, and when; others' are dropped (tlog-witness)."""
    for line in lines.splitlines(keepends=True):
        with suppress(ConsentsError):
            return line, verify_cosignature(note + line, vkey)
    raise _failed(
        "une cosignature par la clé donnée ; vérifiez --vkey",
        "a cosignature by the given key; check --vkey",
    )


def _size(text: str, *, at_most: int) -> int:
    stripped = text.strip()
    if not (stripped.isascii() and stripped.isdigit()) or len(stripped) > len(str(at_most)):
        raise _failed("une taille avec la réponse 409", "a size with the answer 409")
    size = int(stripped)
    if size > at_most:
        raise _failed(
            "une taille que notre journal atteint : il a été remplacé ou restauré en arrière",
            "a size that our log reaches: it was replaced or restored to an older state",
        )
    return size


def _failed(fr: str, en: str) -> WitnessFailed:
    return WitnessFailed(
        fr=f"Le témoin n'a pas cosigné. Attendu : {fr}.",
        en=f"The witness did not cosign. Expected: {en}.",
    )
