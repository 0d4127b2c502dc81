"""The commands about other keys: delegates and their mandates, and what a withdrawal code can end.

Same contract as `sharing.py`, whose group `consents` they belong to. `mandate` and `recover`
need no store: they are for somebody else, or for whoever has lost theirs.
"""

import secrets
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from consents.jws import thumbprint
from personal_store import vault
from personal_store.choices import naming, standing_in
from personal_store.choices.parent_key import read_parent_key, write_parent_key
from personal_store.choices.sheets import Sheet, read_sheet, sheet_for, write_own
from personal_store.choices.standing_in import Outside
from personal_store.cli.console import JsonOption, Session, read_secret
from personal_store.clock import SystemClock
from personal_store.db import memberships
from personal_store.db.connection import reading
from personal_store.db.consents import KeptEvent
from personal_store.errors import StoreError
from personal_store.jobs import catalogue
from personal_store.local_time import (
    FIRST_DAY,
    LAST_DAY,
    local_date,
    local_time,
)
from personal_store.membership import Membership
from personal_store.store import Store

CidArgument = Annotated[str, typer.Argument(help="Début du numéro de l'accord. / Its start.")]
# An option, since a thumbprint may begin with a dash.
KeyOption = Annotated[
    str, typer.Option("--key", help="Empreinte de la clé, 43 lettres. / Its thumbprint.")
]
SheetArgument = Annotated[Path, typer.Argument(help="Fichier reçu. / The file received.")]
ProofsOption = Annotated[
    Path, typer.Option(help="Dossier où écrire les preuves. / Folder for the proofs.")
]
CodeOption = Annotated[Path, typer.Option(help="Fichier du code de retrait. / Its file.")]
SheetOption = Annotated[Path, typer.Option(help="Fichier à écrire. / File to write.")]


def add_commands(app: typer.Typer) -> None:
    """Hang these commands on the group of the consents."""
    delegates = typer.Typer(
        help="Qui peut retirer à votre place. / Who may withdraw for you.", no_args_is_help=True
    )
    delegates.command("name")(name_delegate)
    delegates.command("revoke")(revoke_delegate)
    delegates.command("list")(list_delegates)
    mandate = typer.Typer(
        help="Retirer pour quelqu'un. / Withdraw for somebody.", no_args_is_help=True
    )
    mandate.command("key")(mandate_key)
    mandate.command("withdraw")(mandate_withdraw)
    recovery = typer.Typer(
        help="Prévoir la perte de l'espace. / Prepare for a loss.", no_args_is_help=True
    )
    recovery.command("prepare")(prepare_recovery)
    app.add_typer(delegates, name="delegates")
    app.add_typer(mandate, name="mandate")
    app.add_typer(recovery, name="recovery")
    app.command("recover")(recover)


def name_delegate(
    context: typer.Context,
    cid: CidArgument,
    *,
    key: KeyOption,
    until: Annotated[str, typer.Option(help="Dernier jour : 2027-03-31. / Last day.")],
    since: Annotated[str | None, typer.Option("--from", help="Premier jour. / First day.")] = None,
    sheet: SheetOption,
) -> None:
    """Nommer quelqu'un qui peut retirer à votre place. / Name who may withdraw for you."""
    session: Session = context.obj
    store, member = _joined(session)
    first = local_date(store.clock.now()) if since is None else _day(since)
    last = _day(until)
    if last < first:
        raise typer.BadParameter("--until : avant --from. / before --from.")
    mandate = naming.mandate_of_days(first, last)
    consent = naming.name_delegate(store, member, cid, kid=key, mandate=mandate)
    path = _write_sheet(sheet_for(store, _now(store, member), [consent.cid]), sheet)
    session.say(
        fr=f"Cette clé peut retirer cet accord du {first:%d/%m/%Y} au {last:%d/%m/%Y} compris, et "
        f"rien d'autre. C'est inscrit au journal. Donnez {path.name} à la personne ; « consents "
        "delegates revoke » reprend le mandat.",
        en=f"This key may withdraw this consent from {first:%Y-%m-%d} to {last:%Y-%m-%d} included, "
        f"and nothing else. It is in the log. Give {path.name} to that person; “consents delegates "
        "revoke” takes the mandate back.",
    )


def revoke_delegate(context: typer.Context, cid: CidArgument, *, key: KeyOption) -> None:
    """Reprendre un mandat. / Take a mandate back."""
    session: Session = context.obj
    store, member = _joined(session)
    naming.revoke_delegate(store, member, cid, kid=key)
    session.say(
        fr="Le mandat est repris et la coopérative le sait : cette clé ne peut plus rien.",
        en="The mandate is taken back and the cooperative knows: this key can do nothing any more.",
    )


def list_delegates(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Lister les mandats en cours. / List the mandates."""
    session: Session = context.obj
    store, member = _joined(session)
    named = [(each.consent.cid, each.delegate) for each in naming.delegates(store, member)]
    for cid, each in named:
        start, end = local_time(each.mandate.starts_at), local_time(each.mandate.ends_at)
        session.say(
            fr=f"{cid[:8]}  {each.kid}  {start:%d/%m/%Y %H:%M} - {end:%d/%m/%Y %H:%M} : retirer",
            en=f"{cid[:8]}  {each.kid}  {start:%Y-%m-%d %H:%M} - {end:%Y-%m-%d %H:%M}: withdraw",
        )
    if not named:
        session.say(fr="Aucun mandat.", en="No mandate.")
    if as_json:
        session.answer(
            [{"cid": cid, "key": each.kid, **each.mandate.to_mapping()} for cid, each in named]
        )


def mandate_key(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="Fichier à écrire. / File.")]
) -> None:
    """Faire sa clé de mandataire. / Make one's key as a delegate."""
    session: Session = context.obj
    kid = thumbprint(write_parent_key(file).public_key())
    session.say(
        fr=f"Gardez ce fichier pour vous. Donnez cette empreinte à qui vous nomme :\n  {kid}\n"
        "Une clé par accord : la même sous deux accords les relierait.",
        en=f"Keep this file to yourself. Give this thumbprint to whoever names you:\n  {kid}\n"
        "One key a consent: the same under two would link them.",
    )


def mandate_withdraw(
    context: typer.Context,
    sheet: SheetArgument,
    *,
    key: Annotated[Path, typer.Option(help="Votre clé de mandataire. / Your delegate's key.")],
    proofs: ProofsOption,
) -> None:
    """Retirer l'accord de quelqu'un qui vous l'a confié. / Withdraw for who entrusted you."""
    session: Session = context.obj
    read, signer = read_sheet(sheet), read_parent_key(key)
    _end_each(session, standing_in.withdraw(read, signer, _outside(session)), proofs)


def prepare_recovery(
    context: typer.Context,
    *,
    sheet: SheetOption,
    anew: Annotated[
        bool, typer.Option("--new-code", help="Un autre code. / Another code instead.")
    ] = False,
) -> None:
    """Faire le code qui retire sans cet espace. / Make the code that withdraws without it."""
    session: Session = context.obj
    store, member = _joined(session)
    letters = naming.prepare_code(store, member, anew=anew)
    path = _write_sheet(write_own(store, _now(store, member)), sheet)
    session.say(
        fr=f"Votre code de retrait, à recopier sur papier :\n  {letters}\nIl retire vos accords, "
        "ceux d'après aussi, et n'ouvre rien : il ne lit aucune donnée. Sans cet espace, "
        f"« consents recover {path.name} » le demande. Gardez les deux ailleurs qu'ici. "
        "Refaites le fichier quand « doctor » le dit : il sert aussi quand la coopérative ne "
        "répond pas.",
        en=f"Your withdrawal code, to copy onto paper:\n  {letters}\nIt withdraws your consents, "
        "later ones too, and opens nothing: it reads no data. Without this store, "
        f"“consents recover {path.name}” asks for it. Keep both elsewhere. "
        "Write the file again when “doctor” says so: it also serves when the cooperative does not "
        "answer.",
    )


def recover(
    context: typer.Context, sheet: SheetArgument, *, code_file: CodeOption, proofs: ProofsOption
) -> None:
    """Retirer les accords d'un espace perdu. / Withdraw the consents of a lost store."""
    session: Session = context.obj
    read = read_sheet(sheet)
    secret = vault.read_code(read_secret(code_file))
    _end_each(session, standing_in.recover(read, secret, _outside(session)), proofs)


def _end_each(session: Session, ends: Iterator[KeptEvent], proofs: Path) -> None:
    """End one consent after the other, each with its proofs on disk before the next."""
    ended: list[KeptEvent] = []
    failed: StoreError | None = None
    try:
        for event in ends:
            ended.append(event)
            standing_in.write_proofs(ended, proofs)
    except StoreError as error:
        failed = error
    if ended or failed is None:
        _say_ended(session, ended, proofs)
    if failed is not None:
        raise failed


def _say_ended(session: Session, ended: Sequence[KeptEvent], proofs: Path) -> None:
    if not ended:
        session.say(fr="Rien à retirer : c'est déjà fait.", en="Nothing to withdraw: it is done.")
        return
    left = sum(each.promise is None for each in ended)
    if len(ended) > left:
        session.say(
            fr=f"{len(ended) - left} accord(s) retiré(s) : la coopérative l'a reçu, promesse "
            "vérifiée.",
            en=f"{len(ended) - left} consent(s) withdrawn: the cooperative has it, its promise "
            "verified.",
        )
    if left:
        session.say(
            fr=f"{left} retrait(s) déposé(s) chez les témoins, reçu vérifié : la coopérative n'a "
            "pas répondu, ou n'a rien voulu montrer. Ils comptent dès ce reçu, si l'accord n'a pas "
            "changé depuis que ce fichier a été écrit.",
            en=f"{left} withdrawal(s) left with the stewards, their slip verified: the cooperative "
            "did not answer, or would show nothing. They count from that slip on, if the consent "
            "has not changed since this file was written.",
        )
    session.say(fr=f"Preuves écrites dans {proofs.name}.", en=f"Proofs written to {proofs.name}.")


def _joined(session: Session) -> tuple[Store, Membership]:
    store = session.open()
    return store, catalogue.the_membership(store.engine)


def _now(store: Store, member: Membership) -> Membership:
    """Return the membership with the logs that were followed by now."""
    with reading(store.engine) as connection:
        return memberships.of(connection, member.url)


def _outside(session: Session) -> Outside:
    return Outside(
        connect=session.connect,
        now=SystemClock().now(),
        randomness=secrets.token_bytes,
        language=session.language,
    )


def _write_sheet(sheet: Sheet, path: Path) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(sheet.to_bytes())
    return path


def _day(written: str) -> date:
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(
            f"{written} : un jour s'écrit 2027-03-31. / a day is written 2027-03-31."
        ) from None
    if not FIRST_DAY <= day < LAST_DAY:
        raise typer.BadParameter(f"{day} : trop loin. / too far.")
    return day
