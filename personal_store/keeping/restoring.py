"""Restore a backup into an empty data folder: verified, staged beside, then moved in.

What was shared after the backup is unknown to it. Sharing it again would draw a second noise over
the same week, and leave the ledger short. So every week that was over by now, and that the backup
cannot show to be answered, is presumed answered: it counts as spent and is never sent from here.
"""

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from consents.records.record import Purpose
from contributions.task import MAX_EPSILON_MICRO, Task
from contributions.weeks import week_of, week_ordinal, week_period
from personal_store.clock import Clock
from personal_store.db import consents, contributions, memberships, presumptions
from personal_store.db.connection import open_database, writing
from personal_store.db.contributions import ContributionState, KeptContribution
from personal_store.db.presumptions import PresumedWeek
from personal_store.errors import BackupRefused
from personal_store.keeping.backup import BackupReport, files_of, verify
from personal_store.vault import DATABASE_FILE, VAULT_FILE, unlock

STAGING: Final = "restoring"
"""The folder, within the data folder, where a restore works."""
_JOURNALS: Final = (f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm", f"{DATABASE_FILE}-journal")
QUESTION_LIFE: Final = timedelta(days=28)
"""How far back a question new to the backup may reach; those that it knows say it themselves."""
FULL_WEEK_EPSILON_MICRO: Final = 4_000_000
"""What a week counts for at least: the yearly cap, evenly shared (208 over 52 weeks)."""


def restore(backup: Path, folder: Path, passphrase: str, *, clock: Clock) -> BackupReport:
    """Restore a backup into `folder`, which must hold no store; return what it held.

    Raises BackupRefused where there is a store, or where the clock is before the backup;
    BackupDamaged, WrongPassphrase, UnknownSchema where a newer program made it. Cut short at any
    moment, the same again goes on.
    """
    staging = folder / STAGING
    _expect_no_store(folder, (VAULT_FILE, DATABASE_FILE))
    report = verify(backup, passphrase)
    _expect_no_store(folder, files_of(backup))
    now = clock.now()
    _expect_clock(now, made_at=report.made_at)
    shutil.rmtree(staging, ignore_errors=True)
    is_new = not folder.exists()
    staging.mkdir(parents=True, mode=0o700)
    try:
        _stage(backup, staging, passphrase, made_at=report.made_at, now=now)
    except BaseException:
        shutil.rmtree(folder if is_new else staging, ignore_errors=True)
        raise
    folder.chmod(0o700)
    # The journal of a database that is gone would be played into the one that takes its name.
    for name in _JOURNALS:
        (folder / name).unlink(missing_ok=True)
    # The vault last: until it is there, the folder holds no store and a restore may start again.
    names = sorted(path.name for path in staging.iterdir())
    for name in [*(each for each in names if each != VAULT_FILE), VAULT_FILE]:
        (staging / name).replace(folder / name)
    staging.rmdir()
    return report


def presume(connection: Connection, *, backed_up_at: datetime, restored_at: datetime) -> None:
    """Keep as presumed spent, in a database as it was backed up, the weeks of `unaccounted`."""
    weeks = unaccounted(
        contributions.every(connection),
        _open_tasks(connection, at=backed_up_at),
        full_week_micro=_full_week_micro(connection),
        backed_up_at=backed_up_at,
        restored_at=restored_at,
    )
    presumptions.add(connection, weeks, restored_at=restored_at)


def unaccounted(
    rows: Sequence[KeptContribution],
    open_tasks: Sequence[Task],
    *,
    full_week_micro: int,
    backed_up_at: datetime,
    restored_at: datetime,
) -> list[PresumedWeek]:
    """Return the weeks, over by `restored_at`, that may have been answered after the backup.

    `open_tasks` are those that could still be answered then. A week counts for those of its
    questions that the backup knows and shows no answer to, and for no less in all than a full
    week, of `full_week_micro`: others may have come since, of this cooperative or of another.
    """
    oldest = min([backed_up_at - QUESTION_LIFE, *(task.period.start for task in open_tasks)])
    spent: Counter[str] = Counter()
    for row in rows:
        spent[row.week] += row.epsilon_micro if row.state.spends else 0
    decided = {row.task_digest for row in rows if row.state is not ContributionState.PREPARED}
    asked: Counter[str] = Counter()
    for task in open_tasks:
        asked[task.week] += 0 if task.digest in decided else task.epsilon_micro
    weeks, at = [], week_period(week_of(oldest)).start
    while (period := week_period(week_of(at))).end <= restored_at:
        week = week_of(at)
        epsilon_micro = max(asked[week], full_week_micro - spent[week], 0)
        weeks.append(PresumedWeek(week=week, epsilon_micro=epsilon_micro))
        at = period.end
    return sorted(weeks, key=lambda each: week_ordinal(each.week))


def _stage(
    backup: Path, staging: Path, passphrase: str, *, made_at: datetime, now: datetime
) -> None:
    """Copy a verified backup, bring it to this program's schema and presume its weeks."""
    for name in files_of(backup):
        shutil.copyfile(backup / name, staging / name)
        (staging / name).chmod(0o600)
        with (staging / name).open("rb") as file:
            os.fsync(file.fileno())
    engine = open_database(staging, unlock(staging, passphrase))
    try:
        with writing(engine) as connection:
            presume(connection, backed_up_at=made_at, restored_at=now)
    finally:
        engine.dispose()


def _full_week_micro(connection: Connection) -> int:
    """Return the most that a question new to the backup may cost under a consent that it holds."""
    digests = {each.purpose_digest for each in consents.every(connection)}
    texts = [memberships.purpose_document(connection, digest) for digest in digests]
    allowed = [Purpose.parse(text).epsilon_week_micro for text in texts if text is not None]
    return min(MAX_EPSILON_MICRO, max([FULL_WEEK_EPSILON_MICRO, *allowed]))


def _open_tasks(connection: Connection, *, at: datetime) -> list[Task]:
    kept = [
        signed.task
        for joined in memberships.every(connection)
        for signed in memberships.tasks(connection, joined)
        if signed.task.zone(joined.zone) is not None
    ]
    return [task for task in kept if task.report_deadline > at]


def _expect_no_store(folder: Path, names: Sequence[str]) -> None:
    is_cut_short = (folder / STAGING / VAULT_FILE).exists() and not (folder / VAULT_FILE).exists()
    if is_cut_short or not any((folder / name).exists() for name in names):
        return
    raise BackupRefused(
        fr="Un espace personnel existe déjà dans le dossier de données : rien n'a été changé. "
        "Restaurez dans un autre dossier avec --data.",
        en="There is already a store in the data folder: nothing was changed. Restore into another "
        "folder with --data.",
    )


def _expect_clock(now: datetime, *, made_at: datetime) -> None:
    if now >= made_at:
        return
    raise BackupRefused(
        fr=f"Cette sauvegarde est du {made_at:%d/%m/%Y à %H:%M} UTC, après l'heure de cette "
        f"machine ({now:%d/%m/%Y à %H:%M}). Réglez son horloge : elle dit quelles semaines ont pu "
        "être partagées depuis. Rien n'a été changé.",
        en=f"This backup is of {made_at:%Y-%m-%d %H:%M} UTC, after what this machine's clock "
        f"tells ({now:%Y-%m-%d %H:%M}). Set it: it says which weeks may have been shared since. "
        "Nothing was changed.",
    )
