"""The stewards' own commands: audit the export that they were handed, and recover a lost key.

Same contract as `cli.py`. An audit that finds anything ends with exit code 1, so that the task that
runs it every night is seen to fail.
"""

from pathlib import Path
from typing import Annotated

import typer

from consents.audit.wording import sentence, title
from consents.verify.verification import Verdict
from consents.verify.wording import Language, say_verdict
from coop_aggregator.cli.console import EXIT_FAILED, JsonOption, Session
from coop_aggregator.errors import RecoveryRefused
from coop_aggregator.installation import open_helper
from coop_aggregator.jobs import audit as job
from coop_aggregator.jobs import recovery
from coop_aggregator.transport import HttpCooperative

SHOWN = 5


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("audit")(audit)
    app.command("recover")(recover)


def audit(
    context: typer.Context,
    export: Annotated[
        Path, typer.Argument(help="Dossier remis par la coopérative. / Folder handed over.")
    ],
    as_json: JsonOption = False,
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


def recover(
    context: typer.Context,
    cid: Annotated[str, typer.Argument(help="Numéro de l'accord. / The consent's number.")],
    export: Annotated[
        Path, typer.Argument(help="Dossier remis par la coopérative. / Folder handed over.")
    ],
    *,
    key: Annotated[
        str, typer.Option(help="Empreinte de la nouvelle clé. / The new key's thumbprint.")
    ],
    url: Annotated[str, typer.Option(help="Adresse de la coopérative. / Its address.")],
    sheet: Annotated[Path, typer.Option(help="Fichier à écrire. / File to write.")],
    as_json: JsonOption = False,
) -> None:
    """Témoins : remplacer une clé perdue, pour retirer. / Stewards: replace a lost key."""
    session: Session = context.obj
    lost = recovery.Lost(cid=cid, kid=key)
    helper = open_helper(session.settings, session.clock)
    try:
        with HttpCooperative(url) as cooperative:
            done = recovery.run_once(helper, cooperative, export, lost)
        content = recovery.sheet_for(helper, url=url)
    finally:
        helper.database.close()
    try:
        sheet.touch(mode=0o600)
        sheet.write_bytes(content)
    except OSError as error:
        raise RecoveryRefused(
            fr="Le fichier de --sheet ne peut pas être écrit. Vérifiez le chemin, puis relancez.",
            en="The file of --sheet cannot be written. Check the path, then run this again.",
        ) from error
    session.say(
        fr=f"La clé perdue ne vaut plus rien ; la nouvelle peut retirer cet accord, rien d'autre. "
        f"C'est au journal, à votre nom. Donnez {sheet.name} à la personne : « personal-store "
        f"consents mandate withdraw {sheet.name} --key SA-CLÉ --proofs DOSSIER ».",
        en=f"The lost key is worth nothing now; the new one can withdraw this consent, nothing "
        f"else. It is in the log, in your name. Give {sheet.name} to the person: “personal-store "
        f"consents mandate withdraw {sheet.name} --key THEIR-KEY --proofs FOLDER”.",
    )
    if as_json:
        session.answer({"cid": cid, "promise": done.promise.decode("ascii")})
