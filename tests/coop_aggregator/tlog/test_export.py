"""The real export of a real cooperative, judged by the auditor's own command line."""

import json
from datetime import timedelta

import pytest

from consents.canonical import canonical_bytes
from consents.records.receipt import EventType
from coop_aggregator.asking.questions import Question, draft_task, sign_draft
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.release import publish

AUDITS = ("coverage", "after-withdrawal", "purposes", "budget", "late", "promises", "release")


@pytest.fixture
def coop(light_coop):
    """Return a cooperative on SQLite: what is exported does not depend on the database."""
    return light_coop


@pytest.fixture
def audited_week(coop, auditor):
    """A week as it should be: a withdrawal before the freeze, one after, a release."""
    people = [coop.resident(zone) for zone in "AABBC"]
    auditor.cosign()
    for person in people:
        person.send_report()
    people[0].send_event(EventType.WITHDRAWN)
    auditor.cosign()
    coop.release()
    people[1].send_event(EventType.WITHDRAWN)
    auditor.hand_over()
    return people


def problems(document):
    return [each["problem"] for each in document["findings"]]


@pytest.mark.usefixtures("audited_week")
class TestHonestOperator:
    def test_every_audit_finds_it_sound(self, auditor):
        """W2: An auditor MUST be able to verify the log from its files and a public key alone."""
        for subject in AUDITS:
            code, document = auditor.ask("audit", subject)
            assert (subject, code, problems(document)) == (subject, 0, [])

    def test_the_year_is_recorded(self, auditor):
        code, document = auditor.ask("report", "annual", "--year", "2026")
        assert code == 0
        assert document["facts"]["items"] == 4
        assert document["facts"]["consent.withdrawn"] == 2

    def test_following_it_finds_nothing(self, auditor):
        assert auditor.ask("monitor")[0] == 0

    def test_an_export_replaces_the_one_before(self, auditor):
        stale = auditor.export / "batches" / "999.jsonl"
        stale.write_text("x")
        auditor.hand_over()
        assert not stale.exists()
        assert auditor.ask("audit", "coverage")[0] == 0

    def test_checkpoints_of_before_are_handed_over_with_their_cosignatures(self, auditor):
        assert len(list((auditor.export / "checkpoints").iterdir())) >= 3


@pytest.mark.usefixtures("audited_week")
class TestPlantedViolations:
    """The operator holds its keys and its database, and edits what it hands over."""

    def batch(self, auditor):
        (path,) = (auditor.export / "batches").iterdir()
        return path

    def test_an_item_added_to_the_batch_file(self, auditor):
        path = self.batch(auditor)
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([*lines, lines[0]]))
        assert auditor.ask("audit", "coverage")[0] == 2

    def test_a_release_with_another_figure(self, auditor):
        (path,) = (auditor.export / "releases").iterdir()
        path.write_bytes(path.read_bytes().replace(b'"n":4', b'"n":5'))
        code, document = auditor.ask("audit", "release")
        assert code == 2
        assert "release-changed" in problems(document)

    def test_a_purpose_with_other_words(self, auditor):
        path = auditor.export / "purposes.jsonl"
        path.write_text(path.read_text().replace("sans limite", "dix ans"))
        code, document = auditor.ask("audit", "purposes")
        assert code == 2
        assert "purpose-edited" in problems(document)

    def test_a_missing_batch_is_never_sound(self, auditor):
        self.batch(auditor).unlink()
        assert auditor.ask("audit", "coverage")[0] == 3

    def test_a_body_that_states_another_sum(self, auditor):
        path = auditor.export / "operator.jsonl"
        path.write_text(path.read_text().replace('sum_micro\\":16', 'sum_micro\\":20'))
        code, document = auditor.ask("audit", "budget")
        assert code == 2
        assert "body-mismatch" in problems(document)


class TestClosedBatch:
    """A batch below the minimum stays closed, and the audits say so instead of failing."""

    @pytest.fixture
    def coop(self, make_coop, light_settings):
        return make_coop(light_settings, min_batch_size=30)

    @pytest.fixture(autouse=True)
    def closed_week(self, coop, auditor):
        coop.resident().send_report()
        auditor.cosign()
        coop.release()
        auditor.hand_over()

    def test_nothing_published_is_nothing_to_cover(self, auditor):
        for subject in AUDITS:
            code, document = auditor.ask("audit", subject)
            assert (subject, code, problems(document)) == (subject, 0, [])
            if subject in {"coverage", "budget", "release"}:
                assert document["facts"]["withheld"] == 1

    def test_closed_without_its_release_it_cannot_be_judged(self, auditor):
        (path,) = (auditor.export / "releases").iterdir()
        path.unlink()
        assert auditor.ask("audit", "coverage")[0] == 3

    def test_a_release_with_a_figure_opens_no_excuse(self, auditor):
        (path,) = (auditor.export / "releases").iterdir()
        value = json.loads(path.read_text())
        value["rows"][0]["value"] = 12.5
        path.write_bytes(canonical_bytes(value))
        code, document = auditor.ask("audit", "release")
        assert code == 2
        assert {"no-body", "release-changed"} <= set(problems(document))


def test_two_weeks_are_audited_together(coop, auditor):
    people = [coop.resident() for _ in range(3)]
    auditor.cosign()
    for person in people:
        person.send_report()
    coop.release()
    auditor.cosign()
    with coop.leader.database.write() as connection:
        question = Question(week="2026-W47", min_batch_size=2)
        second = draft_task(connection, coop.leader.who, question)
        sign_draft(connection, "2026-W47", coop.leader.keys.task)
    for number, person in enumerate(people):
        person.send_report(
            task_digest=second.digest, report_id=f"{number:032x}", n=1, at=coop.clock.now()
        )
    coop.clock.moment = second.report_deadline + timedelta(hours=1)
    publish(coop.leader, "2026-W47", executor=InlineExecutor())
    auditor.hand_over()
    for subject in AUDITS:
        code, document = auditor.ask("audit", subject)
        assert (subject, code, problems(document)) == (subject, 0, [])
