"""`personal-store keepers`: who holds the halves of what is shared, and pinning them late."""

from typing import Annotated

import typer

from personal_store.cli.console import Session
from personal_store.jobs import catalogue, pinning


def keepers(
    context: typer.Context,
    pin: Annotated[
        str | None,
        typer.Option(help="Empreinte du second gardien, à épingler. / Second keeper's thumbprint."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Un document JSON. / A JSON document.")
    ] = False,
) -> None:
    """Montrer les deux gardiens, ou les épingler. / Show the two keepers, or pin them."""
    session: Session = context.obj
    store = session.open()
    member = catalogue.the_membership(store.engine)
    named = (
        pinning.offered(store, member) or member.keepers
        if pin is None
        else pinning.run_once(store, member, thumbprint=pin)
    )
    for keeper in named:
        line = f"{keeper.name}  {keeper.url}\n  {keeper.kid}"
        session.say(fr=line, en=line)
    pinned = bool(member.keepers) or pin is not None
    if not named:
        session.say(
            fr="Aucune question de cette coopérative n'a deux gardiens.",
            en="No question of this cooperative has two keepers.",
        )
    elif pinned:
        session.say(
            fr="Épinglés : cet espace refusera toute question qui en nomme d'autres.",
            en="Pinned: this store will refuse any question that names others.",
        )
    else:
        session.say(
            fr="Pas encore épinglés : vous avez adhéré avant eux, et cet espace laisse leurs "
            "questions sans réponse. Comparez l'empreinte du second avec celle qu'il publie, puis "
            "donnez-la à --pin.",
            en="Not pinned yet: you joined before them, and this store leaves their questions "
            "unanswered. Compare the second one's thumbprint with the one that it publishes, then "
            "give it to --pin.",
        )
    if as_json:
        session.answer({"pinned": pinned and bool(named), "keepers": [k.to_json() for k in named]})
