"""The vault: what opens it, what does not, and what its file never holds."""

import base64
import json
import random
import shutil
import stat
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from personal_store import vault
from personal_store.errors import NotInitialised, VaultError, WrongPassphrase
from personal_store.vault import VAULT_FILE, DatabaseKey, NewVault

PASSPHRASE = "cheval école pile agrafe"


class Seeded:
    """Randomness that remembers what it gave."""

    def __init__(self, seed: int) -> None:
        self.generator = random.Random(seed)
        self.given: list[bytes] = []

    def __call__(self, length_bytes: int) -> bytes:
        self.given.append(self.generator.randbytes(length_bytes))
        return self.given[-1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NewVault]:
    """Return one vault, made once because Argon2 is slow by design; tests do not change it."""
    folder = tmp_path_factory.mktemp("made") / "store"
    return folder, vault.create_vault(folder, PASSPHRASE, randomness=Seeded(1))


@pytest.fixture
def copied(made: tuple[Path, NewVault], tmp_path: Path) -> Path:
    """Return a copy of the vault that a test may change."""
    shutil.copytree(made[0], tmp_path / "copy")
    return tmp_path / "copy"


def _edit(folder: Path, **changes: Any) -> None:
    file = folder / VAULT_FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_the_passphrase_gives_the_key_that_was_made(made: tuple[Path, NewVault]) -> None:
    folder, new = made
    assert vault.unlock(folder, PASSPHRASE) == new.key


def test_the_key_is_32_bytes_from_the_randomness_given(made: tuple[Path, NewVault]) -> None:
    assert bytes(made[1].key) == random.Random(1).randbytes(32)


def test_a_wrong_passphrase_says_so_and_nothing_else(made: tuple[Path, NewVault]) -> None:
    with pytest.raises(WrongPassphrase) as refusal:
        vault.unlock(made[0], "another passphrase")
    assert refusal.value.fr == "La phrase de passe n'est pas la bonne."
    assert refusal.value.en == "The passphrase is wrong."
    assert refusal.value.__cause__ is None


def test_accents_typed_as_two_characters_open_what_one_character_locked(
    made: tuple[Path, NewVault],
) -> None:
    # A French keyboard on macOS gives decomposed accents in places where Linux composes them.
    decomposed = unicodedata.normalize("NFD", PASSPHRASE)
    assert decomposed != PASSPHRASE
    assert vault.unlock(made[0], decomposed) == made[1].key


def test_the_recovery_code_replaces_the_passphrase_and_keeps_the_key(
    made: tuple[Path, NewVault], copied: Path
) -> None:
    vault.recover(copied, made[1].recovery_code, "a new passphrase", randomness=Seeded(2))
    assert vault.unlock(copied, "a new passphrase") == made[1].key


def test_the_replaced_passphrase_opens_nothing_any_more(
    made: tuple[Path, NewVault], copied: Path
) -> None:
    vault.recover(copied, made[1].recovery_code, "a new passphrase", randomness=Seeded(2))
    with pytest.raises(WrongPassphrase):
        vault.unlock(copied, PASSPHRASE)


def test_the_recovery_code_may_lose_its_dashes_and_capitals(
    made: tuple[Path, NewVault], copied: Path
) -> None:
    typed = made[1].recovery_code.replace("-", " ").lower()
    vault.recover(copied, typed, "a new passphrase", randomness=Seeded(2))
    assert vault.unlock(copied, "a new passphrase") == made[1].key


@pytest.mark.parametrize(
    "code",
    ["", "AAAA", "not base32 !", "éàü", "A" * 32, "A" * 1000],
    ids=["empty", "short", "signs", "accents", "right length", "long"],
)
def test_a_wrong_recovery_code_is_refused_and_changes_nothing(copied: Path, code: str) -> None:
    before = (copied / VAULT_FILE).read_bytes()
    with pytest.raises(WrongPassphrase):
        vault.recover(copied, code, "a new passphrase", randomness=Seeded(2))
    assert (copied / VAULT_FILE).read_bytes() == before


def test_recovery_refuses_a_short_new_passphrase(made: tuple[Path, NewVault], copied: Path) -> None:
    with pytest.raises(VaultError, match="8"):
        vault.recover(copied, made[1].recovery_code, "short", randomness=Seeded(2))


def test_recovery_never_keeps_weaker_parameters_that_somebody_wrote_into_the_file(
    made: tuple[Path, NewVault], copied: Path
) -> None:
    parameters = json.loads((copied / VAULT_FILE).read_text())["argon2id"]
    _edit(copied, argon2id=parameters | {"iterations": 1, "memory_kib": 64, "lanes": 1})
    vault.recover(copied, made[1].recovery_code, "a new passphrase", randomness=Seeded(2))
    kept = json.loads((copied / VAULT_FILE).read_text())["argon2id"]
    assert (kept["iterations"], kept["lanes"], kept["memory_kib"]) == (3, 4, 64 * 1024)


def test_neither_passphrase_nor_recovery_code_nor_key_is_in_the_file(
    tmp_path: Path,
) -> None:
    randomness = Seeded(3)
    new = vault.create_vault(tmp_path / "store", PASSPHRASE, randomness=randomness)
    content = (tmp_path / "store" / VAULT_FILE).read_bytes()
    recovery = randomness.given[1]
    assert base64.b32encode(recovery).decode() == new.recovery_code.replace("-", "")
    secrets = [PASSPHRASE.encode(), new.recovery_code.encode()]
    for raw in (bytes(new.key), recovery):
        secrets += [
            raw,
            raw.hex().encode(),
            base64.b64encode(raw).rstrip(b"="),
            base64.urlsafe_b64encode(raw).rstrip(b"="),
            base64.b32encode(raw).rstrip(b"="),
        ]
    assert [secret for secret in secrets if secret in content] == []


def test_a_folder_without_vault_is_not_initialised(tmp_path: Path) -> None:
    with pytest.raises(NotInitialised, match="init"):
        vault.unlock(tmp_path, PASSPHRASE)


def _argon2id(**changes: Any) -> dict[str, Any]:
    salt = base64.b64encode(bytes(16)).decode()
    return {"salt": salt, "iterations": 1, "lanes": 1, "memory_kib": 64} | changes


DAMAGE: dict[str, dict[str, Any]] = {
    "another version": {"version": 2},
    "no version": {"version": None},
    "parameters missing": {"argon2id": None},
    "parameters of another shape": {"argon2id": ["salt"]},
    "salt that is no base64": {"argon2id": _argon2id(salt="é")},
    "salt of another type": {"argon2id": _argon2id(salt=3)},
    "salt too short": {"argon2id": _argon2id(salt="AAAA")},
    "no iteration": {"argon2id": _argon2id(iterations=0)},
    "iterations as text": {"argon2id": _argon2id(iterations="3")},
    "more memory than a machine has": {"argon2id": _argon2id(memory_kib=2**31)},
    "more memory than a number holds": {"argon2id": _argon2id(memory_kib=2**70)},
    "iterations without end": {"argon2id": _argon2id(iterations=2**31)},
    "wrapped key missing": {"argon2id": _argon2id(), "by_passphrase": None},
    "nonce missing": {"argon2id": _argon2id(), "by_passphrase": {"key": "AAAA"}},
    "nonce too short": {"argon2id": _argon2id(), "by_passphrase": {"nonce": "AA==", "key": "AAAA"}},
}


@pytest.mark.parametrize("changes", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_vault_is_refused_with_what_to_do(copied: Path, changes: dict[str, Any]) -> None:
    _edit(copied, **changes)
    with pytest.raises(VaultError) as refusal:
        vault.unlock(copied, PASSPHRASE)
    assert not isinstance(refusal.value, WrongPassphrase)
    assert VAULT_FILE in refusal.value.fr
    assert "backup" in refusal.value.en


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\x00", b"[]", b"null", b"[" * 100_000], ids=repr
)
def test_a_vault_that_is_no_json_object_is_refused_with_what_to_do(
    copied: Path, content: bytes
) -> None:
    (copied / VAULT_FILE).write_bytes(content)
    with pytest.raises(VaultError, match=VAULT_FILE):
        vault.unlock(copied, PASSPHRASE)


def test_recovery_refuses_a_damaged_vault_with_what_to_do(
    made: tuple[Path, NewVault], copied: Path
) -> None:
    _edit(copied, by_recovery_code={"nonce": 1})
    with pytest.raises(VaultError, match=VAULT_FILE) as refusal:
        vault.recover(copied, made[1].recovery_code, "a new passphrase", randomness=Seeded(2))
    assert not isinstance(refusal.value, WrongPassphrase)


def test_an_existing_vault_is_not_touched(copied: Path) -> None:
    before = (copied / VAULT_FILE).read_bytes()
    with pytest.raises(VaultError, match="existe déjà"):
        vault.create_vault(copied, "another passphrase", randomness=Seeded(4))
    assert (copied / VAULT_FILE).read_bytes() == before


def test_a_database_that_lost_its_vault_is_not_given_a_key_that_cannot_open_it(
    tmp_path: Path,
) -> None:
    (tmp_path / vault.DATABASE_FILE).write_bytes(b"encrypted under a key that is elsewhere")
    with pytest.raises(VaultError):
        vault.create_vault(tmp_path, PASSPHRASE, randomness=Seeded(4))
    assert not (tmp_path / VAULT_FILE).exists()


@pytest.mark.parametrize("passphrase", ["", "1234567"])
def test_a_short_passphrase_is_refused_and_makes_nothing(tmp_path: Path, passphrase: str) -> None:
    with pytest.raises(VaultError, match="8"):
        vault.create_vault(tmp_path / "store", passphrase, randomness=Seeded(4))
    assert not (tmp_path / "store").exists()


def test_the_new_folder_is_closed_to_others(made: tuple[Path, NewVault]) -> None:
    assert stat.S_IMODE(made[0].stat().st_mode) == 0o700


def test_the_vault_file_is_closed_to_others(made: tuple[Path, NewVault]) -> None:
    assert stat.S_IMODE((made[0] / VAULT_FILE).stat().st_mode) == 0o600


def test_the_replaced_vault_file_is_closed_to_others_and_leaves_no_draft(
    made: tuple[Path, NewVault], copied: Path
) -> None:
    vault.recover(copied, made[1].recovery_code, "a new passphrase", randomness=Seeded(2))
    assert [file.name for file in copied.iterdir()] == [VAULT_FILE]
    assert stat.S_IMODE((copied / VAULT_FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "shown",
    [repr, str, ascii, "{}".format, "{!r}".format, lambda key: "%s" % key],  # noqa: UP031
    ids=["repr", "str", "ascii", "format", "format repr", "percent"],
)
def test_the_database_key_never_shows_itself(shown: Any) -> None:
    key = DatabaseKey(random.Random(5).randbytes(32))
    assert "DatabaseKey" in shown(key)
    assert not any(f"\\x{byte:02x}" in shown(key) or chr(byte) * 2 in shown(key) for byte in key)


def test_a_new_vault_shows_neither_key_nor_recovery_code(made: tuple[Path, NewVault]) -> None:
    assert made[1].recovery_code not in repr(made[1])
