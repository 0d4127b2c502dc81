"""`personal-store home`: the time zone that says where the resident's days begin."""

from typing import Annotated

import typer

from personal_store import home_zone
from personal_store.cli.console import Session
from personal_store.local_time import home_timezone


def home(
    context: typer.Context,
    timezone: Annotated[
        str | None, typer.Argument(help="Europe/Paris, Indian/Reunion, … (tz)")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Un document JSON. / A JSON document.")
    ] = False,
) -> None:
    """Dire ou changer le fuseau horaire de chez vous. / Tell or change the time zone of home."""
    session: Session = context.obj
    store = session.open()
    if timezone is not None:
        home_zone.change(store.engine, timezone, clock=store.clock)
    session.say(
        fr=f"Vos journées sont celles de {home_timezone().key}, sauf où une source dit l'heure du "
        "lieu.",
        en=f"Your days are those of {home_timezone().key}, except where a source tells the time of "
        "the place.",
    )
    if as_json:
        session.answer({"timezone": home_timezone().key})
