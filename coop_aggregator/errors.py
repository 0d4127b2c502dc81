"""Everything that can go wrong at the cooperative, in words for its agents and for stores.

The tree::

    AggregatorError
    ├── NotInitialised         no database, or no keys, in the data folder
    ├── UnknownSchema          the database was written by another version
    ├── TerritoryRefused       the file is not a usable FeatureCollection
    ├── TaskRefused            the task cannot be asked as written
    ├── EnrolmentRefused       the invitation code is unknown or used
    ├── EventRefused           a consent event does not verify or does not fit its chain
    ├── LogClosed              the log of a past year takes nothing in any more
    ├── HandoverRefused        one year's log cannot be followed by the next as asked
    ├── ErasureRefused         not the asker's to erase, or still in force
    ├── ReportRefused          a report is malformed, uncovered, late or a duplicate
    ├── ReleaseRefused         the batch is open or already released
    ├── RecoveryRefused        a lost key cannot be replaced as a steward asks
    ├── DropboxRefused         slips are asked for by somebody else than the cooperative
    ├── KeeperRefused          one keeper does not do what the other asks
    ├── KeeperFailed           the other keeper could not be reached, or did not answer as agreed
    └── WitnessFailed          the stewards could not be reached or did not cosign

Refusals towards stores carry a reason code and reveal nothing else.
"""


class AggregatorError(Exception):
    """Say in both languages what was expected, what was seen and what to do."""

    status = 400

    def __init__(
        self, *, fr: str, en: str, status: int | None = None, reason: str | None = None
    ) -> None:
        """Keep both sentences, the HTTP status of the answer and a reason code for machines."""
        super().__init__(fr)
        self.fr = fr
        self.en = en
        self.reason = reason
        if status is not None:
            self.status = status

    def say(self, language: str) -> str:
        """Return the sentence in `language` ("fr" or "en")."""
        return self.en if language == "en" else self.fr


class NotInitialised(AggregatorError):
    """There is no database or no key in the data folder."""

    status = 503


class UnknownSchema(AggregatorError):
    """The database was written by another version of the program."""

    status = 503


class TerritoryRefused(AggregatorError):
    """The file is not a FeatureCollection of named, coded polygons."""


class TaskRefused(AggregatorError):
    """The task cannot be asked as written."""


class EnrolmentRefused(AggregatorError):
    """The invitation code is unknown, used or expired."""

    status = 403


class EventRefused(AggregatorError):
    """A consent event does not verify or does not fit its chain."""

    status = 422


class LogClosed(AggregatorError):
    """The log of a past year takes nothing in any more; the same again goes to the open one."""

    status = 503


class HandoverRefused(AggregatorError):
    """One year's log cannot be followed by the next as asked."""


class ErasureRefused(AggregatorError):
    """What was asked to be erased is not the asker's (403), or still in force (409)."""

    status = 403


class ReportRefused(AggregatorError):
    """A report is malformed (422), uncovered (403), late (410) or a duplicate (409)."""

    status = 422


class ReleaseRefused(AggregatorError):
    """The batch is still open, or already released."""

    status = 409


class RecoveryRefused(AggregatorError):
    """A steward asks for what the log cannot take in, or the cooperative answers something else."""

    status = 409


class DropboxRefused(AggregatorError):
    """Slips are asked for by somebody else than the cooperative, or not just now."""

    status = 403


class KeeperRefused(AggregatorError):
    """One keeper does not do what the other asks: another set, another key, a closed bucket."""

    status = 409


class KeeperFailed(AggregatorError):
    """The other keeper could not be reached, or did not answer as agreed."""

    status = 502


class WitnessFailed(AggregatorError):
    """The stewards could not be reached, or did not cosign."""

    status = 502
