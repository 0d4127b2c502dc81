"""Check an installation and say, line by line, what is fine and what to do about the rest.

Nothing is repaired and nothing is written.
"""

import stat
from collections.abc import Sequence
from dataclasses import dataclass

from consents.tlog.checkpoint import NoteKey
from coop_aggregator.clock import Clock
from coop_aggregator.db.engine import Database, open_database
from coop_aggregator.db.identity import Identity, Role, load_identity
from coop_aggregator.db.shards import Shard, load_shards
from coop_aggregator.db.territories import load_zones
from coop_aggregator.errors import AggregatorError
from coop_aggregator.keys import load_leader_keys, load_witness_key
from coop_aggregator.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check: its name for machines, whether it passed, and a sentence in both languages."""

    check: str
    ok: bool
    fr: str
    en: str


def examine(settings: Settings, clock: Clock) -> tuple[Finding, ...]:
    """Run every check; a check that depends on a failed one is left out."""
    try:
        database = open_database(settings.url)
    except AggregatorError as error:
        return (Finding(check="database", ok=False, fr=error.fr, en=error.en),)
    try:
        return _examine_open(settings, clock, database)
    finally:
        database.close()


def _examine_open(settings: Settings, clock: Clock, database: Database) -> tuple[Finding, ...]:
    try:
        with database.read() as connection:
            who = load_identity(connection)
            shards = load_shards(connection).every
            zone_count = len(load_zones(connection))
    except AggregatorError as error:
        return (Finding(check="identity", ok=False, fr=error.fr, en=error.en),)
    findings = [
        Finding(
            check="database",
            ok=True,
            fr=f"Base {database.dialect} au bon schéma, rôle {who.role}.",
            en=f"Database {database.dialect} at the right schema, role {who.role}.",
        ),
        _keys(settings, who, shards),
        _permissions(settings),
        _clock(clock),
    ]
    if who.role is Role.LEADER:
        findings.append(_territory(zone_count))
    return tuple(findings)


def _keys(settings: Settings, who: Identity, shards: Sequence[Shard]) -> Finding:
    """Check the key of every year's log, closed ones included: their notes are signed again."""
    try:
        if who.role is Role.LEADER:
            held = load_leader_keys(settings.keys)
            expected = [each.vkey for each in shards]
            own = [
                NoteKey.of_log(each.origin, held.of_log(each.number).public_key()).vkey
                for each in shards
            ]
        else:
            expected = [who.own_vkey]
            key = load_witness_key(settings.keys)
            own = [NoteKey.of_witness(who.name, key.public_key()).vkey]
    except AggregatorError as error:
        return Finding(check="keys", ok=False, fr=error.fr, en=error.en)
    if own != expected:
        return Finding(
            check="keys",
            ok=False,
            fr="Les clés ne sont pas celles de cette base. Restaurez le dossier qui va avec elle.",
            en="The keys are not those of this database. Restore the folder that goes with it.",
        )
    return Finding(check="keys", ok=True, fr="Les clés vont avec la base.", en="The keys fit.")


def _permissions(settings: Settings) -> Finding:
    files = [path for path in settings.keys.glob("*") if path.is_file()]
    loose = [path.name for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if loose:
        return Finding(
            check="permissions",
            ok=False,
            fr=f"D'autres peuvent lire {loose[0]}. Donnez-lui le mode 600.",
            en=f"Others can read {loose[0]}. Give it mode 600.",
        )
    return Finding(
        check="permissions",
        ok=True,
        fr="Les clés ne sont lisibles que par leur propriétaire.",
        en="The keys are readable by their owner only.",
    )


def _clock(clock: Clock) -> Finding:
    ok = clock.now().year >= 2026
    return Finding(
        check="clock",
        ok=ok,
        fr="L'horloge est plausible." if ok else "L'horloge est en retard : réglez-la.",
        en="The clock is plausible." if ok else "The clock is behind: set it.",
    )


def _territory(zone_count: int) -> Finding:
    if zone_count:
        return Finding(
            check="territory",
            ok=True,
            fr=f"{zone_count} zones.",
            en=f"{zone_count} zones.",
        )
    return Finding(
        check="territory",
        ok=False,
        fr="Aucune zone. Lancez « coop-aggregator territory import ».",
        en="No zone. Run 'coop-aggregator territory import'.",
    )
