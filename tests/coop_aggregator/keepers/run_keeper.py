"""One keeper in a process of its own, with the time that a file tells: the tests' own program.

    python run_keeper.py DATA CLOCK_FILE serve PORT
    python run_keeper.py DATA CLOCK_FILE publish WEEK

With KILL_AT=n in the environment the process kills itself, as `kill -9` would, when it is about to
end its n-th transaction.
"""

import itertools
import os
import signal
import sys
from datetime import datetime
from pathlib import Path

import structlog
import uvicorn
from sqlalchemy import event
from sqlalchemy.engine import Engine

from coop_aggregator.app import create_app
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.installation import open_either
from coop_aggregator.release import publish
from coop_aggregator.settings import Settings
from coop_aggregator.transport import helper_channel


class FileClock:
    """A clock that tells what its file says."""

    def __init__(self, path):
        self.path = path

    def now(self):
        return datetime.fromisoformat(self.path.read_text())


def kill_at(commit_number):
    """Kill this process instead of letting it commit that many times."""
    commits = itertools.count(1)

    @event.listens_for(Engine, "commit")
    def _count(_connection):
        if next(commits) == commit_number:
            os.kill(os.getpid(), signal.SIGKILL)


def main():
    """Open the keeper and do what is asked."""
    data, clock, action, argument = sys.argv[1:]
    settings = Settings(data=Path(data))
    side = open_either(settings, FileClock(Path(clock)))
    if "KILL_AT" in os.environ:
        kill_at(int(os.environ["KILL_AT"]))
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    if action == "serve":
        app = create_app(side, settings)
        # As `coop-aggregator serve` does.
        uvicorn.run(
            app, host="127.0.0.1", port=int(argument), access_log=False, log_level="warning"
        )
        return
    with helper_channel(side) as channel:
        publish(side, argument, executor=InlineExecutor(), channel=channel)


if __name__ == "__main__":
    main()
