"""The reception: every live message passes here, is on disk, and only then acknowledged.

One thread works for all requests. Whatever has come in while it worked is its next batch: one
transaction and one wait for the disk for all of them, which is what makes a thousand messages a
second possible without acknowledging any that could be lost. Open, it reads letters and adds
what they hold to the database; locked, it seals them to the inbox. That one thread alone changes
from the one to the other, so no letter falls in between.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from personal_store.db.connection import reading, writing
from personal_store.db.devices import Device
from personal_store.doors.inbox import Inbox
from personal_store.doors.register import Register, RegisterReader
from personal_store.errors import InboxFull
from personal_store.ingest.live.letter import Letter, Reply
from personal_store.ingest.live.read import acknowledgement
from personal_store.jobs import receiving
from personal_store.store import Store
from personal_store.vault import Randomness

MOST_AT_A_TIME = 200
REFUSED = Reply(status=401)
TRY_LATER = Reply(status=503)


@dataclass(slots=True)
class Reception:
    """Takes letters in for one folder; `store` is None while it is locked."""

    folder: Path
    randomness: Randomness
    store: Store | None = None
    _register: RegisterReader = field(init=False, repr=False)
    _inbox: Inbox = field(init=False, repr=False)
    _waiting: list[tuple[Letter, "Future[Reply]"]] = field(default_factory=list, repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _working: bool = False
    _doors: dict[str, Device] = field(default_factory=dict, repr=False)
    _doors_of: Register | None = field(default=None, repr=False)
    _thread: ThreadPoolExecutor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Prepare the one thread, which starts with the first letter."""
        self._register = RegisterReader(self.folder)
        self._inbox = Inbox(self.folder, self.randomness)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reception")

    def door_of(self, token: str) -> str | None:
        """Return the door that a token opens, open or locked; None when it opens none."""
        register = self._register.current()
        return register.door_of(token) if register else None

    def deliver(self, letter: Letter) -> "Future[Reply]":
        """Return the answer to come, once the letter is on disk."""
        answer: Future[Reply] = Future()
        with self._guard:
            self._waiting.append((letter, answer))
            if self._working:
                return answer
            self._working = True
        self._thread.submit(self._work)
        return answer

    def open(self, store: Store) -> None:
        """Go from sealing to reading; what was begun before is sealed, and on disk, on return."""
        self._thread.submit(self._switch_to, store).result()

    def _switch_to(self, store: Store) -> None:
        self.store = store
        self._inbox.close()

    def _work(self) -> None:
        while True:
            with self._guard:
                batch = self._waiting[:MOST_AT_A_TIME]
                del self._waiting[:MOST_AT_A_TIME]
                if not batch:
                    self._working = False
                    return
            letters = [letter for letter, _ in batch]
            try:
                replies = self._taken_in(letters)
            except (OSError, DatabaseError, InboxFull):
                # Nothing of the batch is on disk: every phone keeps its own.
                replies = [TRY_LATER] * len(batch)
            except BaseException as error:
                for _, answer in batch:
                    answer.set_exception(error)
                raise
            for (_, answer), reply in zip(batch, replies, strict=True):
                answer.set_result(reply)

    def _taken_in(self, letters: Sequence[Letter]) -> list[Reply]:
        register = self._register.current()
        if register is None:
            return [REFUSED] * len(letters)
        if self.store is None:
            sealed = [letter.to_bytes() for letter in letters]
            self._inbox.append(sealed, public_key=register.public_key)
            return [acknowledgement(letter.app) for letter in letters]
        with writing(self.store.engine) as connection:
            received = receiving.run_once(
                connection,
                letters,
                doors=self._open_doors(self.store, register),
                randomness=self.randomness,
            )
        return [each.read.reply if each.read else REFUSED for each in received]

    def _open_doors(self, store: Store, register: Register) -> dict[str, Device]:
        """Return the devices as the register of this moment has them."""
        if register is not self._doors_of:
            with reading(store.engine) as connection:
                self._doors = receiving.open_doors(connection)
            self._doors_of = register
        return self._doors
