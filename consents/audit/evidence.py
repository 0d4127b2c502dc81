"""Evidence that does not come from the operator's hands: promises and drop-box slips, as held.

A line of an evidence file is a JSON string (the compact JWS of a promise or of a slip) or an object
`{"leaf", "promise"}`, where the holder of a promise shows the event that it is for. Who signed it
is checked against the policy: promises by the log's key, slips by a witness's.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from consents.audit.timeline import Timeline, event_type
from consents.canonical import base64url_bytes, parse_json
from consents.errors import CanonicalError, LeafError, PromiseError
from consents.records.receipt import EventType, SignedEvent, read_event
from consents.tlog.merkle import leaf_hash
from consents.tlog.promise import DropboxSlip, Promise, read_promise, read_slip


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One line as read: a token, and the leaf beside it where there is one. Nothing is checked."""

    token: bytes
    leaf: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """
    What the lines prove, each signed by somebody whom the policy names.

    `strangers` counts the slips of events that no key of a chain in the log signed.
    """

    promises: tuple[Promise, ...]
    events: tuple[SignedEvent, ...]
    slips: tuple[DropboxSlip, ...]
    strangers: int = 0


def read_held(line: bytes) -> Held:
    """Read a line of an evidence file; raise PromiseError."""
    try:
        value = parse_json(line)
        if isinstance(value, str):
            return Held(token=value.encode("ascii"))
        if isinstance(value, dict) and set(value) == {"leaf", "promise"}:
            leaf, token = str(value["leaf"]), str(value["promise"])
            return Held(token=token.encode("ascii"), leaf=leaf.encode("ascii"))
    except (CanonicalError, UnicodeEncodeError) as error:
        raise PromiseError("expected a JSON value on each line of evidence") from error
    raise PromiseError("expected a token, or a promise with its leaf, on each line of evidence")


def check_evidence(lines: Iterable[Held], *, timeline: Timeline) -> Evidence:
    """
    Verify each line against the keys that may sign it; raise PromiseError for any that fails.

    A slip for an event that no key of its consent's chain signed, outside of a delegate's mandate,
    or that no operator could merge, is counted and left aside: it proves nothing here, and anybody
    may leave any number.
    """
    promises: list[Promise] = []
    events: list[SignedEvent] = []
    slips: list[DropboxSlip] = []
    strangers = 0
    signers: frozenset[bytes] | None = None
    for held in lines:
        claimed = _claimed_signer(held.token)
        if claimed is None:
            promises.append(_promise(held.token, timeline.keys.operators))
            events += _promised_event(held)
            continue
        signers = timeline.signers() if signers is None else signers
        if claimed in signers:
            slips.append(_slip(held.token, timeline.keys.stewards))
        else:
            strangers += 1
    owed = {each.leaf_hash for each in promises}
    promised = {event.head for event in events if leaf_hash(event.leaf).hex() in owed}
    mergeable = _mergeable(slips, promised, timeline)
    return Evidence(
        promises=tuple(promises),
        events=tuple(events),
        slips=mergeable,
        strangers=strangers + len(slips) - len(mergeable),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """One entry of a chain in the log; `kid` is the chain's key after it."""

    position: int
    head: str
    kid: bytes
    kind: EventType | None
    at_s: int


def _mergeable(
    slips: Sequence[DropboxSlip], promised: Collection[str], timeline: Timeline
) -> tuple[DropboxSlip, ...]:
    """
    Return the slips of events that are in the log, continue its chains, or a `promised` event.

    Whoever holds a key of a chain could else leave what fits nowhere, and accuse the operator.
    """
    chains: dict[bytes, list[_Link]] = {bytes.fromhex(each.event.payload.cid): [] for each in slips}
    for position, row in enumerate(timeline.rows() if slips else ()):
        cid, kind, _, _, kid, head, _, at_s = row
        if cid in chains:
            chains[cid].append(
                _Link(position=position, head=head.hex(), kid=kid, kind=event_type(kind), at_s=at_s)
            )
    return tuple(
        each
        for each in slips
        if _fits(each, chains[bytes.fromhex(each.event.payload.cid)], promised, timeline)
    )


def _fits(
    slip: DropboxSlip, chain: Sequence[_Link], promised: Collection[str], timeline: Timeline
) -> bool:
    """Tell whether a slip's event is in its chain, or could have been when it was received."""
    payload = slip.event.payload
    n = min(payload.n, len(chain))
    before = chain[n - 1] if n else None
    if before is None or not _may_act(slip, before, timeline):
        return False
    if payload.p in promised:
        return True
    if payload.n > len(chain) or before.head != payload.p or not _may_sign(slip, before, timeline):
        return False
    if n == len(chain) or chain[n].head == slip.event.head:
        return True
    # Another event stands in its place: the operator's own, or one signed later, excuses nobody.
    instead = chain[n]
    later = instead.at_s > slip.received_at.timestamp()
    return instead.kind is EventType.EXPIRED or later


def _may_act(slip: DropboxSlip, before: _Link, timeline: Timeline) -> bool:
    """Tell whether a delegate's act came within the mandate that held after the entry before it."""
    payload = slip.event.payload
    helpers = timeline.helpers_at(payload.cid, before.position)
    return helpers.may_act(payload, received_at=slip.received_at)


def _may_sign(slip: DropboxSlip, before: _Link, timeline: Timeline) -> bool:
    """Tell whether the signer was the chain's key, or one that could end it, after that entry."""
    payload = slip.event.payload
    helpers = timeline.helpers_at(payload.cid, before.position)
    return payload.kid in helpers.kids or base64url_bytes(payload.kid) == before.kid


def _promise(token: bytes, operators: Sequence[str]) -> Promise:
    *former, newest = operators
    for kid in former:
        with suppress(PromiseError):
            return read_promise(token, kid=kid)
    return read_promise(token, kid=newest)


def _promised_event(held: Held) -> Iterator[SignedEvent]:
    if held.leaf is not None:
        try:
            yield read_event(held.leaf)
        except LeafError as error:
            raise PromiseError("expected the event that a promise is for") from error


def _claimed_signer(token: bytes) -> bytes | None:
    """Return consent id and key thumbprint, raw, as a slip's event claims; None for a promise."""
    try:
        slip = _claims(token)
        if "leaf" not in slip:
            return None
        event = _claims(str(slip["leaf"]).encode("ascii"))
        return bytes.fromhex(str(event["cid"])) + base64url_bytes(str(event["kid"]))
    except (CanonicalError, IndexError, KeyError, ValueError) as error:
        raise PromiseError("expected a promise or a slip as a compact JWS") from error


def _claims(token: bytes) -> dict[str, object]:
    value = parse_json(base64url_bytes(token.decode("ascii").split(".")[1]))
    if not isinstance(value, dict):
        raise CanonicalError("expected a JSON object as payload")
    return value


def _slip(token: bytes, stewards: Iterable[str]) -> DropboxSlip:
    for kid in stewards:
        with suppress(PromiseError):
            return read_slip(token, kid=kid)
    raise PromiseError("expected a slip by a steward whom the policy names")
