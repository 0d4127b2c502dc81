"""The commands about sharing: enrol, tasks, consents, preview, contribute, ledger.

Same contract as `cli.py`. Nothing leaves the machine but by `enrol`, `consents`, `tasks` and
`contribute`, and each of them says what it sent.
"""

from pathlib import Path
from typing import Annotated

import typer

from personal_store.choices import consenting, erasing, fork_watch, limit_words, own_log
from personal_store.choices.proofs import ProofState
from personal_store.cli.console import (
    EXIT_FAILED,
    EXIT_UNPROVED,
    EXIT_VIOLATION,
    JsonOption,
    Session,
)
from personal_store.db import contributions, memberships, presumptions
from personal_store.db.connection import reading
from personal_store.db.trust import Trust
from personal_store.documents.ledger import contribution_document, ledger_document, ledger_sentences
from personal_store.documents.sharing import (
    attempt_document,
    attempt_sentences,
    covered_sentences,
    ending_sentences,
    ends_soon,
    event_document,
    event_sentences,
    notice_sentences,
    preview_document,
    preview_sentences,
    purpose_document,
    purpose_sentences,
    task_document,
)
from personal_store.errors import LogForked, TransportError
from personal_store.jobs import catalogue, catching_up, joining, pipeline, sharing
from personal_store.membership import Membership
from personal_store.store import Store
from personal_store.wording import several, several_en, week

consents_app = typer.Typer(
    help="Donner, retirer, relire ses accords. / Give, withdraw, read back consents.",
    no_args_is_help=True,
)


def enrol(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Adresse de la coopérative. / Its address.")],
    code: Annotated[str, typer.Option(help="Code d'invitation. / Invitation code.")],
    zone: Annotated[
        str | None,
        typer.Option(help="Code de votre commune, sinon celle confirmée. / Your zone's code."),
    ] = None,
) -> None:
    """Adhérer à une coopérative. / Join a cooperative."""
    session: Session = context.obj
    joining.run_once(session.open(), url=url, code=code, zone=zone)
    session.say(
        fr="Adhésion enregistrée. Rien n'est partagé tant que vous n'avez pas donné votre accord.",
        en="Membership recorded. Nothing is shared until you consent.",
    )


def tasks(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Lister les questions posées. / List what is asked."""
    session: Session = context.obj
    store = session.open()
    member = catalogue.the_membership(store.engine)
    catalogue.run_once(store.engine, member, store.connect(member.url))
    with reading(store.engine) as connection:
        asked = memberships.tasks(connection, member)
    if as_json:
        session.answer([task_document(each.task) for each in asked])
        return
    for each in asked:
        session.say(
            fr=f"{each.task.digest[:12]}  {week(each.task.week, 'fr')}  {each.task.title_fr}",
            en=f"{each.task.digest[:12]}  {week(each.task.week, 'en')}  {each.task.title_en}",
        )


def preview(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="Début de l'empreinte. / Start of its digest.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Voir exactement ce qui partirait. / See exactly what would leave."""
    session: Session = context.obj
    store = session.open()
    member = catalogue.the_membership(store.engine)
    pipeline.run_once(store.engine)
    shown = sharing.preview(store, member, catalogue.find_task(store.engine, member, task))
    if as_json:
        session.answer(preview_document(shown))
        return
    session.say(**preview_sentences(shown))
    if shown.week.weekdays or shown.week.area:
        session.say(**limit_words.left_out_sentences(shown.week))


def contribute(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="Début de l'empreinte. / Start of its digest.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Envoyer la contribution d'une semaine. / Send the contribution of a week."""
    session: Session = context.obj
    store = session.open()
    member = catalogue.the_membership(store.engine)
    asked = catalogue.find_task(store.engine, member, task)
    pipeline.run_once(store.engine)
    consenting.hand_over(store, member)
    erasing.confirm(store, member)
    member = catalogue.the_membership(store.engine)
    sent = sharing.run_once(store, member, asked)
    session.say(
        fr=f"Contribution de la semaine {week(sent.week, 'fr')} envoyée : {len(sent.report)} "
        "octets, ceux de l'aperçu.",
        en=f"Contribution of the week of {week(sent.week, 'en')} sent: {len(sent.report)} bytes, "
        "those of the preview.",
    )
    if as_json:
        session.answer(contribution_document(sent))


def contribute_due(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Envoyer toutes les semaines dues, calmes comprises. / Send every week due, quiet ones too."""
    session: Session = context.obj
    store = session.open()
    member = catalogue.the_membership(store.engine)
    catalogue.run_once(store.engine, member, store.connect(member.url))
    pipeline.run_once(store.engine)
    consenting.hand_over(store, member)
    erasing.confirm(store, member)
    member = catalogue.the_membership(store.engine)
    attempts = catching_up.run_once(store, member)
    for attempt in attempts:
        session.say(**attempt_sentences(attempt))
    if not attempts:
        session.say(fr="Aucune semaine à envoyer.", en="No week to send.")
    if as_json:
        session.answer([attempt_document(attempt) for attempt in attempts])
    if any(attempt.refusal for attempt in attempts):
        raise typer.Exit(EXIT_FAILED)


def ledger(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Relire le budget de confidentialité. / Read the privacy budget."""
    session: Session = context.obj
    with reading(session.open().engine) as connection:
        rows, presumed = contributions.every(connection), presumptions.every(connection)
    document = ledger_document(rows, presumed)
    if as_json:
        session.answer(document)
        return
    session.say(**ledger_sentences(rows, presumed))


@consents_app.command("show")
def show(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Lire le texte proposé, sans rien signer. / Read the text asked for, signing nothing."""
    session: Session = context.obj
    store = session.open()
    member = catalogue.the_membership(store.engine)
    asked = catalogue.purpose_asked(store.engine, member, store.connect(member.url))
    told = catalogue.notice_of(store.engine, asked)
    if as_json:
        session.answer(purpose_document(asked, told))
        return
    session.say(**purpose_sentences(asked))
    session.say(**notice_sentences(told))


@consents_app.command("list")
def list_consents(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Relire ses choix, chacun avec sa preuve. / Read one's choices, each with its proof."""
    session: Session = context.obj
    judged = own_log.judged_events(session.open())
    if as_json:
        session.answer([event_document(*each) for each in judged])
        return
    if not judged:
        session.say(
            fr="Aucun choix signé : rien n'est partagé.", en="No signed choice: nothing is shared."
        )
    for event, status in judged:
        session.say(**event_sentences(event, status))
    store = session.open()
    with reading(store.engine) as connection:
        rows = contributions.every(connection)
    for row in rows:
        if row.state.spends:
            session.say(**covered_sentences(row))
    now = store.clock.now()
    for event in consenting.in_force((event for event, _ in judged), now=now):
        if ends_soon(event, now=now):
            session.say(**ending_sentences(event))


@consents_app.command("trust")
def trust_stewards(
    context: typer.Context,
    policy: Annotated[
        Path, typer.Argument(help="Fichier de confiance (C2SP). / Trust file (C2SP).")
    ],
    stewards: Annotated[
        str | None, typer.Option(help="Leur boîte de dépôt. / Their drop-box: https://…")
    ] = None,
) -> None:
    """Dire quels témoins croire, d'après leur fichier. / Say which stewards to believe."""
    session: Session = context.obj
    store = session.open()
    member = catalogue.the_membership(store.engine)
    pinned = Trust(policy_text=own_log.read_policy_text(policy), stewards_url=stewards)
    consenting.pin_trust(store, member, pinned)
    count = len(pinned.policy.witnesses)
    session.say(
        fr=f"{several(count, 'témoin retenu', 'témoins retenus')}. Vos preuves seront jugées "
        "d'après ce fichier.",
        en=f"{several_en(count, 'steward', 'stewards')} kept. Your proofs will be judged by this "
        "file.",
    )


@consents_app.command("verify")
def verify(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Vérifier ses preuves, hors ligne. / Verify one's proofs, offline."""
    session: Session = context.obj
    judged = own_log.judged_events(session.open())
    broken = [status for _, status in judged if status.state.broken]
    open_ended = [status for _, status in judged if status.state is not ProofState.WITNESSED]
    for event, status in judged:
        session.say(**event_sentences(event, status))
    if as_json:
        session.answer([event_document(*each) for each in judged])
    fork = _fork_kept(session)
    if fork is not None:
        session.say(fr=fork.fr, en=fork.en)
        raise typer.Exit(EXIT_VIOLATION)
    if broken:
        session.say(
            fr="La coopérative n'a pas tenu parole : portez ces preuves aux témoins (« consents "
            "receipts »).",
            en="The cooperative did not keep its word: take these proofs to the stewards "
            "(“consents receipts”).",
        )
        raise typer.Exit(EXIT_VIOLATION)
    if open_ended:
        session.say(
            fr="Tout n'est pas encore cosigné par les témoins que vous croyez : rien de faux, mais "
            "rien de prouvé pour ces choix.",
            en="Not everything is cosigned by the stewards that you believe yet: nothing false, "
            "but nothing proved for these choices.",
        )
        raise typer.Exit(EXIT_UNPROVED)
    session.say(fr="Toutes les preuves tiennent.", en="Every proof holds.")


@consents_app.command("receipts")
def receipts(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Dossier à écrire. / Folder to write.")],
    as_json: JsonOption = False,
) -> None:
    """Garder ses reçus en fichiers, hors de l'espace. / Keep one's receipts as files."""
    session: Session = context.obj
    written = own_log.write_receipts(session.open(), folder)
    session.say(
        fr=f"{len(written)} fichiers écrits. Ils disent vos choix en clair : gardez-les pour vous.",
        en=f"{len(written)} files written. They tell your choices in clear: keep them to yourself.",
    )
    if as_json:
        session.answer({"files": [path.name for path in written]})


def add_commands(app: typer.Typer) -> None:
    """Hang the commands that are not about one consent on the main command line."""
    for command in (enrol, tasks, preview, contribute, ledger):
        app.command()(command)
    app.command("contribute-due")(contribute_due)


def _fork_kept(session: Session) -> LogForked | None:
    store = session.open()
    try:
        fork_watch.expect_one_log(store, catalogue.the_membership(store.engine))
    except LogForked as error:
        return error
    return None


def hand_over(session: Session, store: Store, member: Membership) -> None:
    """Hand a fresh choice over, and say how far it has come."""
    session.say(
        fr="Votre choix est signé et vaut dès maintenant.",
        en="Your choice is signed and holds from now on.",
    )
    try:
        consenting.hand_over(store, member)
    except TransportError as error:
        left = ProofState.LEFT in _states(store)
        session.say(
            fr=f"{error.fr} "
            + (
                "Votre retrait est déposé chez les témoins et compte dès leur reçu. "
                if left
                else ""
            )
            + "Votre choix sera transmis à la prochaine commande.",
            en=f"{error.en} "
            + (
                "Your withdrawal is left with the stewards and counts from their slip. "
                if left
                else ""
            )
            + "Your choice will be handed over by the next command.",
        )
        return
    if ProofState.PROMISED in _states(store):
        session.say(
            fr="La coopérative l'a reçu et a promis, signature vérifiée et gardée, de l'inscrire.",
            en="The cooperative has it and promised, signature verified and kept, to log it.",
        )
        return
    session.say(
        fr="Il est inscrit au journal de la coopérative, preuve vérifiée et gardée.",
        en="It is in the cooperative's log; the proof was verified and kept.",
    )


def _states(store: Store) -> set[ProofState]:
    return {status.state for _, status in own_log.judged_events(store)}
