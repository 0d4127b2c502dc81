"""Let devices in, rename them, shut them out: the encrypted database and the register together.

A token is shown when it is made and kept only as its hash. The register is replaced inside the
transaction, before it is committed: a crash in between can only shut a device out, and the next
unlocking puts the register right.
"""

import base64
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection

from personal_store.db import devices, inbox
from personal_store.db.connection import reading, writing
from personal_store.db.devices import Device
from personal_store.doors.register import Register, announce, write_register
from personal_store.errors import DeviceRefused
from personal_store.ingest.live.owntracks import KEY_LENGTH_BYTES
from personal_store.ingest.values import label
from personal_store.store import Store

_TOKEN_BYTES = 24
_ENCRYPTION_KEY_BYTES = 20  # 32 characters of base32, which is what OwnTracks takes
_DOOR_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """A device just let in, with the two secrets to show once."""

    device: str
    token: str = field(repr=False)
    encryption_key: str = field(repr=False)


def add(store: Store, name: str) -> NewDevice:
    """Let a device send, under a token and an OwnTracks key that are drawn now.

    A device of this name that is there already gets new ones, and its old ones open no more.
    Raises DeviceRefused for a name that cannot be shown.
    """
    device = _name(name)
    made = NewDevice(
        device=device,
        token=base64.urlsafe_b64encode(store.randomness(_TOKEN_BYTES)).decode(),
        encryption_key=base64.b32encode(store.randomness(_ENCRYPTION_KEY_BYTES)).decode(),
    )
    with writing(store.engine) as connection:
        devices.authorise(
            connection,
            device=device,
            token=made.token,
            door=store.randomness(_DOOR_BYTES).hex(),
            encryption_key=made.encryption_key,
            at=store.clock.now(),
        )
        _write_register(store, connection)
    return made


def every(store: Store) -> list[Device]:
    """Return the devices, revoked ones included, in the order of their names."""
    with reading(store.engine) as connection:
        return devices.every(connection)


def rename(store: Store, device: str, name: str) -> None:
    """Show a device under another name; its positions stay under the first.

    Raises DeviceRefused for a name that cannot be shown, or a device that there is not.
    """
    with writing(store.engine) as connection:
        if not devices.rename(connection, device=device, name=_name(name)):
            raise _unknown()


def correct_key(store: Store, device: str, encryption_key: str) -> None:
    """Take the OwnTracks key that a phone really has; what it sent under it can be read then.

    Raises DeviceRefused for a key that OwnTracks does not take, or a device that may not send.
    """
    if not 0 < len(encryption_key.encode()) <= KEY_LENGTH_BYTES:
        raise DeviceRefused(
            fr="Attendu : la clé de chiffrement d'OwnTracks, de 1 à 32 octets ; vu : une autre "
            "longueur ; recopiez celle du téléphone.",
            en="Expected OwnTracks' encryption key, of 1 to 32 bytes; this is of another length; "
            "copy the phone's.",
        )
    with writing(store.engine) as connection:
        if not devices.set_encryption_key(connection, device=device, encryption_key=encryption_key):
            raise _unknown()
    # A server that runs holds the keys that it has read.
    announce(store.folder)


def revoke(store: Store, device: str) -> None:
    """Shut a device out, at once; its positions stay. Raises DeviceRefused when it was not in."""
    with writing(store.engine) as connection:
        if not devices.revoke(connection, device=device, at=store.clock.now()):
            raise _unknown()
        _write_register(store, connection)


def put_register_right(store: Store) -> None:
    """Write the register again from the database, which is the truth."""
    with writing(store.engine) as connection:
        _write_register(store, connection)


def _write_register(store: Store, connection: Connection) -> None:
    key = inbox.private_key(connection, randomness=store.randomness)
    doors = {
        each.token_sha256: each.door
        for each in devices.every(connection)
        if each.revoked_at is None
    }
    public_key = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    write_register(store.folder, Register(public_key=public_key, doors=doors))


def _name(name: str) -> str:
    shown = label(name)
    if shown is None or shown != name.strip():
        raise DeviceRefused(
            fr="Attendu : un nom d'appareil de 1 à 64 caractères imprimables ; vu : autre chose ; "
            "choisissez-en un autre.",
            en="Expected a device name of 1 to 64 printable characters; this is something else; "
            "choose another.",
        )
    return shown


def _unknown() -> DeviceRefused:
    return DeviceRefused(
        fr="Attendu : un appareil autorisé ; vu : aucun de ce nom ; "
        "« personal-store devices list » les nomme.",
        en="Expected a device that may send; there is none of this name; "
        "“personal-store devices list” names them.",
    )
