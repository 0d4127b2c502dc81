"""The commands about purposes, questions, releases and the log."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from contributions.measures import Measure
from contributions.task import Adjacency, Task, TrustMode
from coop_aggregator.aggregate import due_task, freeze
from coop_aggregator.asking.purposes import publish_purpose, read_notice, read_purpose
from coop_aggregator.asking.questions import DEFAULT_CAP_UNITS, Question, draft_task
from coop_aggregator.cli.console import JsonOption, Session
from coop_aggregator.db import questions as questions_db
from coop_aggregator.db import releases as releases_db
from coop_aggregator.db import reports as reports_db
from coop_aggregator.db import sealed as sealed_db
from coop_aggregator.db.collections import collected_of
from coop_aggregator.jobs import merge as merge_job
from coop_aggregator.jobs import release as release_job
from coop_aggregator.jobs import retention as retention_job
from coop_aggregator.keepers.aggregation import aggregate as aggregate_with_helper
from coop_aggregator.release import publish
from coop_aggregator.tlog.export import export_log
from coop_aggregator.transport import helper_channel

WeekOption = Annotated[str, typer.Option("--week", help="2026-W46")]
ClusterOption = Annotated[
    str | None, typer.Option(help="Grappe dask : tcp://… / dask cluster (sinon / else workers)")
]

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
    app.command("merge")(merge)
    app.command("erase-expired")(erase_expired)


@purpose_app.command("publish")
def purpose_publish(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Finalité en JSON. / Purpose as JSON.")],
    notice: Annotated[
        Path | None, typer.Option(help="Notice (article 13) en JSON. / Notice as JSON.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Publier une finalité et sa notice. / Publish a purpose and its notice."""
    session: Session = context.obj
    purpose = read_purpose(file)
    told = None if notice is None else read_notice(notice)
    with session.leader() as leader, leader.database.write() as connection:
        digest = publish_purpose(connection, leader.log(connection), purpose, told)
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
    measure: Annotated[
        list[Measure] | None,
        typer.Option(help="Mesure, plusieurs fois si besoin. / Measure, repeatable (kilometres)"),
    ] = None,
    epsilon: Annotated[
        str | None, typer.Option(help="ε, 1 ou/or 1/2 (two-keepers : 1, local : 4)")
    ] = None,
    min_batch: Annotated[int, typer.Option(help="Minimum de réponses. / of answers.")] = 30,
    scale: Annotated[
        str | None, typer.Option(help="S (3/4 à 2 par mesure, selon les membres / by members)")
    ] = None,
    cap_units: Annotated[int, typer.Option(help="Q")] = DEFAULT_CAP_UNITS,
    trust_mode: Annotated[
        TrustMode, typer.Option(help="two-keepers | local")
    ] = TrustMode.TWO_KEEPERS,
    adjacency: Annotated[
        Adjacency, typer.Option(help="two-keepers : zero_out | replacement")
    ] = Adjacency.ZERO_OUT,
    territory_share: Annotated[
        str, typer.Option(help="two-keepers : part d'ε du territoire / territory's part of ε")
    ] = "1/2",
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
        measures=tuple(measure or (Measure.KILOMETRES,)),
        epsilon=None if epsilon is None else _fraction(epsilon, "--epsilon"),
        min_batch_size=min_batch,
        scale=None if scale is None else _fraction(scale, "--scale"),
        cap_units=cap_units,
        trust_mode=trust_mode,
        adjacency=adjacency,
        territory_share=_fraction(territory_share, "--territory-share"),
        report_deadline=_moment(deadline),
        purpose_digest=purpose,
    )
    with session.leader() as leader, leader.database.write() as connection:
        task = draft_task(connection, leader.who, question)
    _tell_draft(session, task, as_json=as_json)


def _tell_draft(session: Session, task: Task, *, as_json: bool) -> None:
    session.say(
        fr=f"Question préparée pour {task.week} ; signez-la par « task sign --week {task.week} ».",
        en=f"Question drafted for {task.week}; sign it with 'task sign --week {task.week}'.",
    )
    if as_json:
        session.answer({"week": task.week, "digest": task.digest, "signed": False})


@task_app.command("list")
def task_list(context: typer.Context, as_json: JsonOption = False) -> None:
    """Lister les questions. / List the questions."""
    session: Session = context.obj
    with session.either() as side, side.database.read() as connection:
        rows = [
            _task_row(connection, stored, now=session.clock.now())
            for stored in questions_db.all_tasks(connection)
        ]
    for row in rows:
        shown = f"< {row['min_batch_size']}" if row["reports"] is None else str(row["reports"])
        line = f"{row['week']}  {row['state']:8}  {shown:>6}  {row['digest'][:16]}…"
        session.say(fr=line, en=line)
    if as_json:
        session.answer(rows)


def _task_row(
    connection: Connection, stored: questions_db.StoredTask, *, now: datetime
) -> dict[str, Any]:
    task = Task.parse(stored.body)
    batch = reports_db.batch_of(connection, task.digest)
    received = (
        reports_db.report_count(connection, task.digest)
        if task.trust_mode is TrustMode.LOCAL
        else sum(sealed_db.counts(connection, task.digest).values())
    )
    count = received if batch is None else batch.report_count
    if releases_db.release_by_week(connection, task.week) is not None:
        state = "released"
    elif batch is not None or collected_of(connection, task.digest):
        state = "frozen"
    elif stored.jws is None:
        state = "draft"
    else:
        state = "open" if now < stored.report_deadline else "due"
    return {
        "week": task.week,
        "digest": task.digest,
        "trust_mode": task.trust_mode.value,
        "state": state,
        "report_deadline": stored.report_deadline.isoformat(),
        "reports": count if count >= task.min_batch_size else None,
        "min_batch_size": task.min_batch_size,
    }


def aggregate(
    context: typer.Context,
    week: WeekOption,
    cluster: ClusterOption = None,
    as_json: JsonOption = False,
) -> None:
    """Clore la semaine et s'engager sur ses réponses. / Close the week, commit to its answers."""
    session: Session = context.obj
    with session.leader() as leader:
        with leader.database.read() as connection:
            task = Task.parse(due_task(leader, connection, week).body)
        if task.trust_mode is TrustMode.LOCAL:
            batch = freeze(leader, week)
        else:
            with session.executor(cluster) as executor, session.helper(leader) as channel:
                batch = aggregate_with_helper(leader, week, channel, executor=executor)
    minimum = task.min_batch_size
    count, excluded = batch.report_count, batch.excluded_count
    told = count >= minimum
    if told:
        session.say(
            fr=f"{count} réponses retenues, {excluded} écartées.",
            en=f"{count} answers kept, {excluded} left out.",
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
    cluster: ClusterOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publier une semaine, une seule fois. / Publish a week, once and for all."""
    session: Session = context.obj
    with (
        session.leader() as leader,
        session.executor(cluster) as executor,
        helper_channel(leader) as channel,
    ):
        if week is None:
            published = release_job.run_once(leader, executor=executor, channel=channel).published
        else:
            published = (publish(leader, week, executor=executor, channel=channel).week,)
    names = ", ".join(published)
    session.say(
        fr=f"Publié : {names}." if published else "Rien à publier.",
        en=f"Published: {names}." if published else "Nothing to publish.",
    )
    if as_json:
        session.answer({"published": list(published)})


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


def erase_expired(context: typer.Context, as_json: JsonOption = False) -> None:
    """Effacer les réponses dont la durée est passée. / Erase answers whose time is over."""
    session: Session = context.obj
    with session.either() as side:
        erased = retention_job.run_once(side)
    sealed, signed = (", ".join(weeks) for weeks in (erased.weeks, erased.signed))
    session.say(
        fr=f"Moitiés scellées effacées : {sealed or 'aucune'}. Réponses signées effacées, et "
        f"inscrites au journal : {signed or 'aucune'}.",
        en=f"Sealed halves erased: {sealed or 'none'}. Signed answers erased, and logged: "
        f"{signed or 'none'}.",
    )
    if as_json:
        session.answer({"weeks": list(erased.weeks), "signed": list(erased.signed)})


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
