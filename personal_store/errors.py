"""Everything that can go wrong in a personal store, in words for its owner.

The tree::

    StoreError
    ├── IngestError            a file or a message could not be taken in
    │   ├── UnreadableFile     truncated, damaged, or not text where text is due
    │   ├── WrongFile          readable, but not a location history
    │   ├── HostileFile        built to exhaust memory, disk or time
    │   └── ImportStopped      stopped half-way for no fault of the file; the same again goes on
    ├── UploadRefused          what a browser sent could not be kept
    │   └── NoRoom             the disk is full
    ├── VaultError             the encrypted database cannot be opened
    │   ├── WrongPassphrase
    │   ├── UnknownSchema
    │   └── TooManyTries       wrong passphrases came too fast
    ├── BackupRefused          a backup or a restore would go over something that is there
    ├── BackupDamaged          a backup is not whole, or is none
    ├── NotInitialised         no store in the data folder
    ├── StoreLocked            what was asked needs the passphrase first
    ├── InboxFull              the store is locked and can keep no more
    ├── DeviceRefused          no device, or not one of this name
    ├── UnknownZone            no time zone has this name
    ├── CannotServe            a port or a folder that the server needs is not to be had
    ├── NoFactors              no emission factor covers a trip's day
    ├── GateClosed             no valid consent covers this contribution
    ├── LogForked              the cooperative showed two logs that do not agree
    ├── NotAnswerable          the question is not one that this store can answer now
    ├── PreviewChanged         what would leave is no longer what was shown
    ├── WordingChanged         what is asked is no longer what was read
    ├── LedgerRefused          the privacy budget does not allow it
    └── TransportError         the cooperative did not answer as the protocol says

Each error carries one sentence in French and one in English: expected, seen, what to do.
No sentence holds a position, a time of a position, or a secret.
"""


class StoreError(Exception):
    """Say in both languages what was expected, what was seen and what to do."""

    def __init__(self, *, fr: str, en: str) -> None:
        """Keep both sentences; `str()` gives the French one."""
        super().__init__(fr)
        self.fr = fr
        self.en = en

    def say(self, language: str) -> str:
        """Return the sentence in `language` ("fr" or "en")."""
        return self.en if language == "en" else self.fr


class IngestError(StoreError):
    """A file or message could not be taken in; the database is unchanged."""


class UnreadableFile(IngestError):
    """The file is truncated, damaged or in another encoding."""


class WrongFile(IngestError):
    """The file is readable but holds no location history that we know."""


class HostileFile(IngestError):
    """The file is built to exhaust memory, disk or time."""


class ImportStopped(IngestError):
    """The import stopped for no fault of the file; what is in stays, the same again goes on."""


class UploadRefused(StoreError):
    """What a browser sent could not be kept; nothing of it is left."""


class NoRoom(UploadRefused):
    """The disk has no room for it."""


class VaultError(StoreError):
    """The encrypted database cannot be opened."""


class WrongPassphrase(VaultError):
    """The passphrase does not open the vault; nothing else is said."""


class UnknownSchema(VaultError):
    """The database was written by another version of the program."""


class TooManyTries(VaultError):
    """Wrong passphrases came too fast: wait before the next."""


class BackupRefused(StoreError):
    """A backup or a restore would go over something that is there; nothing was changed."""


class BackupDamaged(StoreError):
    """A backup is not whole, or is none; nothing was restored."""


class StoreLocked(StoreError):
    """The store is locked; give its passphrase first."""


class InboxFull(StoreError):
    """The store is locked, and its sealed inbox holds as much as it may."""


class DeviceRefused(StoreError):
    """There is no device of this name, or its name cannot be one."""


class UnknownZone(StoreError):
    """No time zone has this name; that of home is what it was."""


class NotInitialised(StoreError):
    """There is no store in the data folder."""


class CannotServe(StoreError):
    """A port or a folder that the server needs is not to be had; nothing was started."""


class NoFactors(StoreError):
    """The emission factors do not cover the day of a trip."""


class GateClosed(StoreError):
    """No valid consent covers what was about to leave."""


class LogForked(StoreError):
    """The cooperative showed two logs that do not agree; the evidence is kept, nothing leaves."""


class NotAnswerable(StoreError):
    """The question is not one that this store can answer, or not now; nothing was spent."""


class PreviewChanged(StoreError):
    """What would leave is no longer what was shown: nothing has left."""


class WordingChanged(StoreError):
    """The purpose asked for is no longer the one that was read: nothing was signed."""


class LedgerRefused(StoreError):
    """The privacy budget of the coming 52 weeks does not allow it."""


class TransportError(StoreError):
    """The cooperative could not be reached or did not answer as the protocol says."""
