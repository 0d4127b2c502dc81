"""The commands about the two keepers: who they are, a task that both sign, and collecting."""

import sys
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from consents.records.record import Purpose
from contributions.keeper import Keeper
from contributions.noise import OpenDPLaplace
from contributions.task import Task, TrustMode
from contributions.weeks import TIME_ZONE_NAME
from coop_aggregator.asking.questions import sign_draft
from coop_aggregator.cli.console import JsonOption, Session
from coop_aggregator.db import questions as questions_db
from coop_aggregator.errors import TaskRefused
from coop_aggregator.installation import Helper, Leader
from coop_aggregator.keepers.cards import make_card, own_card, pair
from coop_aggregator.keepers.collection import collect
from coop_aggregator.keepers.cosigning import ask_helper, sign_proposal
from coop_aggregator.keepers.reading import read_out
from coop_aggregator.settings import Language
from coop_aggregator.web.wording import wording_for

WeekOption = Annotated[str, typer.Option("--week", help="2026-W46")]

keeper_app = typer.Typer(help="Les deux gardiens. / The two keepers.", no_args_is_help=True)


def add_commands(app: typer.Typer, *, task: typer.Typer) -> None:
    """Add the commands of this module to the program, and `task sign` to those of tasks."""
    app.add_typer(keeper_app, name="keeper")
    app.command("collect")(collect_week)
    task.command("sign")(task_sign)


@keeper_app.command("card")
def keeper_card(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option(help="Adresse publique de ce gardien. / Its public address.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Faire la fiche de ce gardien, à remettre à l'autre. / Make this keeper's card."""
    session: Session = context.obj
    with session.either() as side:
        card = own_card(side) if url is None else make_card(side, url=url)
    if card is None:
        raise typer.BadParameter("https://…", param_hint="--url")
    _say_card(session, card)
    if as_json:
        session.answer(card.to_json())


@keeper_app.command("pair")
def keeper_pair(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Fiche de l'autre gardien. / The other's card.")],
    as_json: JsonOption = False,
) -> None:
    """Prendre la fiche de l'autre gardien. / Take the other keeper's card."""
    session: Session = context.obj
    with session.either() as side:
        card = pair(side, file)
    session.say(
        fr="Comparez cette empreinte avec l'autre organisation, de vive voix.",
        en="Compare this thumbprint with the other organisation, by voice.",
    )
    _say_card(session, card)
    if as_json:
        session.answer(card.to_json())


def task_sign(
    context: typer.Context,
    week: WeekOption,
    digest: Annotated[
        str | None, typer.Option(help="Second gardien : l'empreinte lue. / Digest that was read.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Signer la question d'une semaine ; servie quand tous ont signé. / Sign a week's question."""
    session: Session = context.obj
    with session.either() as side:
        stored = (
            _sign_as_leader(session, side, week)
            if isinstance(side, Leader)
            else _sign_as_helper(session, side, week, digest)
        )
    until = f"{stored.report_deadline.astimezone(ZoneInfo(TIME_ZONE_NAME)):%Y-%m-%d %H:%M}"
    if stored.jws is None:
        session.say(
            fr=f"Question pour {week} proposée à l'autre gardien, qui n'a pas encore signé. "
            "Relancez « task sign » quand ce sera fait.",
            en=f"Question for {week} proposed to the other keeper, which has not signed yet. "
            "Run 'task sign' again when it has.",
        )
    else:
        session.say(
            fr=f"Question signée pour {week}, servie jusqu'au {until} (heure de Paris).",
            en=f"Question signed for {week}, served until {until} (Paris time).",
        )
    if as_json:
        signed = stored.jws is not None
        session.answer({"week": stored.week, "digest": stored.digest, "signed": signed})


def collect_week(context: typer.Context, week: WeekOption, as_json: JsonOption = False) -> None:
    """Deux gardiens : sommer avec leurs bruits, une fois. / Two keepers: sum with noise, once."""
    session: Session = context.obj
    with session.leader() as leader, session.helper(leader) as channel:
        buckets = collect(leader, week, channel, noise=OpenDPLaplace())
    zones = [bucket.zone for bucket in buckets if bucket.zone is not None]
    session.say(
        fr=f"Territoire et {len(zones)} zones collectés."
        if buckets
        else "Trop peu de réponses : rien n'est collecté, et rien n'en sera publié.",
        en=f"Territory and {len(zones)} zones collected."
        if buckets
        else "Too few answers: nothing is collected, and nothing will be published.",
    )
    if as_json:
        session.answer({"week": week, "territory": bool(buckets), "zones": zones})


def _sign_as_leader(session: Session, leader: Leader, week: str) -> questions_db.StoredTask:
    with leader.database.read() as connection:
        stored = questions_db.task_by_week(connection, week)
    if stored is not None and Task.parse(stored.body).trust_mode is TrustMode.TWO_KEEPERS:
        with session.helper(leader) as channel:
            return ask_helper(leader, week, channel)
    with leader.database.write() as connection:
        return sign_draft(connection, week, leader.keys.task)


def _sign_as_helper(
    session: Session, helper: Helper, week: str, digest: str | None
) -> questions_db.StoredTask:
    with helper.database.read() as connection:
        stored = questions_db.task_by_week(connection, week)
    if stored is not None and stored.jws is None:
        _read_out(session, stored)
        if digest is None and sys.stdin.isatty():
            digest = typer.prompt("digest")
        if digest is None or len(digest) < 12 or not stored.digest.startswith(digest):
            raise TaskRefused(
                fr="Rien n'est signé. Lisez la question ci-dessus, puis donnez son empreinte (au "
                "moins 12 caractères) par --digest.",
                en="Nothing was signed. Read the question above, then give its digest (at least "
                "12 characters) with --digest.",
            )
    return sign_proposal(helper, week)


def _read_out(session: Session, stored: questions_db.StoredTask) -> None:
    if stored.purpose is None:
        raise TaskRefused(
            fr="Cette question a été proposée par une version antérieure, sans le texte de sa "
            "finalité. Demandez à la coopérative de relancer « task sign ».",
            en="This question was proposed by an older version, without the text of its purpose. "
            "Ask the cooperative to run 'task sign' again.",
        )
    task, purpose = Task.parse(stored.body), Purpose.parse(stored.purpose)
    session.say(
        fr=read_out(task, purpose, wording_for(Language.FRENCH)),
        en=read_out(task, purpose, wording_for(Language.ENGLISH)),
    )


def _say_card(session: Session, card: Keeper) -> None:
    line = f"{card.name}  {card.url}\n  {card.kid}"
    session.say(fr=line, en=line)
