"""The schema: migrations and tables say the same, and an unknown one is left alone."""

import hashlib
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from personal_store.db.connection import open_database, reading, writing
from personal_store.db.tables import metadata
from personal_store.errors import UnknownSchema
from personal_store.store import Store
from personal_store.vault import DATABASE_FILE, DatabaseKey


def test_the_migrated_schema_is_the_one_that_tables_describe(store: Store) -> None:
    with reading(store.engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_opening_again_changes_no_schema(store: Store, key: DatabaseKey) -> None:
    with reading(store.engine) as connection:
        before = connection.exec_driver_sql("SELECT sql FROM sqlite_schema ORDER BY name").all()
    again = open_database(store.folder, key)
    with reading(again) as connection:
        after = connection.exec_driver_sql("SELECT sql FROM sqlite_schema ORDER BY name").all()
    again.dispose()
    assert before == after


def _with_unknown_revision(store: Store) -> None:
    with writing(store.engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.exec_driver_sql("DROP TABLE staypoint")
    store.engine.dispose()


def test_a_schema_of_a_newer_program_is_refused(store: Store, key: DatabaseKey) -> None:
    _with_unknown_revision(store)
    with pytest.raises(UnknownSchema) as refusal:
        open_database(store.folder, key)
    assert "9999" in refusal.value.en
    assert "9999" in refusal.value.fr


def test_refusing_an_unknown_schema_changes_no_byte_of_the_database(
    store: Store, key: DatabaseKey
) -> None:
    _with_unknown_revision(store)
    before = _digest(store.folder)
    with pytest.raises(UnknownSchema):
        open_database(store.folder, key)
    assert _digest(store.folder) == before


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / DATABASE_FILE).read_bytes()).hexdigest()
