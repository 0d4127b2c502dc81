"""Where a backup or an export is written before it is whole: beside its target, under `.part`.

Nothing that is there already is touched, be it a target or a draft: a draft may be somebody else's,
or be in the making.
"""

import os
from pathlib import Path

from personal_store.errors import BackupRefused


def draft_of(target: Path) -> Path:
    """Return the path to write and then to rename to `target`.

    Raises BackupRefused where something is at either.
    """
    if os.path.lexists(target):
        raise BackupRefused(
            fr=f"« {target.name} » existe déjà : donnez un nom qui n'est pas pris. Rien n'a été "
            "écrit.",
            en=f"“{target.name}” exists already: give a name that is free. Nothing was written.",
        )
    draft = target.with_name(f"{target.name}.part")
    if os.path.lexists(draft):
        raise BackupRefused(
            fr=f"« {draft.name} » existe déjà : la même commande est en cours, ou a été coupée. Si "
            "elle ne tourne plus, effacez-le, puis recommencez. Rien n'a été écrit.",
            en=f"“{draft.name}” exists already: the same command is running, or was cut short. If "
            "it runs no more, remove it, then start again. Nothing was written.",
        )
    return draft
