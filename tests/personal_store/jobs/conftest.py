"""A resident who joined a cooperative, and what they can do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from carbon.modes import TransportMode
from consents.records.record import Purpose
from contributions.task import Task
from personal_store.choices import consenting
from personal_store.choices.consenting import Choice
from personal_store.db import contributions
from personal_store.db.connection import reading
from personal_store.db.contributions import KeptContribution
from personal_store.jobs import catalogue, sharing
from personal_store.jobs.sharing import Preview
from personal_store.membership import Membership
from personal_store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Somebody who joined the cooperative: what they can do, and what they can read."""

    store: Store
    member: Membership
    cooperative: Any
    purpose: Purpose
    move: Callable[..., None]

    def travel(self, kilometres: dict[TransportMode, float], **options: Any) -> None:
        self.move(self.store, kilometres, **options)

    def asked(self, **changes: Any) -> Task:
        """Have the cooperative ask, and the store keep, a task."""
        task = self.cooperative.ask(changes.pop("purpose", self.purpose), **changes)
        catalogue.run_once(self.store.engine, self.member, self.cooperative)
        return task

    def give(self) -> None:
        told = self.cooperative.notice(self.purpose)
        choice = Choice(membership=self.member, purpose=self.purpose, notice=told, language="fr")
        now = self.store.clock.now()
        consenting.give(self.store.engine, choice, now=now, randomness=self.store.randomness)

    def withdraw(self) -> None:
        consenting.withdraw(
            self.store.engine,
            self.member,
            language="fr",
            now=self.store.clock.now(),
            randomness=self.store.randomness,
        )

    def preview(self, task: Task) -> Preview:
        return sharing.preview(self.store, self.member, task)

    def send(self, task: Task, **options: Any) -> KeptContribution:
        """Look, then send, as a person does."""
        self.preview(task)
        return sharing.run_once(self.store, self.member, task, **options)

    def ledger(self) -> list[KeptContribution]:
        with reading(self.store.engine) as connection:
            return contributions.every(connection)


@pytest.fixture
def resident(joined, member, cooperative, travel) -> Resident:
    return Resident(
        store=joined,
        member=member,
        cooperative=cooperative,
        purpose=cooperative.publish(),
        move=travel,
    )


@pytest.fixture
def task(resident) -> Task:
    return resident.asked()
