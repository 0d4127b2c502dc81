"""The commands about purposes, questions, releases, the log and its witnesses."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from contributions.task import Task, TrustMode
from contributions.weeks import TIME_ZONE_NAME
from coop_aggregator.aggregate import due_task, executor_for, freeze
from coop_aggregator.console import Session
from coop_aggregator.db import questions as questions_db
from coop_aggregator.db import releases as releases_db
from coop_aggregator.db import reports as reports_db
from coop_aggregator.export import export_log
from coop_aggregator.jobs import dropbox as dropbox_job
from coop_aggregator.jobs import merge as merge_job
from coop_aggregator.jobs import release as release_job
from coop_aggregator.jobs import witness as witness_job
from coop_aggregator.purposes import publish_purpose, read_purpose
from coop_aggregator.questions import Question, draft_task, sign_draft
from coop_aggregator.release import publish
from coop_aggregator.transport import HttpWitness

JsonOption = Annotated[bool, typer.Option("--json", help="Un document JSON. / A JSON document.")]
WeekOption = Annotated[str, typer.Option("--week", help="2026-W46")]

purpose_app = typer.Typer(help="Les finalités. / The purposes.", no_args_is_help=True)
task_app = typer.Typer(help="Les questions. / The questions.", no_args_is_help=True)
export_app = typer.Typer(help="Exporter. / Export.", no_args_is_help=True)


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    app.add_typer(purpose_app, name="purpose")
    app.add_typer(task_app, name="task")
    app.add_typer(export_app, name="export")
    app.command("aggregate")(aggregate)
    app.command("release")(release)
    app.command("witness")(witness)
    app.command("dropbox")(dropbox)
    app.command("merge")(merge)


@purpose_app.command("publish")
def purpose_publish(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Finalité en JSON. / Purpose as JSON.")],
    as_json: JsonOption = False,
) -> None:
    """Publier une finalité. / Publish a purpose."""
    session: Session = context.obj
    purpose = read_purpose(file)
    with session.leader() as leader, leader.database.write() as connection:
        digest = publish_purpose(connection, leader.log(connection), purpose)
    session.say(fr=f"Finalité publiée : {digest}", en=f"Purpose published: {digest}")
    if as_json:
        session.answer({"digest": digest})


@purpose_app.command("list")
def purpose_list(context: typer.Context) -> None:
    """Lister les finalités (JSON). / List the purposes (JSON)."""
    session: Session = context.obj
    with session.leader() as leader, leader.database.read() as connection:
        session.answer({"purposes": list(questions_db.purpose_digests(connection))})


@task_app.command("create")
def task_create(
    context: typer.Context,
    *,
    week: WeekOption,
    epsilon: Annotated[str, typer.Option(help="ε, 4 ou / or 1/2")] = "4",
    min_batch: Annotated[int, typer.Option(help="Minimum de réponses. / of answers.")] = 30,
    scale: Annotated[str, typer.Option(help="S, 3/4")] = "3/4",
    cap_units: Annotated[int, typer.Option(help="Q")] = 1000,
    trust_mode: Annotated[TrustMode, typer.Option(help="local")] = TrustMode.LOCAL,
    deadline: Annotated[
        str | None, typer.Option(help="2026-11-22T00:00:00Z (7 j après / 7 days after)")
    ] = None,
    purpose: Annotated[str | None, typer.Option(help="Empreinte. / Digest.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Préparer la question d'une semaine. / Draft the question of a week."""
    session: Session = context.obj
    question = Question(
        week=week,
        epsilon=_fraction(epsilon, "--epsilon"),
        min_batch_size=min_batch,
        scale=_fraction(scale, "--scale"),
        cap_units=cap_units,
        trust_mode=trust_mode,
        report_deadline=_moment(deadline),
        purpose_digest=purpose,
    )
    with session.leader() as leader, leader.database.write() as connection:
        task = draft_task(connection, leader.who, question)
    session.say(
        fr=f"Question préparée pour {week} ; signez-la par « task sign --week {week} ».",
        en=f"Question drafted for {week}; sign it with 'task sign --week {week}'.",
    )
    if as_json:
        session.answer({"week": task.week, "digest": task.digest, "signed": False})


@task_app.command("sign")
def task_sign(context: typer.Context, week: WeekOption, as_json: JsonOption = False) -> None:
    """Signer et servir la question d'une semaine. / Sign and serve the question of a week."""
    session: Session = context.obj
    with session.leader() as leader, leader.database.write() as connection:
        stored = sign_draft(connection, week, leader.keys.task)
    until = f"{stored.report_deadline.astimezone(ZoneInfo(TIME_ZONE_NAME)):%Y-%m-%d %H:%M}"
    session.say(
        fr=f"Question signée pour {week}, servie jusqu'au {until} (heure de Paris).",
        en=f"Question signed for {week}, served until {until} (Paris time).",
    )
    if as_json:
        session.answer({"week": stored.week, "digest": stored.digest, "signed": True})


@task_app.command("list")
def task_list(context: typer.Context, as_json: JsonOption = False) -> None:
    """Lister les questions. / List the questions."""
    session: Session = context.obj
    rows: list[dict[str, Any]] = []
    with session.leader() as leader, leader.database.read() as connection:
        for task in questions_db.all_tasks(connection):
            published = releases_db.release_by_week(connection, task.week) is not None
            batch = reports_db.batch_of(connection, task.digest)
            count = (
                reports_db.report_count(connection, task.digest)
                if batch is None
                else batch.report_count
            )
            minimum = Task.parse(task.body).min_batch_size
            open_state = "open" if session.clock.now() < task.report_deadline else "due"
            rows.append(
                {
                    "week": task.week,
                    "digest": task.digest,
                    "state": "released"
                    if published
                    else "frozen"
                    if batch is not None
                    else "draft"
                    if task.jws is None
                    else open_state,
                    "report_deadline": task.report_deadline.isoformat(),
                    "reports": count if count >= minimum else None,
                    "min_batch_size": minimum,
                }
            )
    for row in rows:
        shown = f"< {row['min_batch_size']}" if row["reports"] is None else str(row["reports"])
        line = f"{row['week']}  {row['state']:8}  {shown:>6}  {row['digest'][:16]}…"
        session.say(fr=line, en=line)
    if as_json:
        session.answer(rows)


def aggregate(context: typer.Context, week: WeekOption, as_json: JsonOption = False) -> None:
    """Clore la semaine et s'engager sur ses réponses. / Close the week, commit to its answers."""
    session: Session = context.obj
    with session.leader() as leader:
        batch = freeze(leader, week)
        with leader.database.read() as connection:
            minimum = Task.parse(due_task(leader, connection, week).body).min_batch_size
    count, excluded = batch.report_count, batch.excluded_count
    told = count >= minimum
    if told:
        session.say(
            fr=f"{count} réponses retenues, {excluded} écartées (retrait).",
            en=f"{count} answers kept, {excluded} left out (withdrawn).",
        )
    else:
        session.say(
            fr=f"Moins de {minimum} réponses : la semaine est close et rien n'en sera publié.",
            en=f"Fewer than {minimum} answers: the week is closed and nothing will be published.",
        )
    if as_json:
        session.answer(
            {
                "week": week,
                "root": batch.root if told else None,
                "report_count": count if told else None,
                "excluded_count": excluded if told else None,
                "epsilon_sum_micro": batch.epsilon_sum_micro if told else None,
                "leaf_index": batch.leaf_index,
            }
        )


def release(
    context: typer.Context,
    week: Annotated[str | None, typer.Option(help="2026-W46 (sinon tout / else all due)")] = None,
    as_json: JsonOption = False,
) -> None:
    """Publier une semaine, une seule fois. / Publish a week, once and for all."""
    session: Session = context.obj
    with session.leader() as leader, executor_for(session.settings.workers) as executor:
        if week is None:
            published = release_job.run_once(leader, executor=executor).published
        else:
            published = (publish(leader, week, executor=executor).week,)
    names = ", ".join(published)
    session.say(
        fr=f"Publié : {names}." if published else "Rien à publier.",
        en=f"Published: {names}." if published else "Nothing to publish.",
    )
    if as_json:
        session.answer({"published": list(published)})


def witness(
    context: typer.Context,
    url: Annotated[str, typer.Option(help="Adresse du témoin. / The witness's address.")],
    vkey: Annotated[str, typer.Option(help="Sa clé de vérification. / Its verifier key.")],
    as_json: JsonOption = False,
) -> None:
    """Faire cosigner le journal. / Have the log cosigned."""
    session: Session = context.obj
    with session.leader() as leader, HttpWitness(url) as transport:
        report = witness_job.run_once(leader, transport, vkey=vkey)
    session.say(
        fr=f"{report.size} lignes du journal sont cosignées.",
        en=f"{report.size} lines of the log are cosigned.",
    )
    if as_json:
        session.answer({"size": report.size, "fresh": report.fresh})


def dropbox(
    context: typer.Context,
    url: Annotated[str, typer.Option(help="Adresse des témoins. / The stewards' address.")],
    vkey: Annotated[str, typer.Option(help="Leur clé de vérification. / Their verifier key.")],
    as_json: JsonOption = False,
) -> None:
    """Honorer les retraits déposés chez les témoins. / Honour withdrawals left with stewards."""
    session: Session = context.obj
    with session.leader() as leader, HttpWitness(url) as transport:
        report = dropbox_job.run_once(leader, transport, vkey=vkey)
    session.say(
        fr=f"{report.fetched} dépôts lus, {report.taken} retraits pris en compte, "
        f"{report.waiting} sans accord connu ici.",
        en=f"{report.fetched} slips read, {report.taken} withdrawals honoured, "
        f"{report.waiting} of no consent known here.",
    )
    if as_json:
        session.answer(
            {"fetched": report.fetched, "taken": report.taken, "waiting": report.waiting}
        )


def merge(context: typer.Context, as_json: JsonOption = False) -> None:
    """Inscrire au journal ce qui a été reçu. / Merge what was received into the log."""
    session: Session = context.obj
    with session.leader() as leader:
        report = merge_job.run_once(leader)
    session.say(
        fr=f"{report.merged} événements inscrits, dont {report.late} après l'échéance promise.",
        en=f"{report.merged} events merged, {report.late} of them after the promised time.",
    )
    if as_json:
        session.answer({"merged": report.merged, "late": report.late})


@export_app.command("log")
def export_log_command(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Dossier à écrire. / Folder to write.")],
    as_json: JsonOption = False,
) -> None:
    """Écrire le journal pour « consents verify log ». / Write the log for verification."""
    session: Session = context.obj
    with session.leader() as leader:
        count = export_log(leader, folder)
    session.say(fr=f"{count} lignes écrites.", en=f"{count} lines written.")
    if as_json:
        session.answer({"leaves": count})


def _fraction(text: str, option: str) -> Fraction:
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise typer.BadParameter("4, 0.5 ou/or 1/2", param_hint=option) from error
    if value <= 0:
        raise typer.BadParameter("> 0", param_hint=option)
    return value


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("2026-11-22T00:00:00Z", param_hint="--deadline") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
