"""Whose word counts beside the cooperative's: a policy file that the resident got elsewhere."""

from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from consents.tlog.policy import WitnessPolicy
from personal_store.db import successions
from personal_store.db.tables import trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """
    A C2SP policy, word for word, and the address of the stewards' drop-box if there is one.

    `later_vkeys` are the logs that followed the one that the policy names, each verified.
    """

    policy_text: str
    stewards_url: str | None
    later_vkeys: tuple[str, ...] = ()

    @property
    def policy(self) -> WitnessPolicy:
        """Return the policy as read, with the logs that were followed since; raise PolicyError."""
        return WitnessPolicy.parse(self.policy_text.encode()).followed_by(self.later_vkeys)


def pin(connection: Connection, url: str, pinned: Trust) -> None:
    """Keep whom to believe about the cooperative at `url`, in place of any earlier choice."""
    values = {"policy": pinned.policy_text, "stewards_url": pinned.stewards_url}
    connection.execute(
        upsert(trust)
        .values(url=url, **values)
        .on_conflict_do_update(index_elements=["url"], set_=values)
    )


def pinned_for(connection: Connection, url: str) -> Trust | None:
    """Return whom to believe about the cooperative at `url`, None before any choice."""
    row = connection.execute(select(trust).where(trust.c.url == url)).one_or_none()
    if row is None:
        return None
    return Trust(
        policy_text=row.policy,
        stewards_url=row.stewards_url,
        later_vkeys=tuple(each.successor for each in successions.every(connection, url)),
    )
