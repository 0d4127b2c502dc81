"""The witness job: have the stewards cosign the newest checkpoint, and keep their cosignatures.

Not a witness: this is the log's side of C2SP tlog-witness. The stewards' keys are pinned by the
caller and never taken from an answer. A round asks everybody for one and the same checkpoint; it
is public once a quorum has cosigned it (`LeaderLog.published`). After a year's turn the closed
log's last checkpoint comes first, until all have cosigned it.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from consents.errors import ConsentsError
from consents.tlog.checkpoint import NoteKey, verify_cosignature
from consents.tlog.witness import AddCheckpoint
from coop_aggregator.db import log as db
from coop_aggregator.db.shards import Shard, load_shards
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundReport:
    """The size that was shown to everybody, and the names of those who did not cosign it."""

    size: int
    missing: tuple[str, ...]


def run_round(leader: Leader, ways: Mapping[str, WitnessTransport]) -> RoundReport:
    """Ask the witness of each verifier key for the newest checkpoint.

    Raises WitnessFailed when fewer cosigned than make it public; what was cosigned is kept.
    """
    with leader.database.read() as connection:
        shards = load_shards(connection)
        closed = [
            each
            for each in shards.every[:-1]
            if any(db.last_cosigned_size(connection, vkey, shard=each) != each.end for vkey in ways)
        ]
    for each in closed:
        with suppress(WitnessFailed):
            _round(leader, ways, each)
    return _round(leader, ways, shards.current)


def _round(leader: Leader, ways: Mapping[str, WitnessTransport], shard: Shard) -> RoundReport:
    with leader.database.read() as connection:
        size = leader.log(connection).of(shard).size()
    missing: list[str] = []
    for vkey, transport in ways.items():
        try:
            run_once(leader, transport, vkey=vkey, size=size, shard=shard)
        except WitnessFailed:
            missing.append(NoteKey.parse(vkey).name)
    cosigned, quorum = len(ways) - len(missing), leader.witnesses.quorum
    if cosigned < quorum:
        silent = ", ".join(missing)
        raise _failed(
            f"{quorum} témoins sur {len(ways)}, {cosigned} ont cosigné ; manquent : {silent}",
            f"{quorum} witnesses of {len(ways)}, {cosigned} cosigned; missing: {silent}",
        )
    return RoundReport(size=size, missing=tuple(missing))


def run_once(
    leader: Leader,
    transport: WitnessTransport,
    *,
    vkey: str,
    size: int | None = None,
    shard: Shard | None = None,
) -> WitnessReport:
    """Submit the checkpoint of `size` leaves (default: all); keep the cosignature.

    `shard` is the log, by default the open one. Raises WitnessFailed.
    """
    with leader.database.read() as connection:
        log = leader.log(connection)
        log = log if shard is None else log.of(shard)
        size = log.size() if size is None else size
        note = log.signed(size)
        known = db.last_cosigned_size(connection, vkey, shard=log.shard) - log.shard.first
    known = max(known, 0)
    if known >= size:
        return WitnessReport(size=size, fresh=False)
    shown = _Shown(shard=log.shard, note=note, size=size)
    answer = transport.add_checkpoint(_request(leader, shown, old_size=known))
    if answer.status == _CONFLICT:
        # The witness remembers another size than we do (a lost answer): it says which.
        told = _size(answer.text, at_most=size)
        answer = transport.add_checkpoint(_request(leader, shown, old_size=told))
    if answer.status != _OK:
        raise _failed(
            f"une réponse 200, reçu {answer.status}", f"an answer 200, seen {answer.status}"
        )
    _keep(leader, shown, lines=answer.text, vkey=vkey)
    return WitnessReport(size=size, fresh=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """The checkpoint that a witness is shown, and its log."""

    shard: Shard
    note: str
    size: int


def _request(leader: Leader, shown: _Shown, *, old_size: int) -> bytes:
    # No transaction stays open while the network answers.
    with leader.database.read() as connection:
        log = leader.log(connection).of(shown.shard)
        proof = tuple(log.consistency(old_size, shown.size))
    return AddCheckpoint(old_size=old_size, proof=proof, checkpoint=shown.note).to_bytes()


def _keep(leader: Leader, shown: _Shown, *, lines: str, vkey: str) -> None:
    line, cosigned_at = _own_line(shown.note, lines, vkey)
    size = shown.shard.first + shown.size
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
