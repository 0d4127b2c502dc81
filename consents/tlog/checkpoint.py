"""Checkpoints: the signed size and root of a log, and the witnesses' cosignatures of them.

A checkpoint as it travels, and a cosignature below the log's own signature::

    example.com/log
    3
    9uDY4DaURl1SvBpcKD4fTYhZnms7e5oLGj/3aWZ6pmw=
    (empty line)
    — example.com/log Az3grl...
    — witness.example/w1 jWbPPw...

It holds no list of trusted keys: who is trusted is the caller's argument. Specs: C2SP
signed-note, tlog-checkpoint, tlog-cosignature (Ed25519 only; 0x06 is kept for ML-DSA-44).
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consents.canonical import base64_bytes, base64_text
from consents.errors import CanonicalError, ForgedNote, MalformedNote, UntrustedNote
from consents.tlog.merkle import HASH_BYTES

MAX_NOTE_BYTES = 262_144
"""Longest note read: room for the 16 signatures of 5 kB that must be accepted, twice."""

MAX_TREE_SIZE = 2**63 - 1
"""Largest tree size read, that of signed 64-bit readers elsewhere."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_SIGNATURE_LINE = re.compile(r"— (\S+) (\S+)")
_KEY_ID_BYTES = 4
_TIMESTAMP_BYTES = 8
_SIGNATURE_BYTES = 64
_BODY_LINES = 3


class SignatureType(IntEnum):
    """The signed-note type bytes that this package signs and verifies."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteKey:
    """A verifier key: the name, the type of signature and the Ed25519 public key."""

    name: str
    type: SignatureType
    public_key: bytes

    def __post_init__(self) -> None:
        """Refuse names that a signature line cannot carry; raise MalformedNote."""
        if not _is_key_name(self.name):
            raise MalformedNote("expected a key name without spaces, control characters or plus")
        if len(self.public_key) != HASH_BYTES:
            raise MalformedNote(f"expected an Ed25519 public key of {HASH_BYTES} bytes")

    @property
    def key_id(self) -> bytes:
        """The four bytes that, with the name, say which key signed."""
        preimage = self.name.encode() + b"\n" + bytes([self.type]) + self.public_key
        return hashlib.sha256(preimage).digest()[:_KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The text form: name+id+key."""
        encoded = base64_text(bytes([self.type]) + self.public_key)
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, vkey: str) -> "NoteKey":
        """Read a vkey; raise MalformedNote, also when its id is not the key's."""
        # The base64 part may hold plus signs of its own, the name may not.
        name, _, rest = vkey.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            material = base64_bytes(encoded)
        except CanonicalError as error:
            raise MalformedNote("expected a verifier key such as name+1a2b3c4d+base64") from error
        if not material or material[0] not in set(SignatureType):
            raise MalformedNote("expected a verifier key of type 0x01 or 0x04 (Ed25519)")
        key = cls(name=name, type=SignatureType(material[0]), public_key=material[1:])
        if _KEY_ID.fullmatch(key_id) is None or bytes.fromhex(key_id) != key.key_id:
            raise MalformedNote("expected a verifier key whose id follows from its name and key")
        return key

    @classmethod
    def of_log(cls, name: str, public_key: Ed25519PublicKey) -> "NoteKey":
        """Return the key with which a log named `name` signs its checkpoints."""
        raw = public_key.public_bytes_raw()
        return cls(name=name, type=SignatureType.ED25519, public_key=raw)

    @classmethod
    def of_witness(cls, name: str, public_key: Ed25519PublicKey) -> "NoteKey":
        """Return the key with which a witness named `name` cosigns."""
        raw = public_key.public_bytes_raw()
        return cls(name=name, type=SignatureType.COSIGNATURE, public_key=raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """
    What a log claims of its tree: origin, number of leaves, root of 32 bytes.

    `extensions` are the opaque lines that others' logs may add; ours adds none.
    Construction raises MalformedNote.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what the text form could not carry."""
        for line in (self.origin, *self.extensions):
            if not line or any(character < " " for character in line):
                raise MalformedNote("expected non-empty lines without control characters")
        if not 0 <= self.size <= MAX_TREE_SIZE:
            raise MalformedNote(f"expected a tree size in 0..{MAX_TREE_SIZE}")
        if len(self.root) != HASH_BYTES:
            raise MalformedNote(f"expected a root of {HASH_BYTES} bytes, seen {len(self.root)}")

    def to_text(self) -> str:
        """Return the note text that is signed, ending in a newline."""
        lines = (self.origin, str(self.size), base64_text(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a note text (no signatures); raise MalformedNote."""
        lines = text.split("\n")
        if lines.pop() != "" or len(lines) < _BODY_LINES:
            raise MalformedNote("expected origin, size and root, each on a line of its own")
        origin, size, encoded, *extensions = lines
        if _DECIMAL.fullmatch(size) is None:
            raise MalformedNote("expected the tree size as a decimal without leading zeroes")
        try:
            root = base64_bytes(encoded)
        except CanonicalError as error:
            raise MalformedNote("expected the root in standard base64") from error
        return cls(origin=origin, size=int(size), root=root, extensions=tuple(extensions))


def sign_checkpoint(checkpoint: Checkpoint, name: str, private_key: Ed25519PrivateKey) -> str:
    """Return the signed note of a checkpoint; `name` is the log's key name, its origin."""
    key = NoteKey.of_log(name, private_key.public_key())
    text = checkpoint.to_text()
    return f"{text}\n{_signature_line(key, private_key.sign(text.encode()))}"


def read_checkpoint(text: str) -> Checkpoint:
    """
    Return what a signed note claims, without trusting it: no signature is checked.

    For finding out whose key to ask for. Raises MalformedNote.
    """
    return Checkpoint.parse(_split_note(text)[0])


def verify_checkpoint(text: str, vkey: str, *, origin: str | None = None) -> Checkpoint:
    """
    Return the checkpoint once the log's key is seen to have signed it.

    The origin must be the key's name, unless the caller expects another `origin`.
    Raises MalformedNote, UntrustedNote (no such signature, another origin) or ForgedNote.
    """
    key = NoteKey.parse(vkey)
    if key.type is not SignatureType.ED25519:
        raise MalformedNote("expected a log's verifier key (type 0x01), seen a witness's")
    note_text, lines = _split_note(text)
    for signature in _signatures_by(key, lines):
        _check(key, signature, note_text.encode())
    checkpoint = Checkpoint.parse(note_text)
    if checkpoint.origin != (key.name if origin is None else origin):
        raise UntrustedNote("expected the origin of the trusted log, seen another log's")
    return checkpoint


def cosign(text: str, name: str, key: Ed25519PrivateKey, at: datetime) -> str:
    """
    Return the signature line by which a witness vouches for the signed note `text` at `at`.

    Append it to the note as it is. Only after `consents.tlog.witness.witness_step` allowed it.
    Raises MalformedNote; the time must be aware and after 1970.
    """
    if at.utcoffset() is None or at.timestamp() < 1:
        raise MalformedNote("expected an aware time after 1970 for a cosignature")
    timestamp_s = int(at.timestamp())
    note_text = _split_note(text)[0]
    Checkpoint.parse(note_text)
    signature = key.sign(_cosigned_message(note_text, timestamp_s))
    witness = NoteKey.of_witness(name, key.public_key())
    return _signature_line(witness, timestamp_s.to_bytes(_TIMESTAMP_BYTES, "big") + signature)


def verify_cosignature(text: str, vkey: str) -> datetime:
    """
    Return when the witness of `vkey` cosigned the note `text`, aware UTC.

    With several cosignatures by that witness, all must hold and the latest time is returned.
    Raises MalformedNote, UntrustedNote or ForgedNote.
    """
    key = NoteKey.parse(vkey)
    if key.type is not SignatureType.COSIGNATURE:
        raise MalformedNote("expected a witness's verifier key (type 0x04), seen a log's")
    note_text, lines = _split_note(text)
    Checkpoint.parse(note_text)
    times: list[datetime] = []
    for stamped in _signatures_by(key, lines):
        timestamp_s = int.from_bytes(stamped[:_TIMESTAMP_BYTES], "big")
        _check(key, stamped[_TIMESTAMP_BYTES:], _cosigned_message(note_text, timestamp_s))
        try:
            times.append(datetime.fromtimestamp(timestamp_s, UTC))
        except (ValueError, OverflowError, OSError) as error:
            raise MalformedNote("expected a cosignature time on the calendar") from error
    return max(times)


def _signature_line(key: NoteKey, signature: bytes) -> str:
    return f"— {key.name} {base64_text(key.key_id + signature)}\n"


def _cosigned_message(note_text: str, timestamp_s: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp_s}\n{note_text}".encode()


def _split_note(text: str) -> tuple[str, list[str]]:
    """Return the note text and its signature lines; raise MalformedNote."""
    try:
        length_bytes = len(text.encode())
    except UnicodeEncodeError as error:
        raise MalformedNote("expected a note in valid UTF-8") from error
    if length_bytes > MAX_NOTE_BYTES:
        raise MalformedNote(f"expected at most {MAX_NOTE_BYTES} bytes, seen {length_bytes}")
    if any(character < " " and character != "\n" for character in text):
        raise MalformedNote("expected no control character but newline in a note")
    body, separator, block = text.rpartition("\n\n")
    if not separator or not block.endswith("\n"):
        raise MalformedNote("expected a text, an empty line and signature lines")
    return f"{body}\n", block[:-1].split("\n")


def _signatures_by(key: NoteKey, lines: list[str]) -> list[bytes]:
    """Return what follows the key id on each line that `key` claims; there is at least one."""
    claimed: list[bytes] = []
    for line in lines:
        match = _SIGNATURE_LINE.fullmatch(line)
        if match is None or not _is_key_name(match[1]):
            raise MalformedNote("expected signature lines such as: — name base64")
        try:
            blob = base64_bytes(match[2])
        except CanonicalError as error:
            raise MalformedNote("expected each signature in standard base64") from error
        if len(blob) <= _KEY_ID_BYTES:
            raise MalformedNote("expected a key id and a signature on each signature line")
        if match[1] == key.name and blob[:_KEY_ID_BYTES] == key.key_id:
            claimed.append(blob[_KEY_ID_BYTES:])
    if not claimed:
        raise UntrustedNote("expected a signature by the trusted key, seen only others")
    return claimed


def _check(key: NoteKey, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise ForgedNote("expected a valid signature by the trusted key on this text") from error


def _is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)
