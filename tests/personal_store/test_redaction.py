"""Whatever is shown in a log or a traceback: no place, no exact kilometres, no secret."""

from datetime import UTC, datetime, timedelta

import pytest

from carbon.modes import TransportMode
from personal_store.choices import consenting
from personal_store.choices.consent_events import Choice
from personal_store.db import consents
from personal_store.db.connection import reading
from personal_store.db.contributions import ContributionState, KeptContribution
from personal_store.ingest.positionfix import Positionfix, SourceFormat
from personal_store.trips.timeline import (
    ModeProbability,
    ModeSource,
    Staypoint,
    Timeline,
    Trip,
    Tripleg,
)

AT = datetime(2026, 11, 9, 7, tzinfo=UTC)
LEG = Tripleg(
    start=AT,
    end=AT + timedelta(minutes=5),
    distance_m=900.0,
    gap_m=0.0,
    modes=(ModeProbability(mode=TransportMode.WALK, probability=1.0),),
    mode_source=ModeSource.MOTION,
    track=((-1.1512, 46.1598), (-1.1612, 46.1698)),
)
TRIP = Trip(device="telephone", start=AT, end=LEG.end, triplegs=(LEG,))
STAY = Staypoint(start=AT, end=LEG.end, lon=-1.1512, lat=46.1598, radius_m=5.0)
HOLDERS_OF_PLACES = {
    "positionfix": Positionfix(
        at=AT, lon=-1.1512, lat=46.1598, source=SourceFormat.GPX, device="telephone"
    ),
    "tripleg": LEG,
    "trip": TRIP,
    "staypoint": STAY,
    "timeline": Timeline(device="telephone", staypoints=(STAY,), trips=(TRIP,)),
}


@pytest.mark.parametrize("holder", HOLDERS_OF_PLACES.values(), ids=HOLDERS_OF_PLACES.keys())
def test_no_place_shows_itself(holder) -> None:
    assert "46.1" not in repr(holder)
    assert "-1.1" not in str(holder)


def test_a_kept_contribution_hides_the_exact_vector() -> None:
    kept = KeptContribution(
        task_digest="d",
        week="2026-W46",
        cid="c",
        head="h",
        epsilon_micro=1,
        state=ContributionState.SENT,
        exact=(7654321,),
        report=b"signed",
        changed_at=AT,
    )
    assert "7654321" not in repr(kept)


def test_a_membership_hides_its_private_key(cooperative) -> None:
    member = cooperative.membership()
    raw = member.member_key.private_bytes_raw()
    assert repr(raw)[2:-1] not in repr(member)
    assert raw.hex() not in repr(member)


def test_a_kept_consent_hides_its_private_key_and_its_commitment_key(joined, member, cooperative):
    asked = cooperative.publish()
    choice = Choice(
        membership=member, purpose=asked, notice=cooperative.notice(asked), language="fr"
    )
    event = consenting.give(
        joined.engine, choice, now=joined.clock.now(), randomness=joined.randomness
    )
    with reading(joined.engine) as connection:
        (consent,) = consents.every(connection)
    assert repr(event.commitment_key) not in repr(event)
    assert repr(consent.key.private_bytes_raw()) not in repr(consent)


def test_a_store_shows_no_key(store, key) -> None:
    assert key.hex() not in repr(store)
    assert key.hex() not in repr(store.engine.url)
