"""A contribution: the exact vector stays, the noised and signed bytes are all that leaves."""

import base64
import json
from fractions import Fraction

import pytest

from consents.records.record import Purpose
from contributions.measures import Measure
from contributions.messages import check_report, read_report
from contributions.noise import noise_scale
from personal_store.choices import consenting
from personal_store.choices.consenting import Choice
from personal_store.contribute import contribute
from personal_store.gate import Covering, WeekFigures, permit_week


@pytest.fixture
def task(cooperative):
    return cooperative.ask(cooperative.publish())


@pytest.fixture
def permitted(joined, member, cooperative, task):
    """Return a permitted week of 120 km by car and 30 km by bike."""
    now = joined.clock.now()
    (document,) = cooperative.purposes.values()
    asked = Purpose.parse(document)
    told = cooperative.notice(asked)
    choice = Choice(membership=member, purpose=asked, notice=told, language="fr")
    given = consenting.give(joined.engine, choice, now=now, randomness=joined.randomness)
    covering = Covering(
        events=[given.signed],
        body=given.body,
        commitment_key=given.commitment_key,
        spent_week_micro=0,
        spent_total_micro=0,
    )
    figures = {
        (Measure.KILOMETRES, "car"): Fraction(120),
        (Measure.KILOMETRES, "bike"): Fraction(30),
    }
    week = WeekFigures(week=task.week, zone="17300", figures=figures)
    return permit_week(week, task=task, covering=covering, now=now)


@pytest.fixture
def made(joined, permitted, task, cooperative):
    """Return the contribution."""
    return contribute(
        permitted,
        task=task,
        n=3,
        consent_key=cooperative.log_key,
        noise=joined.noise,
        randomness=joined.randomness,
        now=joined.clock.now(),
    )


def test_the_exact_vector_is_the_share_of_the_cap(made, task) -> None:
    # 120 km of a heavy week of 600 by car fill a fifth of Q = 1000; 30 of 200 by bike 15 %.
    exact = dict(zip([each.label for each in task.coordinates], made.exact.vector, strict=True))
    assert exact == dict.fromkeys(exact, 0) | {"car": 200, "bike": 150}


def test_the_report_carries_the_vector_after_noise_only(made) -> None:
    report = read_report(made.jws).report
    assert report.vector == tuple(units + 1000 for units in made.exact.vector)


def test_noise_is_drawn_once_at_the_scale_of_the_task(joined, permitted, task, cooperative) -> None:
    drawn = []

    class Listening:
        def laplace(self, values, scale):
            drawn.append((tuple(values), scale))
            return tuple(values)

    contribute(
        permitted,
        task=task,
        n=0,
        consent_key=cooperative.log_key,
        noise=Listening(),
        randomness=joined.randomness,
        now=joined.clock.now(),
    )
    ((values, scale),) = drawn
    assert sum(values) == 350
    assert scale == noise_scale(task) == Fraction(2 * 1000, 4)


def test_the_report_answers_the_task_and_names_the_grant(made, task, permitted) -> None:
    report = read_report(made.jws).report
    check_report(report, task)
    assert (report.cid, report.head, report.pd) == (
        permitted.grant.cid,
        permitted.grant.head,
        permitted.grant.purpose_digest,
    )
    assert (report.n, report.zone) == (3, "17300")


def test_the_report_is_signed_by_the_key_of_the_consent(made, cooperative) -> None:
    assert read_report(made.jws).public_key == cooperative.log_key.public_key()


def test_the_report_tells_the_day_and_not_the_hour(made) -> None:
    assert read_report(made.jws).report.at.isoformat() == "2026-11-18T00:00:00+00:00"


def test_two_contributions_have_two_identifiers(joined, permitted, task, cooperative) -> None:
    def again():
        return contribute(
            permitted,
            task=task,
            n=0,
            consent_key=cooperative.log_key,
            noise=joined.noise,
            randomness=joined.randomness,
            now=joined.clock.now(),
        )

    assert read_report(again().jws).report.report_id != read_report(again().jws).report.report_id


def test_nothing_of_the_exact_vector_is_in_the_bytes_that_leave(made) -> None:
    _, payload, _ = made.jws.split(b".")
    document = json.loads(base64.urlsafe_b64decode(payload + b"=="))
    assert set(document) == {
        *("v", "report_id", "task_digest", "zone", "vector", "cid", "n", "head", "pd"),
        *("epsilon_micro", "at"),
    }
    assert not set(document["vector"]) & {200, 150}


def test_a_contribution_shows_no_exact_value(made) -> None:
    assert "exact" not in repr(made)


def test_a_bare_week_is_no_permitted_week(joined, permitted, task, cooperative) -> None:
    with pytest.raises(AttributeError):
        contribute(
            permitted.value,
            task=task,
            n=0,
            consent_key=cooperative.log_key,
            noise=joined.noise,
            randomness=joined.randomness,
            now=joined.clock.now(),
        )
