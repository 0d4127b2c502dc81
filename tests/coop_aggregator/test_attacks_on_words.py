"""Attacks 3, 7 and 14 on a real cooperative: dates, words, and whose keys are believed."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from dishonest_operator import look_away, plant_report, problems

from consents.canonical import utc_text
from consents.records.record import Purpose
from consents.tlog.checkpoint import NoteKey
from consents.tlog.policy import policy_text
from consents.tlog.tile_folder import write_tiles
from coop_aggregator.asking.purposes import publish_purpose
from coop_aggregator.asking.questions import Question, draft_task, sign_draft
from coop_aggregator.db import questions as questions_db
from coop_aggregator.db.log import SqlLog
from coop_aggregator.errors import ReportRefused
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.release import publish

AUDITS = ("coverage", "after-withdrawal", "purposes", "budget", "late", "promises", "release")


@pytest.fixture
def coop(light_coop):
    """Return a cooperative on SQLite: the attacks are the operator's own statements."""
    return light_coop


def log_straight(coop, leaf, cid):
    """Append a leaf past intake, as whoever holds the log's key can."""
    with coop.leader.database.write() as connection:
        coop.leader.log(connection).receive(leaf, cid=cid, at_once=True)


class TestBackDatedConsent:
    @pytest.fixture
    def late_signer(self, coop):
        """Somebody whose report stands in the database before any consent in the log."""
        for _ in range(2):
            coop.resident().send_report()
        person = coop.resident(consents=False)
        person.leaves.append(person.leaf())
        plant_report(coop, person, invents_consent=True)
        return person

    def test_3_logged_after_the_batch_it_covers_nothing_and_is_late(
        self, coop, auditor, late_signer, monkeypatch
    ):
        look_away(monkeypatch)
        coop.release()
        auditor.cosign()
        log_straight(coop, late_signer.leaves[0], late_signer.cid)
        auditor.hand_over()
        code, document = auditor.ask("audit", "coverage")
        assert (code, problems(document)) == (2, {"never-consented"})
        code, document = auditor.ask("audit", "late")
        assert (code, problems(document)) == (2, {"late"})

    def test_3_control_the_same_consent_logged_in_time_covers(
        self, coop, auditor, late_signer, monkeypatch
    ):
        look_away(monkeypatch)
        log_straight(coop, late_signer.leaves[0], late_signer.cid)
        auditor.cosign()
        coop.release()
        auditor.hand_over()
        code, document = auditor.ask("audit", "coverage")
        assert (code, document["facts"]["items"]) == (0, 3)
        assert auditor.ask("audit", "late")[0] == 0

    def test_3_control_a_consent_dated_when_it_is_given_is_not_late(self, coop, auditor):
        auditor.cosign()
        coop.after_deadline()
        person = coop.resident(consents=False)
        person.send_event(at=utc_text(coop.clock.now()))
        auditor.hand_over()
        assert auditor.ask("audit", "late")[0] == 0


class TestEditedPurpose:
    @pytest.fixture
    def consented(self, coop, auditor):
        people = [coop.resident() for _ in range(2)]
        auditor.cosign()
        return people

    def reworded(self, coop, **changes):
        with coop.leader.database.read() as connection:
            body = questions_db.purpose_body(connection, coop.purpose_digest)
        return replace(Purpose.parse(body), **changes)

    def publish_next(self, coop, purpose):
        """Publish `purpose` and ask the next week under it."""
        with coop.leader.database.write() as connection:
            publish_purpose(connection, coop.leader.log(connection), purpose)
            asked = Question(week="2026-W47", min_batch_size=2, purpose_digest=purpose.digest)
            coop.task = draft_task(connection, coop.leader.who, asked)
            sign_draft(connection, "2026-W47", coop.leader.keys.task)
        coop.purpose_digest = purpose.digest
        coop.clock.moment = coop.task.report_deadline - timedelta(days=5)

    def publish_week(self, coop, auditor):
        coop.clock.moment = coop.task.report_deadline
        publish(coop.leader, "2026-W47", executor=InlineExecutor())
        auditor.hand_over()

    @pytest.mark.usefixtures("consented")
    def test_7_words_changed_in_the_database_are_not_the_logged_ones(self, coop, auditor):
        auditor.hand_over()
        assert auditor.ask("audit", "purposes")[0] == 0
        edited = self.reworded(coop, text_fr="Tout, à tout le monde, pour toujours.")
        with coop.leader.database.write() as connection:
            connection.exec_driver_sql(
                "UPDATE purposes SET body = ? WHERE digest = ?",
                (edited.to_bytes(), coop.purpose_digest),
            )
        auditor.hand_over()
        code, document = auditor.ask("audit", "purposes")
        assert (code, problems(document)) == (2, {"purpose-edited", "no-purpose-text"})

    @pytest.mark.usefixtures("consented")
    def test_7_words_that_are_served_have_the_digest_that_was_asked(self, coop, serve):
        answer = serve(coop.leader).get(f"/v1/purposes/{coop.purpose_digest}")
        assert Purpose.parse(answer.content).digest == coop.purpose_digest

    @pytest.mark.usefixtures("consented")
    def test_7_new_words_under_the_same_version_are_seen(self, coop, auditor):
        self.publish_next(coop, self.reworded(coop, text_fr="Tout, à tout le monde."))
        auditor.hand_over()
        code, document = auditor.ask("audit", "purposes")
        assert (code, problems(document)) == (2, {"purpose-edited"})

    def test_7_a_new_version_is_covered_by_no_older_consent(
        self, coop, auditor, consented, monkeypatch
    ):
        self.publish_next(coop, self.reworded(coop, text_fr="Autre chose.", version="2"))
        for person in consented:
            with pytest.raises(ReportRefused):
                person.send_report()
            plant_report(coop, person)
        look_away(monkeypatch)
        self.publish_week(coop, auditor)
        code, document = auditor.ask("audit", "coverage")
        assert (code, problems(document)) == (2, {"wrong-purpose"})

    @pytest.mark.usefixtures("consented")
    def test_7_control_a_consent_to_the_new_version_covers_it(self, coop, auditor):
        self.publish_next(coop, self.reworded(coop, text_fr="Autre chose.", version="2"))
        people = [coop.resident() for _ in range(2)]
        auditor.cosign()
        for person in people:
            person.send_report()
        self.publish_week(coop, auditor)
        for subject in AUDITS:
            code, document = auditor.ask("audit", subject)
            assert (subject, code, problems(document)) == (subject, 0, set())
        assert auditor.ask("audit", "coverage")[1]["facts"]["items"] == 2


class TestHostileServer:
    @pytest.fixture(autouse=True)
    def export_with_tiles(self, coop, auditor):
        coop.resident()
        auditor.hand_over()
        (auditor.export / "entries.jsonl").unlink()
        cosigned = (auditor.export / "checkpoint").read_text()
        (auditor.export / "checkpoint").unlink()
        with coop.leader.database.read() as connection:
            storage = SqlLog(connection, now=coop.clock.now())
            write_tiles(storage, auditor.export, checkpoint=cosigned)

    def codes(self, auditor):
        return {auditor.ask("audit", subject)[0] for subject in AUDITS} | {
            auditor.ask("monitor")[0],
            auditor.ask("report", "annual", "--year", "2026")[0],
        }

    def test_14_control_tiles_judged_with_keys_of_ones_own_are_sound(self, auditor):
        assert self.codes(auditor) == {0}

    @pytest.mark.parametrize("place", ["stewards.policy", "tile/stewards.policy"])
    def test_14_keys_shipped_beside_the_tiles_are_not_believed(self, auditor, place):
        shutil.copy(auditor.policy, auditor.export / place)
        auditor.policy = auditor.export / place
        assert self.codes(auditor) == {3}

    def test_14_the_log_s_key_under_a_witness_s_name_is_not_believed(self, coop, auditor):
        leader = coop.leader
        own = NoteKey.of_witness("steward.example", leader.keys.log.public_key()).vkey
        text = auditor.policy.read_text()
        auditor.policy.write_text(text.replace(auditor.helper.who.own_vkey, own))
        assert self.codes(auditor) == {3}

    def test_14_two_names_of_one_witness_are_no_quorum(self, coop, auditor):
        twice = NoteKey.of_witness("other.example", auditor.helper.key.public_key()).vkey
        vkey = auditor.helper.who.own_vkey
        text = policy_text(log_vkey=coop.leader.who.log_vkey, witness_vkeys=[vkey])
        text = text.replace("group", f"witness steward-2 {twice}\ngroup")
        auditor.policy.write_text(text.replace("1 steward-1", "2 steward-1 steward-2"))
        assert self.codes(auditor) == {3}

    def test_14_one_of_three_is_no_quorum(self, coop, auditor, private_key):
        others = [
            NoteKey.of_witness(f"{name}.example", private_key(name).public_key()).vkey
            for name in ("second", "third")
        ]
        vkeys = [auditor.helper.who.own_vkey, *others]
        auditor.policy.write_text(
            policy_text(log_vkey=coop.leader.who.log_vkey, witness_vkeys=vkeys)
        )
        assert self.codes(auditor) == {3}

    def test_14_a_checkpoint_that_nobody_witnessed_is_no_quorum(self, coop, auditor):
        coop.resident()
        auditor.export_uncosigned()
        assert self.codes(auditor) == {3}
