"""Simulated residents: each joins, consents and contributes through the public door.

They share everything with a real store but the trips: the same consent events, the same shares,
the same bytes on the wire, the same refusals. Their weeks come from `population.py`. Each is a few
kilobytes of memory, so that some hundreds fit a laptop.
"""

import secrets
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from population import SimulatedWeek

from consents.canonical import utc_text
from consents.jws import thumbprint
from consents.records.receipt import LeafPayload, SignedEvent, read_event, sign_event
from consents.records.record import EventType
from contributions.measurement import encode
from contributions.measures import Key, Measure
from contributions.messages import Report, sign_report
from contributions.noise import OpenDPLaplace, noise_scale
from contributions.sealed_report import SealedReport, Upload, seal_shares, sign_sealed_report
from contributions.task import Task, TrustMode
from contributions.two_keepers import shard, vdaf_for
from personal_store import cooperative
from personal_store.membership import Membership
from personal_store.transport import HttpTransport

AT_ONCE = 4
KG_CO2E_PER_KM = {
    "walk": 0.0,
    "bike": 0.0056,
    "two_wheeler": 0.0851,
    "car": 0.218,
    "transit": 0.147,
    "train": 0.0277,
    "plane": 0.23,
    "other": 0.023,
}
"""Life cycle, one factor a group from the set `factors-2026-11-22`, everybody alone in a car."""
KM_A_CAR_TRIP = 13.0
SHORT_SHARES = {"km_0_3": 0.2, "km_3_5": 0.15}
"""Share of short trips among those by car, and their mean length: our assumptions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedResident:
    """A member whose consent is in the log, and the week that they lived."""

    member: Membership
    consent: SignedEvent
    consent_key: Ed25519PrivateKey
    week: SimulatedWeek


def figures_of(week: SimulatedWeek) -> dict[Key, float]:
    """Return what the demonstration asks of a simulated week, derived from its kilometres."""
    km = week.kilometres
    car_trips = km["car"] / KM_A_CAR_TRIP
    return {
        **{(Measure.KILOMETRES, group): value for group, value in km.items()},
        **{(Measure.KG_CO2E, group): KG_CO2E_PER_KM[group] * km[group] for group in km},
        **{
            (Measure.SHORT_CAR_TRIPS, band): car_trips * share
            for band, share in SHORT_SHARES.items()
        },
    }


def join_all(
    url: str, codes: Sequence[str], weeks: Iterable[SimulatedWeek], *, purpose_digest: str
) -> list[SimulatedResident]:
    """Let one resident a code join and consent."""

    def one(code: str, week: SimulatedWeek) -> SimulatedResident:
        transport = HttpTransport(url)
        member_key = Ed25519PrivateKey.generate()
        member = cooperative.enrol(
            transport, url=url, code=code, zone=week.zone, member_key=member_key
        )
        consent_key = Ed25519PrivateKey.generate()
        consent = _consent(member, purpose_digest, consent_key)
        now = datetime.now(UTC)
        cooperative.log_event(transport, member, consent.leaf, signed_at=now, now=now)
        return SimulatedResident(member=member, consent=consent, consent_key=consent_key, week=week)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, codes, weeks))


def answer_all(residents: Sequence[SimulatedResident], *, task_digest: str) -> None:
    """Let every resident answer the task, as their own store would."""
    first = residents[0].member
    asked = cooperative.tasks(HttpTransport(first.url), first)
    task = next(each.task for each in asked if each.task.digest == task_digest)

    def answer(resident: SimulatedResident) -> None:
        if task.trust_mode is TrustMode.LOCAL:
            cooperative.send_report(HttpTransport(first.url), _report(resident, task))
        else:
            _send_both(resident, task)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(answer, residents))


def _consent(member: Membership, purpose_digest: str, key: Ed25519PrivateKey) -> SignedEvent:
    """Sign a consent whose clear body nobody keeps: a commitment to nothing that exists."""
    payload = LeafPayload(
        t=EventType.GIVEN,
        o=member.log_origin,
        cid=secrets.token_hex(16),
        n=0,
        p="",
        pd=purpose_digest,
        c=secrets.token_hex(32),
        at=utc_text(datetime.now(tz=UTC)),
        kid=thumbprint(key.public_key()),
    )
    return read_event(sign_event(payload, key))


def _send_both(resident: SimulatedResident, task: Task) -> None:
    """Send each keeper its own sealed half, the leader first."""
    week, consent = resident.week, resident.consent
    report_id = secrets.token_hex(16)
    sharded = shard(
        encode(figures_of(week), task).vector,
        task,
        report_id=report_id,
        randomness=secrets.token_bytes(vdaf_for(task).rand_bytes),
    )
    shares = seal_shares(sharded, task, report_id=report_id)
    report = SealedReport(
        report_id=report_id,
        task_digest=task.digest,
        zone=week.zone,
        public_share=shares.public_share,
        leader_sha256=sha256(shares.leader).hexdigest(),
        helper_sha256=sha256(shares.helper).hexdigest(),
        cid=consent.payload.cid,
        n=0,
        head=consent.head,
        pd=task.purpose_digest,
        epsilon_micro=task.epsilon_micro,
        at=datetime.now(tz=UTC),
    )
    statement = sign_sealed_report(report, resident.consent_key)
    leader, helper = (HttpTransport(keeper.url) for keeper in task.keepers)
    admission = cooperative.send_to_leader(
        leader, Upload(statement=statement, sealed=shares.leader, admission=None)
    )
    cooperative.send_to_helper(
        helper, Upload(statement=statement, sealed=shares.helper, admission=admission)
    )


def _report(resident: SimulatedResident, task: Task) -> bytes:
    week, consent = resident.week, resident.consent
    exact = encode(figures_of(week), task)
    report = Report(
        report_id=secrets.token_hex(16),
        task_digest=task.digest,
        zone=week.zone,
        vector=OpenDPLaplace().laplace(exact.vector, noise_scale(task)),
        cid=consent.payload.cid,
        n=0,
        head=consent.head,
        pd=task.purpose_digest,
        epsilon_micro=task.epsilon_micro,
        at=datetime.now(tz=UTC),
    )
    return sign_report(report, resident.consent_key)
