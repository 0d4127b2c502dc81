"""Purposes and tasks: what is published, signed and refused."""

import json
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from consents.records.receipt import Purpose
from contributions.measures import Measure
from contributions.task import Task, TrustMode, read_task
from coop_aggregator.asking.purposes import (
    default_notice,
    default_purpose,
    publish_purpose,
    read_purpose,
)
from coop_aggregator.asking.questions import Question, default_scale, draft_task, sign_draft
from coop_aggregator.db import members
from coop_aggregator.db.questions import purpose_body, purpose_digests, task_by_week
from coop_aggregator.errors import AggregatorError, TaskRefused


def draft(coop, **question):
    with coop.leader.database.write() as connection:
        return draft_task(connection, coop.leader.who, Question(**question))


def sign(coop, week):
    with coop.leader.database.write() as connection:
        return sign_draft(connection, week, coop.leader.keys.task)


def test_a_signed_task_reads_back_as_it_was_asked(coop):
    with coop.leader.database.read() as connection:
        stored = task_by_week(connection, "2026-W46")
    task = read_task(stored.jws.encode(), coop.leader.keys.task.public_key())
    assert task == coop.task == Task.parse(stored.body)


def test_a_task_asks_about_the_zones_of_the_territory(light_coop):
    assert [zone.code for zone in light_coop.task.zones] == ["A", "B", "C"]


def test_stores_have_a_week_to_report_by_default(light_coop):
    assert light_coop.task.report_deadline == datetime(2026, 11, 22, 23, tzinfo=UTC)


SCALES = {
    "few members": (999, 1, "3/4"),
    "a thousand": (1_000, 1, "3/2"),
    "a thousand for each of two measures": (2_000, 2, "3"),
    "fewer than that": (1_999, 2, "3/2"),
    "a large town": (30_000, 1, "2"),
}


@pytest.mark.parametrize("case", SCALES)
def test_s_grows_with_the_members_under_two_keepers(case):
    members, measures, scale = SCALES[case]
    asked = {"measures": measures, "members": members}
    assert default_scale(TrustMode.TWO_KEEPERS, **asked) == Fraction(scale)
    assert default_scale(TrustMode.LOCAL, **asked) == Fraction(3, 4) * measures


def test_s_is_that_of_the_members_when_the_question_was_drafted(keepers):
    """It is in the signed bytes: who joins afterwards, or answers, moves nothing."""
    assert keepers.task.scale == Fraction(3, 4)
    with keepers.leader.database.write() as connection:
        for number in range(1_000):
            name = f"member {number}"
            members.add_member(connection, members.Member(member_id=name, key_x=name, zone="A"))
        asked = Question(week="2026-W47", trust_mode=TrustMode.TWO_KEEPERS)
        assert draft_task(connection, keepers.leader.who, asked).scale == Fraction(3, 2)
        before = Task.parse(task_by_week(connection, "2026-W46").body)
    assert before == keepers.task


def test_signing_twice_keeps_the_first_signature(light_coop):
    assert sign(light_coop, "2026-W46") == sign(light_coop, "2026-W46")


REFUSED = {
    "a second question for the week": {"week": "2026-W46"},
    "a week that does not exist": {"week": "2026-W60"},
    "no week at all": {"week": "yesterday"},
    "two keepers": {"week": "2026-W47", "trust_mode": TrustMode.TWO_KEEPERS},
    "more privacy loss than the purpose promises": {"week": "2026-W47", "epsilon": Fraction(5)},
    "no privacy loss at all": {"week": "2026-W47", "epsilon": Fraction(1, 10**9)},
    "a minimum of one": {"week": "2026-W47", "min_batch_size": 1},
    "a deadline within the week": {
        "week": "2026-W47",
        "report_deadline": datetime(2026, 11, 20, tzinfo=UTC),
    },
    "flows, which the default purpose does not cover": {
        "week": "2026-W47",
        "measures": (Measure.KILOMETRES, Measure.FLOWS),
    },
    "departures, which the default purpose does not cover": {
        "week": "2026-W47",
        "measures": (Measure.DEPARTURES,),
    },
    "an unknown purpose": {"week": "2026-W47", "purpose_digest": "ab" * 32},
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_question_that_cannot_be_asked_is_refused(light_coop, case):
    with pytest.raises(TaskRefused) as refused:
        draft(light_coop, **REFUSED[case])
    assert "\n" not in refused.value.fr + refused.value.en
    with light_coop.leader.database.read() as connection:
        assert task_by_week(connection, "2026-W47") is None


def test_a_question_without_a_territory_is_refused(make_leader, light_settings):
    leader = make_leader(light_settings)
    with pytest.raises(TaskRefused), leader.database.write() as connection:
        draft_task(connection, leader.who, Question(week="2026-W46"))


def test_a_week_that_was_not_asked_cannot_be_signed(light_coop):
    with pytest.raises(TaskRefused):
        sign(light_coop, "2026-W47")


def test_init_publishes_a_purpose_with_its_digest_in_the_log(coop):
    with coop.leader.database.read() as connection:
        (digest,) = purpose_digests(connection)
        purpose = Purpose.parse(purpose_body(connection, digest))
    assert purpose.digest == digest
    assert purpose.controller_contact == "dpo@coop.example"


@pytest.mark.parametrize("word", ["CNIL", "retirer", "Conservation", "Destinataires", "ε = 4"])
def test_the_default_purpose_states_the_facts_that_are_due(word):
    assert word in default_purpose(name="Coop", contact="dpo@coop.example").text_fr


def test_a_purpose_written_by_hand_is_published_once(light_coop, tmp_path):
    purpose = default_purpose(name="Coop", contact="x")
    path = tmp_path / "purpose.json"
    path.write_text(json.dumps(json.loads(purpose.to_bytes()) | {"version": "2"}, indent=2))
    with light_coop.leader.database.write() as connection:
        log = light_coop.leader.log(connection)
        digest = publish_purpose(connection, log, read_purpose(path))
        assert purpose_digests(connection)[-1] == digest
        with pytest.raises(AggregatorError):
            publish_purpose(connection, log, read_purpose(path))


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"title_fr": 1}', "[" * 100_000], ids=lambda text: text[:8]
)
def test_a_file_that_is_no_purpose_is_refused(tmp_path, content):
    path = tmp_path / "purpose.json"
    path.write_text(content)
    with pytest.raises(AggregatorError):
        read_purpose(path)


def test_the_default_purpose_and_its_notice_name_the_second_keeper_among_the_recipients():
    purpose = default_purpose(name="Coop", contact="x")
    told = default_notice(purpose, origin="coop.example/log").recipients
    for text, sentence in (
        (purpose.text_fr, "Destinataires : la coopérative et, à deux gardiens, le second"),
        (purpose.text_en, "Recipients: the cooperative and, with two keepers, the second"),
        (told, "La coopérative et, à deux gardiens, le second"),
        (told, "The cooperative and, with two keepers, the second"),
    ):
        assert sentence in text


def test_the_default_purpose_says_that_answers_can_be_linked():
    purpose = default_purpose(name="Coop", contact="x")
    assert (
        "Chaque réponse porte aussi un numéro propre à votre accord : la coopérative peut relier "
        "vos réponses d'une semaine à l'autre." in purpose.text_fr
    )
    assert (
        "Each answer also carries a number made for your consent: the cooperative can link your "
        "answers from week to week." in purpose.text_en
    )


def test_the_default_purpose_says_that_its_protection_is_weak():
    purpose = default_purpose(name="Coop", contact="x")
    yearly = 52 * purpose.epsilon_week_micro // 1_000_000
    assert (
        f"moins vous êtes protégé ; {yearly} par an est une protection faible." in purpose.text_fr
    )
    assert f"the weaker the protection; {yearly} a year is weak." in purpose.text_en
