"""Making and opening an installation: once, with the right role, with its own keys."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from coop_aggregator.db.log import SqlLog
from coop_aggregator.errors import AggregatorError, NotInitialised
from coop_aggregator.installation import init_helper, init_leader, open_helper, open_leader
from coop_aggregator.keys import LOG_KEY, STEWARD_TOKEN
from coop_aggregator.settings import Settings

GIVEN = {"name": "Coop", "origin": "coop.example/log", "contact": "x"}


@pytest.fixture
def settings(tmp_path, url):
    """Return settings over an empty database of each kind."""
    return Settings(data=tmp_path, database_url=url)


@pytest.fixture
def light_settings(tmp_path):
    """Return settings over SQLite, where no file is yet."""
    return Settings(data=tmp_path)


def test_what_was_made_can_be_opened(settings, clock):
    made = init_leader(settings, clock, **GIVEN)
    made.database.close()
    opened = open_leader(settings, clock)
    assert opened.who == made.who
    assert opened.keys.steward_token == made.keys.steward_token
    with opened.database.read() as connection:
        assert SqlLog(connection, now=clock.now()).size() == 1
    opened.database.close()


def test_a_database_in_use_is_not_taken_over(make_leader, settings, clock, tmp_path):
    make_leader(settings)
    other = Settings(data=tmp_path / "other", database_url=settings.url)
    with pytest.raises(AggregatorError):
        init_leader(other, clock, **GIVEN)
    assert not other.keys.exists()


@pytest.mark.parametrize("origin", ["", "with space", "with+plus", "é", "a" * 129, "a\nb"])
def test_an_origin_that_a_note_cannot_carry_makes_nothing(tmp_path, clock, origin):
    with pytest.raises(AggregatorError):
        init_leader(Settings(data=tmp_path / "x"), clock, **(GIVEN | {"origin": origin}))
    assert not (tmp_path / "x").exists()


def test_a_leader_s_folder_is_not_a_helper_s(make_leader, light_settings, clock):
    make_leader(light_settings)
    with pytest.raises(AggregatorError, match="leader"):
        open_helper(light_settings, clock)


def test_the_stewards_folder_is_not_the_leader_s(light_coop, tmp_path, clock):
    settings = Settings(data=tmp_path / "stewards")
    vkey = light_coop.leader.who.log_vkey
    init_helper(settings, clock, name="w.example", log_vkey=vkey).database.close()
    opened = open_helper(settings, clock)
    opened.database.close()
    assert opened.who.origin == light_coop.leader.who.origin
    with pytest.raises(AggregatorError, match="helper"):
        open_leader(settings, clock)


@pytest.mark.parametrize("damage", ["missing", "not PEM", "another kind of key"])
def test_a_damaged_key_refuses_the_start(make_leader, light_settings, clock, damage):
    make_leader(light_settings)
    path = light_settings.keys / LOG_KEY
    if damage == "missing":
        path.unlink()
    elif damage == "not PEM":
        path.write_text("nonsense")
    else:
        path.write_bytes(elliptic_pem())
    with pytest.raises(NotInitialised):
        open_leader(light_settings, clock)


def elliptic_pem():
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path, clock):
    (tmp_path / "file").write_text("")
    with pytest.raises(AggregatorError):
        init_leader(Settings(data=tmp_path / "file" / "data"), clock, **GIVEN)


def test_keys_do_not_show_in_a_log(make_leader, light_settings):
    leader = make_leader(light_settings)
    token = (light_settings.keys / STEWARD_TOKEN).read_text().strip()
    assert token not in repr(leader)
