"""A consent limited to an area, end to end: which trips count, what is told, what leaves."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from carbon.modes import TransportMode
from contributions.messages import read_report
from personal_store.choices import consenting, limit_words, limiting
from personal_store.db import timelines
from personal_store.db.connection import writing
from personal_store.db.tables import territory
from personal_store.documents.sharing import preview_document
from personal_store.errors import GateClosed, NotAnswerable, StoreError
from personal_store.trips.timeline import ModeProbability, ModeSource, Timeline, Trip, Tripleg

# The territory is two squares side by side: 17300 from 2 to 1 degrees west, 17028 from 1 to 0.
HOME, NEXT, FAR = (-1.5, 46.5), (-0.5, 46.5), (5.0, 45.0)
WAYS = {
    "within home": ((HOME, (-1.4, 46.4)), 1),
    "from home to next door": ((HOME, NEXT), 2),
    "from next door home": ((NEXT, HOME), 4),
    "within next door": ((NEXT, (-0.4, 46.4)), 8),
    "out of the territory": ((HOME, FAR), 16),
    "there and back, far in between": ((HOME, FAR, HOME), 32),
}


def trip(start, track, km):
    leg = Tripleg(
        start=start,
        end=start + timedelta(minutes=20),
        distance_m=1000 * km,
        gap_m=0.0,
        modes=(ModeProbability(mode=TransportMode.TRAIN, probability=1.0),),
        mode_source=ModeSource.RESIDENT,
        track=track,
    )
    return Trip(device="telephone", start=leg.start, end=leg.end, triplegs=(leg,))


@pytest.fixture
def travelled(resident):
    """Return a resident of 17300 who made each way once, of kilometres that tell them apart."""
    monday = resident.store.clock.now() - timedelta(days=7)
    trips = tuple(
        trip(monday + timedelta(hours=hour), track, km)
        for hour, (track, km) in enumerate(WAYS.values())
    )
    timeline = Timeline(device="telephone", staypoints=(), trips=trips)
    with writing(resident.store.engine) as connection:
        timelines.replace(connection, timeline)
    return resident


def choose(resident, *zones):
    store = resident.store
    choice = resident.asked()
    area = limiting.chosen_area(store.engine, resident.member, resident.network, zones)
    limited = replace(choice, area=area)
    consenting.give(store.engine, limited, now=store.clock.now(), randomness=store.randomness)
    resident.hand_over()
    return area


CHOSEN = {
    ("17300",): 1 + 32,
    ("17300", "17028"): 1 + 2 + 4 + 8 + 32,
}


@pytest.mark.parametrize(("zones", "km"), CHOSEN.items(), ids=["home alone", "both zones"])
def test_a_trip_counts_whole_when_it_begins_and_ends_in_the_zones(travelled, task, zones, km):
    choose(travelled, *zones)
    shown = travelled.preview(task)
    assert sum(shown.week.figures.values()) == km
    document = preview_document(shown)
    assert document["zones"] == sorted(zones)
    left_out = document["trips_left_out"]
    assert left_out == len(WAYS) - km.bit_count()
    assert f"{left_out} trajet(s)" in limit_words.left_out_sentences(shown.week)["fr"]


def test_without_an_area_every_trip_counts(travelled, task):
    travelled.give()
    travelled.hand_over()
    shown = travelled.preview(task)
    assert sum(shown.week.figures.values()) == sum(km for _, km in WAYS.values())
    assert (shown.week.area, shown.week.trips_left_out) == (None, 0)


def test_what_leaves_is_what_was_counted_and_says_no_zone_but_home(travelled, task):
    area = choose(travelled, "17300", "17028")
    sent = travelled.send(task)
    assert sum(read_report(sent.report).report.vector) == sum(travelled.preview(task).exact)
    for secret in (b"17028", area.outlines_sha256.encode()):
        assert secret not in sent.report
        assert not any(secret in event.signed.leaf for event in travelled.chains()[-1])


def test_an_area_without_the_home_zone_is_refused_before_anything_is_signed(resident, task):
    with pytest.raises(StoreError, match="Votre commune doit être parmi"):
        choose(resident, "17028")
    assert resident.chains() == []
    assert task


@pytest.mark.usefixtures("task")
def test_a_zone_that_the_cooperative_does_not_know_is_refused(resident):
    with pytest.raises(StoreError, match="75056"):
        choose(resident, "17300", "75056")
    assert resident.chains() == []


def test_without_the_outlines_that_the_consent_names_nothing_leaves(travelled, task):
    choose(travelled, "17300")
    with writing(travelled.store.engine) as connection:
        connection.execute(territory.delete())
    with pytest.raises(NotAnswerable, match="tracé des zones"):
        travelled.send(task)


def test_who_moves_out_of_the_area_contributes_no_more(travelled, task):
    choose(travelled, "17300")
    moved = replace(travelled, member=replace(travelled.member, zone="17028"))
    with pytest.raises(GateClosed, match="comprennent pas votre commune"):
        moved.send(task)
    assert travelled.send(task).report


def test_the_outlines_are_those_of_the_cooperative_and_kept_by_their_digest(resident, task):
    area = choose(resident, "17300")
    served = resident.network.exchange("GET", "/v1/territory", None).body
    assert area.outlines_sha256 == sha256(served).hexdigest()
    assert limiting.zone_names(resident.store.engine, area) == ("Zone 17300",)
    assert task
