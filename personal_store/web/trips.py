"""The pages about days, trips, what the resident said of them, and places.

Forms post and redirect. What is said is kept by time (`trips.corrections`), never on a row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import Response

from carbon.modes import TransportMode
from personal_store.db import communes, corrections, places, trips
from personal_store.db.connection import reading, writing
from personal_store.errors import StoreError
from personal_store.jobs import pipeline
from personal_store.local_time import FIRST_DAY, LAST_DAY, local_date, local_minute
from personal_store.settings import Language
from personal_store.store import Store
from personal_store.trips.corrections import Correction, CorrectionKind, habit_of
from personal_store.trips.locations import Place, PlaceKind, draw_zone
from personal_store.trips.timeline import Trip, Tripleg
from personal_store.web import trip_contexts
from personal_store.web.pages import Pages, to
from personal_store.zones import stated_zone

WORDS_CHARS = 200
ZONE_RADII_M = (0, 200, 300, 500, 1000)
Day = Annotated[date, Path(ge=FIRST_DAY, le=LAST_DAY)]
Words = Annotated[str, Form(max_length=WORDS_CHARS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """The fields of the forms of a trip's page, as they came."""

    what: str
    leg: int
    value: str
    note: str
    habit: bool


def trip_routes(pages: Pages) -> APIRouter:
    """Return the routes of these pages."""
    router = APIRouter(include_in_schema=False)
    _add_days(router, pages)
    _add_corrections(router, pages)
    _add_places(router, pages)
    _add_place_changes(router, pages)
    return router


def _add_days(router: APIRouter, pages: Pages) -> None:
    @router.get("/{language}/days/{day}")
    def one_day(language: Language, request: Request, day: Day) -> Response:
        def show() -> Response:
            pipeline.take_news(pages.store.engine)
            return pages.render("day.html", language, page=trip_contexts.day_page(pages.store, day))

        return _open(pages, language, request, show)

    @router.get("/{language}/trips/{trip_id}")
    def one_trip(
        language: Language, request: Request, trip_id: str, *, without_habit: bool = False
    ) -> Response:
        def show() -> Response:
            return _trip(pages, language, trip_id, without_habit=without_habit)

        return _open(pages, language, request, show)

    @router.post("/{language}/trips/{trip_id}")
    def say(  # noqa: PLR0917 -- the fields of the form
        language: Language,
        request: Request,
        trip_id: str,
        what: Annotated[str, Form()],
        leg: Annotated[int, Form(ge=0)] = 0,
        value: Words = "",
        note: Words = "",
        habit: Annotated[bool, Form()] = False,
    ) -> Response:
        said = _Said(what=what, leg=leg, value=value.strip(), note=note.strip(), habit=habit)
        return _open(pages, language, request, lambda: _correct(pages, language, trip_id, said))


def _add_corrections(router: APIRouter, pages: Pages) -> None:
    @router.get("/{language}/corrections")
    def every_correction(language: Language, request: Request) -> Response:
        def show() -> Response:
            return pages.render(
                "corrections.html", language, page=trip_contexts.said_page(pages.store)
            )

        return _open(pages, language, request, show)

    @router.post("/{language}/corrections/undo")
    def undo(
        language: Language,
        request: Request,
        correction: Annotated[int, Form()] = 0,
        habit: Annotated[int, Form()] = 0,
    ) -> Response:
        def act() -> Response:
            with writing(pages.store.engine) as connection:
                corrections.take_back(connection, correction)
                corrections.take_back_habit(connection, habit)
            return to(f"/{language}/corrections")

        return _open(pages, language, request, act)


def _add_places(router: APIRouter, pages: Pages) -> None:
    @router.get("/{language}/places")
    def every_place(language: Language, request: Request) -> Response:
        def show() -> Response:
            pipeline.take_news(pages.store.engine)
            page = trip_contexts.places_page(pages.store)
            return pages.render("places.html", language, page=page, radii=ZONE_RADII_M)

        return _open(pages, language, request, show)

    @router.post("/{language}/places/confirm")
    def confirm(  # noqa: PLR0917 -- the fields of the form
        language: Language,
        request: Request,
        kind: Annotated[PlaceKind, Form()],
        name: Words = "",
        radius_m: Annotated[int, Form(ge=0, le=5000)] = 0,
        hidden: Annotated[bool, Form()] = False,
    ) -> Response:
        def act() -> Response:
            _confirm(pages.store, kind, name.strip(), radius_m=radius_m, hidden=hidden)
            return to(f"/{language}/places")

        return _open(pages, language, request, act)


def _add_place_changes(router: APIRouter, pages: Pages) -> None:
    @router.post("/{language}/places/rename")
    def rename(
        language: Language,
        request: Request,
        place: Annotated[int, Form()],
        name: Words = "",
        hidden: Annotated[bool, Form()] = False,
    ) -> Response:
        def act() -> Response:
            with writing(pages.store.engine) as connection:
                places.rename(connection, place, name=name.strip(), hidden=hidden)
            return to(f"/{language}/places")

        return _open(pages, language, request, act)

    @router.post("/{language}/places/commune")
    def commune(
        language: Language, request: Request, code: Words = "", name: Words = ""
    ) -> Response:
        def act() -> Response:
            try:
                zone = stated_zone(code, name)
            except StoreError as error:
                trouble = error.say(language)
                return pages.render("error.html", language, status=400, week=None, trouble=trouble)
            with writing(pages.store.engine) as connection:
                communes.confirm(connection, zone, at=pages.store.clock.now())
            return to(f"/{language}/places")

        return _open(pages, language, request, act)

    @router.post("/{language}/places/forget")
    def forget(language: Language, request: Request, place: Annotated[int, Form()]) -> Response:
        def act() -> Response:
            with writing(pages.store.engine) as connection:
                places.remove(connection, place)
            return to(f"/{language}/places")

        return _open(pages, language, request, act)


def _open(
    pages: Pages, language: Language, request: Request, show: Callable[[], Response]
) -> Response:
    return show() if pages.is_open(request) else to(f"/{language}/login")


def _trip(
    pages: Pages,
    language: Language,
    trip_id: str,
    *,
    trouble: str | None = None,
    without_habit: bool = False,
) -> Response:
    page = trip_contexts.trip_page(pages.store, trip_id)
    if page is None:
        gone = StoreError(
            fr="Ce déplacement n'existe plus, ou vous l'avez masqué.",
            en="This trip is no longer there, or you have hidden it.",
        )
        return pages.render(
            "error.html", language, status=404, week=None, trouble=gone.say(language)
        )
    status = 200 if trouble is None else 409
    return pages.render(
        "trip.html",
        language,
        status=status,
        page=page,
        trouble=trouble,
        without_habit=without_habit,
    )


def _correct(pages: Pages, language: Language, trip_id: str, said: _Said) -> Response:
    store = pages.store
    with reading(store.engine) as connection:
        stored = trips.find(connection, trip_id)
        after = (
            []
            if stored is None
            else [
                each.trip
                for each in trips.between(
                    connection,
                    start=stored.trip.end,
                    end=stored.trip.end + trip_contexts.JOINED_WITHIN,
                )
                if each.trip.device == stored.trip.device
            ][:1]
        )
    if stored is None:
        return _trip(pages, language, trip_id)
    try:
        words = _corrections(stored.trip, after, said)
    except (ValueError, IndexError):
        refused = StoreError(
            fr="Cette correction ne va pas avec ce déplacement : rien n'a été changé.",
            en="This correction does not fit this trip: nothing was changed.",
        )
        return _trip(pages, language, trip_id, trouble=refused.say(language))
    kept = _keep(store, stored.trip, words, said)
    day = local_date(stored.trip.start, stored.trip.utc_offset_min)
    gone = said.what == CorrectionKind.HIDE.value
    left_out = "" if kept else "?without_habit=true"
    return to(
        f"/{language}/days/{day}" if gone else f"/{language}/trips/{stored.trip_id}{left_out}"
    )


def _corrections(trip: Trip, after: list[Trip], said: _Said) -> list[Correction]:
    """Return what the form says as corrections; raise ValueError or IndexError if it cannot be."""
    if said.what == "words":
        texts = ((CorrectionKind.PURPOSE, said.value), (CorrectionKind.NOTE, said.note))
        return [_about(trip, kind, trip, text) for kind, text in texts if text]
    kind = CorrectionKind(said.what)
    if kind in (CorrectionKind.MODE, CorrectionKind.OCCUPANTS):
        return [_about(trip, kind, trip.triplegs[said.leg], said.value.replace(",", "."))]
    if kind is CorrectionKind.MERGE_LEGS:
        first, second = trip.triplegs[said.leg], trip.triplegs[said.leg + 1]
        return [_spanning(trip, kind, first.start, second.end)]
    if kind is CorrectionKind.MERGE_TRIPS:
        return [_spanning(trip, kind, trip.start, after[0].end)]
    if kind is CorrectionKind.SPLIT:
        at = trip_contexts.minute_on_day(trip.start, said.value, trip.utc_offset_min)
        if at is None or not trip.start < at < trip.end:
            raise ValueError("outside of the trip")
        return [_spanning(trip, kind, at.astimezone(UTC), at.astimezone(UTC))]
    return [_about(trip, kind, trip, "")]


def _keep(store: Store, trip: Trip, words: list[Correction], said: _Said) -> bool:
    """Keep the words; tell whether the habit, where one was asked for, could be kept too."""
    now = store.clock.now()
    with writing(store.engine) as connection:
        for each in words:
            corrections.add(connection, each, at=now)
        if said.habit and said.what == CorrectionKind.MODE.value:
            habit = habit_of(
                trip,
                trip.triplegs[said.leg],
                TransportMode(said.value),
                minute_of_day=local_minute(trip.start),
            )
            if habit is None:
                return False
            corrections.add_habit(connection, habit, at=now)
    return True


def _confirm(store: Store, kind: PlaceKind, name: str, *, radius_m: int, hidden: bool) -> None:
    proposal = trip_contexts.proposal_of(store, kind)
    if proposal is None:
        return
    centre = proposal.location.centre
    angle, share = (int.from_bytes(store.randomness(4)) / 2**32 for _ in range(2))
    zone = draw_zone(centre, radius_m=radius_m, angle=angle, share=share) if radius_m else None
    place = Place(
        number=0, kind=kind, name=name, lon=centre[0], lat=centre[1], hidden=hidden, zone=zone
    )
    with writing(store.engine) as connection:
        places.add(connection, place, at=store.clock.now())


def _about(trip: Trip, kind: CorrectionKind, part: Trip | Tripleg, value: str) -> Correction:
    return Correction(
        number=0, kind=kind, device=trip.device, start=part.start, end=part.end, value=value
    )


def _spanning(trip: Trip, kind: CorrectionKind, start: datetime, end: datetime) -> Correction:
    return Correction(number=0, kind=kind, device=trip.device, start=start, end=end)
