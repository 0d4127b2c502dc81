"""The leader's consent log inside one transaction: residents' leaves and the operator's own.

Not the tree (`consents.merkle`) nor the rules of a consent's chain (`consents.decision`). The
operator's leaves form one chain of their own, signed by the log key; each commits to a public body
that is kept beside the log and exported with it.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from consents.canonical import COMMITMENT_KEY_BYTES, canonical_bytes, commitment, utc_text
from consents.jws import thumbprint
from consents.log import ConsentLog, LogReceipt, export_line
from consents.receipt import EventType, LeafPayload, leaf_sha256, sign_event
from coop_aggregator.db import log as db
from coop_aggregator.db.identity import lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """Where a leaf stands, with its proof; `fresh` is False when it stood there before."""

    receipt: LogReceipt
    root: bytes
    fresh: bool


class LeaderLog:
    """The log named `origin`, signed with `key`, as seen by one transaction at `now`."""

    def __init__(
        self, connection: Connection, *, origin: str, key: Ed25519PrivateKey, now: datetime
    ) -> None:
        """Keep the transaction; nothing is read yet."""
        self._connection = connection
        self._origin = origin
        self._key = key
        self._now = now
        self._log = ConsentLog(db.SqlLeaves(connection, now=now), origin, key)

    def append(self, leaf: bytes) -> Appended:
        """Append a checked leaf, or find it where it already stands. Holds the writers' lock."""
        lock(self._connection)
        index = db.leaf_position(self._connection, leaf_sha256(leaf))
        fresh = index is None
        if index is None:
            index = self._log.append(leaf)
        proof = self._log.inclusion(index)
        receipt = self._log.receipt(index)
        return Appended(receipt=receipt, root=proof.root, fresh=fresh)

    def record(self, kind: EventType, *, purpose_digest: str, body: Mapping[str, str | int]) -> int:
        """Append an operator's leaf that commits to `body`; return its position."""
        lock(self._connection)
        cid = operator_cid(self._origin)
        chain = db.leaves_of(self._connection, cid)
        key = secrets.token_bytes(COMMITMENT_KEY_BYTES)
        payload = LeafPayload(
            t=kind,
            o=self._origin,
            cid=cid,
            n=len(chain),
            p=leaf_sha256(chain[-1]) if chain else "",
            pd=purpose_digest,
            c=commitment(key=key, body=body),
            at=utc_text(self._now),
            kid=thumbprint(self._key.public_key()),
        )
        position = self._log.append(sign_event(payload, self._key))
        db.add_operator_body(
            self._connection,
            db.OperatorBody(
                position=position,
                body=canonical_bytes(dict(body)).decode(),
                commitment_key=key.hex(),
            ),
        )
        return position

    def checkpoint(self, *, cosigned: bool = True) -> str:
        """Return the signed checkpoint of all leaves, with the cosignatures kept for its size."""
        if not cosigned:
            return self._log.checkpoint()
        size = db.SqlLeaves(self._connection, now=self._now).size()
        lines = [known.line for known in db.cosignatures_of(self._connection, size=size)]
        return self._log.checkpoint() + "".join(lines)

    def consistency(self, old_size: int, size: int | None = None) -> list[bytes]:
        """Prove that `size` leaves (default: all) continue the first `old_size`.

        Nothing needs proving from the empty log. Raises ProofError.
        """
        return [] if old_size == 0 else self._log.consistency(old_size, size)

    def export(self, folder: Path, *, closed: Collection[int] = ()) -> int:
        """Write the folder that `consents verify log` reads; return the number of leaves.

        `checkpoint`, `entries.jsonl` (one JSON string a leaf) and, for auditors, `operator.jsonl`
        (the operator's bodies with the keys that open their commitments, but for the positions in
        `closed`, whose bodies tell what may not be told).
        """
        storage = db.SqlLeaves(self._connection, now=self._now)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "checkpoint").write_text(self.checkpoint(), encoding="utf-8", newline="\n")
        with (folder / "entries.jsonl").open("wb") as file:
            for leaf in storage.leaves():
                file.write(export_line(leaf))
        with (folder / "operator.jsonl").open("wb") as file:
            for known in db.all_operator_bodies(self._connection):
                if known.position in closed:
                    continue
                line = {
                    "position": known.position,
                    "body": known.body,
                    "commitment_key": known.commitment_key,
                }
                file.write(canonical_bytes(line) + b"\n")
        return storage.size()


def operator_cid(origin: str) -> str:
    """Return the chain id of the operator's own leaves: 16 bytes in hex, fixed by the origin."""
    return sha256(f"operator\n{origin}".encode()).hexdigest()[:32]
