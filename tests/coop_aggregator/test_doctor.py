"""What `doctor` says of an installation whose log has turned the year."""

import pytest

from coop_aggregator.doctor import examine
from coop_aggregator.settings import Settings
from coop_aggregator.tlog.shards import open_next


@pytest.fixture
def settings(light_coop, tmp_path):
    """Return the settings of a cooperative that is in its second year."""
    light_coop.clock.moment = light_coop.clock.moment.replace(year=2027)
    open_next(light_coop.leader)
    return Settings(data=tmp_path)


@pytest.fixture
def keys_fit(settings, light_coop):
    """Return a function that tells whether the keys are those of the database."""

    def keys_fit():
        found = {each.check: each.ok for each in examine(settings, light_coop.clock)}
        return found["keys"]

    return keys_fit


def test_the_keys_of_both_years_fit(keys_fit):
    assert keys_fit()


@pytest.mark.parametrize("name", ["log.pem", "log-1.pem"])
def test_a_year_s_key_that_is_gone_is_seen(keys_fit, settings, name):
    (settings.keys / name).unlink()
    assert not keys_fit()


@pytest.mark.parametrize(("name", "other"), [("log.pem", "log-1.pem"), ("log-1.pem", "task.pem")])
def test_another_key_in_the_place_of_a_year_s_is_seen(keys_fit, settings, name, other):
    (settings.keys / name).write_bytes((settings.keys / other).read_bytes())
    assert not keys_fit()
