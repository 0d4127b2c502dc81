"""How the leader reaches the helper: one method for each question, implemented by `transport`.

Bytes are signed messages of `contributions.keeper_messages`; whoever carries them is not trusted.
"""

from typing import Protocol


class HelperChannel(Protocol):
    """One way to reach the other keeper. Every method raises KeeperFailed or KeeperRefused."""

    def cosign(self, request: bytes) -> bytes | None:
        """Return the helper's signature of a task, or None while its operator has not signed."""

    def answer_job(self, request: bytes) -> bytes:
        """Return the answer to an aggregation request."""

    def collect(self, request: bytes) -> bytes:
        """Return the helper's noised share of a bucket."""
