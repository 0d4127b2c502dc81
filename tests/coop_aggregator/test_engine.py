"""The database: one schema on both kinds, and a refusal of any other."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.command import upgrade
from alembic.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError

from consents.jws import thumbprint
from consents.records.chain import key_digest
from consents.records.receipt import EventType, LeafPayload, read_event, sign_event
from consents.tlog import merkle, nodes
from consents.tlog.promise import drop_box_slip
from coop_aggregator.db import engine
from coop_aggregator.db.engine import connect, create_schema, open_database
from coop_aggregator.db.log import SqlLog, position_of_hash
from coop_aggregator.db.members import consents_naming
from coop_aggregator.db.tables import metadata
from coop_aggregator.errors import AggregatorError, NotInitialised, UnknownSchema


@pytest.fixture
def database(url):
    database = connect(url)
    create_schema(database)
    yield database
    database.close()


def stamp(database, revision):
    with database.write() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")


def test_the_migrations_make_the_tables_that_the_code_uses(database):
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_columns_are_explained_in_the_database_itself(database):
    if database.dialect == "sqlite":
        pytest.skip("SQLite keeps no comments")
    with database.read() as connection:
        columns = inspect(connection).get_columns("invitations")
    assert columns[0]["comment"] == "the code itself is never stored"


def test_making_the_schema_twice_changes_nothing(database):
    create_schema(database)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_schema_of_another_version_refuses_the_start(database, url):
    stamp(database, "9999")
    with pytest.raises(UnknownSchema):
        open_database(url)


def test_a_schema_of_another_version_is_not_migrated(database):
    stamp(database, "9999")
    with pytest.raises(UnknownSchema):
        create_schema(database)


def test_an_empty_database_is_not_an_installation(url):
    empty = connect(url)
    with empty.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    empty.close()
    with pytest.raises(NotInitialised):
        open_database(url)


def test_a_log_of_the_first_schema_gets_its_tree(url, monkeypatch, clock):
    leaves = [jws_of(number) for number in range(5)]
    database = connect(url)
    with monkeypatch.context() as patched:
        patched.setattr(engine.command, "upgrade", lambda config, _to: upgrade(config, "0001"))
        create_schema(database)
    with database.write() as connection:
        for position, leaf in enumerate(leaves):
            row = f"({position}, '{leaf.decode()}', '{position}', 'ab', '2026-11-17T08:00:00Z')"
            connection.exec_driver_sql(f"INSERT INTO leaves VALUES {row}")
    create_schema(database)
    with database.read() as connection:
        storage = SqlLog(connection, now=clock.now())
        assert nodes.root(storage, 5) == merkle.root([merkle.leaf_hash(leaf) for leaf in leaves])
        assert position_of_hash(connection, merkle.leaf_hash(leaves[3])) == 3
    database.close()


def test_a_slip_that_was_fetched_before_names_its_consent(url, monkeypatch, private_key, clock):
    resident = signed_withdrawal(private_key)
    slip = drop_box_slip(resident.leaf, private_key("steward"), now=clock.now()).decode()
    database = connect(url)
    with monkeypatch.context() as patched:
        patched.setattr(engine.command, "upgrade", lambda config, _to: upgrade(config, "0007"))
        create_schema(database)
    with database.write() as connection:
        row = f"('w', 1, '{resident.head}', '{slip}', '2026-11-17T08:00:00Z', false)"
        connection.exec_driver_sql(f"INSERT INTO slips VALUES {row}")
    create_schema(database)
    with database.read() as connection:
        named = connection.exec_driver_sql("SELECT cid FROM slips").scalar_one()
    assert named == resident.payload.cid
    database.close()


def test_a_consent_of_before_is_found_by_the_keys_that_it_names(url, monkeypatch, private_key):
    paper = thumbprint(private_key("paper").public_key())
    naming = signed_event(private_key, t=EventType.RECOVERY_NAMED, c=key_digest(paper))
    cid, own = naming.payload.cid, naming.payload.kid
    database = connect(url)
    with monkeypatch.context() as patched:
        patched.setattr(engine.command, "upgrade", lambda config, _to: upgrade(config, "0010"))
        create_schema(database)
    with database.write() as connection:
        for row in (
            f"INSERT INTO purposes (digest, body, leaf_index) VALUES ('{'00' * 32}', '', 0)",
            f"INSERT INTO consents (cid, purpose_digest, kid) VALUES ('{cid}', '{'00' * 32}', 'k')",
            f"INSERT INTO pending_events VALUES (1, '{naming.leaf.decode()}', 'h', '{cid}', 'x')",
        ):
            connection.exec_driver_sql(row)
    create_schema(database)
    with database.read() as connection:
        for kid in (paper, own):
            assert consents_naming(connection, kid, limit=2) == (cid,)
        assert consents_naming(connection, "a stranger's", limit=2) == ()
    database.close()


def signed_withdrawal(private_key):
    return signed_event(private_key, t=EventType.WITHDRAWN)


def signed_event(private_key, **terms):
    key = private_key("resident")
    payload = LeafPayload(
        **{"c": "00" * 32} | terms,
        o="coop.example/log",
        cid="ab" * 16,
        n=1,
        p="00" * 32,
        pd="00" * 32,
        at="2026-11-17T08:00:00Z",
        kid=thumbprint(key.public_key()),
    )
    return read_event(sign_event(payload, key))


def jws_of(number):
    return b"header.payload%d.signature" % number


def test_a_failing_writer_leaves_nothing(database):
    twice = "INSERT INTO invitations VALUES ('x', false), ('x', false)"
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.exec_driver_sql(twice)
    with database.read() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM invitations").scalar_one()
    assert count == 0


def test_a_file_that_is_no_database_is_one_sentence(tmp_path):
    (tmp_path / "aggregator.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(AggregatorError):
        open_database(f"sqlite:///{tmp_path / 'aggregator.db'}")


def test_a_missing_file_is_not_created(tmp_path):
    with pytest.raises(NotInitialised):
        open_database(f"sqlite:///{tmp_path / 'aggregator.db'}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite+nonsense:///x"])
def test_another_kind_of_database_is_refused(url):
    with pytest.raises(AggregatorError):
        connect(url)


def test_an_unreachable_server_is_one_sentence_without_its_password(tmp_path):
    url = f"postgresql+psycopg://ada:hush@/x?host={tmp_path}"
    with pytest.raises(NotInitialised) as refused:
        open_database(url)
    assert "hush" not in refused.value.fr + refused.value.en


def test_a_database_file_is_its_owner_s_alone(tmp_path):
    tmp_path.chmod(0o755)
    file = tmp_path / "aggregator.db"
    database = connect(f"sqlite:///{file}")
    try:
        create_schema(database)
        modes = {path.stat().st_mode & 0o777 for path in tmp_path.glob("aggregator.db*")}
    finally:
        database.close()
    assert modes == {0o600}
