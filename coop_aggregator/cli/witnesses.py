"""The commands that ask the stewards: cosignatures, and what residents left in their drop-boxes.

Same contract as `cli.py`. Without options every configured witness is asked; `--url` and `--vkey`
together name one alone.
"""

from dataclasses import asdict
from typing import Annotated

import typer

from coop_aggregator.cli.console import JsonOption, Session
from coop_aggregator.installation import Leader
from coop_aggregator.jobs import dropbox as dropbox_job
from coop_aggregator.jobs import witness as witness_job
from coop_aggregator.transport import HttpWitness, witness_ways

UrlOption = Annotated[
    str | None, typer.Option(help="Ce seul témoin : son adresse. / One witness: its address.")
]
KeyOption = Annotated[str | None, typer.Option(help="Sa clé. / Its verifier key.")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    app.command("witness")(witness)
    app.command("dropbox")(dropbox)


def witness(
    context: typer.Context,
    url: UrlOption = None,
    vkey: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Faire cosigner le journal par les témoins réglés. / Have the configured witnesses cosign."""
    session: Session = context.obj
    with session.leader() as leader:
        report = _cosign(leader, url, vkey)
    session.say(
        fr=f"{report.size} lignes du journal sont cosignées.",
        en=f"{report.size} lines of the log are cosigned.",
    )
    if report.missing:
        silent = ", ".join(report.missing)
        session.say(fr=f"Sans cosignature de : {silent}.", en=f"Not cosigned by: {silent}.")
    if as_json:
        session.answer({"size": report.size, "missing": list(report.missing)})


def _cosign(leader: Leader, url: str | None, vkey: str | None) -> witness_job.RoundReport:
    if url is not None and vkey is not None:
        with HttpWitness(url) as transport:
            alone = witness_job.run_once(leader, transport, vkey=vkey)
        return witness_job.RoundReport(size=alone.size, missing=())
    _expect_configured(leader, url, vkey)
    with witness_ways(leader) as ways:
        return witness_job.run_round(leader, ways)


def dropbox(
    context: typer.Context,
    url: UrlOption = None,
    vkey: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Honorer les retraits déposés chez les témoins. / Honour withdrawals left with stewards."""
    session: Session = context.obj
    with session.leader() as leader:
        report = _honoured(leader, url, vkey)
    session.say(
        fr=f"{report.fetched} dépôts lus, {report.taken} retraits pris en compte, "
        f"{report.waiting} en attente ou sans accord connu ici.",
        en=f"{report.fetched} slips read, {report.taken} withdrawals honoured, "
        f"{report.waiting} waiting or of no consent known here.",
    )
    if report.missing:
        silent = ", ".join(report.missing)
        session.say(
            fr=f"Boîtes de dépôt non lues : {silent}. Ne publiez rien avant.",
            en=f"Drop-boxes not read: {silent}. Publish nothing before.",
        )
    if as_json:
        session.answer(asdict(report) | {"missing": list(report.missing)})


def _honoured(leader: Leader, url: str | None, vkey: str | None) -> dropbox_job.RoundReport:
    if url is not None and vkey is not None:
        with HttpWitness(url) as transport:
            alone = dropbox_job.run_once(leader, transport, vkey=vkey)
        return dropbox_job.RoundReport(**asdict(alone), missing=())
    _expect_configured(leader, url, vkey)
    with witness_ways(leader) as ways:
        return dropbox_job.run_round(leader, ways)


def _expect_configured(leader: Leader, url: str | None, vkey: str | None) -> None:
    if url is not None or vkey is not None or not leader.witnesses.members:
        raise typer.BadParameter("--url … --vkey … | COOP_AGGREGATOR_WITNESSES")
