"""What the pages of the resident's own consents are given: every line in time order, judged now.

It sends nothing and asks nobody: proofs are judged offline, from what the store keeps.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import ceil

from sqlalchemy import Connection

from consents.records.chain import key_digest
from consents.records.limits import ConsentLimits
from consents.records.record import EventType, Purpose
from personal_store.choices import consenting, limit_words, limiting, own_log
from personal_store.choices.consent_events import EXPIRY_NOTICE
from personal_store.choices.proofs import ProofState, ProofStatus
from personal_store.db import consents, contributions, memberships, trust
from personal_store.db.connection import reading
from personal_store.db.consents import KeptEvent
from personal_store.db.contributions import ContributionState, KeptContribution
from personal_store.jobs import catalogue
from personal_store.store import Store
from personal_store.vocabulary import field_name

# Two screens of a phone, and well within the page's budget of nodes.
LINES_SHOWN = 12
UNSETTLED = frozenset({ProofState.SIGNED, ProofState.LEFT, ProofState.PROMISED, ProofState.LOGGED})


class Signer(StrEnum):
    """Who signed an event, as far as its consent names them."""

    OWN = "own"
    DELEGATE = "delegate"
    CODE = "code"
    PARENT = "parent"


_NAMING = {
    EventType.DELEGATE_NAMED: Signer.DELEGATE,
    EventType.RECOVERY_NAMED: Signer.CODE,
    EventType.SIGNER_JOINED: Signer.PARENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentLine:
    """One line of the resident's log: a choice with the state of its proofs, or a contribution.

    `who` names the cooperative, `signer` who signed, `erased` tells that the body is gone.
    """

    at: datetime
    event: KeptEvent | None = None
    status: ProofStatus | None = None
    contribution: KeptContribution | None = None
    who: str = ""
    signer: Signer = Signer.OWN
    erased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentsPage:
    """The page "my consents": what is in force, then every line, newest first.

    `ends_soon` tells that it expires within thirty days. `number` counts pages from 1 to `count`.
    `broken` tells that somebody did not keep their word,
    `unsettled` that a proof may still come, `trusting` that stewards to believe were named.
    """

    purpose: Purpose | None
    active: bool
    may_give: bool
    limits: ConsentLimits | None
    limits_said: Mapping[str, str]
    ends_soon: bool
    lines: Sequence[ConsentLine]
    number: int
    count: int
    broken: bool
    unsettled: bool
    trusting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPage:
    """One choice in full: its proofs, the exact text that it is about, its limits, its files.

    `trusting` says that stewards to believe were named; `fields` names in French what may be used.
    """

    line: ConsentLine
    event: KeptEvent
    purpose: Purpose | None
    limits_said: Mapping[str, str]
    fields: Sequence[str]
    trusting: bool
    files: Sequence[str]


def consents_page(store: Store, *, number: int = 1) -> ConsentsPage:
    """Return a page of the lines; a number past the last one gives the last."""
    judged = own_log.judged_events(store)
    with reading(store.engine) as connection:
        joined = memberships.every(connection)
        sent = [
            each
            for each in contributions.every(connection)
            if each.state is not ContributionState.PREPARED
        ]
        trusting = _is_trusting(connection)
        erased = _erased(connection)
    lines = _event_lines(judged, erased)
    lines += [ConsentLine(at=each.changed_at, contribution=each) for each in sent]
    lines.sort(key=lambda line: line.at)
    lines.reverse()  # of one moment, the later event first as well
    count = max(1, ceil(len(lines) / LINES_SHOWN))
    number = min(max(number, 1), count)
    purpose = catalogue.newest_purpose(store.engine, joined[-1]) if joined else None
    now = store.clock.now()
    in_force = consenting.in_force([event for event, _ in judged], now=now)
    limits = _limits(in_force)
    states = {status.state for _, status in judged}
    return ConsentsPage(
        purpose=purpose,
        active=bool(in_force),
        may_give=purpose is not None
        and purpose.digest not in {each.signed.payload.pd for each in in_force},
        limits=limits,
        limits_said=_said(store, limits),
        ends_soon=limits is not None and limits.expires_at - now <= EXPIRY_NOTICE,
        lines=lines[(number - 1) * LINES_SHOWN : number * LINES_SHOWN],
        number=number,
        count=count,
        broken=any(state.broken for state in states),
        unsettled=bool(states & UNSETTLED),
        trusting=trusting,
    )


def consent_page(store: Store, cid: str, n: str) -> ConsentPage | None:
    """Return one choice by its consent's id and its number as written, None where none is."""
    with reading(store.engine) as connection:
        trusting = _is_trusting(connection)
        erased = _erased(connection)
    for line in _event_lines(own_log.judged_events(store), erased):
        event = line.event
        assert event is not None, "a line of an event has it"
        if (event.signed.payload.cid, str(event.signed.payload.n)) == (cid, n):
            kept = own_log.personal_receipt(store, event)
            limits = event.body.limits if event.body else None
            return ConsentPage(
                line=line,
                event=event,
                purpose=None if kept is None else kept.purpose,
                limits_said=_said(store, limits),
                fields=[] if limits is None else [field_name(each) for each in limits.fields],
                trusting=trusting,
                files=list(own_log.receipt_files(store, event)),
            )
    return None


def _event_lines(
    judged: Sequence[tuple[KeptEvent, ProofStatus]], erased: Collection[str]
) -> list[ConsentLine]:
    """Return the lines of events: who signed each is told by what its consent named before."""
    names: dict[str, str] = {}
    signers: dict[tuple[str, str], Signer] = {}
    lines = []
    for event, status in judged:
        payload = event.signed.payload
        if event.body is not None:
            names[payload.cid] = event.body.party_identification[0].party_name
        if payload.t in _NAMING:
            signers[payload.cid, payload.c] = _NAMING[payload.t]
        lines.append(
            ConsentLine(
                at=event.signed_at,
                event=event,
                status=status,
                who=names.get(payload.cid, ""),
                signer=signers.get((payload.cid, key_digest(payload.kid)), Signer.OWN),
                erased=payload.cid in erased and payload.t.of_consent,
            )
        )
    return lines


def _erased(connection: Connection) -> frozenset[str]:
    return frozenset(each.cid for each in consents.every(connection) if each.erased_at)


def _is_trusting(connection: Connection) -> bool:
    joined = memberships.every(connection)
    return bool(joined) and trust.pinned_for(connection, joined[-1].url) is not None


def _limits(in_force: Sequence[KeptEvent]) -> ConsentLimits | None:
    body = in_force[-1].body if in_force else None
    return None if body is None else body.limits


def _said(store: Store, limits: ConsentLimits | None) -> Mapping[str, str]:
    """Return the days and places of limits as sentences by language, empty where all count."""
    area = None if limits is None else limits.area
    names = None if area is None else limiting.zone_names(store.engine, area)
    return limit_words.limits_sentences(None if limits is None else limits.weekdays, names)
