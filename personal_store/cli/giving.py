"""The commands that give and withdraw consent, alone or, under 15, with a parent.

Same contract as `sharing.py`, whose group `consents` they belong to.
"""

from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from personal_store.choices import consent_events, consenting, limit_words, limiting
from personal_store.choices.parent_key import read_parent_key, write_parent_key
from personal_store.cli.console import EXIT_FAILED, Session
from personal_store.cli.sharing import hand_over
from personal_store.documents.sharing import notice_sentences, purpose_sentences
from personal_store.jobs import catalogue
from personal_store.membership import Membership
from personal_store.store import Store

# 32 bits: enough that another text never answers to the same start by chance.
DIGEST_START_LENGTH = 8
EVERYWHERE = "all"
ParentOption = Annotated[
    Path | None,
    typer.Option(
        "--parent-key",
        help="Clé d'un parent, pour les moins de 15 ans. / A parent's key, under 15.",
    ),
]


def add_commands(app: typer.Typer) -> None:
    """Hang these commands on the group of the consents."""
    for command in (give, withdraw):
        app.command()(command)


def give(
    context: typer.Context,
    *,
    purpose: Annotated[
        str | None,
        typer.Option(help="Début de l'empreinte du texte lu. / Start of the read text's digest."),
    ] = None,
    parent_key: ParentOption = None,
    weekdays: Annotated[
        str | None,
        typer.Option(help="Jours à compter, 1 = lundi : 1,2,3,4,5. / Days to count, 1 = Monday."),
    ] = None,
    zones: Annotated[
        str | None,
        typer.Option(
            help="Zones où commencent et finissent les trajets comptés : 17300,17028 ou all. / "
            "Zones where counted trips begin and end, or all."
        ),
    ] = None,
) -> None:
    """Lire le texte, puis donner son accord. / Read the text, then consent."""
    session: Session = context.obj
    days = _weekdays(weekdays)
    store = session.open()
    choice = _shown(session, store, purpose, days=days, zones=zones)
    if purpose is None and not _agreed(session, with_parent=parent_key is not None):
        session.say(fr="Rien n'a été signé.", en="Nothing was signed.")
        raise typer.Exit(EXIT_FAILED)
    consenting.give(
        store.engine,
        choice,
        now=store.clock.now(),
        randomness=store.randomness,
        parent=None if parent_key is None else _parent(parent_key),
    )
    hand_over(session, store, choice.membership)


def _shown(
    session: Session,
    store: Store,
    purpose: str | None,
    *,
    days: tuple[int, ...] | None,
    zones: str | None,
) -> consent_events.Choice:
    """Show everything that would be signed, and return it."""
    member = catalogue.the_membership(store.engine)
    _expect_named(session, purpose)
    transport = store.connect(member.url)
    if purpose is None:
        asked = catalogue.purpose_asked(store.engine, member, transport)
    else:
        asked = catalogue.purpose_read(store.engine, member, transport, digest=purpose)
    told = catalogue.notice_of(store.engine, asked)
    session.say(**purpose_sentences(asked))
    session.say(**notice_sentences(told))
    limits = _limits(store, member, asked.digest, days=days, zones=zones)
    named = None if limits.area is None else limiting.zone_names(store.engine, limits.area)
    session.say(**limit_words.days_sentences(limits.weekdays))
    session.say(**limit_words.area_sentences(named))
    return consent_events.Choice(
        membership=member,
        purpose=asked,
        notice=told,
        language=session.language,
        weekdays=limits.weekdays,
        area=limits.area,
    )


def _expect_named(session: Session, purpose: str | None) -> None:
    """Expect somebody to read the text, or its digest."""
    if purpose is not None and len(purpose) < DIGEST_START_LENGTH:
        raise typer.BadParameter(
            f"--purpose : au moins {DIGEST_START_LENGTH} caractères de l'empreinte. / "
            f"at least {DIGEST_START_LENGTH} characters of the digest."
        )
    if purpose is None and not session.has_terminal():
        raise typer.BadParameter(
            "sans terminal, donnez --purpose et l'empreinte que montre « consents show ». / "
            "without a terminal, give --purpose and the digest that “consents show” prints."
        )


def _parent(path: Path) -> Ed25519PrivateKey:
    """Return the parent's key, making its file where there is none yet."""
    return read_parent_key(path) if path.exists() else write_parent_key(path)


def _limits(
    store: Store,
    member: Membership,
    digest: str,
    *,
    days: tuple[int, ...] | None,
    zones: str | None,
) -> limiting.Chosen:
    """Return the limits asked for; what is not said is kept as it was."""
    kept = limiting.kept_limits(store.engine, url=member.url, purpose_digest=digest)
    area = kept.area
    if zones == EVERYWHERE:
        area = None
    elif zones is not None:
        transport = store.connect(member.url)
        area = limiting.chosen_area(store.engine, member, transport, zones.split(","))
    return limiting.Chosen(weekdays=kept.weekdays if days is None else days, area=area)


def _weekdays(written: str | None) -> tuple[int, ...] | None:
    if written is None:
        return None
    days = sorted(set(written.split(",")))
    if not set(days) <= set("1234567"):
        raise typer.BadParameter(
            "--weekdays : de 1 (lundi) à 7, séparés par des virgules. / "
            "from 1 (Monday) to 7, separated by commas."
        )
    return tuple(int(day) for day in days)


def _agreed(session: Session, *, with_parent: bool) -> bool:
    if with_parent:
        return session.confirm(
            fr="Enfant : donner votre accord ?", en="Child: consent?"
        ) and session.confirm(
            fr="Parent : donner le vôtre avec lui ?", en="Parent: consent with them?"
        )
    session.say(
        fr="Moins de 15 ans : un parent signe aussi, avec « consents give --parent-key FICHIER ».",
        en="Under 15: a parent signs too, with “consents give --parent-key FILE”.",
    )
    return session.confirm(
        fr="Avez-vous 15 ans ou plus, et donnez-vous votre accord ?",
        en="Are you 15 or older, and do you consent?",
    )


def withdraw(context: typer.Context, *, parent_key: ParentOption = None) -> None:
    """Retirer tous ses accords. / Withdraw every consent."""
    session: Session = context.obj
    store = session.open()
    member = catalogue.the_membership(store.engine)
    consenting.withdraw(
        store.engine,
        member,
        language=session.language,
        now=store.clock.now(),
        randomness=store.randomness,
        parent=None if parent_key is None else read_parent_key(parent_key),
    )
    hand_over(session, store, member)
