"""The yearly turn of the log on the command line: the cooperative opens, its stewards follow.

Same contract as `cli.py`.
"""

from pathlib import Path
from typing import Annotated

import typer

from consents.tlog.shards import MAX_HANDOVER_BYTES
from consents.verify.export_folder import read_bounded
from coop_aggregator.cli.console import JsonOption, Session
from coop_aggregator.errors import WitnessFailed
from coop_aggregator.installation import Leader, open_helper
from coop_aggregator.jobs import witness
from coop_aggregator.tlog.shards import follow, handovers, open_next
from coop_aggregator.transport import witness_ways

shards_app = typer.Typer(
    help="Le journal de chaque année. / The log of each year.", no_args_is_help=True
)


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.add_typer(shards_app, name="shards")


@shards_app.command("open")
def open_command(
    context: typer.Context,
    handover: Annotated[
        Path, typer.Argument(help="Fichier à remettre aux témoins. / File for the stewards.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Clore le journal de l'an passé, ouvrir le suivant. / Close last year's log, open the next."""
    session: Session = context.obj
    with session.leader() as leader:
        _expect_stewards(leader)
        turned = open_next(leader)
        _have_final_cosigned(session, leader)
        _write_handover(leader, handover)
    session.say(
        fr=f"Journal clos : {turned.closed.origin}. Journal ouvert, avec la clé\n"
        f"  {turned.opened.vkey}\nRemettez {handover} aux témoins : « coop-aggregator shards "
        "follow ». Les espaces suivent quand ils ont cosigné.",
        en=f"Log closed: {turned.closed.origin}. Log opened, with the key\n"
        f"  {turned.opened.vkey}\nHand {handover} to the stewards: 'coop-aggregator shards "
        "follow'. Stores follow once they have cosigned.",
    )
    if as_json:
        session.answer(
            {
                "closed": turned.closed.origin,
                "origin": turned.opened.origin,
                "vkey": turned.opened.vkey,
            }
        )


@shards_app.command("handover")
def handover_command(
    context: typer.Context,
    handover: Annotated[
        Path, typer.Argument(help="Fichier à remettre aux témoins. / File for the stewards.")
    ],
) -> None:
    """Récrire le fichier du dernier passage. / Write the last handover's file again."""
    session: Session = context.obj
    with session.leader() as leader:
        _have_final_cosigned(session, leader)
        _write_handover(leader, handover)
    session.say(fr=f"Écrit : {handover}.", en=f"Written: {handover}.")


@shards_app.command("follow")
def follow_command(
    context: typer.Context,
    handover: Annotated[
        Path, typer.Argument(help="Fichier remis par la coopérative. / File handed over.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Témoins : suivre le journal de la nouvelle année. / Stewards: follow the new year's log."""
    session: Session = context.obj
    content = read_bounded(handover, limit_bytes=MAX_HANDOVER_BYTES)
    helper = open_helper(session.settings, session.clock)
    try:
        followed = follow(helper, content)
    finally:
        helper.database.close()
    session.say(
        fr=f"Journal suivi : {followed.origin}. Sa clé :\n  {followed.vkey}",
        en=f"Log followed: {followed.origin}. Its key:\n  {followed.vkey}",
    )
    if as_json:
        session.answer({"origin": followed.origin, "vkey": followed.vkey})


def _expect_stewards(leader: Leader) -> None:
    """Have the open log cosigned first: no log is closed while its stewards are silent."""
    if leader.witnesses.members:
        with witness_ways(leader) as ways:
            witness.run_round(leader, ways)


def _have_final_cosigned(session: Session, leader: Leader) -> None:
    if not leader.witnesses.members:
        return
    with witness_ways(leader) as ways:
        try:
            witness.run_round(leader, ways)
        except WitnessFailed:
            # The new log is not followed yet: only the closed one can be cosigned by now.
            session.say(
                fr="Les témoins ne suivent pas encore le nouveau journal.",
                en="The stewards do not follow the new log yet.",
            )


def _write_handover(leader: Leader, path: Path) -> None:
    with leader.database.read() as connection:
        newest = handovers(leader.log(connection))
    if not newest:
        raise typer.BadParameter("« coop-aggregator shards open »", param_hint="HANDOVER")
    path.write_bytes(newest[-1].to_bytes())
