"""The folder that auditors are handed: files alone, in the form of docs/consents.md.

What an auditor must not learn stays out: a batch below its task's minimum keeps its body and its
contributions closed, since its root gives its size away. Nothing of a resident's clear records is
here, for the cooperative holds none. Each export replaces the one that the folder held.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection

from consents.canonical import canonical_bytes
from consents.tlog.log import export_line
from consents.verify.export_folder import SHARDS_FOLDER
from contributions.task import Task
from coop_aggregator.db import log as log_db
from coop_aggregator.db import questions, releases, reports
from coop_aggregator.errors import AggregatorError
from coop_aggregator.installation import Leader
from coop_aggregator.tlog.log import LeaderLog


def export_log(leader: Leader, folder: Path) -> int:
    """Write the log and what opens it into `folder`; return the number of leaves of the open log.

    The closed logs of earlier years go into `shards/`, each an export of its own.

    Raises AggregatorError when the folder cannot be written.
    """
    try:
        with leader.database.read() as connection:
            log = leader.log(connection)
            for shard in log.shards.every[:-1]:
                inside = folder / SHARDS_FOLDER / str(shard.number)
                _Export(log.of(shard), connection, inside).write()
            return _Export(log, connection, folder).write()
    except OSError as error:
        raise AggregatorError(
            fr="Le dossier d'export ne peut pas être écrit. Vérifiez le chemin et les droits.",
            en="The export folder cannot be written. Check the path and its permissions.",
        ) from error


class _Export:
    """The export of one year's log, from one snapshot of the database."""

    def __init__(self, log: LeaderLog, connection: Connection, folder: Path) -> None:
        self._log = log
        self._connection = connection
        self._folder = folder
        self._tasks = questions.all_tasks(connection)

    def write(self) -> int:
        """Write every file of the export; return how many entries the log has."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._text("checkpoint", self._log.checkpoint())
        self._lines("entries.jsonl", map(export_line, self._log.leaves()))
        self._lines("operator.jsonl", self._operator_lines())
        self._lines("purposes.jsonl", map(_string_line, self._purposes()))
        self._lines("notices.jsonl", map(_string_line, self._notices()))
        self._lines("tasks.jsonl", (_string_line(task.body) for task in self._tasks if task.jws))
        for name in ("batches", "releases", "checkpoints"):
            (self._folder / name).mkdir(exist_ok=True)
            for path in (self._folder / name).iterdir():
                path.unlink()
        for batch in self._open_batches():
            if batch.erased_leaf is not None:
                continue
            items = reports.batch_items(self._connection, batch.task_digest)
            lines = (export_line(item.encode("ascii")) for item in items)
            self._lines(f"batches/{self._here(batch.leaf_index)}.jsonl", lines)
        for week in releases.release_weeks(self._connection):
            published = releases.release_by_week(self._connection, week)
            index = None if published is None else self._here(published.leaf_index)
            if published is not None and index is not None:
                path = self._folder / "releases" / f"{index}.json"
                path.write_bytes(published.body)
        for size in self._log.cosigned_sizes():
            self._text(f"checkpoints/{size:012d}", self._log.cosigned(size))
        return self._log.size()

    def _operator_lines(self) -> Iterable[bytes]:
        closed = {batch.leaf_index for batch in self._batches()}
        closed -= {batch.leaf_index for batch in self._open_batches()}
        for known in log_db.all_operator_bodies(self._connection):
            index = self._here(known.position)
            if known.position not in closed and index is not None:
                line = {
                    "position": index,
                    "body": known.body,
                    "commitment_key": known.commitment_key,
                }
                yield canonical_bytes(line) + b"\n"

    def _purposes(self) -> Iterable[bytes]:
        for digest in questions.purpose_digests(self._connection):
            body = questions.purpose_body(self._connection, digest)
            if body is not None:
                yield body

    def _notices(self) -> Iterable[bytes]:
        digests = questions.purpose_digests(self._connection)
        bodies = (questions.notice_body(self._connection, digest) for digest in digests)
        # Two purposes may share a notice; its line then stands once.
        return dict.fromkeys(body for body in bodies if body is not None)

    def _batches(self) -> list[reports.Batch]:
        found = (reports.batch_of(self._connection, task.digest) for task in self._tasks)
        return [
            batch
            for batch in found
            if batch is not None and self._here(batch.leaf_index) is not None
        ]

    def _open_batches(self) -> list[reports.Batch]:
        # The root tells the size as well: of no report it is a constant, and of one report its
        # sender can recompute it. Hence the whole opening is held back and not the count alone.
        minimum = {task.digest: Task.parse(task.body).min_batch_size for task in self._tasks}
        return [
            batch for batch in self._batches() if batch.report_count >= minimum[batch.task_digest]
        ]

    def _here(self, position: int) -> int | None:
        """Return where this log holds the leaf at a position counted over all logs, or None."""
        shard = self._log.shard
        return position - shard.first if self._log.shards.at(position) == shard else None

    def _text(self, name: str, content: str) -> None:
        (self._folder / name).write_text(content, encoding="utf-8", newline="\n")

    def _lines(self, name: str, lines: Iterable[bytes]) -> None:
        with (self._folder / name).open("wb") as file:
            file.writelines(lines)


def _string_line(content: bytes) -> bytes:
    return json.dumps(content.decode("utf-8")).encode("ascii") + b"\n"
