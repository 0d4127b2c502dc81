"""Whose word counts: the log's key, the witnesses, and how many of them must have cosigned.

    log aggregator.example/consents/2026+1a2b3c4d+AQ...
    witness steward-a steward-a.example+5e6f7a8b+BA...
    witness steward-b steward-b.example+...
    witness steward-c steward-c.example+...
    group stewards 2 steward-a steward-b steward-c
    quorum stewards

A policy is a file that its reader got by another way than the log. It says which signatures make a
checkpoint valid; that a valid one also continues the last is `follow`'s question. Two lines with
one and the same public key are refused, whatever their names: they would be one party twice.
Spec: C2SP tlog-policy (Ed25519 keys; at most 64 lines of each kind).
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from consents.errors import NoteError, PolicyError, ProofError, UntrustedNote
from consents.tlog.checkpoint import (
    Checkpoint,
    NoteKey,
    SignatureType,
    read_checkpoint,
    verify_checkpoint,
    verify_cosignature,
)
from consents.tlog.merkle import verify_consistency
from consents.tlog.shards import precedes

MAX_POLICY_BYTES = 65_536
"""Longest policy file read: room for 64 logs, witnesses and groups."""

MAX_LINES = 64
"""Most logs, witnesses or groups."""

NO_QUORUM = "none"
"""The predefined name of a quorum that asks for nobody."""

_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_DECIMAL = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A set of witnesses or groups, of which `threshold` must have cosigned."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """A checkpoint that a policy accepts, and when each witness of it cosigned (aware UTC)."""

    checkpoint: Checkpoint
    log_vkey: str
    cosigned_at: Mapping[str, datetime]

    @property
    def known_by(self) -> datetime | None:
        """When the first of the witnesses that count had seen it; None without any."""
        return min(self.cosigned_at.values(), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessPolicy:
    """Log keys, witness keys by name, groups by name, and the quorum's name."""

    logs: tuple[str, ...]
    witnesses: Mapping[str, str]
    groups: Mapping[str, Group]
    quorum: str

    @classmethod
    def parse(cls, content: bytes) -> "WitnessPolicy":
        """Read a policy file; raise PolicyError."""
        return _Reader().read(content)

    def attest(self, note: str) -> Attested:
        """
        Return the checkpoint of `note` once a log's key and the quorum are seen to have signed.

        A cosignature that claims a known witness and fails is an error, never just missing.
        Raises MalformedNote, UntrustedNote or ForgedNote.
        """
        checkpoint, vkey = self._signed(note)
        times: dict[str, datetime] = {}
        for name, witness in self.witnesses.items():
            try:
                times[name] = verify_cosignature(note, witness)
            except UntrustedNote:
                continue
        if not self._reached(self.quorum, frozenset(times)):
            raise UntrustedNote("expected cosignatures by a quorum of the policy's witnesses")
        return Attested(checkpoint=checkpoint, log_vkey=vkey, cosigned_at=times)

    def follow(self, kept: str | None, note: str, *, proof: Sequence[bytes] = ()) -> Attested:
        """
        Attest `note`, and that it continues the note `kept` from last time.

        `proof` is the consistency proof between them. Raises NoteError, or ProofError for a fork
        (same size, other root), a rollback (smaller) or another history.
        """
        new = self.attest(note)
        if kept is None:
            return new
        old = self._signed(kept)[0]
        if old.origin != new.checkpoint.origin:
            raise UntrustedNote("expected the log that was followed so far, seen another")
        if new.checkpoint.size < old.size:
            raise ProofError(f"expected at least {old.size} leaves, seen {new.checkpoint.size}")
        if old.size:
            verify_consistency(
                old_size=old.size,
                new_size=new.checkpoint.size,
                old_root=old.root,
                new_root=new.checkpoint.root,
                proof=proof,
            )
        return new

    def followed_by(self, log_vkeys: Sequence[str]) -> "WitnessPolicy":
        """Return the policy with these logs as well: the successors of one that it names."""
        missing = [vkey for vkey in log_vkeys if vkey not in self.logs]
        return replace(self, logs=(*self.logs, *missing))

    def names_before(self, origin: str) -> bool:
        """Tell whether the policy names a log of an earlier year than the log of this name."""
        return any(precedes(NoteKey.parse(vkey).name, origin) for vkey in self.logs)

    def signed(self, note: str) -> Checkpoint:
        """Return the checkpoint of a note that a log of the policy signed, cosigned or not."""
        return self._signed(note)[0]

    def _signed(self, note: str) -> tuple[Checkpoint, str]:
        claimed = read_checkpoint(note)
        # A name can have several keys: a year's log that two of the year before's endings name.
        for vkey in self.logs:
            if NoteKey.parse(vkey).name == claimed.origin:
                with suppress(UntrustedNote):
                    return verify_checkpoint(note, vkey), vkey
        raise UntrustedNote("expected a checkpoint of a log that the policy names")

    def _reached(self, name: str, cosigned: frozenset[str]) -> bool:
        if name == NO_QUORUM:
            return True
        group = self.groups.get(name)
        if group is None:
            return name in cosigned
        reached = sum(self._reached(member, cosigned) for member in group.members)
        return reached >= group.threshold


def policy_text(
    *,
    log_vkey: str,
    witness_vkeys: Sequence[str],
    threshold: int | None = None,
    former_vkeys: Sequence[str] = (),
) -> str:
    """
    Return a policy of one log and its stewards; by default a majority must cosign (2 of 3).

    `former_vkeys` are the keys of the logs of the years before, which the same stewards cosigned.

    Raises PolicyError for a threshold outside 1..number of witnesses.
    """
    count = len(witness_vkeys)
    needed = count // 2 + 1 if threshold is None else threshold
    if not 1 <= needed <= count:
        raise PolicyError(f"expected a threshold in 1..{count}, seen {needed}")
    names = [f"steward-{number}" for number in range(1, count + 1)]
    lines = [f"log {vkey}" for vkey in (*former_vkeys, log_vkey)]
    lines += [f"witness {name} {vkey}" for name, vkey in zip(names, witness_vkeys, strict=True)]
    lines += [f"group stewards {needed} {' '.join(names)}", "quorum stewards"]
    text = "\n".join(lines) + "\n"
    WitnessPolicy.parse(text.encode())
    return text


class _Reader:
    """Reads a policy line by line; a name must stand on a line above its use."""

    def __init__(self) -> None:
        self.logs: list[str] = []
        self.witnesses: dict[str, str] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self.used: set[str] = set()
        self.keys: set[bytes] = set()

    def read(self, content: bytes) -> WitnessPolicy:
        """Read every line and return the policy that they make; raise PolicyError."""
        if len(content) > MAX_POLICY_BYTES or _CONTROL.search(content):
            raise PolicyError(f"expected at most {MAX_POLICY_BYTES} bytes without control bytes")
        takers = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        # Names are opaque bytes to the specification: undecodable ones stay themselves.
        for line in content.decode("utf-8", "surrogateescape").split("\n"):
            words = [word for word in re.split(r"[ \t]+", line) if word]
            if not words or words[0].startswith("#"):
                continue
            taker = takers.get(words[0])
            if taker is None:
                raise PolicyError("expected lines that begin with log, witness, group or quorum")
            taker(words[1:])
        if self.quorum is None:
            raise PolicyError("expected exactly one quorum line, seen none")
        return WitnessPolicy(
            logs=tuple(self.logs),
            witnesses=self.witnesses,
            groups=self.groups,
            quorum=self.quorum,
        )

    def _log(self, words: list[str]) -> None:
        if not 1 <= len(words) <= 2 or len(self.logs) == MAX_LINES:
            raise PolicyError("expected: log <vkey> [<url>]")
        self._key(words[0], SignatureType.ED25519)
        self.logs.append(words[0])

    def _witness(self, words: list[str]) -> None:
        if not 2 <= len(words) <= 3 or len(self.witnesses) == MAX_LINES:
            raise PolicyError("expected: witness <name> <vkey> [<url>]")
        self._new_name(words[0])
        self._key(words[1], SignatureType.COSIGNATURE)
        self.witnesses[words[0]] = words[1]

    def _group(self, words: list[str]) -> None:
        if len(words) < 3 or len(self.groups) == MAX_LINES:
            raise PolicyError("expected: group <name> all|any|<k> <name>...")
        name, rule, *members = words
        for member in members:
            if member not in self.witnesses and member not in self.groups:
                raise PolicyError("expected a group of names from lines above it")
            if member in self.used:
                raise PolicyError("expected each name in one group at most")
            self.used.add(member)
        self._new_name(name)
        known = {"all": len(members), "any": 1}
        if rule not in known and _DECIMAL.fullmatch(rule) is None:
            raise PolicyError("expected all, any or a number in a group line")
        threshold = known[rule] if rule in known else int(rule)
        if threshold > len(members):
            raise PolicyError(f"expected a threshold in 1..{len(members)}, seen {threshold}")
        self.groups[name] = Group(threshold=threshold, members=tuple(members))

    def _quorum(self, words: list[str]) -> None:
        if len(words) != 1 or self.quorum is not None:
            raise PolicyError("expected exactly one line: quorum <name>")
        if words[0] not in {NO_QUORUM, *self.witnesses, *self.groups}:
            raise PolicyError("expected a quorum of a name from the lines above")
        self.quorum = words[0]

    def _new_name(self, name: str) -> None:
        if name in {NO_QUORUM, *self.witnesses, *self.groups}:
            raise PolicyError("expected each name once, and none of them called none")

    def _key(self, vkey: str, kind: SignatureType) -> None:
        try:
            key = NoteKey.parse(vkey)
        except (NoteError, UnicodeEncodeError) as error:
            raise PolicyError("expected a verifier key such as name+1a2b3c4d+base64") from error
        if key.type is not kind:
            raise PolicyError(f"expected a key of type {kind:#04x} on this line")
        if key.public_key in self.keys:
            raise PolicyError("expected each public key once: a second name is no second party")
        self.keys.add(key.public_key)
