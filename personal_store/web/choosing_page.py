"""The page where a consent is given: text, notice, age, days and places; and the parent's part.

It asks what the terminal asks: under fifteen, child and parent both say yes and sign. The parent's
key is a file that the parent keeps: made here on demand, taken back with the form, never stored.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from consents.records.limits import ConsentArea
from consents.records.notice import Notice
from consents.records.record import Purpose
from personal_store.choices import consent_events, consenting, limiting
from personal_store.choices.limit_words import DAYS_FR
from personal_store.choices.parent_key import MAX_KEY_FILE_BYTES, new_parent_key, parse_parent_key
from personal_store.errors import StoreError, TransportError
from personal_store.jobs import catalogue
from personal_store.membership import Membership
from personal_store.settings import Language
from personal_store.store import Store
from personal_store.web.pages import Pages, hand_over, to
from personal_store.zones import Zone

MOST_BOXES = 60
"""Zones shown as boxes to tick; more would not fit the page's budget of nodes."""

ADULT, CHILD = "15", "under"
EVERYWHERE, CHOSEN = "everywhere", "zones"
ParentFile = Annotated[UploadFile | None, File()]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoosingPage:
    """What is asked and what may be chosen; `home` is the zone that every answer tells.

    `zones` is empty where the cooperative does not answer, `area` then stays as it was. `boxes` is
    False where there are too many zones to tick.
    """

    purpose: Purpose
    notice: Notice
    days: Sequence[str]
    weekdays: Sequence[int]
    zones: Sequence[Zone]
    area: ConsentArea | None
    home: str
    boxes: bool


class GiveForm(BaseModel):
    """The form of a consent, as a browser sends it; what is not ticked is not sent."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    purpose: str = ""
    back: Literal["sharing", "consents"] = "sharing"
    age: str = ""
    child: bool = False
    parent: bool = False
    days: list[int] = []
    where: str = ""
    zones: list[str] = []
    codes: str = ""


def choosing_routes(pages: Pages) -> APIRouter:
    """Return the routes of this page and of what it sends."""
    router = APIRouter(include_in_schema=False)

    @router.get("/{language}/consents/choose")
    def choose(
        language: Language, request: Request, back: Literal["sharing", "consents"] = "sharing"
    ) -> Response:
        if not pages.is_open(request):
            return to(f"/{language}/login")
        return _page(pages, language, back=back)

    @router.post("/{language}/sharing/give")
    def give(
        language: Language,
        request: Request,
        form: Annotated[GiveForm, Form()],
        parent_key: ParentFile = None,
    ) -> Response:
        if not pages.is_open(request):
            return to(f"/{language}/login")
        action = lambda: _give(pages.store, language, form, parent_key)  # noqa: E731
        return _act(pages, language, action, back=form.back)

    @router.post("/{language}/consents/parent-key")
    def make_key(language: Language, request: Request) -> Response:
        if not pages.is_open(request):
            return to(f"/{language}/login")
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="parent.pem"',
        }
        return Response(new_parent_key(), media_type="application/x-pem-file", headers=headers)

    @router.post("/{language}/consents/withdraw-as-parent")
    def withdraw(language: Language, request: Request, parent_key: ParentFile = None) -> Response:
        if not pages.is_open(request):
            return to(f"/{language}/login")
        action = lambda: _withdraw(pages.store, language, parent_key)  # noqa: E731
        return _act(pages, language, action, back="consents")

    return router


def _page(pages: Pages, language: Language, *, back: str, trouble: str | None = None) -> Response:
    store = pages.store
    try:
        page = choosing_page(store)
    except StoreError as error:
        # Nothing was joined or asked, or no notice was published: the consents' page says so.
        return pages.render(
            "error.html", language, status=409, week=None, trouble=error.say(language)
        )
    status = 200 if trouble is None else 409
    return pages.render(
        "choose.html", language, status=status, page=page, back=back, trouble=trouble
    )


def choosing_page(store: Store) -> ChoosingPage:
    """Return what the page shows; raise StoreError where there is nothing to consent to."""
    member = catalogue.the_membership(store.engine)
    transport = store.connect(member.url)
    purpose = catalogue.purpose_asked(store.engine, member, transport)
    kept = limiting.kept_limits(store.engine, url=member.url, purpose_digest=purpose.digest)
    zones: Sequence[Zone] = ()
    with suppress(StoreError):
        zones = limiting.choosable(store.engine, transport).zones
    return ChoosingPage(
        purpose=purpose,
        notice=catalogue.notice_of(store.engine, purpose),
        days=DAYS_FR,
        weekdays=kept.weekdays or range(1, 8),
        zones=zones,
        area=kept.area,
        home=member.zone,
        boxes=len(zones) <= MOST_BOXES,
    )


def _act(pages: Pages, language: Language, action: Callable[[], None], *, back: str) -> Response:
    try:
        action()
    except StoreError as error:
        return _page(pages, language, back=back, trouble=error.say(language))
    return to(f"/{language}/{back}")


def _give(store: Store, language: Language, form: GiveForm, parent_key: UploadFile | None) -> None:
    member = catalogue.the_membership(store.engine)
    transport = store.connect(member.url)
    purpose = catalogue.purpose_read(store.engine, member, transport, digest=form.purpose)
    told = catalogue.notice_of(store.engine, purpose)
    parent = _signing_parent(form, parent_key)
    choice = consent_events.Choice(
        membership=member,
        purpose=purpose,
        notice=told,
        language=language,
        weekdays=_weekdays(form),
        area=_area(store, member, form, purpose),
    )
    consenting.give(
        store.engine, choice, now=store.clock.now(), randomness=store.randomness, parent=parent
    )
    hand_over(store, member)


def _withdraw(store: Store, language: Language, parent_key: UploadFile | None) -> None:
    member = catalogue.the_membership(store.engine)
    consenting.withdraw(
        store.engine,
        member,
        language=language,
        now=store.clock.now(),
        randomness=store.randomness,
        parent=_key(parent_key),
    )
    hand_over(store, member)


def _signing_parent(form: GiveForm, parent_key: UploadFile | None) -> Ed25519PrivateKey | None:
    """Return the parent's key of a child, None for who is old enough; raise StoreError."""
    if form.age == ADULT:
        return None
    if form.age != CHILD:
        raise StoreError(
            fr="Dites d'abord si vous avez 15 ans ou plus : rien n'a été signé.",
            en="Say first whether you are 15 or older: nothing was signed.",
        )
    if not (form.child and form.parent):
        raise StoreError(
            fr="Avant 15 ans, l'enfant et un parent doivent être d'accord tous les deux, et cocher "
            "chacun leur case : rien n'a été signé.",
            en="Under 15, child and parent must both agree, and each tick their box: nothing was "
            "signed.",
        )
    return _key(parent_key)


def _key(parent_key: UploadFile | None) -> Ed25519PrivateKey:
    return parse_parent_key(b"" if parent_key is None else parent_key.file.read(MAX_KEY_FILE_BYTES))


def _weekdays(form: GiveForm) -> tuple[int, ...] | None:
    days = sorted(set(form.days))
    if not days or not set(days) <= set(range(1, 8)):
        raise StoreError(
            fr="Cochez au moins un jour : rien n'a été signé.",
            en="Tick at least one day: nothing was signed.",
        )
    return None if len(days) == len(DAYS_FR) else tuple(days)


def _area(store: Store, member: Membership, form: GiveForm, purpose: Purpose) -> ConsentArea | None:
    if form.where == EVERYWHERE:
        return None
    if form.where != CHOSEN:
        kept = limiting.kept_limits(store.engine, url=member.url, purpose_digest=purpose.digest)
        return kept.area
    codes = [code.strip() for code in form.codes.split(",") if code.strip()]
    try:
        transport = store.connect(member.url)
        return limiting.chosen_area(store.engine, member, transport, [*form.zones, *codes])
    except TransportError as error:
        raise StoreError(
            fr=f"{error.fr} Sans elle, pas de zones à choisir : rien n'a été signé.",
            en=f"{error.en} Without it, zones cannot be chosen: nothing was signed.",
        ) from error
