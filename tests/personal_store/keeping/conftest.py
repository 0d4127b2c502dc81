"""A store with a vault, one outing, and its own passphrase."""

import secrets

import pytest

from personal_store.db.connection import open_database
from personal_store.jobs import importing, pipeline
from personal_store.store import Store
from personal_store.transport import HttpTransport
from personal_store.vault import unlock


@pytest.fixture
def passphrase():
    return "trois mots au hasard"


@pytest.fixture
def key(tmp_path, write_vault, passphrase):
    folder = tmp_path / "store"
    folder.mkdir(mode=0o700)
    write_vault(folder, passphrase)
    return unlock(folder, passphrase)


@pytest.fixture
def opened(clock, noise):
    """Return a function that opens the store of a folder."""
    stores = []

    def open_folder(folder, key):
        stores.append(
            Store(
                folder=folder,
                engine=open_database(folder, key),
                clock=clock,
                noise=noise,
                randomness=secrets.token_bytes,
                connect=HttpTransport,
            )
        )
        return stores[-1]

    yield open_folder
    for each in stores:
        each.engine.dispose()


@pytest.fixture
def reopened(opened, passphrase):
    """Return a function that opens a restored folder as its owner does."""
    return lambda folder: opened(folder, unlock(folder, passphrase))


@pytest.fixture
def store(tmp_path, key, opened):
    return opened(tmp_path / "store", key)


@pytest.fixture
def travelled(store, gpx_file, clock):
    """Return the store after the import of one outing."""
    importing.run_once(store.engine, gpx_file, clock=clock)
    pipeline.run_once(store.engine)
    return store
