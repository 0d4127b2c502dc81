"""The commands about trips: compute, list, weigh, ask what if, and find places."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from carbon.factors import load_factor_set
from carbon.modes import ModeGroup
from carbon.other_mode import Otherwise
from personal_store.cli.console import JsonOption, Session
from personal_store.db import communes, devices, places, timelines, trips
from personal_store.db.connection import reading, writing
from personal_store.db.trips import StoredTrip
from personal_store.documents.footprint import (
    cost_sentences,
    effect_document,
    effect_sentences,
    footprint_document,
    footprint_sentences,
)
from personal_store.documents.trips import (
    places_document,
    places_sentences,
    trip_documents,
    trip_sentences,
)
from personal_store.errors import StoreError
from personal_store.footprint import period_footprint
from personal_store.jobs import pipeline
from personal_store.local_time import home_timezone, local_time
from personal_store.store import Store
from personal_store.trips.locations import PlaceKind, find_locations, propose
from personal_store.whatif import (
    ScenarioName,
    cost_of,
    effect_of,
    other_mode,
    read_prices,
    scenario_of,
)
from personal_store.wording import several, several_en
from personal_store.zones import Outlines, read_outlines, stated_zone

Since = Annotated[
    datetime,
    typer.Option(
        "--from",
        formats=["%Y-%m-%d"],
        metavar="AAAA-MM-JJ",
        help="Premier jour compté. / First day that counts.",
    ),
]
Until = Annotated[
    datetime,
    typer.Option(
        "--to",
        formats=["%Y-%m-%d"],
        metavar="AAAA-MM-JJ",
        help="Premier jour qui ne compte plus. / First day that counts no more.",
    ),
]
Prices = Annotated[
    list[str] | None,
    typer.Option("--price", help="MODE=EUROS_PAR_KM, par exemple car=0.11. / such as car=0.11."),
]


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(process)
    app.command("trips")(list_trips)
    app.command()(footprint)
    app.command()(whatif)
    app.command("places")(list_places)


def process(context: typer.Context, as_json: JsonOption = False) -> None:
    """Recalculer tous les déplacements. / Compute all the trips again."""
    session: Session = context.obj
    store = session.open()
    count = pipeline.run_once(store.engine, everything=True)
    held = pipeline.held(store.engine)
    session.say(
        fr=f"{several(count, 'appareil recalculé', 'appareils recalculés')} ; "
        f"{several(held.trips, 'déplacement', 'déplacements')}.",
        en=f"{several_en(count, 'device', 'devices')} recomputed; "
        f"{several_en(held.trips, 'trip', 'trips')}.",
    )
    if as_json:
        session.answer({"positionfixes": held.positionfixes, "trips": held.trips})


def list_trips(
    context: typer.Context,
    as_json: JsonOption = False,
    geometry: Annotated[bool, typer.Option(help="Avec le tracé. / With the track.")] = False,
) -> None:
    """Lister les déplacements. / List the trips."""
    session: Session = context.obj
    store = session.open()
    pipeline.run_once(store.engine)
    with reading(store.engine) as connection:
        stored = trips.between(connection)
        zones = [each.zone for each in places.every(connection) if each.zone]
        names = devices.names(connection)
    if as_json:
        session.answer(trip_documents(stored, geometry=geometry, names=names, zones=zones))
        return
    if not stored:
        session.say(
            fr="Aucun déplacement encore : prenez des fichiers avec « import », ou autorisez un "
            "téléphone avec « devices add ».",
            en="No trip yet: take in files with “import”, or let a phone send with “devices add”.",
        )
    for each in stored:
        session.say(**trip_sentences(each))


def footprint(
    context: typer.Context,
    since: Since,
    until: Until,
    price: Prices = None,
    as_json: JsonOption = False,
) -> None:
    """Calculer l'empreinte d'une période. / Compute the footprint of a period."""
    session: Session = context.obj
    start, end = _period(since, until)
    prices = read_prices(price or ())
    stored = [each.trip for each in _travelled(session.open(), start, end)]
    result = period_footprint(stored, load_factor_set(), start=start, end=end)
    cost = cost_of(stored, prices) if price else None
    if as_json:
        session.answer(footprint_document(result, cost))
        return
    session.say(**footprint_sentences(result))
    if cost is not None:
        session.say(**cost_sentences(cost))


def whatif(  # noqa: PLR0917 -- typer reads the options from the signature
    context: typer.Context,
    scenario: Annotated[ScenarioName, typer.Argument(help="Autrement, comment ? / How else?")],
    since: Since,
    until: Until,
    by: Annotated[
        Otherwise | None, typer.Option(help="Pour other-mode : par quoi ? / By what?")
    ] = None,
    instead_of: Annotated[
        ModeGroup, typer.Option(help="Pour other-mode : au lieu de quoi ? / Instead of what?")
    ] = ModeGroup.CAR,
    under_km: Annotated[
        float, typer.Option(min=0.1, max=40_000, help="Pour other-mode. / For other-mode.")
    ] = 5.0,
    price: Prices = None,
    as_json: JsonOption = False,
) -> None:
    """Et si vos trajets avaient été faits autrement ? / What if you had travelled otherwise?"""
    session: Session = context.obj
    start, end = _period(since, until)
    prices = read_prices(price) if price else None
    other = None if by is None else other_mode(instead_of, by, under_km=under_km)
    asked = scenario_of(scenario, other)
    store = session.open()
    stored = [each.trip for each in _travelled(store, start, end)]
    with reading(store.engine) as connection:
        named = places.every(connection)
    effect = effect_of(stored, asked, load_factor_set(), places=named, eur_per_km=prices)
    if as_json:
        session.answer(effect_document(scenario, effect))
        return
    session.say(**effect_sentences(scenario, effect))


def list_places(
    context: typer.Context,
    territory: Annotated[
        Path | None, typer.Option(help="Contours GeoJSON des communes. / Zones as GeoJSON.")
    ] = None,
    confirm_zone: Annotated[
        str | None,
        typer.Option(help="Code de votre commune, pour le partage. / Your zone's code, to share."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Proposer domicile, travail et commune, ici seulement. / Propose home, work and zone, here."""
    session: Session = context.obj
    store = session.open()
    pipeline.run_once(store.engine)
    with reading(store.engine) as connection:
        named = places.every(connection)
        found = propose(find_locations(timelines.stays_touching(connection), local=local_time))
    home = next((each.centre for each in named if each.kind is PlaceKind.HOME), None)
    if home is None:
        proposed = [each.location for each in found if each.kind is PlaceKind.HOME]
        home = proposed[0].centre if proposed else None
    outlines = None if territory is None else read_outlines(territory)
    if confirm_zone is not None:
        _confirm_zone(store, confirm_zone, outlines)
    zone = outlines.zone_of(home) if outlines is not None and home is not None else None
    with reading(store.engine) as connection:
        confirmed = communes.confirmed(connection)
    if as_json:
        session.answer(places_document(named, found, zone, confirmed))
        return
    session.say(**places_sentences(named, found, zone, confirmed))


def _confirm_zone(store: Store, code: str, outlines: Outlines | None) -> None:
    """Keep the zone that the resident confirms, which outlines must know where there are any."""
    zone = stated_zone(code) if outlines is None else outlines.named(code.strip())
    if zone is None:
        raise StoreError(
            fr=f"Ce territoire n'a pas de commune « {code} » : vérifiez son code.",
            en=f"This territory has no zone “{code}”: check its code.",
        )
    with writing(store.engine) as connection:
        communes.confirm(connection, zone, at=store.clock.now())


def _period(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    start, end = since.replace(tzinfo=home_timezone()), until.replace(tzinfo=home_timezone())
    if start >= end:
        raise typer.BadParameter("--from doit précéder --to. / --from must come before --to.")
    return start, end


def _travelled(store: Store, start: datetime, end: datetime) -> list[StoredTrip]:
    pipeline.run_once(store.engine)
    with reading(store.engine) as connection:
        return trips.lived_between(connection, start=start, end=end)
