"""Whose word counts beside the cooperative's: a policy file that the resident got elsewhere."""

from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from consents.policy import WitnessPolicy
from personal_store.db.tables import trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """A C2SP policy, word for word, and the address of the stewards' drop-box if there is one."""

    policy_text: str
    stewards_url: str | None

    @property
    def policy(self) -> WitnessPolicy:
        """Return the policy as read; raise PolicyError."""
        return WitnessPolicy.parse(self.policy_text.encode())


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
    return None if row is None else Trust(policy_text=row.policy, stewards_url=row.stewards_url)
