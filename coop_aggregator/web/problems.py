"""Errors on the wire: one shape, `application/problem+json` (RFC 9457), in both languages.

Fields: type, title and detail in French, title_en and detail_en in English, status. The type is a
name for machines; for a refused report it ends with the reason code and says nothing more.
"""

import re
import traceback
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consents.errors import SizeConflict, WitnessRefusal
from consents.tlog.witness import SIZE_CONTENT_TYPE
from coop_aggregator.errors import AggregatorError

TYPE_PREFIX = "urn:mobilites-en-commun:"
MEDIA_TYPE = "application/problem+json"

_TITLES = {
    "aggregator-error": ("Demande refusée", "Request refused"),
    "not-initialised": ("Service en préparation", "Service not ready"),
    "unknown-schema": ("Service en préparation", "Service not ready"),
    "enrolment-refused": ("Inscription refusée", "Enrolment refused"),
    "log-closed": ("Journal clos pour l'année", "Log closed for the year"),
    "event-refused": ("Événement refusé", "Event refused"),
    "erasure-refused": ("Effacement refusé", "Erasure refused"),
    "dropbox-refused": ("Réservé à la coopérative", "For the cooperative only"),
    "report-refused": ("Rapport refusé", "Report refused"),
    "not-found": ("Introuvable", "Not found"),
    "method-not-allowed": ("Méthode non permise", "Method not allowed"),
    "unauthorized": ("Réservé aux témoins", "For the witnesses only"),
    "malformed-request": ("Demande mal formée", "Malformed request"),
    "internal-error": ("Erreur interne", "Internal error"),
}


def problem(*, kind: str, status: int, fr: str, en: str, reason: str | None = None) -> Response:
    """Return one problem document."""
    title, title_en = _TITLES.get(kind, _TITLES["aggregator-error"])
    return JSONResponse(
        {
            "type": TYPE_PREFIX + kind + (f":{reason}" if reason else ""),
            "title": title,
            "title_en": title_en,
            "status": status,
            "detail": fr,
            "detail_en": en,
        },
        status_code=status,
        media_type=MEDIA_TYPE,
    )


def install_handlers(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""
    app.add_exception_handler(AggregatorError, _ours)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(WitnessRefusal, _witness)


class UnforeseenErrors:
    """Answer 500 to whatever nobody caught, and log it; an answer already begun is cut off.

    Inside the other layers, so that this answer carries the same headers as any other.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            log = structlog.get_logger("error")
            # The trace as text: a logger that prints local variables would print what was sent.
            trace = "".join(traceback.format_exception(error))
            log.critical("unforeseen", kind=type(error).__name__, trace=trace)
            if begun or scope["type"] != "http":
                raise
            await _unforeseen()(scope, receive, send)


async def _ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, AggregatorError)
    kind = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
    return problem(kind=kind, status=error.status, fr=error.fr, en=error.en, reason=error.reason)


async def _malformed(_request: Request, _error: Exception) -> Response:
    # The validator's own words would repeat what was sent.
    return problem(
        kind="malformed-request",
        status=422,
        fr="Les champs attendus manquent ou ont une autre forme ; voyez /openapi.json.",
        en="The expected fields are missing or of another form; see /openapi.json.",
    )


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kinds = {401: "unauthorized", 404: "not-found", 405: "method-not-allowed"}
    answers = {
        401: ("Présentez le jeton des témoins.", "Present the witnesses' token."),
        404: ("Il n'y a rien à cette adresse.", "There is nothing at this address."),
        405: ("Cette adresse attend une autre méthode.", "This address expects another method."),
    }
    fr, en = answers.get(error.status_code, (HTTPStatus(error.status_code).phrase,) * 2)
    answer = problem(
        kind=kinds.get(error.status_code, "aggregator-error"),
        status=error.status_code,
        fr=fr,
        en=en,
    )
    answer.headers.update(error.headers or {})
    return answer


async def _witness(_request: Request, error: Exception) -> Response:
    # C2SP tlog-witness fixes these answers: a status, and for a conflict the size as plain text.
    assert isinstance(error, WitnessRefusal)
    if isinstance(error, SizeConflict):
        # As a header of its own: the framework would append a charset to a media type of text.
        headers = {"Content-Type": SIZE_CONTENT_TYPE}
        return Response(f"{error.size}\n", status_code=409, headers=headers)
    return PlainTextResponse(f"{error}\n", status_code=error.status)


def _unforeseen() -> Response:
    return problem(
        kind="internal-error",
        status=500,
        fr="Quelque chose s'est mal passé ici. Réessayez plus tard ; rien n'a été gardé.",
        en="Something went wrong here. Try again later; nothing was kept.",
    )
