"""The pages of the resident's own consents: every choice and contribution, proofs and receipts.

Choices themselves are made by the routes of `pages`; here they are read back, handed over again,
and taken away as files. Files are attachments: the printed page carries a style of its own, which
this server's policy would not let a browser apply.
"""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from personal_store.choices import consenting, own_log
from personal_store.errors import StoreError
from personal_store.jobs import catalogue
from personal_store.settings import Language
from personal_store.web import consent_contexts
from personal_store.web.contexts import EVENT_NAMES
from personal_store.web.pages import Pages, to

MAX_PAGES = 100_000
_MEDIA_TYPES = {
    "json": "application/json",
    "jsonld": "application/ld+json",
    "html": "text/html; charset=utf-8",
    "tlog-proof": "text/plain; charset=utf-8",
}


def consent_routes(pages: Pages) -> APIRouter:
    """Return the routes of these pages."""
    router = APIRouter(include_in_schema=False)

    @router.get("/{language}/consents")
    def every(
        language: Language, request: Request, page: Annotated[int, Query(ge=1, le=MAX_PAGES)] = 1
    ) -> Response:
        if not pages.is_open(request):
            return to(f"/{language}/login")
        return _every(pages, language, number=page)

    @router.post("/{language}/consents/deliver")
    def deliver(language: Language, request: Request) -> Response:
        if not pages.is_open(request):
            return to(f"/{language}/login")
        return _deliver(pages, language)

    @router.get("/{language}/consents/{cid}/{n}")
    def one(language: Language, request: Request, cid: str, n: str) -> Response:
        if not pages.is_open(request):
            return to(f"/{language}/login")
        page = _found(pages, cid, n)
        return pages.render("consent.html", language, page=page, event_names=EVENT_NAMES)

    @router.get("/{language}/consents/{cid}/{n}/{name}")
    def file(language: Language, request: Request, cid: str, n: str, name: str) -> Response:
        if not pages.is_open(request):
            return to(f"/{language}/login")
        return _file(pages, cid, n, name)

    return router


def _every(
    pages: Pages, language: Language, *, number: int = 1, trouble: str | None = None
) -> Response:
    return pages.render(
        "consents.html",
        language,
        status=200 if trouble is None else 409,
        page=consent_contexts.consents_page(pages.store, number=number),
        trouble=trouble,
        event_names=EVENT_NAMES,
    )


def _deliver(pages: Pages, language: Language) -> Response:
    store = pages.store
    try:
        consenting.hand_over(store, catalogue.the_membership(store.engine))
    except StoreError as error:
        return _every(pages, language, trouble=error.say(language))
    return to(f"/{language}/consents")


def _file(pages: Pages, cid: str, n: str, name: str) -> Response:
    page = _found(pages, cid, n)
    content = own_log.receipt_files(pages.store, page.event).get(name)
    if content is None:
        raise HTTPException(404)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    media_type = _MEDIA_TYPES[name.rpartition(".")[2]]
    return Response(content, media_type=media_type, headers=headers)


def _found(pages: Pages, cid: str, n: str) -> consent_contexts.ConsentPage:
    page = consent_contexts.consent_page(pages.store, cid, n)
    if page is None:
        raise HTTPException(404)
    return page
