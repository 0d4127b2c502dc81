"""Run the server's jobs again and again beside the pages, in one thread.

Each job is a `run_once` that the command line and the tests call alike; this only says when. A job
that fails is told in the log by its kind of failure, never by what it held, and tried again.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from sqlalchemy.exc import DatabaseError

from personal_store.errors import StoreError

EVERY_S = 5.0
_log = logging.getLogger(__name__)


class Background:
    """Jobs that run every few seconds, or at once when woken."""

    def __init__(self, jobs: Sequence[Callable[[], object]], *, every_s: float = EVERY_S) -> None:
        """Keep the jobs; nothing runs before `start`."""
        self._jobs = tuple(jobs)
        self._every_s = every_s
        self._woken = threading.Event()
        self._ended = threading.Event()
        # A daemon: Ctrl-C does not wait for a long import, which goes on at the next start.
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)

    def start(self) -> None:
        """Begin, with a first round at once."""
        self._thread.start()

    def wake(self) -> None:
        """Run the next round now."""
        self._woken.set()

    def stop(self, *, within_s: float = 2.0) -> None:
        """End after the job that runs, or after `within_s` if it takes longer."""
        self._ended.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(within_s)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._woken.clear()
            for job in self._jobs:
                self._try(job)
            self._woken.wait(self._every_s)

    def _try(self, job: Callable[[], object]) -> None:
        try:
            job()
        except (StoreError, DatabaseError, OSError) as error:
            _log.warning(
                "a background job failed and will be tried again: %s", type(error).__name__
            )
