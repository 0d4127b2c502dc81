"""One keeper in a process of its own, with the time that a file tells: the tests' own program.

    python run_keeper.py DATA CLOCK_FILE serve PORT
    python run_keeper.py DATA CLOCK_FILE publish WEEK
    python run_keeper.py DATA CLOCK_FILE cli ARGUMENT...

With KILL_AT=n in the environment the process kills itself, as `kill -9` would, when it is about to
end its n-th transaction; with KILL_DRAWN=n, when it is about to end the n-th one from the one that
draws noise, which is the first.

With LEAK it is a keeper that a careless hand changed: it logs what it opens.
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
from coop_aggregator.cli.program import main as cli_main
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.installation import open_either
from coop_aggregator.keepers import intake
from coop_aggregator.release import publish
from coop_aggregator.settings import load_settings
from coop_aggregator.transport import helper_channel


class FileClock:
    """A clock that tells what its file says."""

    def __init__(self, path):
        self.path = path

    def now(self):
        return datetime.fromisoformat(self.path.read_text())


def kill_at(commit_number, *, after_draw):
    """Kill this process instead of letting it commit that many times."""
    commits = itertools.count(1)
    counting = not after_draw

    @event.listens_for(Engine, "before_cursor_execute")
    def _watch(_connection, _cursor, statement, *_others):
        nonlocal counting
        counting = counting or statement.startswith("INSERT INTO collections")

    @event.listens_for(Engine, "commit")
    def _count(_connection):
        if counting and next(commits) == commit_number:
            os.kill(os.getpid(), signal.SIGKILL)


def leak():
    """Log every half that intake opens, in hexadecimal, with the public share beside it."""
    open_input_share = intake.open_input_share

    def careless(report, sealed, **others):
        opened = open_input_share(report, sealed, **others)
        log = structlog.get_logger("intake")
        log.warning("opened", share=opened.hex(), public=report.public_share.hex())
        return opened

    intake.open_input_share = careless


def main():
    """Open the keeper and do what is asked."""
    data, clock, action, argument, *more = sys.argv[1:]
    if action == "cli":
        cli_main(["--data", data, argument, *more], clock=FileClock(Path(clock)))
        return
    settings = load_settings(environment=os.environ, data=Path(data))
    side = open_either(settings, FileClock(Path(clock)))
    for name in ("KILL_AT", "KILL_DRAWN"):
        if name in os.environ:
            kill_at(int(os.environ[name]), after_draw=name == "KILL_DRAWN")
    if "LEAK" in os.environ:
        leak()
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
