"""Check an open store and say, line by line, what is fine and what to do about the rest.

Nothing is repaired and nothing is changed.
"""

import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from personal_store.choices.own_log import judged_events
from personal_store.choices.sheets import sheet_state
from personal_store.db import checkpoints, memberships
from personal_store.db.connection import reading
from personal_store.db.units import to_ms
from personal_store.jobs import draining
from personal_store.store import Store
from personal_store.vault import DATABASE_FILE, VAULT_FILE

_PRIVATE: Final = stat.S_IRWXG | stat.S_IRWXO
_MB: Final = 1_000_000
_ROOM_BYTES: Final = 100 * _MB
"""What an import's journal and a week of positions take, and some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check: its name for machines, whether it passed, and a sentence in both languages."""

    check: str
    ok: bool
    fr: str
    en: str


_Check = Callable[[Store], Finding]


def examine(store: Store) -> tuple[Finding, ...]:
    """Run every check, from the disk to the proofs; the longest reads the whole database.

    What is read from a database is left out where it is damaged.
    """
    around: tuple[_Check, ...] = (_permissions, _room, _database)
    inside: tuple[_Check, ...] = (_clock, _inbox, _proofs, _one_log, _sheet)
    findings = tuple(check(store) for check in around)
    if not findings[-1].ok:
        return findings
    return findings + tuple(check(store) for check in inside)


def _permissions(store: Store) -> Finding:
    open_to_others = [
        path.name
        for path in (store.folder, store.folder / VAULT_FILE, store.folder / DATABASE_FILE)
        if path.stat().st_mode & _PRIVATE
    ]
    names = ", ".join(open_to_others)
    if open_to_others:
        return Finding(
            check="permissions",
            ok=False,
            fr=f"D'autres comptes de cette machine peuvent lire {names} : retirez-leur ce droit "
            "(chmod go-rwx).",
            en=f"Other accounts of this machine can read {names}: take that right from them "
            "(chmod go-rwx).",
        )
    return Finding(
        check="permissions",
        ok=True,
        fr="Le dossier et ses fichiers ne sont lisibles que par vous.",
        en="The folder and its files can be read by you alone.",
    )


def _room(store: Store) -> Finding:
    free_bytes = shutil.disk_usage(store.folder).free
    size_bytes = _size_bytes(store.folder)
    free_mb, size_mb = free_bytes // _MB, size_bytes // _MB
    if free_bytes < size_bytes + _ROOM_BYTES:
        return Finding(
            check="room",
            ok=False,
            fr=f"Il reste {free_mb} Mo sur le disque, pour un espace de {size_mb} Mo : une "
            "sauvegarde ou un grand import n'y tient plus. Faites de la place.",
            en=f"{free_mb} MB are left on the disk, for a store of {size_mb} MB: a backup or a "
            "large import does not fit any more. Make room.",
        )
    return Finding(
        check="room",
        ok=True,
        fr=f"L'espace prend {size_mb} Mo ; il en reste {free_mb} sur le disque.",
        en=f"The store takes {size_mb} MB; {free_mb} are left on the disk.",
    )


def _size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def _database(store: Store) -> Finding:
    if not _is_whole(store):
        return Finding(
            check="database",
            ok=False,
            fr="La base de données est abîmée : n'y écrivez plus, et restaurez une sauvegarde "
            "(« personal-store restore »).",
            en="The database is damaged: write no more to it, and restore a backup "
            "(“personal-store restore”).",
        )
    return Finding(
        check="database",
        ok=True,
        fr="La base de données est entière : chaque page a été relue.",
        en="The database is whole: every page was read.",
    )


def _is_whole(store: Store) -> bool:
    try:
        with reading(store.engine) as connection:
            ask = connection.exec_driver_sql
            return (
                not ask("PRAGMA cipher_integrity_check").all()
                and ask("PRAGMA integrity_check(1)").scalar() == "ok"
                and not ask("PRAGMA foreign_key_check").all()
            )
    except DatabaseError:
        return False


def _clock(store: Store) -> Finding:
    now = store.clock.now()
    with reading(store.engine) as connection:
        newest = _newest_reception_ms(connection)
    if newest is not None and newest > to_ms(now):
        return Finding(
            check="clock",
            ok=False,
            fr="L'horloge de cette machine retarde : des positions ont été reçues après l'heure "
            "qu'elle donne. Réglez-la.",
            en="This machine's clock is slow: positions were received after the time that it "
            "tells. Set it.",
        )
    return Finding(
        check="clock",
        ok=True,
        fr=f"L'horloge donne {now:%Y-%m-%d %H:%M} UTC.",
        en=f"The clock tells {now:%Y-%m-%d %H:%M} UTC.",
    )


def _newest_reception_ms(connection: Connection) -> int | None:
    newest = connection.exec_driver_sql("SELECT max(received_at_ms) FROM positionfix").scalar()
    return None if newest is None else int(newest)


def _inbox(store: Store) -> Finding:
    waiting = draining.count_waiting(store)
    if waiting:
        return Finding(
            check="inbox",
            ok=False,
            fr=f"{waiting} messages attendent dans la boîte scellée : lancez « personal-store "
            "unlock ».",
            en=f"{waiting} messages wait in the sealed inbox: run “personal-store unlock”.",
        )
    return Finding(
        check="inbox",
        ok=True,
        fr="La boîte scellée est vide.",
        en="The sealed inbox is empty.",
    )


def _proofs(store: Store) -> Finding:
    events = judged_events(store)
    broken = sum(status.state.broken for _, status in events)
    if broken:
        return Finding(
            check="proofs",
            ok=False,
            fr=f"{broken} preuves de vos choix ne tiennent pas : voyez « consents verify », et "
            "montrez « consents receipts » aux garants.",
            en=f"{broken} proofs of your choices do not hold: see “consents verify”, and show "
            "“consents receipts” to the stewards.",
        )
    return Finding(
        check="proofs",
        ok=True,
        fr=f"Choix signés : {len(events)} ; aucune preuve n'est rompue.",
        en=f"Signed choices: {len(events)}; no proof is broken.",
    )


def _one_log(store: Store) -> Finding:
    with reading(store.engine) as connection:
        joined = memberships.every(connection)
        forked = any(checkpoints.fork_of(connection, each.url) for each in joined)
    if forked:
        return Finding(
            check="log",
            ok=False,
            fr="La coopérative a montré deux journaux qui ne s'accordent pas : rien ne part. "
            "Montrez « consents receipts » aux garants.",
            en="The cooperative showed two logs that do not agree: nothing leaves. Show “consents "
            "receipts” to the stewards.",
        )
    return Finding(
        check="log",
        ok=True,
        fr="La coopérative n'a montré qu'un journal." if joined else "Aucune coopérative jointe.",
        en="The cooperative showed one log alone." if joined else "No cooperative was joined.",
    )


def _sheet(store: Store) -> Finding:
    with reading(store.engine) as connection:
        joined = memberships.every(connection)
    state = sheet_state(store, joined[-1]) if joined else None
    if state is not None and state.made and state.unnamed:
        return Finding(
            check="sheet",
            ok=False,
            fr=f"Votre code de retrait ne peut pas retirer {state.unnamed} de vos accords : lancez "
            "« consents recovery prepare ».",
            en=f"Your withdrawal code cannot withdraw {state.unnamed} of your consents: run "
            "“consents recovery prepare”.",
        )
    if state is not None and state.outdated:
        return Finding(
            check="sheet",
            ok=False,
            fr="Un accord a changé depuis que le fichier de retrait a été écrit. Le code sur "
            "papier vaut toujours ; pour les témoins, refaites le fichier : « consents recovery "
            "prepare ».",
            en="A consent has changed since the withdrawal file was written. The code on paper is "
            "still good; for the stewards, write the file again: “consents recovery prepare”.",
        )
    made = state is not None and state.made
    return Finding(
        check="sheet",
        ok=True,
        fr="Votre code de retrait vaut pour tous vos accords."
        if made
        else "Aucun code de retrait.",
        en="Your withdrawal code is good for all consents." if made else "No withdrawal code.",
    )
