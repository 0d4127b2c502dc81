"""A task, keys and a report that the tests of this room start from."""

from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contributions.keeper import Keeper
from contributions.messages import Report
from contributions.task import Task, TrustMode, Zone

SIGN_KEYS = tuple(Ed25519PrivateKey.from_private_bytes(bytes([41 + k]) * 32) for k in range(2))
HPKE_KEYS = tuple(X25519PrivateKey.from_private_bytes(bytes([51 + k]) * 32) for k in range(2))
VERIFY_KEY = bytes(range(32))
KEEPERS = tuple(
    Keeper.of(
        name=name,
        url=f"https://{name}.example",
        hpke_key=hpke.public_key(),
        sign_key=sign.public_key(),
    )
    for name, hpke, sign in zip(("city", "stewards"), HPKE_KEYS, SIGN_KEYS, strict=True)
)


@pytest.fixture(scope="session")
def sign_keys() -> tuple[Ed25519PrivateKey, ...]:
    return SIGN_KEYS


@pytest.fixture(scope="session")
def hpke_keys() -> tuple[X25519PrivateKey, ...]:
    return HPKE_KEYS


@pytest.fixture(scope="session")
def shared_task(make_task: Callable[..., Task]) -> Task:
    return make_task(trust_mode=TrustMode.TWO_KEEPERS)


@pytest.fixture(scope="session")
def make_task() -> Callable[..., Task]:
    def make(**changes: Any) -> Task:
        fields: dict[str, Any] = {
            "title_fr": "Kilomètres par mode",
            "title_en": "Kilometres by mode",
            "week": "2026-W46",
            "zones": (Zone(code="17300", name="La Rochelle"), Zone(code="17028", name="Aytré")),
            "scale": Fraction(3, 4),
            "cap_units": 1000,
            "epsilon_micro": 1_000_000,
            "trust_mode": TrustMode.LOCAL,
            "min_batch_size": 5,
            "purpose_digest": "ab" * 32,
            "log_origin": "consents.example/2026",
            "aggregator_name": "Coopérative",
            "report_deadline": datetime(2026, 11, 23, tzinfo=UTC),
        }
        if changes.get("trust_mode") is TrustMode.TWO_KEEPERS:
            fields |= {
                "keepers": KEEPERS,
                "epsilon_territory_micro": 500_000,
                "verify_key_sha256": sha256(VERIFY_KEY).hexdigest(),
            }
        return Task(**(fields | changes))

    return make


@pytest.fixture(scope="session")
def task(make_task: Callable[..., Task]) -> Task:
    return make_task()


@pytest.fixture(scope="session")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="session")
def other_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture(scope="session")
def make_report(task: Task) -> Callable[..., Report]:
    def make(**changes: Any) -> Report:
        fields: dict[str, Any] = {
            "report_id": "01" * 16,
            "task_digest": task.digest,
            "zone": "17300",
            "vector": (12, -3400, 0, 987, 5, 6, 7, -8),
            "cid": "02" * 16,
            "n": 3,
            "head": "cd" * 32,
            "pd": task.purpose_digest,
            "epsilon_micro": task.epsilon_micro,
            "at": datetime(2026, 11, 17, 9, 30, 12, 345, tzinfo=UTC),
        }
        return Report(**(fields | changes))

    return make
