"""Restore a backup into an empty data folder: verified, staged beside, then moved in.

What was shared after the backup is unknown to it. Sharing it again would draw a second noise over
the same week, and leave the ledger short. So every week that was over by now, and that the backup
cannot show to be answered, is presumed answered: it counts as spent and is never sent from here.
"""

import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from contributions.task import Task
from contributions.weeks import week_of, week_ordinal, week_period
from personal_store.clock import Clock
from personal_store.db import contributions, memberships, presumptions
from personal_store.db.connection import open_database, writing
from personal_store.db.contributions import KeptContribution
from personal_store.db.presumptions import PresumedWeek
from personal_store.errors import BackupRefused
from personal_store.keeping.backup import BackupReport, files_of, verify
from personal_store.vault import DATABASE_FILE, VAULT_FILE, unlock

_STAGING: Final = "restoring"
QUESTION_LIFE: Final = timedelta(days=28)
"""How far back a question new to the backup may reach; those that it knows say it themselves."""
FULL_WEEK_EPSILON_MICRO: Final = 4_000_000
"""What a week may cost at most under the yearly cap, evenly shared (208 over 52 weeks)."""


def restore(backup: Path, folder: Path, passphrase: str, *, clock: Clock) -> BackupReport:
    """Restore a backup into `folder`, which must hold no store; return what it held.

    Raises BackupRefused where there is a store, BackupDamaged, WrongPassphrase, UnknownSchema
    where a newer program made it. Cut short at any moment, the same again goes on.
    """
    staging = folder / _STAGING
    _expect_no_store(folder, staging)
    report = verify(backup, passphrase)
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True, mode=0o700)
    for name in files_of(backup):
        shutil.copyfile(backup / name, staging / name)
        (staging / name).chmod(0o600)
    engine = open_database(staging, unlock(staging, passphrase))
    try:
        with writing(engine) as connection:
            now = clock.now()
            weeks = unaccounted(
                contributions.every(connection),
                _open_tasks(connection, at=report.made_at),
                backed_up_at=report.made_at,
                restored_at=now,
            )
            presumptions.add(connection, weeks, restored_at=now)
    finally:
        engine.dispose()
    folder.chmod(0o700)
    # The vault last: until it is there, the folder holds no store and a restore may start again.
    names = sorted(path.name for path in staging.iterdir())
    for name in [*(each for each in names if each != VAULT_FILE), VAULT_FILE]:
        (staging / name).replace(folder / name)
    staging.rmdir()
    return report


def unaccounted(
    rows: Sequence[KeptContribution],
    open_tasks: Sequence[Task],
    *,
    backed_up_at: datetime,
    restored_at: datetime,
) -> list[PresumedWeek]:
    """Return the weeks, over by `restored_at`, that may have been answered after the backup.

    `open_tasks` are those that could still be answered then. A week that the backup shows as
    spent counts for nothing more; any other counts in full.
    """
    oldest = min([backed_up_at - QUESTION_LIFE, *(task.period.start for task in open_tasks)])
    spent = {row.week for row in rows if row.state.spends}
    weeks, at = [], week_period(week_of(oldest)).start
    while (period := week_period(week_of(at))).end <= restored_at:
        week = week_of(at)
        weeks.append(
            PresumedWeek(week=week, epsilon_micro=0 if week in spent else FULL_WEEK_EPSILON_MICRO)
        )
        at = period.end
    return sorted(weeks, key=lambda each: week_ordinal(each.week))


def _open_tasks(connection: Connection, *, at: datetime) -> list[Task]:
    kept = [
        signed.task
        for joined in memberships.every(connection)
        for signed in memberships.tasks(connection, joined)
    ]
    return [task for task in kept if task.report_deadline > at]


def _expect_no_store(folder: Path, staging: Path) -> None:
    is_cut_short = (staging / VAULT_FILE).exists() and not (folder / VAULT_FILE).exists()
    if is_cut_short or not any((folder / name).exists() for name in (VAULT_FILE, DATABASE_FILE)):
        return
    raise BackupRefused(
        fr="Un espace personnel existe déjà dans le dossier de données : rien n'a été changé. "
        "Restaurez dans un autre dossier avec --data.",
        en="There is already a store in the data folder: nothing was changed. Restore into another "
        "folder with --data.",
    )
