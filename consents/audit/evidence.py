"""Evidence that does not come from the operator's hands: promises and drop-box slips, as held.

A line of an evidence file is a JSON string (the compact JWS of a promise or of a slip) or an object
`{"leaf", "promise"}`, where the holder of a promise shows the event that it is for. Who signed it
is checked against the policy: promises by the log's key, slips by a witness's.
"""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from consents.canonical import parse_json
from consents.errors import CanonicalError, LeafError, PromiseError
from consents.promise import DropboxSlip, Promise, read_promise, read_slip
from consents.receipt import SignedEvent, read_event


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One line as read: a token, and the leaf beside it where there is one. Nothing is checked."""

    token: bytes
    leaf: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the lines prove, each signed by somebody whom the policy names."""

    promises: tuple[Promise, ...]
    events: tuple[SignedEvent, ...]
    slips: tuple[DropboxSlip, ...]


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


def check_evidence(
    lines: Iterable[Held], *, operator_kids: Sequence[str], steward_kids: Collection[str]
) -> Evidence:
    """Verify each line against the keys that may sign it; raise PromiseError for any that fails.

    `operator_kids` are the keys of the logs, the newest last.
    """
    promises: list[Promise] = []
    events: list[SignedEvent] = []
    slips: list[DropboxSlip] = []
    for held in lines:
        slip = _slip(held, steward_kids)
        if slip is not None:
            slips.append(slip)
            continue
        promises.append(_promise(held, operator_kids))
        if held.leaf is not None:
            try:
                events.append(read_event(held.leaf))
            except LeafError as error:
                raise PromiseError("expected the event that a promise is for") from error
    return Evidence(promises=tuple(promises), events=tuple(events), slips=tuple(slips))


def _promise(held: Held, operator_kids: Sequence[str]) -> Promise:
    *former, newest = operator_kids
    for kid in former:
        with suppress(PromiseError):
            return read_promise(held.token, kid=kid)
    return read_promise(held.token, kid=newest)


def _slip(held: Held, steward_kids: Collection[str]) -> DropboxSlip | None:
    for kid in steward_kids:
        try:
            return read_slip(held.token, kid=kid)
        except PromiseError:
            continue
    return None
