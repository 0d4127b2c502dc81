"""The withdrawal code: a secret on paper and in the store that ends consents, and opens nothing.

It is not the recovery code, which opens the store and is kept nowhere. The store holds this one to
name a key of it in each consent as it is given, so that one sheet of paper serves for all of them,
those of later years too: whoever holds the open store can withdraw anyway. Keys are numbered and
unlike, so that nothing links two consents; the cooperative shows a consent to the key that it names
(`standing_in`), by which the code finds them again without any list.
Source: RFC 5869 (HKDF).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection

from consents.jws import thumbprint
from consents.records.chain import key_digest
from consents.records.record import EventType
from personal_store.choices.consent_events import sign_keys
from personal_store.db import consents, withdrawal_codes
from personal_store.db.consents import Consent, KeptEvent
from personal_store.membership import Membership

SECRET_LENGTH_BYTES = 20
"""160 bits, 32 letters: as the recovery code, and written like it."""

_KEY_LENGTH_BYTES = 32


def key_of(secret: bytes, number: int) -> Ed25519PrivateKey:
    """Return the key of this number, from 0, that a code gives."""
    info = b"withdrawal key v1 %d" % number
    derived = HKDF(algorithm=SHA256(), length=_KEY_LENGTH_BYTES, salt=None, info=info)
    return Ed25519PrivateKey.from_private_bytes(derived.derive(secret))


def is_named(connection: Connection, chain: list[KeptEvent]) -> bool:
    """Tell whether a consent names a key of the code that the store holds."""
    code = withdrawal_codes.kept(connection)
    newest = _newest_named(chain)
    if code is None or newest is None:
        return False
    named = _every_named(connection)
    return newest in {_digest(code.secret, number) for number in range(len(named) + 1)}


def naming_event(
    connection: Connection,
    consent: Consent,
    chain: list[KeptEvent],
    membership: Membership,
    *,
    at: datetime,
) -> KeptEvent | None:
    """Return the event that names the code's next key in a consent.

    None without a code, or where a key of it is named already.
    """
    code = withdrawal_codes.kept(connection)
    if code is None or is_named(connection, chain):
        return None
    named = _every_named(connection)
    number = next(each for each in count() if _digest(code.secret, each) not in named)
    return sign_keys(
        consent,
        chain,
        EventType.RECOVERY_NAMED,
        names=thumbprint(key_of(code.secret, number).public_key()),
        signer=consent.key,
        origin=membership.log_origin,
        at=at,
    )


def _digest(secret: bytes, number: int) -> str:
    return key_digest(thumbprint(key_of(secret, number).public_key()))


def _every_named(connection: Connection) -> frozenset[str]:
    chains = (consents.chain(connection, each.cid) for each in consents.every(connection))
    return frozenset(digest for chain in chains for digest in _named(chain))


def _newest_named(chain: list[KeptEvent]) -> str | None:
    return next(_named(reversed(chain)), None)


def _named(chain: Iterable[KeptEvent]) -> Iterator[str]:
    return (
        each.signed.payload.c for each in chain if each.signed.payload.t is EventType.RECOVERY_NAMED
    )
