"""The lock of a running store: closed until somebody gives the passphrase, then open.

A server may start without a passphrase, after a power cut for example: it takes in live positions
to the sealed inbox and shows only the form that asks for the passphrase. One try at a time, and
after `FREE_TRIES` wrong ones a wait that grows to a minute, whoever asks: the passphrase is
the only thing between a stranger on the network and everything.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from personal_store.clock import Clock
from personal_store.doors.devices import put_register_right
from personal_store.doors.reception import Reception
from personal_store.errors import StoreLocked, TooManyTries, WrongPassphrase
from personal_store.store import Store, open_store
from personal_store.vault import DatabaseKey, unlock

FREE_TRIES = 5
_LONGEST_WAIT_S = 60


@dataclass(slots=True)
class Lock:
    """One folder, locked or open."""

    folder: Path
    clock: Clock
    reception: Reception
    open_folder: Callable[[Path, DatabaseKey], Store]
    on_open: Callable[[], None] = lambda: None
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _wrong: int = 0
    _not_before: datetime | None = None

    @property
    def is_locked(self) -> bool:
        """Tell whether the passphrase has not been given yet."""
        return self.reception.store is None

    @property
    def store(self) -> Store:
        """Return the open store. Raises StoreLocked while it is not."""
        store = self.reception.store
        if store is None:
            raise StoreLocked(
                fr="L'espace est verrouillé : donnez sa phrase de passe pour l'ouvrir.",
                en="The store is locked: give its passphrase to open it.",
            )
        return store

    def give(self, passphrase: str) -> None:
        """Check a passphrase; the first right one opens the store, then calls `on_open`.

        Raises WrongPassphrase, TooManyTries, or what opening a store raises.
        """
        # A try takes 64 MiB: many at once, by whoever reaches this door, would take them all.
        with self._one_at_a_time:
            self._wait_is_over()
            try:
                key = unlock(self.folder, passphrase)
            except WrongPassphrase:
                self._wrong += 1
                if self._wrong >= FREE_TRIES:
                    wait_s = min(2 ** (self._wrong - FREE_TRIES), _LONGEST_WAIT_S)
                    self._not_before = self.clock.now() + timedelta(seconds=wait_s)
                raise
            self._wrong, self._not_before = 0, None
            if self.is_locked:
                self.reception.open(self.open_folder(self.folder, key))
                self.on_open()

    def _wait_is_over(self) -> None:
        now = self.clock.now()
        if self._not_before is not None and now < self._not_before:
            seconds = max(1, round((self._not_before - now).total_seconds()))
            raise TooManyTries(
                fr=f"Trop d'essais manqués : attendez {seconds} s avant le suivant.",
                en=f"Too many wrong tries: wait {seconds} s before the next.",
            )


def open_folder(folder: Path, key: DatabaseKey) -> Store:
    """Open the store of a folder on the real world, and put its register right."""
    store = open_store(folder, key)
    put_register_right(store)
    return store


def open_lock(store: Store) -> Lock:
    """Return the lock of a store that is open already."""
    reception = Reception(store.folder, store.randomness, store)
    return Lock(store.folder, store.clock, reception, lambda _folder, _key: store)
