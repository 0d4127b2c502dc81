"""Simulated residents: each joins, consents and contributes through the public door.

They share everything with a real store but the trips: the same consent events, the same noise,
the same bytes on the wire, the same refusals. Their weeks come from `population.py`. Each is a few
kilobytes of memory, so that some hundreds fit a laptop.
"""

import secrets
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from population import SimulatedWeek

from consents.canonical import utc_text
from consents.jws import thumbprint
from consents.receipt import LeafPayload, SignedEvent, read_event, sign_event
from consents.record import EventType
from contributions.measurement import encode
from contributions.messages import Report, sign_report
from contributions.noise import OpenDPLaplace, noise_scale
from contributions.task import Task
from personal_store import cooperative
from personal_store.cooperative import Membership
from personal_store.transport import HttpTransport

AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedResident:
    """A member whose consent is in the log, and the week that they lived."""

    member: Membership
    consent: SignedEvent
    consent_key: Ed25519PrivateKey
    week: SimulatedWeek


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
        cooperative.log_event(transport, member, consent.leaf)
        return SimulatedResident(member=member, consent=consent, consent_key=consent_key, week=week)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, codes, weeks))


def answer_all(residents: Sequence[SimulatedResident], *, task_digest: str) -> None:
    """Let every resident answer the task, as their own store would."""
    first = residents[0].member
    asked = cooperative.tasks(HttpTransport(first.url), first)
    task = next(each.task for each in asked if each.task.digest == task_digest)

    def one(resident: SimulatedResident) -> None:
        cooperative.send_report(HttpTransport(first.url), _report(resident, task))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, residents))


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


def _report(resident: SimulatedResident, task: Task) -> bytes:
    week, consent = resident.week, resident.consent
    exact = encode(week.kilometres, task)
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
