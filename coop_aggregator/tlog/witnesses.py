"""The stewards' witnesses that a cooperative asks, and how many of them make a checkpoint public.

Not a trust decision of a reader: residents and auditors hold a policy of their own. One setting
lists the witnesses as `VERIFIER-KEY ADDRESS`, several of them parted by commas; each key was
received from its steward and never from that address. By default a majority must cosign: two of
three, one of one.
"""

from dataclasses import dataclass

from consents.errors import ConsentsError
from consents.jws import thumbprint_of_raw
from consents.tlog.checkpoint import NoteKey
from consents.tlog.policy import policy_text
from coop_aggregator.errors import AggregatorError

_WORDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One steward's witness: its verifier key and its address."""

    vkey: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnesses:
    """Those whom a cooperative asks; `quorum` of them must have cosigned, 0 when there is none."""

    members: tuple[Witness, ...] = ()
    quorum: int = 0

    @property
    def vkeys(self) -> tuple[str, ...]:
        """Their verifier keys, in the order of the setting."""
        return tuple(each.vkey for each in self.members)

    @property
    def kids(self) -> tuple[str, ...]:
        """Thumbprints of their keys: any of them may recover a consent whose key was lost."""
        return tuple(thumbprint_of_raw(NoteKey.parse(vkey).public_key) for vkey in self.vkeys)


def read_witnesses(text: str | None, *, quorum: int | None, log_vkey: str) -> Witnesses:
    """Read the setting; `quorum` defaults to a majority. Raises AggregatorError.

    What a C2SP policy refuses is refused here: a key twice, the log's own key, a quorum that cannot
    be reached.
    """
    if text is None:
        if quorum is not None:
            raise _refused()
        return Witnesses()
    listed = [entry.split() for entry in text.split(",")]
    if any(len(words) != _WORDS for words in listed):
        raise _refused()
    members = tuple(Witness(vkey=vkey, url=url) for vkey, url in listed)
    needed = len(members) // 2 + 1 if quorum is None else quorum
    try:
        vkeys = [each.vkey for each in members]
        policy_text(log_vkey=log_vkey, witness_vkeys=vkeys, threshold=needed)
    except (ConsentsError, UnicodeEncodeError) as error:
        raise _refused() from error
    return Witnesses(members=members, quorum=needed)


def _refused() -> AggregatorError:
    return AggregatorError(
        fr="COOP_AGGREGATOR_WITNESSES attend « CLÉ ADRESSE », plusieurs témoins séparés par des "
        "virgules, chacun avec une clé de témoin à lui ; COOP_AGGREGATOR_WITNESS_QUORUM, un nombre "
        "entre 1 et celui des témoins.",
        en="COOP_AGGREGATOR_WITNESSES expects 'KEY ADDRESS', several witnesses parted by commas, "
        "each with a witness key of its own; COOP_AGGREGATOR_WITNESS_QUORUM, a number from 1 to "
        "that of the witnesses.",
    )
