"""Step 8: figures against an oracle of their own, suppression, and once for all."""

import json
import threading

import numpy as np
import pytest

from contributions.release import Release
from contributions.release_row import Quality
from coop_aggregator.aggregate import ZoneSum
from coop_aggregator.db.releases import release_by_week
from coop_aggregator.errors import ReleaseRefused
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.jobs import release as release_job
from coop_aggregator.release import build_release, publish

WEEK = "2026-W46"
WEIGHTS_KM = {"walk": 50, "bike": 200, "two_wheeler": 600, "car": 600}


def sums(task, counts, vectors=None):
    width = len(task.coordinates)
    return tuple(
        ZoneSum(zone=zone, count=count, vector=(vectors or {}).get(zone, (0,) * width))
        for zone, count in zip("ABC", counts, strict=True)
    )


def published(release):
    return {row.zone for row in release.rows if row.quality is Quality.PUBLISHED}


def oracle_half_width(scale, n):
    """Return the smallest h with P(|sum of n discrete Laplace| <= h) >= 0.95, by convolution."""
    reach = int(scale * 40)
    k = np.arange(-reach, reach + 1)
    q = np.exp(-1 / scale)
    one = (1 - q) / (1 + q) * q ** np.abs(k)
    size = n * 2 * reach + 1
    total = np.fft.irfft(np.fft.rfft(one, size) ** n, size)
    middle = n * reach
    for h in range(middle):
        if total[middle - h : middle + h + 1].sum() >= 0.95:
            return h
    raise AssertionError


def test_kilometres_are_units_times_weight_times_scale_over_cap(light_coop):
    units = {"A": (400, -20, 3, 1234, 0, 0, 0, 0), "B": (1, 1, 1, 1, 1, 1, 1, 1)}
    release = build_release(light_coop.task, sums(light_coop.task, (3, 2, 0), units))
    figures = {(row.zone, row.label): row.value for row in release.rows}
    for rank, (mode, weight_km) in enumerate(WEIGHTS_KM.items()):
        assert figures["A", mode] == pytest.approx(
            units["A"][rank] * weight_km * 0.75 / 1000, abs=0.051
        )
        total = units["A"][rank] + units["B"][rank]
        assert figures[None, mode] == pytest.approx(total * weight_km * 0.75 / 1000, abs=0.051)


def test_a_negative_sum_is_published_as_it_is(light_coop):
    units = {"A": (-5000, 0, 0, 0, 0, 0, 0, 0)}
    release = build_release(light_coop.task, sums(light_coop.task, (3, 3, 3), units))
    assert next(row.value for row in release.rows if row.zone == "A") == -187.5


@pytest.mark.parametrize("n", [2, 5])
def test_intervals_hold_the_noise_of_all_reports(light_coop, n):
    # Local noise at ε = 4 and Q = 1000: b = 2Q/ε = 500 units a report.
    half_width_km = oracle_half_width(500.0, n) * 600 * 0.75 / 1000
    release = build_release(light_coop.task, sums(light_coop.task, (n, 0, 0)))
    car = next(row for row in release.rows if row.zone is None and row.label == "car")
    assert car.ci95_high == pytest.approx(half_width_km, rel=0.002)
    assert car.ci95_low == -car.ci95_high


def test_a_release_states_the_yearly_epsilon(light_coop):
    release = build_release(light_coop.task, sums(light_coop.task, (2, 2, 2)))
    assert (release.epsilon_micro, release.epsilon_52_weeks_micro) == (4_000_000, 208_000_000)


@pytest.fixture
def strict_task(make_coop, light_settings):
    """Return a task that publishes from 30 reports on."""
    return make_coop(light_settings, min_batch_size=30).task


SUPPRESSION = {
    "all zones large enough": ((30, 31, 50), {None, "A", "B", "C"}),
    "one report short": ((29, 40, 41), {None, "C"}),
    "a zone without anybody": ((40, 41, 0), {None, "B"}),
    "a zone with somebody": ((40, 41, 1), {None, "B"}),
    "only one zone has anybody": ((60, 0, 0), {None}),
    "two small zones that are a group together": ((20, 15, 60), {None, "C"}),
    "a small group falls to the next smallest zone": ((10, 45, 60), {None, "C"}),
    "only the territory is large enough": ((20, 20, 20), {None}),
    "the only large zone would give the rest away": ((60, 5, 0), {None}),
    "nothing is large enough": ((9, 9, 9), set()),
    "nobody at all": ((0, 0, 0), set()),
}


@pytest.mark.parametrize("case", SUPPRESSION)
def test_what_is_below_the_minimum_is_held_back(strict_task, case):
    """R3: A batch below the minimum MUST NOT be published, nor its size told."""
    counts, shown = SUPPRESSION[case]
    assert published(build_release(strict_task, sums(strict_task, counts))) == shown


@pytest.mark.parametrize("case", SUPPRESSION)
def test_no_subtraction_gives_a_group_below_the_minimum(strict_task, case):
    counts, _shown = SUPPRESSION[case]
    release = build_release(strict_task, sums(strict_task, counts))
    known = {row.zone: row.n for row in release.rows if row.n is not None}
    rest = known.get(None, 0) - sum(n for zone, n in known.items() if zone is not None)
    everywhere = {zone for zone in known if zone is not None} == {"A", "B", "C"}
    assert rest >= 30 or (rest == 0 and everywhere) or not known


def test_counts_below_the_minimum_leave_no_trace_in_the_bytes(strict_task):
    few = build_release(strict_task, sums(strict_task, (7, 6, 5))).to_bytes()
    fewer = build_release(strict_task, sums(strict_task, (1, 0, 0))).to_bytes()
    assert few == fewer


def test_a_published_release_is_served_as_the_same_bytes_for_ever(coop):
    """R4: A week MUST be released once; afterwards the same bytes are served."""
    for zone in "AABB":
        coop.resident(zone).send_report()
    body = coop.release().body
    coop.clock.advance(days=300)
    with coop.leader.database.read() as connection:
        assert release_by_week(connection, WEEK).body == body
    assert Release.parse(body).n == 4


def test_a_second_release_of_the_same_week_is_refused(coop):
    coop.resident().send_report()
    first = coop.release()
    with pytest.raises(ReleaseRefused):
        coop.release()
    with coop.leader.database.read() as connection:
        assert release_by_week(connection, WEEK) == first


def test_two_releases_at_once_publish_the_week_once(coop):
    for zone in "AAB":
        coop.resident(zone).send_report()
    coop.after_deadline()
    together = threading.Barrier(2)
    outcomes = []

    def run():
        together.wait()
        try:
            outcomes.append(publish(coop.leader, WEEK, executor=InlineExecutor()).week)
        except ReleaseRefused:
            outcomes.append("refused")

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [WEEK, "refused"]


def run_job(leader):
    return release_job.run_once(leader, executor=InlineExecutor(), channel=None).published


def test_the_job_publishes_what_is_due_and_only_once(light_coop):
    assert run_job(light_coop.leader) == ()
    light_coop.after_deadline()
    assert run_job(light_coop.leader) == (WEEK,)
    assert run_job(light_coop.leader) == ()


def test_no_report_id_nor_member_reaches_the_release(light_coop):
    people = [light_coop.resident() for _ in range(3)]
    for person in people:
        person.send_report()
    text = light_coop.release().body.decode()
    assert not [p for p in people if p.cid in text or p.member_id in text]
    assert json.loads(text)["n"] == 3
