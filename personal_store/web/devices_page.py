"""The page of devices: what each has sent, a new one let in, one renamed, one shut out.

The answer that lets a device in shows its secrets, this once: it is the answer to the form itself,
never a page with an address, so that going back shows nothing.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from personal_store.doors import devices
from personal_store.doors.device_setup import SetUp, check_address, qr_code, set_ups
from personal_store.errors import StoreError
from personal_store.settings import Language
from personal_store.web.pages import SEE_OTHER, Pages

NameField = Annotated[str, Form(max_length=64)]


def device_routes(pages: Pages) -> APIRouter:
    """Return the routes of the page of devices."""
    router = APIRouter(include_in_schema=False)

    @router.get("/{language}/devices")
    def device_page(language: Language, request: Request) -> Response:
        if not pages.is_open(request):
            return _to(f"/{language}/login")
        return _devices(pages, language, request)

    @router.post("/{language}/devices/add")
    def add(
        language: Language,
        request: Request,
        name: NameField = "",
        address: Annotated[str, Form(max_length=200)] = "",
    ) -> Response:
        if not pages.is_open(request):
            return _to(f"/{language}/login")
        return _add(pages, language, request, name, address)

    @router.post("/{language}/devices/rename")
    def rename(
        language: Language, request: Request, device: NameField = "", name: NameField = ""
    ) -> Response:
        if not pages.is_open(request):
            return _to(f"/{language}/login")
        return _act(pages, language, request, lambda: devices.rename(pages.store, device, name))

    @router.post("/{language}/devices/revoke")
    def revoke(language: Language, request: Request, device: NameField = "") -> Response:
        if not pages.is_open(request):
            return _to(f"/{language}/login")
        return _act(pages, language, request, lambda: devices.revoke(pages.store, device))

    return router


def _devices(
    pages: Pages, language: Language, request: Request, *, trouble: str | None = None
) -> Response:
    return pages.render(
        "devices.html",
        language,
        status=200 if trouble is None else 409,
        devices=devices.every(pages.store),
        address=str(request.base_url).rstrip("/"),
        trouble=trouble,
    )


def _add(pages: Pages, language: Language, request: Request, name: str, address: str) -> Response:
    try:
        # Judged first: no device is made whose set-up cannot be shown.
        check_address(address)
        made = devices.add(pages.store, name)
    except StoreError as error:
        return _devices(pages, language, request, trouble=error.say(language))
    shown = [(each, _drawn(each)) for each in set_ups(made, address=address)]
    return pages.render("device.html", language, made=made, set_ups=shown)


def _drawn(each: SetUp) -> Markup | None:
    # segno writes numbers and two colours of ours: nothing of what was typed is in the markup.
    return Markup(qr_code(each.link)) if each.link else None  # noqa: S704


def _act(
    pages: Pages, language: Language, request: Request, action: Callable[[], None]
) -> Response:
    try:
        action()
    except StoreError as error:
        return _devices(pages, language, request, trouble=error.say(language))
    return _to(f"/{language}/devices")


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, status_code=SEE_OTHER)
