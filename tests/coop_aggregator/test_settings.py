"""Settings: what is misspelt refuses the start, and no value is repeated."""

from pathlib import Path

import pytest

from coop_aggregator.errors import AggregatorError
from coop_aggregator.settings import Language, language_of_environment, load_settings


def test_the_environment_sets_the_data_folder():
    settings = load_settings(environment={"COOP_AGGREGATOR_DATA": "/somewhere"})
    assert settings.url == "sqlite:////somewhere/aggregator.db"


def test_an_option_wins_over_the_environment():
    settings = load_settings(environment={"COOP_AGGREGATOR_DATA": "/a"}, data=Path("/b"))
    assert settings.data == Path("/b")


def test_an_absent_option_leaves_the_environment_alone():
    settings = load_settings(environment={"COOP_AGGREGATOR_LANGUAGE": "en"}, language=None)
    assert settings.language is Language.ENGLISH


@pytest.mark.parametrize(
    "environment",
    [
        {"COOP_AGGREGATOR_DATABSE_URL": "secret"},
        {"COOP_AGGREGATOR_WORKERS": "secret"},
        {"COOP_AGGREGATOR_LANGUAGE": "secret"},
    ],
    ids=["misspelt", "not a number", "unknown language"],
)
def test_an_unknown_or_malformed_setting_is_named_without_its_value(environment):
    with pytest.raises(AggregatorError) as refused:
        load_settings(environment=environment)
    assert next(iter(environment)) in refused.value.fr
    assert "secret" not in refused.value.fr + refused.value.en


def test_what_does_not_concern_us_is_left_alone():
    assert load_settings(environment={"PATH": "/bin", "data": "/x"}).workers == 0


def test_an_empty_variable_is_an_unset_one():
    assert load_settings(environment={"COOP_AGGREGATOR_WITNESSES": ""}).witnesses is None


ENVIRONMENTS = [
    ({}, Language.FRENCH),
    ({"LANG": "C.UTF-8"}, Language.FRENCH),
    ({"LANG": "en_GB.UTF-8"}, Language.ENGLISH),
    ({"LANG": "en_GB.UTF-8", "LC_ALL": "fr_FR.UTF-8"}, Language.FRENCH),
    ({"LANG": "fr_FR.UTF-8", "LC_ALL": "en_GB.UTF-8"}, Language.ENGLISH),
    ({"LANG": "en_GB.UTF-8", "LC_ALL": ""}, Language.ENGLISH),
    ({"LC_ALL": "en_GB.UTF-8", "COOP_AGGREGATOR_LANGUAGE": "fr"}, Language.FRENCH),
]


@pytest.mark.parametrize(("environment", "language"), ENVIRONMENTS)
def test_the_locale_chooses_the_language_unless_a_setting_does(environment, language):
    assert language_of_environment(environment) is language
    assert load_settings(environment=environment).language is language


def test_an_option_wins_over_the_locale():
    settings = load_settings(environment={"LC_ALL": "en_GB.UTF-8"}, language=Language.FRENCH)
    assert settings.language is Language.FRENCH


def test_what_may_no_more_be_kept_is_erased_once_a_day_unless_somebody_decides_otherwise(
    repository,
):
    assert load_settings(environment={}).retention_interval_s == 86_400
    compose = (repository / "docker-compose.yml").read_text()
    lines = [line for line in compose.splitlines() if "RETENTION_INTERVAL_S" in line]
    assert len(lines) == 2
    assert all(line.endswith(':-}"') for line in lines)
