"""The commands that refuse, put off, erase and change keys: what else a resident may do.

Same contract as `sharing.py`, whose group `consents` they belong to.
"""

from typing import Annotated

import typer

from consents.records.record import EventType
from personal_store.choices import consent_events, consenting, erasing, rekeying
from personal_store.cli.console import Session
from personal_store.cli.sharing import hand_over
from personal_store.errors import TransportError
from personal_store.jobs import catalogue


def refuse(context: typer.Context) -> None:
    """Refuser ce qui est demandé, et que ce soit inscrit. / Refuse what is asked, on record."""
    _decline(context.obj, EventType.REFUSED)


def defer(context: typer.Context) -> None:
    """Remettre son choix à plus tard, par écrit. / Put one's choice off, on record."""
    _decline(context.obj, EventType.DEFERRED)


def erase(
    context: typer.Context,
    cid: Annotated[
        str | None, typer.Argument(help="Début du numéro de l'accord. / Start of its number.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Tous. / All of them.")] = False,
) -> None:
    """Effacer ce que disaient vos accords retirés. / Erase what withdrawn consents said."""
    session: Session = context.obj
    if (cid is None) is not every:
        raise typer.BadParameter("CID, ou --all. / CID, or --all.")
    store = session.open()
    count = erasing.erase(store, cid)
    session.say(
        fr=f"{count} accord(s) effacé(s) ici : contenu et clés. Restent les signatures et les "
        "preuves, qui n'en disent plus rien, et les fichiers que vous avez écrits ailleurs.",
        en=f"{count} consent(s) erased here: content and keys. What stays are signatures and "
        "proofs, which say nothing of it any more, and the files that you wrote elsewhere.",
    )
    try:
        confirmed = erasing.confirm(store, catalogue.the_membership(store.engine))
    except TransportError as error:
        session.say(
            fr=f"{error.fr} La coopérative sera priée d'effacer à la prochaine commande "
            "« consents erase --all » ou « contribute ».",
            en=f"{error.en} The cooperative will be asked to erase by the next "
            "“consents erase --all” or “contribute”.",
        )
        return
    kept = confirmed.reports_kept
    session.say(
        fr="La coopérative a effacé le lien avec vous et l'a inscrit au journal, preuve vérifiée. "
        f"{kept} réponse(s) brouillée(s) déjà comptée(s) restent sans votre nom, jusqu'à la fin "
        "de la conservation annoncée : les sommes publiées en dépendent.",
        en="The cooperative erased its link to you and logged it; the proof was verified. "
        f"{kept} noised answer(s) that were counted stay without your name, until the announced "
        "retention ends: published sums rest on them.",
    )


def rotate(
    context: typer.Context,
    cid: Annotated[str, typer.Argument(help="Début du numéro de l'accord. / Start of its number.")],
) -> None:
    """Donner une nouvelle clé à un accord en cours. / Give a consent in force a new key."""
    session: Session = context.obj
    store = session.open()
    rekeying.rotate(store, catalogue.the_membership(store.engine), cid)
    session.say(
        fr="La clé de cet accord est changée et la coopérative le sait. La nouvelle signe dès "
        "maintenant ; les preuves d'avant restent valables.",
        en="The key of this consent has changed and the cooperative knows. The new one signs from "
        "now on; proofs of before stay valid.",
    )


def add_commands(app: typer.Typer) -> None:
    """Hang these commands on the group of the consents."""
    keys = typer.Typer(help="La clé d'un accord. / The key of a consent.", no_args_is_help=True)
    keys.command()(rotate)
    app.add_typer(keys, name="keys")
    for command in (refuse, defer, erase):
        app.command()(command)


def _decline(session: Session, kind: EventType) -> None:
    store = session.open()
    member = catalogue.the_membership(store.engine)
    asked = catalogue.purpose_asked(store.engine, member, store.connect(member.url))
    choice = consent_events.Choice(
        membership=member,
        purpose=asked,
        notice=catalogue.notice_of(store.engine, asked),
        language=session.language,
    )
    consenting.decline(
        store.engine, choice, kind=kind, now=store.clock.now(), randomness=store.randomness
    )
    hand_over(session, store, member)
