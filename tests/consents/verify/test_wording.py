"""Every problem and every verdict has a sentence in both languages."""

from pathlib import Path

import pytest

import consents
from consents.verify.verification import Finding, Problem, Verdict, Verification
from consents.verify.wording import HELP, Language, describe, say_verdict, summarise


@pytest.mark.parametrize("problem", list(Problem))
def test_every_problem_is_said_in_two_languages(problem):
    finding = Finding(problem=problem, detail="")
    french, english = (describe(finding, language) for language in Language)
    assert french
    assert english
    assert french != english


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_exit_codes_are_those_of_the_contract(verdict):
    assert verdict.exit_code == {"ok": 0, "violation": 2, "cannot-verify": 3}[verdict.value]


def test_a_violation_outweighs_a_doubt():
    found = [Problem.UNREADABLE, Problem.ROOT, Problem.BAD_KEY]
    verification = Verification(
        findings=tuple(Finding(problem=problem, detail="") for problem in found)
    )
    assert verification.verdict is Verdict.VIOLATION


def test_a_verdict_is_said_even_when_nothing_could_be_read():
    finding = Finding(problem=Problem.NO_FILE, detail="")
    lines = summarise(Verification(findings=(finding,)), Language.EN)
    assert lines == ["Cannot verify: nothing is proved, one way or the other."]


@pytest.mark.parametrize("word", ["registre", "dépositaire", "tiers de confiance"])
def test_the_log_and_the_witness_have_one_name_each_in_french(word):
    sentences = [describe(Finding(problem=each, detail=""), Language.FR) for each in Problem]
    sentences += [say_verdict(each, Language.FR) for each in Verdict]
    sentences += [words.say(Language.FR) for words in HELP.values()]
    assert not [sentence for sentence in sentences if word in sentence.lower()]


@pytest.mark.parametrize("word", ["registre", "dépositaire", "tiers de confiance"])
def test_no_other_module_gives_the_log_or_the_witness_a_second_name(word):
    modules = sorted(Path(consents.__file__).parent.rglob("*.py"))
    assert len(modules) > 40
    assert [path.name for path in modules if word in path.read_text("utf-8").lower()] == []
