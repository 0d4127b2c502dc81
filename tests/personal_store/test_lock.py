"""The lock: one right passphrase opens, wrong ones wait longer and longer."""

from datetime import timedelta

import pytest

from personal_store.doors.reception import Reception
from personal_store.errors import StoreLocked, TooManyTries, WrongPassphrase
from personal_store.lock import FREE_TRIES, Lock, open_lock

PASSPHRASE = "trois mots au hasard"


@pytest.fixture
def opened() -> list[object]:
    return []


@pytest.fixture
def lock(store, write_vault, opened) -> Lock:
    write_vault(store.folder, PASSPHRASE)
    reception = Reception(store.folder, store.randomness)

    def open_folder(_folder, key):
        opened.append(key)
        return store

    return Lock(store.folder, store.clock, reception, open_folder)


def miss(lock: Lock, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(WrongPassphrase):
            lock.give("not the passphrase")


def test_a_closed_lock_gives_no_store(lock) -> None:
    assert lock.is_locked
    with pytest.raises(StoreLocked):
        _ = lock.store


def test_the_right_passphrase_opens_once(lock, store, opened) -> None:
    for _ in range(2):
        lock.give(PASSPHRASE)
    assert lock.store is store
    assert len(opened) == 1


def test_an_open_lock_still_judges_every_passphrase(lock) -> None:
    lock.give(PASSPHRASE)
    miss(lock)


def test_the_wait_doubles_with_each_wrong_try_up_to_a_minute(lock, clock) -> None:
    miss(lock, FREE_TRIES)
    for wait_s in (1, 2, 4, 8, 16, 32, 60, 60):
        clock.advance(timedelta(seconds=wait_s - 0.5))
        with pytest.raises(TooManyTries):
            lock.give(PASSPHRASE)
        clock.advance(timedelta(seconds=0.5))
        miss(lock)


def test_a_right_passphrase_forgets_the_wrong_ones(lock) -> None:
    miss(lock, FREE_TRIES - 1)
    lock.give(PASSPHRASE)
    miss(lock, FREE_TRIES - 1)
    lock.give(PASSPHRASE)


def test_a_store_that_does_not_open_stays_locked_and_may_be_tried_again(lock, store) -> None:
    def refuse(_folder, _key):
        raise PermissionError

    opens, lock.open_folder = lock.open_folder, refuse
    with pytest.raises(PermissionError):
        lock.give(PASSPHRASE)
    assert lock.is_locked
    lock.open_folder = opens
    lock.give(PASSPHRASE)
    assert lock.store is store


def test_the_lock_of_an_open_store_is_open(store) -> None:
    assert open_lock(store).store is store
