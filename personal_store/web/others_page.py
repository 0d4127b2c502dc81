"""The pages of who may withdraw beside the resident: delegates for a time, and the code on paper.

It names, takes back and prints; acting with those keys, elsewhere or after a loss, is
`for_another_page`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from consents.records.record import Purpose
from personal_store.choices import consenting, naming, sheets
from personal_store.choices.naming import NamedDelegate
from personal_store.choices.sheets import Sheet, SheetState
from personal_store.db import consents, memberships, trust
from personal_store.db.connection import reading
from personal_store.db.consents import Consent
from personal_store.errors import StoreError
from personal_store.jobs import catalogue
from personal_store.local_time import local_date
from personal_store.membership import Membership
from personal_store.settings import Language
from personal_store.store import Store
from personal_store.web.pages import Pages, to

PATH = "consents/others"
GROUP_LENGTH = 4
_Text = Annotated[str, Form(max_length=128)]


class MandateTime(StrEnum):
    """Where a mandate stands by now."""

    LATER = "later"
    NOW = "now"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegateLine:
    """A delegate as shown: the key's thumbprint, the first and the last day."""

    cid: str
    kid: str
    first: date
    last: date
    time: MandateTime
    outdated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenConsent:
    """A consent that somebody may be named for."""

    cid: str
    given_at: datetime
    title_fr: str
    title_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OthersPage:
    """Who may withdraw: delegates, and how far the sheet of the code serves.

    `with_stewards` tells that a drop-box of stewards was named; `today` is what a form proposes.
    """

    consents: Sequence[GivenConsent]
    delegates: Sequence[DelegateLine]
    sheet: SheetState
    with_stewards: bool
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPage:
    """What is printed: the code, the address, and the first log's key in groups of letters."""

    code: str
    url: str
    key_name: str
    key_groups: Sequence[str]
    printed_at: datetime


class MandateForm(BaseModel):
    """The form that names somebody, as a browser sends it."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    cid: str = ""
    key: str = ""
    since: str = ""
    until: str = ""


def others_routes(pages: Pages) -> APIRouter:
    """Return the routes of these pages."""
    router = APIRouter(prefix="/{language}/" + PATH, include_in_schema=False)
    _add_delegates(router, pages)
    _add_code(router, pages)
    return router


def _add_delegates(router: APIRouter, pages: Pages) -> None:
    @router.get("")
    def every(language: Language, request: Request) -> Response:
        return pages.guarded(request, language, lambda: _page(pages, language))

    @router.post("/name")
    def name(
        language: Language, request: Request, form: Annotated[MandateForm, Form()]
    ) -> Response:
        def action(member: Membership) -> None:
            _name(pages.store, member, form)

        return pages.guarded(request, language, lambda: _act(pages, language, action))

    @router.post("/revoke")
    def revoke(language: Language, request: Request, cid: _Text = "", key: _Text = "") -> Response:
        def action(member: Membership) -> None:
            naming.revoke_delegate(pages.store, member, cid, kid=key)

        return pages.guarded(request, language, lambda: _act(pages, language, action))

    @router.get("/{cid}/mandat.json")
    def file(language: Language, request: Request, cid: str) -> Response:
        return pages.guarded(request, language, lambda: _mandate_file(pages, cid))


def _add_code(router: APIRouter, pages: Pages) -> None:
    @router.post("/code")
    def make(
        language: Language, request: Request, anew: Annotated[bool, Form()] = False
    ) -> Response:
        def action(member: Membership) -> None:
            naming.prepare_code(pages.store, member, anew=anew)

        return pages.guarded(
            request, language, lambda: _act(pages, language, action, then="/sheet")
        )

    @router.get("/sheet")
    def sheet(language: Language, request: Request) -> Response:
        return pages.guarded(request, language, lambda: _sheet(pages, language))

    @router.post("/retrait.json")
    def file(language: Language, request: Request) -> Response:
        return pages.guarded(
            request, language, lambda: _file(sheets.write_own(*_joined(pages)), "retrait")
        )


def _joined(pages: Pages) -> tuple[Store, Membership]:
    return pages.store, catalogue.the_membership(pages.store.engine)


def _page(pages: Pages, language: Language, *, trouble: str | None = None) -> Response:
    try:
        page = others_page(*_joined(pages))
    except StoreError as error:
        return pages.render(
            "error.html", language, status=409, week=None, trouble=error.say(language)
        )
    status = 200 if trouble is None else 409
    return pages.render("others.html", language, status=status, page=page, trouble=trouble)


def others_page(store: Store, member: Membership) -> OthersPage:
    """Return what the page shows."""
    now = store.clock.now()
    with reading(store.engine) as connection:
        pinned = trust.pinned_for(connection, member.url)
        given = [
            _given(connection, each)
            for each in consents.every(connection)
            if each.url == member.url and consenting.permits(consents.chain(connection, each.cid))
        ]
    return OthersPage(
        consents=given,
        delegates=[_line(each, now) for each in naming.delegates(store, member)],
        sheet=sheets.sheet_state(store, member),
        with_stewards=pinned is not None and pinned.stewards_url is not None,
        today=local_date(now),
    )


def _given(connection: Connection, consent: Consent) -> GivenConsent:
    document = memberships.purpose_document(connection, consent.purpose_digest)
    purpose = None if document is None else Purpose.parse(document)
    return GivenConsent(
        cid=consent.cid,
        given_at=consent.opened_at,
        title_fr="" if purpose is None else purpose.title_fr,
        title_en="" if purpose is None else purpose.title_en,
    )


def _line(named: NamedDelegate, now: datetime) -> DelegateLine:
    mandate = named.delegate.mandate
    time = MandateTime.LATER if now < mandate.starts_at else MandateTime.NOW
    return DelegateLine(
        cid=named.consent.cid,
        kid=named.delegate.kid,
        first=local_date(mandate.starts_at),
        # The instant before the end is on the last day, which is included.
        last=local_date(mandate.ends_at - mandate.ends_at.resolution),
        time=MandateTime.OVER if now >= mandate.ends_at else time,
        outdated=named.outdated,
    )


def _act(
    pages: Pages,
    language: Language,
    action: Callable[[Membership], object],
    *,
    then: str = "",
) -> Response:
    try:
        action(catalogue.the_membership(pages.store.engine))
    except StoreError as error:
        return _page(pages, language, trouble=error.say(language))
    return to(f"/{language}/{PATH}{then}")


def _name(store: Store, member: Membership, form: MandateForm) -> None:
    mandate = naming.mandate_of_days(_day(form.since), _day(form.until))
    naming.name_delegate(store, member, form.cid, kid=form.key.strip(), mandate=mandate)


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise StoreError(
            fr="Il manque un jour, ou il est mal écrit : rien n'a été signé. Attendu : 2027-03-31.",
            en="A day is missing or badly written: nothing was signed. Expected: 2027-03-31.",
        ) from None


def _mandate_file(pages: Pages, cid: str) -> Response:
    store, member = _joined(pages)
    with reading(store.engine) as connection:
        member = memberships.of(connection, member.url)
        known = {each.cid for each in consents.every(connection) if each.url == member.url}
    if cid not in known:
        raise HTTPException(404)
    return _file(sheets.sheet_for(store, member, [cid]), "mandat")


def _sheet(pages: Pages, language: Language) -> Response:
    store, member = _joined(pages)
    code = naming.code_letters(store)
    if code is None:
        return to(f"/{language}/{PATH}")
    name, plus, key = member.log_vkeys[0].partition("+")
    page = SheetPage(
        code=code,
        url=member.url,
        key_name=name + plus,
        key_groups=[key[at : at + GROUP_LENGTH] for at in range(0, len(key), GROUP_LENGTH)],
        printed_at=store.clock.now(),
    )
    return pages.render("sheet.html", language, page=page)


def _file(sheet: Sheet, name: str) -> Response:
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}.json"',
    }
    return Response(sheet.to_bytes(), media_type="application/json", headers=headers)
