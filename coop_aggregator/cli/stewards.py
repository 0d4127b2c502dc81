"""The stewards' own command: audit the export that they were handed, for themselves and the pages.

Same contract as `cli.py`. An audit that finds anything ends with exit code 1, so that the task that
runs it every night is seen to fail.
"""

from pathlib import Path
from typing import Annotated

import typer

from consents.audit.wording import sentence, title
from consents.verify.verification import Verdict
from consents.verify.wording import Language, say_verdict
from coop_aggregator.cli.console import EXIT_FAILED, Session
from coop_aggregator.installation import open_helper
from coop_aggregator.jobs import audit as job

SHOWN = 5


def add_commands(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("audit")(audit)


def audit(
    context: typer.Context,
    export: Annotated[
        Path, typer.Argument(help="Dossier remis par la coopérative. / Folder handed over.")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Un document JSON. / A JSON document.")
    ] = False,
) -> None:
    """Témoins : tout vérifier, et le montrer à leurs pages. / Stewards: verify everything."""
    session: Session = context.obj
    helper = open_helper(session.settings, session.clock)
    try:
        report = job.run_once(helper, export)
    finally:
        helper.database.close()
    for each in report.answers:
        said = {
            language: "\n".join(
                [
                    f"{title(each.subject, language)} {say_verdict(each.verdict, language)}",
                    *(f"  {sentence(one, language)}" for one in each.findings[:SHOWN]),
                ]
            )
            for language in Language
        }
        session.say(fr=said[Language.FR], en=said[Language.EN])
    if as_json:
        answers = {each.subject.value: each.verdict.value for each in report.answers}
        session.answer({"verdict": report.verdict.value, "size": report.size, "answers": answers})
    if report.verdict is not Verdict.OK:
        raise typer.Exit(EXIT_FAILED)
