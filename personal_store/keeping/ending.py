"""Erase a whole store: its keys first, so that what a disk still holds of the rest opens no more.

Flash memory may keep old blocks whatever a program writes over them; without the vault's wrapped
key they are noise, unless the blocks kept are the vault's own. Backups made before are not reached
from here.
Not a withdrawal: what was shared is shared, and a consent in force is refused.
"""

import os
import secrets
import shutil
from pathlib import Path
from typing import Final

from personal_store.choices import consenting
from personal_store.db import consents
from personal_store.db.connection import is_open_elsewhere, reading
from personal_store.errors import GateClosed, StoreError
from personal_store.jobs.incoming import UPLOADS
from personal_store.keeping.restoring import STAGING
from personal_store.serving import locked_server
from personal_store.store import Store
from personal_store.vault import DATABASE_FILE, VAULT_FILE, DatabaseKey

_OTHERS: Final = (f"{DATABASE_FILE}*", "inbox.*", "register.json*", "serving.locked", "*.new")


def erase_store(store: Store, key: DatabaseKey, *, leave_consents: bool) -> None:
    """Erase every file that the program made in the folder, and no other.

    Raises GateClosed while a consent is in force, unless `leave_consents`; StoreError while
    another program has the store open.
    """
    with reading(store.engine) as connection:
        held = consents.every(connection)
        in_force = any(consenting.permits(consents.chain(connection, each.cid)) for each in held)
    if in_force and not leave_consents:
        raise GateClosed(
            fr="Un accord est en cours : retirez-le d'abord (« consents withdraw »), car ses clés "
            "s'effacent avec l'espace. Si la coopérative n'existe plus, donnez --leave-consents.",
            en="A consent is in force: withdraw it first (“consents withdraw”), for its keys go "
            "with the store. Where the cooperative is gone, give --leave-consents.",
        )
    store.engine.dispose()
    if locked_server(store.folder) is not None or is_open_elsewhere(store.folder, key):
        raise StoreError(
            fr="Un autre programme tient cet espace ouvert : arrêtez-le, puis recommencez. Rien "
            "n'a été effacé.",
            en="Another program has this store open: stop it, then start again. Nothing was "
            "erased.",
        )
    _overwrite(store.folder / VAULT_FILE)
    (store.folder / VAULT_FILE).unlink()
    # Uploads lie here in clear while they are read; a crash may leave one, or half a restore.
    for name in (UPLOADS, STAGING):
        shutil.rmtree(store.folder / name, ignore_errors=True)
    for path in [path for pattern in _OTHERS for path in store.folder.glob(pattern)]:
        path.unlink(missing_ok=True)
    if not any(store.folder.iterdir()):
        store.folder.rmdir()


def _overwrite(path: Path) -> None:
    with path.open("r+b", buffering=0) as file:
        file.write(secrets.token_bytes(path.stat().st_size))
        os.fsync(file.fileno())
