"""A whole store is erased only once no consent is in force, or when its owner says so."""

import pytest

from personal_store.errors import GateClosed
from personal_store.keeping.ending import erase_store


@pytest.fixture
def vault(joined, write_vault):
    write_vault(joined.folder, "trois mots au hasard")
    return joined.folder / "vault.json"


def test_a_consent_in_force_stops_it(resident, key, vault):
    resident.give()
    with pytest.raises(GateClosed):
        erase_store(resident.store, key, leave_consents=False)
    assert vault.exists()


def test_its_owner_may_leave_it_so(resident, key, vault):
    resident.give()
    erase_store(resident.store, key, leave_consents=True)
    assert not vault.parent.exists()


def test_a_consent_withdrawn_stops_nothing(resident, key, vault):
    resident.give()
    resident.withdraw()
    erase_store(resident.store, key, leave_consents=False)
    assert not vault.parent.exists()
