"""What is answered when no page is: one short sentence in both languages, nothing of what was sent.

Pages tell the store's own errors themselves; here is what none of them foresaw.
"""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from personal_store.web.security import HEADERS

_NOT_FOUND = "Page introuvable. / Page not found.\n"
_MALFORMED = "Demande mal formée. / Malformed request.\n"
_FAILED = "Une erreur est survenue ; rien n'a été perdu. / An error occurred; nothing was lost.\n"


def install_handlers(app: FastAPI) -> None:
    """Have every failure of `app` answered here."""
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _malformed(_request: Request, error: Exception) -> Response:
    # The validator's own answer would repeat what was sent, a passphrase included.
    assert isinstance(error, RequestValidationError)
    if any(each["loc"][0] == "path" for each in error.errors()):
        return PlainTextResponse(_NOT_FOUND, status_code=404)
    return PlainTextResponse(_MALFORMED, status_code=400)


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = _NOT_FOUND if error.status_code == 404 else _MALFORMED
    return PlainTextResponse(sentence, status_code=error.status_code, headers=error.headers)


async def _unexpected(_request: Request, _error: Exception) -> Response:
    # Answered outside of the guard, which therefore cannot add its headers.
    headers = {name.decode(): value.decode() for name, value in HEADERS}
    return PlainTextResponse(_FAILED, status_code=500, headers=headers)
