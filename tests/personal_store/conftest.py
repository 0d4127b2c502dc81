"""A store of one's own for each test: real database, fixed clock, noise that can be told again."""

import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from carbon.modes import TransportMode
from consents.canonical import base64_text
from consents.records.notice import Notice
from consents.records.record import Purpose
from consents.tlog.log import ConsentLog, MemoryLeaves
from consents.tlog.promise import promise
from contributions.admission import Admission, sign_admission
from contributions.envelope import Role
from contributions.jws import public_jwk
from contributions.keeper import Keeper
from contributions.messages import Enrolled, read_report
from contributions.sealed_report import ReadUpload, read_upload
from contributions.task import Task, TrustMode, Zone, join_signatures, sign_task
from contributions.weeks import week_period
from personal_store import vault
from personal_store.db import memberships, timelines
from personal_store.db.connection import open_database, writing
from personal_store.errors import TransportError
from personal_store.membership import Membership
from personal_store.store import Store
from personal_store.transport import Answer, HttpTransport
from personal_store.trips.timeline import ModeProbability, ModeSource, Timeline, Trip, Tripleg
from personal_store.vault import DATABASE_FILE, DatabaseKey

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)  # the Wednesday after the week 2026-W46


@dataclass(slots=True)
class FixedClock:
    """A clock that moves only when told."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


@dataclass(slots=True)
class CountingNoise:
    """Adds 1000 times the number of the draw: what was drawn when can be read off the vector."""

    draws: int = 0

    def laplace(self, values: Sequence[int], scale: Fraction) -> tuple[int, ...]:
        assert scale > 0
        self.draws += 1
        return tuple(value + 1000 * self.draws for value in values)


@dataclass(slots=True)
class SeededBytes:
    """Randomness that repeats from one run to the next."""

    generator: random.Random = field(default_factory=lambda: random.Random(2))

    def __call__(self, length_bytes: int) -> bytes:
        return self.generator.randbytes(length_bytes)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def noise() -> CountingNoise:
    return CountingNoise()


@pytest.fixture(scope="session")
def key() -> DatabaseKey:
    return DatabaseKey(random.Random(1).randbytes(32))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory, key: DatabaseKey) -> Path:
    """Return the file of a database at the newest schema, made once: each migration takes time."""
    folder = tmp_path_factory.mktemp("empty")
    open_database(folder, key).dispose()
    return folder / DATABASE_FILE


@pytest.fixture
def store(
    tmp_path: Path,
    key: DatabaseKey,
    empty_database: Path,
    clock: FixedClock,
    noise: CountingNoise,
) -> Iterator[Store]:
    """Return an unlocked store in a folder of its own; it would reach a cooperative by HTTP."""
    folder = tmp_path / "store"
    folder.mkdir(mode=0o700)
    shutil.copy(empty_database, folder)
    opened = Store(
        folder=folder,
        engine=open_database(folder, key),
        clock=clock,
        noise=noise,
        randomness=SeededBytes(),
        connect=HttpTransport,
    )
    yield opened
    opened.engine.dispose()


MONDAY = datetime(2026, 11, 9, 7, tzinfo=UTC)  # of the week 2026-W46
METRES_PER_DEGREE = 111_195.0  # of latitude


@dataclass(slots=True)
class Outing:
    """A device that stays, goes north, and stays: one trip, as (time, lon, lat) every 10 s."""

    start: datetime = MONDAY
    speed_mps: float = 5.0
    moving_s: int = 900
    staying_s: int = 1200
    every_s: int = 10

    @property
    def points(self) -> list[tuple[datetime, float, float]]:
        points = []
        for elapsed_s in range(0, self.moving_s + 2 * self.staying_s, self.every_s):
            moved_s = min(max(elapsed_s - self.staying_s, 0), self.moving_s)
            # A receiver never says the same position twice: a metre or two of wobble.
            wobble_deg = ((elapsed_s * 7919) % 5 - 2) / METRES_PER_DEGREE
            lat = 46.16 + moved_s * self.speed_mps / METRES_PER_DEGREE + wobble_deg
            at = self.start + timedelta(seconds=elapsed_s)
            points.append((at, round(-1.15 + wobble_deg, 7), round(lat, 7)))
        return points

    @property
    def distance_m(self) -> float:
        return self.moving_s * self.speed_mps

    def gpx(self, device: str = "telephone") -> str:
        rows = "\n".join(
            f'<trkpt lat="{lat}" lon="{lon}"><time>{at:%Y-%m-%dT%H:%M:%SZ}</time></trkpt>'
            for at, lon, lat in self.points
        )
        return (
            f'<gpx version="1.1" creator="{device}" xmlns="http://www.topografix.com/GPX/1/1">'
            f"<trk><trkseg>\n{rows}\n</trkseg></trk></gpx>"
        )


@pytest.fixture
def outing() -> type[Outing]:
    return Outing


@pytest.fixture
def gpx_file(tmp_path: Path) -> Path:
    """Return the GPX file of one outing of 4.5 km on the Monday of 2026-W46."""
    file = tmp_path / "monday.gpx"
    file.write_text(Outing().gpx())
    return file


@dataclass(slots=True)
class Cooperative:
    """A cooperative in memory, made of the real log, tasks and messages, that can be told to fail.

    `lose_answers` takes a request in and then answers nothing; `tamper` changes bodies by path,
    `scripted` gives another answer altogether. A `patient` one answers events with promises alone.
    """

    url: str = "https://cooperative.example"
    origin: str = "cooperative.example/journal"
    log_key: Ed25519PrivateKey = field(
        default_factory=lambda: Ed25519PrivateKey.from_private_bytes(b"l" * 32)
    )
    task_key: Ed25519PrivateKey = field(
        default_factory=lambda: Ed25519PrivateKey.from_private_bytes(b"t" * 32)
    )
    leaves: MemoryLeaves = field(default_factory=MemoryLeaves)
    purposes: dict[str, bytes] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)
    reports: list[bytes] = field(default_factory=list)
    requests: list[tuple[str, str, bytes | None]] = field(default_factory=list)
    clock: FixedClock = field(default_factory=FixedClock)
    patient: bool = False
    offline: bool = False
    lose_answers: bool = False
    keepers: "Keepers | None" = None
    tamper: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    scripted: dict[str, Answer] = field(default_factory=dict)

    @property
    def log(self) -> ConsentLog:
        return ConsentLog(self.leaves, self.origin, self.log_key)

    def publish(self, **changes: Any) -> Purpose:
        """Publish a purpose."""
        wording = {
            "title_fr": "Compter les kilomètres",
            "title_en": "Count the kilometres",
            "text_fr": "Une somme par commune et par semaine.",
            "text_en": "One sum a zone and a week.",
            "dpv_purpose": "dpv:ImproveTransportMobility",
            "controller_name": "Coopérative",
            "controller_contact": "contact@cooperative.example",
            "fields": ("distance_km_by_mode_group", "zone_of_residence"),
            "epsilon_week_micro": 4_000_000,
            "retention_days": 365,
            "version": "1",
        }
        purpose = Purpose(**(wording | changes))
        self.purposes[purpose.digest] = purpose.to_bytes()
        return purpose

    def notice(self, purpose: Purpose) -> Notice:
        """Return the notice beside a purpose."""
        return notice_for(purpose)

    def ask(self, purpose: Purpose, **changes: Any) -> Task:
        """Sign and list a task."""
        week = changes.get("week", "2026-W46")
        terms = {
            "title_fr": "Kilomètres de la semaine",
            "title_en": "Kilometres of the week",
            "week": week,
            "zones": (Zone(code="17300", name="La Rochelle"),),
            "scale": Fraction(1),
            "cap_units": 1000,
            "epsilon_micro": 4_000_000,
            "trust_mode": TrustMode.LOCAL,
            "min_batch_size": 2,
            "purpose_digest": purpose.digest,
            "log_origin": self.origin,
            "aggregator_name": "Coopérative",
            "report_deadline": week_period(week).end + timedelta(days=60),
        }
        shared = changes.get("trust_mode") is TrustMode.TWO_KEEPERS
        if shared:
            assert self.keepers, "a cooperative with keepers asks a two-keeper question"
            terms |= {
                "keepers": self.keepers.cards,
                "epsilon_territory_micro": 2_000_000,
                "verify_key_sha256": "00" * 32,
            }
        task = Task(**(terms | changes))
        signed = sign_task(task, self.task_key)
        if shared:
            signed = join_signatures(signed, sign_task(task, self.keepers.helper_key))
        self.asked.append(signed)
        return task

    def membership(self, zone: str = "17300") -> Membership:
        """Return what enrolling gives."""
        return Membership(
            url=self.url,
            member_id="member-1",
            member_key=Ed25519PrivateKey.from_private_bytes(b"m" * 32),
            zone=zone,
            log_origin=self.origin,
            log_vkey=self.log.vkey,
            task_key=self.task_key.public_key(),
            keepers=self.keepers.cards if self.keepers else (),
        )

    def serve_enrolment(self, keepers: tuple[Keeper, ...]) -> None:
        """Answer whoever enrols, naming these keepers."""
        enrolled = Enrolled(
            member_id="member-1",
            log_vkey=self.log.vkey,
            task_x=public_jwk(self.task_key.public_key())["x"],
            log_origin=self.origin,
            keepers=keepers,
        )
        self.scripted["/v1/enrolments"] = Answer(status=201, body=enrolled.to_bytes())

    def connect(self, url: str) -> Any:
        """Return the way to this cooperative, or to one of its keepers."""
        if self.keepers and url in self.keepers.at:
            return self.keepers.at[url]
        assert url == self.url
        return self

    def exchange(self, method: str, path: str, body: bytes | None) -> Answer:
        """Answer one request as the protocol says."""
        self.requests.append((method, path, body))
        if self.offline:
            raise TransportError(fr="La coopérative ne répond pas.", en="No answer.")
        if path in self.scripted:
            return self.scripted[path]
        answer = self._answer(method, path, body)
        if self.lose_answers:
            raise TransportError(fr="La coopérative ne répond pas.", en="No answer.")
        change = self.tamper.get(path)
        return answer if change is None else Answer(status=answer.status, body=change(answer.body))

    def _answer(self, method: str, path: str, body: bytes | None) -> Answer:
        match (method, path.removeprefix("/v1/").split("/")):
            case ("GET", ["tasks"]):
                return _json(200, {"tasks": [{"jws": jws.decode()} for jws in self.asked]})
            case ("GET", ["purposes", digest, *of]) if digest in self.purposes:
                told = notice_for(Purpose.parse(self.purposes[digest])).to_bytes()
                return Answer(status=200, body=told if of == ["notice"] else self.purposes[digest])
            case ("GET", ["log", asked]) if asked.startswith("consistency?old="):
                return self._continued(int(asked.partition("=")[2].partition("&")[0]))
            case ("POST", ["events"]):
                return self._logged(json.loads(body or b"")["leaf"].encode())
            case ("POST", ["reports"]):
                return self._reported(json.loads(body or b"")["report"].encode())
        return _json(404, {"detail": "Introuvable", "detail_en": "Not found"})

    def _continued(self, old: int) -> Answer:
        if not 0 < old <= self.leaves.size():
            return _json(404, {"detail": "Introuvable", "detail_en": "Not found"})
        hashes = [base64_text(node) for node in self.log.consistency(old)]
        return _json(200, {"checkpoint": self.log.checkpoint(), "hashes": hashes})

    def _logged(self, leaf: bytes) -> Answer:
        known = list(self.leaves.leaves())
        index = known.index(leaf) if leaf in known else self.log.append(leaf)
        proof = self.log.inclusion(index).to_mapping()
        said = promise(leaf, self.log_key, now=self.clock.now(), delay=timedelta(hours=1)).decode()
        if self.patient:
            return _json(202, {"promise": said})
        note = self.log.checkpoint()
        return _json(201, {"promise": said, "index": index, "proof": proof, "checkpoint": note})

    def _reported(self, report: bytes) -> Answer:
        report_id = read_report(report).report.report_id
        if report in self.reports:
            kind = "urn:mobilites-en-commun:report-refused:duplicate"
            return _json(409, {"type": kind, "detail": "Déjà là", "detail_en": "There already"})
        self.reports.append(report)
        return _json(201, {"report_id": report_id})


@dataclass(slots=True)
class KeeperInMemory:
    """One keeper that reads uploads with the real code, and can be told to fail."""

    role: Role
    card: Keeper
    admits_with: Ed25519PrivateKey
    hpke_key: X25519PrivateKey
    uploads: list[bytes] = field(default_factory=list)
    read: list[ReadUpload] = field(default_factory=list)
    clock: FixedClock = field(default_factory=FixedClock)
    patient: bool = False
    offline: bool = False
    lose_answers: bool = False

    def exchange(self, method: str, path: str, body: bytes | None) -> Answer:
        if self.offline:
            raise TransportError(fr="Le gardien ne répond pas.", en="No answer.")
        if (method, path) == ("GET", "/v1/keeper"):
            return Answer(status=200, body=self.card.to_bytes())
        assert (method, path) == ("POST", "/v1/sealed-reports")
        read = read_upload(body or b"", role=self.role)
        self.uploads.append(body or b"")
        self.read.append(read)
        if self.lose_answers:
            raise TransportError(fr="Le gardien ne répond pas.", en="No answer.")
        digest = sha256(read.statement).hexdigest()
        word = Admission(task_digest=read.report.task_digest, statement_sha256=digest)
        admission = sign_admission(word, self.admits_with).decode()
        given = {"admission": admission} if self.role is Role.LEADER else {}
        return _json(201, {"report_id": read.report.report_id, **given})


@dataclass(slots=True)
class Keepers:
    """A leader, whose signing key is the cooperative's task key, and a helper."""

    task_key: Ed25519PrivateKey
    helper_key: Ed25519PrivateKey = field(
        default_factory=lambda: Ed25519PrivateKey.from_private_bytes(b"h" * 32)
    )
    at: dict[str, KeeperInMemory] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for role, sign in zip(Role, (self.task_key, self.helper_key), strict=True):
            hpke = X25519PrivateKey.from_private_bytes(role.value[:1].encode() * 32)
            card = Keeper.of(
                name=role.value,
                url=f"https://{role.value}.example",
                hpke_key=hpke.public_key(),
                sign_key=sign.public_key(),
            )
            self.at[card.url] = KeeperInMemory(
                role=role, card=card, admits_with=self.task_key, hpke_key=hpke
            )

    @property
    def cards(self) -> tuple[Keeper, ...]:
        return tuple(keeper.card for keeper in self.at.values())

    @property
    def leader(self) -> KeeperInMemory:
        return next(iter(self.at.values()))

    @property
    def helper(self) -> KeeperInMemory:
        return list(self.at.values())[1]


def notice_for(purpose: Purpose) -> Notice:
    """Return the notice that the cooperative in memory publishes beside a purpose."""
    return Notice(
        version=purpose.version,
        controller_name=purpose.controller_name,
        controller_address="La Rochelle",
        controller_contact=purpose.controller_contact,
        dpo_contact="dpo@cooperative.example",
        jurisdiction="loc:FR",
        storage_locations=("loc:FR",),
        recipients="aucun",
        transfers="aucun",
        withdrawal_url="https://cooperative.example/retrait",
        rights_url="https://cooperative.example/droits",
        authority="CNIL",
    )


def _json(status: int, document: dict[str, Any]) -> Answer:
    return Answer(status=status, body=json.dumps(document).encode())


@pytest.fixture
def cooperative(clock: FixedClock) -> Cooperative:
    return Cooperative(clock=clock)


@pytest.fixture
def keepers(cooperative: Cooperative) -> Keepers:
    """Return two keepers of the cooperative."""
    cooperative.keepers = Keepers(cooperative.task_key)
    return cooperative.keepers


@pytest.fixture
def member(store: Store, cooperative: Cooperative) -> Membership:
    """Return the membership of a store that joined the cooperative and asks it nothing else."""
    joined = cooperative.membership()
    with writing(store.engine) as connection:
        memberships.add(connection, joined, at=store.clock.now())
    return joined


@pytest.fixture
def joined(store: Store, cooperative: Cooperative, member: Membership) -> Store:
    """Return the store of that membership, which reaches the cooperative in memory."""
    assert member.url == cooperative.url
    return replace(store, connect=cooperative.connect)


@pytest.fixture
def travel() -> Callable[..., None]:
    """Return a function that makes kilometres by mode the only trips of the store."""

    def keep(
        store: Store, kilometres: dict[TransportMode, float], *, at: datetime = MONDAY
    ) -> None:
        legs = tuple(
            Tripleg(
                start=at + timedelta(minutes=10 * index),
                end=at + timedelta(minutes=10 * (index + 1)),
                distance_m=km * 1000,
                gap_m=0.0,
                modes=(ModeProbability(mode=mode, probability=1.0),),
                mode_source=ModeSource.RESIDENT,
                track=((-1.15, 46.16), (-1.16, 46.17)),
            )
            for index, (mode, km) in enumerate(kilometres.items())
        )
        trip = Trip(device="telephone", start=at, end=legs[-1].end, triplegs=legs)
        timeline = Timeline(device="telephone", staypoints=(), trips=(trip,))
        with writing(store.engine) as connection:
            timelines.replace(connection, timeline)

    return keep


@pytest.fixture
def write_vault() -> Callable[[Path, str], None]:
    """Return a function that makes a vault whose passphrase costs no time: Argon2 at its least."""

    def write(folder: Path, passphrase: str) -> None:
        stretching = vault._Stretching(salt=bytes(16), iterations=1, lanes=1, memory_kib=8)
        key = random.randbytes(32)
        wrapped = vault._wrap(key, stretching.stretch(passphrase), random.randbytes)
        made = vault._Vault(argon2id=stretching, by_passphrase=wrapped, by_recovery_code=wrapped)
        vault._write(folder, made)

    return write
