"""What an auditor keeps of a verified log, so that the next audit verifies only what is new.

A file is one timeline, the notes that sign what it was made from with their logs' keys, and a
SHA-256 over all of it. It is of one sequence of logs and of one set of stewards. A later year's key
is the auditor's by the closing of the log before, as it was verified: an export that leaves a year
out, or goes on in another log, cannot make a stranger's of what was kept. Reading it back verifies
the notes with the policy and derives their roots again from the kept leaf hashes: damage, another
log's file or leaves that nobody signed never pass. It does not protect from somebody who can write
the auditor's own folder, knows the format, and could as well change the policy: keep both alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import accumulate, islice
from typing import Any

from consents.audit.timeline import RECORD_BYTES, ActLeaf, Helpers, Timeline, TrustedKeys
from consents.canonical import canonical_bytes, parse_json, sha256_hex
from consents.errors import CanonicalError, KeptError, LeafError, NoteError
from consents.records.chain import Delegate
from consents.records.mandate import Mandate
from consents.records.receipt import EventType
from consents.tlog import merkle
from consents.tlog.checkpoint import Checkpoint
from consents.tlog.policy import WitnessPolicy
from consents.tlog.shards import closing_digest

FORMAT = f"consents-timeline/4 {sha256_hex(' '.join(EventType).encode())[:16]}"
"""Form of a kept file, with the types that its records number."""

_CLOSED = EventType.SHARD_CLOSED
_DIGEST_BYTES = 32


def kept_file(keys: TrustedKeys) -> str:
    """Return the name, in an auditor's folder, of what is kept of a sequence of logs.

    The sequence is that of the first log's key; another set of stewards verifies on its own.
    """
    return (
        f"{TrustedKeys(operators=keys.operators[:1], stewards=keys.stewards).digest[:32]}.timeline"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A timeline, and the signed notes of its logs with their verifier keys, oldest first."""

    timeline: Timeline
    notes: tuple[str, ...]
    vkeys: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """Return the file: a line of JSON, the records, the digest of both."""
        timeline = self.timeline
        header = {
            "format": FORMAT,
            "notes": list(self.notes),
            "vkeys": list(self.vkeys),
            "operators": list(timeline.keys.operators),
            "stewards": list(timeline.keys.stewards),
            "helpers": {cid: list(map(_to_list, each)) for cid, each in timeline.helpers.items()},
            "acts": [asdict(act) for act in timeline.acts],
        }
        content = canonical_bytes(header) + b"\n" + timeline.records
        return content + sha256(content).digest()

    @classmethod
    def parse(cls, content: bytes, *, policy: WitnessPolicy) -> "Kept | None":
        """
        Read a file back, and hold it to its notes; None for one of an older form.

        Raises KeptError for one that is damaged, or that no log of `policy` signed.
        """
        whole, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
        if sha256(whole).digest() != digest:
            raise KeptError("expected a kept timeline as it was written")
        line, _, records = whole.partition(b"\n")
        try:
            header = parse_json(line)
            if not isinstance(header, dict) or header.get("format") != FORMAT:
                return None
            vkeys = tuple(header["vkeys"])
            timeline = _timeline(header, records, policy.followed_by(vkeys[1:]))
            kept = cls(timeline=timeline, notes=tuple(header["notes"]), vkeys=vkeys)
            _hold_to_closings(kept, policy)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise KeptError("expected a kept timeline") from error
        except (CanonicalError, LeafError, NoteError) as error:
            raise KeptError("expected notes that a log of the policy signed") from error
        _hold_to_roots(kept.timeline)
        return kept

    def begins(self, checkpoints: Sequence[Checkpoint], keys: TrustedKeys) -> bool:
        """
        Tell whether what was kept may be the beginning of the logs of these checkpoints and keys.

        That their entries are the same is for `consents.audit.grown` to see.
        """
        ours = (*self.timeline.former, self.timeline.checkpoint)
        theirs = checkpoints[: len(ours)]
        return (
            self.timeline.origins == tuple(each.origin for each in theirs)
            and [each.size for each in ours[:-1]] == [each.size for each in theirs[:-1]]
            and ours[-1].size <= theirs[-1].size
            and self.timeline.keys.operators == keys.operators[: len(ours)]
            and set(self.timeline.keys.stewards) == set(keys.stewards)
        )


def _timeline(header: Mapping[str, Any], records: bytes, policy: WitnessPolicy) -> Timeline:
    *former, newest = map(policy.signed, header["notes"])
    return Timeline(
        checkpoint=newest,
        former=tuple(former),
        keys=TrustedKeys(operators=tuple(header["operators"]), stewards=tuple(header["stewards"])),
        records=records,
        acts=tuple(ActLeaf(**{**each, "kind": EventType(each["kind"])}) for each in header["acts"]),
        helpers={
            cid: tuple(map(_from_list, changes)) for cid, changes in header["helpers"].items()
        },
    )


def _hold_to_roots(timeline: Timeline) -> None:
    checkpoints = (*timeline.former, timeline.checkpoint)
    if len(timeline.records) != RECORD_BYTES * sum(each.size for each in checkpoints):
        raise KeptError("expected a record of every entry")
    rows = timeline.rows()
    for each in checkpoints:
        if merkle.root(row[6] for row in islice(rows, each.size)) != each.root:
            raise KeptError("expected kept leaf hashes that give the signed root")


def _hold_to_closings(kept: Kept, policy: WitnessPolicy) -> None:
    """Hold each key that the policy does not name to the end of the log before."""
    named = {act.position: act.c for act in kept.timeline.acts if act.kind is _CLOSED}
    starts = list(accumulate(each.size for each in kept.timeline.former))
    for start, vkey in zip(starts, kept.vkeys[1:], strict=True):
        if vkey not in policy.logs and named.get(start - 1) != closing_digest(vkey):
            raise KeptError("expected the key that the log of the year before named")


def _to_list(helpers: Helpers) -> list[Any]:
    delegates = [[each.kid, each.mandate.to_mapping()] for each in helpers.delegates]
    return [helpers.position, list(helpers.kids), delegates]


def _from_list(value: Sequence[Any]) -> Helpers:
    position, kids, delegates = value
    return Helpers(
        position=position,
        kids=tuple(kids),
        delegates=tuple(
            Delegate(kid=kid, mandate=Mandate.from_value(said)) for kid, said in delegates
        ),
    )
