"""What is answered when no page is: one short sentence, and nothing of what was sent.

A browser, which asks for HTML, gets a page of the site in its language; a client gets a line in
both. Pages tell the store's own errors themselves; here is what none of them foresaw.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from personal_store.settings import Language
from personal_store.web.language import accepted_language
from personal_store.web.pages import Pages
from personal_store.web.security import HEADERS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """What went wrong, as a sentence in both languages."""

    fr: str
    en: str


_NOT_FOUND = _Failure(fr="Page introuvable.", en="Page not found.")
_MALFORMED = _Failure(fr="Demande mal formée.", en="Malformed request.")
_NOT_SO = _Failure(
    fr="Cette adresse ne se demande pas ainsi : passez par les pages.",
    en="This address is not to be asked for in that way: go through the pages.",
)
_FAILED = _Failure(
    fr="Une erreur est survenue ; rien n'a été perdu.",
    en="An error occurred; nothing was lost.",
)


_REFUSED = {
    400: _Failure(
        fr="Cet espace ne répond pas sous ce nom : ouvrez-le à l'adresse que « serve » affiche, ou "
        "ajoutez le nom par « serve --name ».",
        en="This store does not answer to this name: open it at the address that “serve” shows, or "
        "add the name by “serve --name”.",
    ),
    403: _Failure(
        fr="Cette demande vient d'un autre site : rien n'a été fait. Recommencez depuis les pages.",
        en="This request comes from another site: nothing was done. Start again from the pages.",
    ),
    413: _Failure(
        fr="Envoi trop volumineux : rien n'en est gardé. Un grand fichier se prend par "
        "« personal-store import ».",
        en="Too much was sent: none of it was kept. Take in a large file by "
        "“personal-store import”.",
    ),
}


def refused(pages: Pages, request: Request, status: int) -> Response:
    """Return what the guard answers to a browser or a client that it does not let in."""
    return _answer(pages, request, _REFUSED[status], status)


def install_handlers(app: FastAPI, pages: Pages) -> None:
    """Have every failure of `app` answered here, on the site's own page for browsers."""

    async def malformed(request: Request, error: Exception) -> Response:
        # The validator's own answer would repeat what was sent, a passphrase included.
        assert isinstance(error, RequestValidationError)
        if any(each["loc"][0] == "path" for each in error.errors()):
            return _answer(pages, request, _NOT_FOUND, 404)
        return _answer(pages, request, _MALFORMED, 400)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        said = {404: _NOT_FOUND, 405: _NOT_SO}.get(error.status_code, _MALFORMED)
        return _answer(pages, request, said, error.status_code, headers=error.headers)

    async def unexpected(request: Request, _error: Exception) -> Response:
        # Answered outside of the guard, which therefore cannot add its headers.
        headers = {name.decode(): value.decode() for name, value in HEADERS}
        return _answer(pages, request, _FAILED, 500, headers=headers)

    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)


def _answer(
    pages: Pages,
    request: Request,
    failure: _Failure,
    status: int,
    *,
    headers: Mapping[str, str] | None = None,
) -> Response:
    if "text/html" not in request.headers.get("accept", ""):
        both = f"{failure.fr} / {failure.en}\n"
        return PlainTextResponse(both, status_code=status, headers=headers)
    language: Language = accepted_language(request.headers.get("accept-language"))
    for each in ("fr", "en"):
        if request.url.path.startswith(f"/{each}/"):
            language = "en" if each == "en" else "fr"
    said = failure.en if language == "en" else failure.fr
    page = pages.render("failure.html", language, status=status, trouble=said)
    page.headers.update(headers or {})
    return page
