"""A week of two keepers, exported and judged: what is audited is who consented, never a vector."""

import pytest

from contributions.two_keepers import expires_at
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.jobs import retention
from coop_aggregator.keepers.aggregation import aggregate
from coop_aggregator.release import publish

WEEK = "2026-W46"


@pytest.fixture
def kind():
    """Return one kind of database: nothing here depends on it."""
    return "sqlite"


@pytest.fixture
def coop(keepers):
    return keepers


@pytest.fixture
def helper(keepers):
    return keepers.helper


def test_a_week_of_sealed_reports_is_covered_from_files_alone(keepers, auditor):
    for zone in "AAABB":
        keepers.resident(zone).send_sealed((3,) * 8)
    auditor.cosign()
    keepers.after_deadline()
    aggregate(keepers.leader, WEEK, keepers.channel, executor=InlineExecutor())
    publish(keepers.leader, WEEK, executor=InlineExecutor(), channel=keepers.channel)
    auditor.hand_over()
    for subject in ("coverage", "after-withdrawal", "purposes", "budget", "late", "release"):
        code, document = auditor.ask("audit", subject)
        assert (subject, code, document["findings"]) == (subject, 0, [])


def test_a_week_whose_sealed_reports_were_erased_passes_every_audit(keepers, auditor):
    for zone in "AAABB":
        keepers.resident(zone).send_sealed((3,) * 8)
    auditor.cosign()
    keepers.after_deadline()
    publish(keepers.leader, WEEK, executor=InlineExecutor(), channel=keepers.channel)
    keepers.clock.moment = expires_at(keepers.task)
    assert retention.run_once(keepers.leader).weeks == (WEEK,)
    auditor.hand_over()
    for subject in ("coverage", "after-withdrawal", "purposes", "budget", "late", "release"):
        code, document = auditor.ask("audit", subject)
        assert (subject, code, document["findings"]) == (subject, 0, [])
