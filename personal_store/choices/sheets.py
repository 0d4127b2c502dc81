"""The file that somebody outside of the store ends consents with: where to go, and what is known.

It opens nothing by itself: it says which cooperative, under which key its logs began, which
stewards take a withdrawal in when the cooperative does not, and the consents as they stood, by
which one can be signed for without asking. The key is elsewhere: a delegate's own, or the code.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from consents.canonical import sha256_hex
from consents.errors import ConsentsError
from consents.records.notice import Notice
from consents.records.receipt import SignedEvent, read_event
from consents.records.record import Purpose
from consents.tlog.checkpoint import NoteKey
from consents.tlog.policy import WitnessPolicy
from personal_store.choices import consenting, withdrawal_code
from personal_store.choices.consent_events import kept_event
from personal_store.db import consents, memberships, trust, withdrawal_codes
from personal_store.db.connection import reading, writing
from personal_store.db.consents import KeptEvent
from personal_store.db.trust import Trust
from personal_store.errors import StoreError
from personal_store.membership import Membership
from personal_store.store import Store

MAX_SHEET_BYTES = 524_288
"""Longest file read: a consent takes some ten kilobytes, with the text that it is about."""

_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownConsent:
    """A consent as it stood when the file was written, and the texts that its end names."""

    events: tuple[SignedEvent, ...]
    purpose: Purpose
    notice: Notice

    @property
    def cid(self) -> str:
        """The consent's id."""
        return self.events[0].payload.cid


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Where consents can be ended: the cooperative, its logs' keys, oldest first, the stewards.

    `trust` is None where the resident named no steward with a drop-box; a steward who replaced a
    lost key names themselves there, with or without one. `known` may be empty: a
    sheet copied from paper knows no consent, and the cooperative must then show them.
    """

    url: str
    log_vkeys: tuple[str, ...]
    trust: Trust | None = None
    known: tuple[KnownConsent, ...] = ()

    @property
    def origins(self) -> tuple[str, ...]:
        """The names of the logs, oldest first: their keys bear them."""
        return tuple(NoteKey.parse(vkey).name for vkey in self.log_vkeys)

    @property
    def origin(self) -> str:
        """The name of the newest log known."""
        return self.origins[-1]

    def to_bytes(self) -> bytes:
        """Return the file: one JSON object."""
        document: dict[str, Any] = {
            "v": _VERSION,
            "cooperative": self.url,
            "log_vkeys": list(self.log_vkeys),
            "stewards": None,
            "consents": [
                {
                    "leaves": [event.leaf.decode("ascii") for event in each.events],
                    "purpose": each.purpose.to_bytes().decode(),
                    "notice": each.notice.to_bytes().decode(),
                }
                for each in self.known
            ],
        }
        if self.trust is not None:
            policy = {"url": self.trust.stewards_url, "policy": self.trust.policy_text}
            document["stewards"] = policy
        return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def read_sheet(path: Path) -> Sheet:
    """Read such a file; raise StoreError."""
    try:
        with path.open("rb") as file:
            return parse_sheet(file.read(MAX_SHEET_BYTES))
    except OSError:
        raise _no_sheet() from None


def parse_sheet(content: bytes) -> Sheet:
    """Return the sheet that a file's content is; raise StoreError where it is none."""
    try:
        document = json.loads(content)
        if document["v"] != _VERSION or not document["log_vkeys"]:
            raise _no_sheet()
        return Sheet(
            url=_address(document["cooperative"]),
            log_vkeys=tuple(_vkey(each) for each in document["log_vkeys"]),
            trust=None if document["stewards"] is None else _trust(document["stewards"]),
            known=tuple(map(_known, document["consents"])),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ConsentsError):
        raise _no_sheet() from None


def paper_sheet(url: str, log_vkey: str) -> Sheet:
    """Return the sheet of an address and a log's key copied from paper; raise StoreError."""
    try:
        return Sheet(url=_address(url), log_vkeys=(_vkey("".join(log_vkey.split())),))
    except (ValueError, ConsentsError):
        raise StoreError(
            fr="L'adresse ou la clé du journal n'est pas recopiée comme elle est écrite sur la "
            "feuille : rien n'a été envoyé. Vérifiez chaque lettre.",
            en="The address or the log's key is not copied as it stands on the sheet: nothing was "
            "sent. Check each letter.",
        ) from None


def sheet_for(store: Store, membership: Membership, cids: Collection[str]) -> Sheet:
    """Return the sheet that knows these consents, those apart whose texts the store lacks."""
    with reading(store.engine) as connection:
        pinned = trust.pinned_for(connection, membership.url)
        known = []
        for cid in cids:
            events = tuple(each.signed for each in consents.chain(connection, cid))
            purpose = memberships.purpose_document(connection, events[0].payload.pd)
            notice = memberships.notice_document(connection, events[0].payload.pd)
            if purpose is not None and notice is not None:
                known.append(
                    KnownConsent(
                        events=events, purpose=Purpose.parse(purpose), notice=Notice.parse(notice)
                    )
                )
    with_box = pinned is not None and pinned.stewards_url is not None
    return Sheet(
        url=membership.url,
        log_vkeys=membership.log_vkeys,
        trust=pinned if with_box else None,
        known=tuple(known),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetState:
    """How far the sheet of the withdrawal code serves.

    `made` tells that there is a code, `unnamed` counts the consents in force that do not name it,
    `written_at` is when its file was last written, None before. `outdated`: a consent has changed
    since, so that the file serves only as the paper does, while the cooperative answers.
    """

    made: bool
    unnamed: int
    written_at: datetime | None
    outdated: bool


def sheet_state(store: Store, membership: Membership) -> SheetState:
    """Return how far the sheet serves by now."""
    with reading(store.engine) as connection:
        code = withdrawal_codes.kept(connection)
        chains = [consents.chain(connection, cid) for cid in _given(store, membership)]
        unnamed = sum(not withdrawal_code.is_named(connection, chain) for chain in chains)
    heads = {chain[-1].signed.head for chain in chains}
    written_at = None if code is None else code.written_at
    return SheetState(
        made=code is not None,
        unnamed=unnamed,
        written_at=written_at,
        outdated=written_at is not None and code is not None and not heads <= set(code.heads),
    )


def write_own(store: Store, membership: Membership) -> Sheet:
    """Return the sheet for the withdrawal code, of every consent given, and note that it was."""
    sheet = sheet_for(store, membership, _given(store, membership))
    with writing(store.engine) as connection:
        heads = [each.events[-1].head for each in sheet.known]
        withdrawal_codes.mark_written(connection, heads, at=store.clock.now())
    return sheet


def _given(store: Store, membership: Membership) -> list[str]:
    with reading(store.engine) as connection:
        return [
            each.cid
            for each in consents.every(connection)
            if each.url == membership.url
            and consenting.permits(consents.chain(connection, each.cid))
        ]


def kept_events(known: KnownConsent) -> list[KeptEvent]:
    """Return the events that a sheet knows, as a store would keep them."""
    return [kept_event(each) for each in known.events]


def _known(document: Mapping[str, Any]) -> KnownConsent:
    purpose = str(document["purpose"]).encode()
    events = tuple(read_event(str(leaf).encode("ascii")) for leaf in document["leaves"])
    if not events or any(each.payload.pd != sha256_hex(purpose) for each in events):
        raise _no_sheet()
    return KnownConsent(
        events=events,
        purpose=Purpose.parse(purpose),
        notice=Notice.parse(str(document["notice"]).encode()),
    )


def _trust(document: Mapping[str, Any]) -> Trust:
    text = str(document["policy"])
    WitnessPolicy.parse(text.encode())
    url = document["url"]
    return Trust(policy_text=text, stewards_url=None if url is None else _address(url))


def _vkey(written: object) -> str:
    vkey = str(written)
    NoteKey.parse(vkey)
    return vkey


def _address(written: object) -> str:
    url = str(written).strip().rstrip("/")
    if not url.startswith(("https://", "http://")):
        raise ValueError("expected an address")
    return url


def _no_sheet() -> StoreError:
    return StoreError(
        fr="Ce fichier ne dit pas où retirer quel accord. Attendu : le fichier écrit par la page "
        "« Qui peut retirer », par « consents recovery prepare » ou « consents delegates name ».",
        en="This file does not say where to withdraw which consent. Expected: the file written by "
        "the page “Who may withdraw”, by “consents recovery prepare” or “consents delegates name”.",
    )
