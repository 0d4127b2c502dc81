"""Before the second operator signs, the whole task stands before them in plain words."""

import sys
from dataclasses import replace

import pytest

from consents.records.record import Purpose
from contributions.measures import Measure, coordinates_for
from contributions.task import Adjacency
from coop_aggregator.asking.purposes import default_purpose
from coop_aggregator.asking.questions import Question, draft_task
from coop_aggregator.db import questions as db
from coop_aggregator.keepers.cosigning import ask_helper
from coop_aggregator.keepers.reading import read_out
from coop_aggregator.settings import Language
from coop_aggregator.web.wording import wording_for

LATER = "2026-W45"


@pytest.fixture
def wide(keepers):
    """Return a task of every measure, and its purpose."""
    purpose = replace(
        default_purpose(name="Coop", contact="dpo@coop.example"),
        fields=(*(measure.purpose_field for measure in Measure), "zone_of_residence"),
    )
    with keepers.leader.database.write() as connection:
        db.add_purpose(connection, digest=purpose.digest, body=purpose.to_bytes(), leaf_index=9)
        asked = Question(
            week=LATER,
            measures=tuple(Measure),
            trust_mode=keepers.task.trust_mode,
            purpose_digest=purpose.digest,
        )
        return draft_task(connection, keepers.leader.who, asked), purpose


def told(task, purpose, language):
    return read_out(task, purpose, wording_for(language))


@pytest.mark.parametrize("language", Language)
def test_every_measure_and_label_is_told_with_its_weight(wide, language):
    wording, zones = wording_for(language), {zone.code: zone.name for zone in wide[0].zones}
    text = told(*wide, language)
    assert [each for each in Measure if wording.measure(each) not in text] == []
    assert len(wide[0].coordinates) > 40
    for each in wide[0].coordinates:
        assert f"{wording.part(each.key, zones)} ({wording.number(each.weight)})" in text


@pytest.mark.parametrize("language", Language)
def test_digests_and_origin_are_told_whole(wide, language):
    task, purpose = wide
    text = told(*wide, language)
    for fact in (
        task.digest,
        purpose.digest,
        task.factor_set.sha256,
        task.factor_set.name,
        task.territory_sha256,
        task.log_origin,
        task.aggregator_name,
        *(keeper.url for keeper in task.keepers),
    ):
        assert fact in text


def test_the_price_its_split_and_the_bounds_are_told(wide):
    task = replace(
        wide[0],
        epsilon_micro=1_250_000,
        epsilon_territory_micro=250_000,
        cap_units=16_383,
        min_batch_size=37,
    )
    french = told(task, wide[1], Language.FRENCH).replace("\N{NARROW NO-BREAK SPACE}", " ")
    for fact in ("1,25", "0,25 pour le territoire", "1 pour les zones", "16 383", "S = 21/4", "37"):
        assert fact in french
    english = told(task, wide[1], Language.ENGLISH)
    for fact in ("1.25", "0.25 for the territory", "1 for the zones", "16,383", "37"):
        assert fact in english


def test_both_adjacencies_are_told_apart(wide):
    other = replace(wide[0], adjacency=Adjacency.REPLACEMENT)
    assert "semaine vide" in told(*wide, Language.FRENCH)
    assert "semaine vide" not in told(other, wide[1], Language.FRENCH)


def test_the_week_the_deadline_and_the_expiry_are_told_in_paris_time(wide):
    text = told(*wide, Language.FRENCH)
    for moment in (
        "de lundi 2 novembre 2026 00:00 à lundi 9 novembre 2026 00:00",
        "jusqu'à lundi 16 novembre 2026 00:00",
        "passé lundi 14 décembre 2026 00:00",
    ):
        assert moment in text


def test_the_purpose_is_told_word_for_word_in_the_reader_s_language(wide):
    purpose = wide[1]
    assert purpose.text_fr in told(*wide, Language.FRENCH)
    assert purpose.text_en in told(*wide, Language.ENGLISH)
    assert purpose.text_fr not in told(*wide, Language.ENGLISH)


def test_words_of_the_other_organisation_cannot_steer_the_terminal(wide):
    sly = replace(wide[1], text_fr="avant \x1b[2J\u202eaprès\r")
    text = told(wide[0], sly, Language.FRENCH)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\r" not in text


def test_a_question_of_one_measure_names_no_factor_set_and_no_outline(keepers):
    with keepers.leader.database.read() as connection:
        body = db.purpose_body(connection, keepers.task.purpose_digest)
    text = told(keepers.task, Purpose.parse(body), Language.ENGLISH)
    assert keepers.task.coordinates == coordinates_for((Measure.KILOMETRES,))
    assert "Emission factors" not in text
    assert "Outlines" not in text


@pytest.fixture
def proposed(make_keepers, light_settings):
    """Return two keepers on SQLite; the helper's operator was asked and did not sign."""
    pair = make_keepers(light_settings)
    with pair.leader.database.write() as connection:
        draft_task(
            connection, pair.leader.who, Question(week=LATER, trust_mode=pair.task.trust_mode)
        )
    ask_helper(pair.leader, LATER, pair.channel)
    return pair


@pytest.mark.usefixtures("proposed")
@pytest.mark.parametrize(("language", "word"), [("fr", "Son texte"), ("en", "Its text")])
def test_the_command_shows_it_before_anything_is_signed(
    run_cli, monkeypatch, tmp_path, language, word
):
    monkeypatch.setenv("COOP_AGGREGATOR_LANGUAGE", language)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    code, _, err = run_cli("task", "sign", "--week", LATER, data=tmp_path / "second")
    assert code == 1
    assert word in err
    assert "coop.example/log" in err


def test_a_proposal_without_its_purpose_is_not_signed(proposed, run_cli, tmp_path):
    with proposed.helper.database.write() as connection:
        digest = db.task_by_week(connection, LATER).digest
        db.set_purpose(connection, digest, None)
    words = ("task", "sign", "--week", LATER, "--digest", digest)
    code, _, err = run_cli(*words, data=tmp_path / "second")
    assert code == 1
    assert "version antérieure" in err
    ask_helper(proposed.leader, LATER, proposed.channel)
    assert run_cli(*words, data=tmp_path / "second")[0] == 0
