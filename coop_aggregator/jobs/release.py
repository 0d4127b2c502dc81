"""The release job: publish every week whose deadline is past."""

from concurrent.futures import Executor
from dataclasses import dataclass

from coop_aggregator.db import questions, releases
from coop_aggregator.errors import (
    AggregatorError,
    KeeperFailed,
    KeeperRefused,
    ReleaseRefused,
)
from coop_aggregator.installation import Leader
from coop_aggregator.keepers.channel import HelperChannel
from coop_aggregator.release import publish


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReport:
    """The weeks that this run published."""

    published: tuple[str, ...]


def run_once(leader: Leader, *, executor: Executor, channel: HelperChannel | None) -> ReleaseReport:
    """Publish what is due and not published. Two runs at once publish each week once.

    A helper that does not answer holds back its own weeks and no other: they come with a later
    run, and the first such failure is raised once the others are published.
    """
    now = leader.clock.now()
    with leader.database.read() as connection:
        done = set(releases.release_weeks(connection))
        due = [
            task.week
            for task in questions.all_tasks(connection)
            if task.jws is not None and task.report_deadline <= now and task.week not in done
        ]
    published = []
    failure: AggregatorError | None = None
    for week in due:
        try:
            publish(leader, week, executor=executor, channel=channel)
        except (KeeperFailed, KeeperRefused) as error:
            failure = failure or error
            continue
        except ReleaseRefused:
            # Another process was faster; its release stands.
            continue
        published.append(week)
    if failure is not None:
        raise failure
    return ReleaseReport(published=tuple(published))
