"""The catalogue: what the cooperative asks, kept as signed."""

import pytest

from carbon.modes import TransportMode
from personal_store.db import memberships
from personal_store.db.connection import reading
from personal_store.errors import (
    StoreError,
    TransportError,
)
from personal_store.jobs import catalogue

CAR, BIKE, UNKNOWN = TransportMode.CAR, TransportMode.BIKE, TransportMode.UNKNOWN


class TestCatalogue:
    """What the cooperative asks is kept as signed."""

    def test_tasks_and_purposes_are_kept_verbatim(self, resident, cooperative):
        cooperative.ask(resident.purpose)
        assert catalogue.run_once(resident.store.engine, resident.member, cooperative) == 1
        with reading(resident.store.engine) as connection:
            (kept,) = memberships.tasks(connection, resident.member)
            assert kept.jws == cooperative.asked[0]
            assert (
                memberships.purpose_document(connection, resident.purpose.digest)
                == resident.purpose.to_bytes()
            )

    def test_asking_again_fetches_no_purpose_twice(self, resident, cooperative):
        cooperative.ask(resident.purpose)
        catalogue.run_once(resident.store.engine, resident.member, cooperative)
        before = len(cooperative.requests)
        catalogue.run_once(resident.store.engine, resident.member, cooperative)
        assert [path for _, path, _ in cooperative.requests[before:]] == ["/v1/tasks"]

    def test_a_task_whose_purpose_cannot_be_had_is_not_kept(self, resident, cooperative):
        cooperative.ask(resident.purpose)
        cooperative.purposes.clear()
        with pytest.raises(TransportError):
            catalogue.run_once(resident.store.engine, resident.member, cooperative)
        with reading(resident.store.engine) as connection:
            assert memberships.tasks(connection, resident.member) == []

    @pytest.mark.usefixtures("task")
    def test_the_kept_purpose_serves_offline(self, resident, cooperative):
        cooperative.offline = True
        assert (
            catalogue.purpose_asked(resident.store.engine, resident.member, cooperative)
            == resident.purpose
        )

    def test_a_task_is_found_by_the_start_of_its_digest(self, resident, task):
        assert catalogue.find_task(resident.store.engine, resident.member, task.digest[:8]) == task

    @pytest.mark.usefixtures("task")
    @pytest.mark.parametrize("start", ["", "zzzz"])
    def test_a_start_that_names_no_single_task_is_refused(self, resident, start):
        with pytest.raises(StoreError, match="0") as refusal:
            catalogue.find_task(resident.store.engine, resident.member, start)
        assert "tasks" in refusal.value.en

    def test_the_newest_week_comes_first(self, resident):
        resident.asked(week="2026-W46")
        resident.asked(week="2026-W44")
        resident.asked(week="2026-W45")
        with reading(resident.store.engine) as connection:
            weeks = [each.task.week for each in memberships.tasks(connection, resident.member)]
        assert weeks == ["2026-W46", "2026-W45", "2026-W44"]

    def test_where_nothing_was_ever_asked_there_is_nothing_to_decide(self, resident):
        with pytest.raises(StoreError, match="rien demandé"):
            catalogue.purpose_asked(resident.store.engine, resident.member, resident.cooperative)
