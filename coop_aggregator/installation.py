"""One installation, made once and opened by every command: database, identity, keys, clock.

Not the web application (`app`): the CLI, the jobs and the server all stand on this.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from consents.errors import ConsentsError
from consents.tlog.checkpoint import NoteKey, SignatureType
from contributions.envelope import Role as KeeperRole
from coop_aggregator import keys
from coop_aggregator.asking.purposes import default_purpose, publish_purpose
from coop_aggregator.clock import Clock
from coop_aggregator.db.engine import (
    Database,
    connect,
    create_schema,
    open_database,
    unreachable,
)
from coop_aggregator.db.identity import Identity, Role, has_identity, load_identity, save_identity
from coop_aggregator.errors import AggregatorError
from coop_aggregator.keys import KeeperKeys
from coop_aggregator.settings import Settings
from coop_aggregator.tlog.log import LeaderLog
from coop_aggregator.tlog.witnesses import Witnesses, read_witnesses

_KEY_NAME = re.compile(r"[!-*,-~]{1,128}")
"""ASCII without space and plus: what a signed note and a task can both carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """The cooperative's own installation."""

    database: Database
    who: Identity
    keys: keys.LeaderKeys
    clock: Clock
    steward_kids: tuple[str, ...] = ()
    """Thumbprints of the stewards' keys: they may recover a consent whose key was lost."""
    witnesses: Witnesses = field(default_factory=Witnesses)
    """Whom to ask for cosignatures, and how many of them make a checkpoint public."""
    merges_at_once: bool = True
    """Whether an event is merged as it comes in, or waits for the merge job."""

    @property
    def role(self) -> KeeperRole:
        """The first keeper of two."""
        return KeeperRole.LEADER

    @property
    def keeper(self) -> KeeperKeys:
        """The keys of this keeper."""
        return KeeperKeys(sign=self.keys.task, hpke=self.keys.hpke)

    def log(self, connection: Connection) -> LeaderLog:
        """Return the open consent log as seen by one transaction, now."""
        return LeaderLog(connection, keys=self.keys, now=self.clock.now(), witnesses=self.witnesses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Helper:
    """The stewards' installation: a witness of the cooperative's log, and the second keeper."""

    database: Database
    who: Identity
    key: Ed25519PrivateKey
    keeper: KeeperKeys
    clock: Clock
    audits: Path
    """Folder of what the stewards' audits verified and found."""
    steward_token: str | None = field(default=None, repr=False)
    """What opens the stewards' own pages; without one they stay closed."""
    fellows: tuple[str, ...] = ()
    """Verifier keys of the other stewards, who may replace a lost key as this one may."""

    @property
    def role(self) -> KeeperRole:
        """The second keeper of two."""
        return KeeperRole.HELPER


def init_leader(
    settings: Settings, clock: Clock, *, name: str, origin: str, contact: str
) -> Leader:
    """Make keys, schema, identity and the first purpose. Raises AggregatorError when one exists."""
    _check_key_name(origin)
    database = _fresh_database(settings)
    try:
        own = keys.make_leader_keys(settings.keys)
        vkey = NoteKey.of_log(origin, own.log.public_key()).vkey
        who = Identity(role=Role.LEADER, name=name, origin=origin, log_vkey=vkey, own_vkey=vkey)
        leader = Leader(database=database, who=who, keys=own, clock=clock)
        with database.write() as connection:
            save_identity(connection, who, now=clock.now())
            purpose = default_purpose(name=name, contact=contact)
            publish_purpose(connection, leader.log(connection), purpose)
    except BaseException:
        database.close()
        raise
    return leader


def init_helper(settings: Settings, clock: Clock, *, name: str, log_vkey: str) -> Helper:
    """Make the stewards' key and schema, with the log's verifier key pinned from outside."""
    try:
        pinned = NoteKey.parse(log_vkey)
    except ConsentsError as error:
        raise _bad_vkey() from error
    if pinned.type is not SignatureType.ED25519:
        raise _bad_vkey()
    _check_key_name(name)
    database = _fresh_database(settings)
    try:
        key = keys.make_witness_key(settings.keys)
        keeper = keys.make_helper_keys(settings.keys)
        who = Identity(
            role=Role.HELPER,
            name=name,
            origin=pinned.name,
            log_vkey=pinned.vkey,
            own_vkey=NoteKey.of_witness(name, key.public_key()).vkey,
        )
        with database.write() as connection:
            save_identity(connection, who, now=clock.now())
    except BaseException:
        database.close()
        raise
    return Helper(
        database=database,
        who=who,
        key=key,
        keeper=keeper,
        clock=clock,
        audits=settings.audits,
        steward_token=keys.load_steward_token(settings.keys),
    )


def open_leader(settings: Settings, clock: Clock) -> Leader:
    """Open the cooperative's installation. Raises NotInitialised or UnknownSchema."""
    database, who = _open(settings, Role.LEADER)
    try:
        witnesses = read_witnesses(
            settings.witnesses, quorum=settings.witness_quorum, log_vkey=who.log_vkey
        )
    except AggregatorError:
        database.close()
        raise
    return Leader(
        database=database,
        who=who,
        keys=keys.load_leader_keys(settings.keys),
        clock=clock,
        steward_kids=witnesses.kids,
        witnesses=witnesses,
        merges_at_once=settings.merge_interval_s == 0,
    )


def open_helper(settings: Settings, clock: Clock) -> Helper:
    """Open the stewards' installation. Raises NotInitialised or UnknownSchema."""
    database, who = _open(settings, Role.HELPER)
    try:
        fellows = _fellows(settings, who)
    except AggregatorError:
        database.close()
        raise
    return Helper(
        database=database,
        who=who,
        key=keys.load_witness_key(settings.keys),
        keeper=keys.load_helper_keys(settings.keys),
        clock=clock,
        audits=settings.audits,
        steward_token=keys.load_steward_token(settings.keys),
        fellows=fellows,
    )


def _fellows(settings: Settings, who: Identity) -> tuple[str, ...]:
    listed = read_witnesses(settings.witnesses, quorum=None, log_vkey=who.log_vkey).vkeys
    own = NoteKey.parse(who.own_vkey).public_key
    return tuple(vkey for vkey in listed if NoteKey.parse(vkey).public_key != own)


def open_either(settings: Settings, clock: Clock) -> Leader | Helper:
    """Open whichever role this folder holds. Raises NotInitialised or UnknownSchema."""
    database = open_database(settings.url)
    try:
        with database.read() as connection:
            role = load_identity(connection).role
    finally:
        database.close()
    return (open_leader if role is Role.LEADER else open_helper)(settings, clock)


def _open(settings: Settings, role: Role) -> tuple[Database, Identity]:
    database = open_database(settings.url)
    try:
        with database.read() as connection:
            who = load_identity(connection)
    except AggregatorError:
        database.close()
        raise
    if who.role is not role:
        database.close()
        raise AggregatorError(
            fr=f"Ce dossier tient le rôle « {who.role} », pas « {role} ». Donnez l'autre "
            "dossier par --data, ou changez --role.",
            en=f"This folder holds the role '{who.role}', not '{role}'. Give the other "
            "folder with --data, or change --role.",
        )
    return database, who


def _fresh_database(settings: Settings) -> Database:
    if settings.keys.exists():
        raise _exists_already()
    _private_folder(settings.data)
    database = connect(settings.url)
    try:
        create_schema(database)
        with database.read() as connection:
            taken = has_identity(connection)
    except AggregatorError:
        database.close()
        raise
    except SQLAlchemyError as error:
        database.close()
        raise unreachable() from error
    if taken:
        database.close()
        raise _exists_already()
    return database


def _exists_already() -> AggregatorError:
    return AggregatorError(
        fr="Cette installation existe déjà ; rien n'a été modifié. Choisissez un autre dossier "
        "par --data (et une autre base).",
        en="This installation exists already; nothing was changed. Choose another folder with "
        "--data (and another database).",
    )


def _private_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise AggregatorError(
            fr="Le dossier donné par --data ne peut pas être créé. Vérifiez le chemin et les "
            "droits.",
            en="The folder given by --data cannot be created. Check the path and its permissions.",
        ) from error


def _check_key_name(name: str) -> None:
    if _KEY_NAME.fullmatch(name) is None:
        raise AggregatorError(
            fr="Le nom qui signe (--origin ; --name pour un témoin) est fait de 1 à 128 caractères "
            "visibles sans espace ni « + ». Exemple : mobilites.example.org/journal",
            en="The name that signs (--origin; --name for a witness) is 1 to 128 visible "
            "characters without space nor '+'. Example: mobilites.example.org/log",
        )


def _bad_vkey() -> AggregatorError:
    return AggregatorError(
        fr="--log-vkey doit être la clé de vérification du journal : nom+identifiant+base64, comme "
        "l'affiche « coop-aggregator init » ou la page « Comment ça protège » de la coopérative.",
        en="--log-vkey must be the log's verifier key: name+id+base64, as shown by "
        "'coop-aggregator init' or the cooperative's page 'How it protects'.",
    )
