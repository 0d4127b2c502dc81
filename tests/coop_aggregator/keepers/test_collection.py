"""Step 8 for two keepers: one draw a bucket, by each, whatever is asked and whoever crashes."""

from fractions import Fraction

import pytest
from sqlalchemy import text

from contributions.collection import ReportSet, commitment
from contributions.envelope import Role
from contributions.keeper_messages import (
    CollectionRequest,
    CollectionShare,
    read_message,
    sign_message,
)
from contributions.noise import OpenDPLaplace
from contributions.prio3.field import FIELD128
from coop_aggregator.db.collections import Collected, collected_of, keep_other_share
from coop_aggregator.db.releases import release_by_week
from coop_aggregator.errors import KeeperFailed, KeeperRefused, ReleaseRefused, ReportRefused
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.keepers import collection
from coop_aggregator.keepers.aggregation import aggregate
from coop_aggregator.keepers.collection import buckets_of, collect
from coop_aggregator.keepers.publication import build_release
from coop_aggregator.release import publish

WEEK = "2026-W46"


class CountedNoise:
    """OpenDP's noise, and how often it was asked for."""

    def __init__(self, fails_at=None):
        self.draws, self.fails_at, self.scales = 0, fails_at, []

    def laplace(self, values, scale):
        self.draws += 1
        self.scales.append(scale)
        if self.draws == self.fails_at:
            raise KeyboardInterrupt
        return OpenDPLaplace().laplace(values, scale)


class NoNoise:
    """No noise, to see what is summed."""

    def laplace(self, values, _scale):
        return tuple(values)


def fill(keepers, zones="AAABB", vector=(3,) * 8):
    for zone in zones:
        keepers.resident(zone).send_sealed(vector)
    keepers.after_deadline()
    aggregate(keepers.leader, WEEK, keepers.channel, executor=InlineExecutor())


def take(keepers, noise=None):
    return collect(keepers.leader, WEEK, keepers.channel, noise=noise or CountedNoise())


def own_shares(side, task):
    with side.database.read() as connection:
        return {b.zone: b.noised_share for b in collected_of(connection, task.digest)}


def question(keepers, zone, reports, said="cd" * 32):
    request = CollectionRequest(
        task_digest=keepers.task.digest, zone=zone, reports=reports, commitment=said
    )
    return sign_message(request, keepers.leader.keeper.sign)


def test_the_territory_and_each_large_enough_zone_have_a_draw_of_their_own(make_pair):
    """Three quarters of ε for the territory: the noise of its sum is a third of a zone's."""
    keepers = make_pair(territory_share=Fraction(3, 4))
    fill(keepers, zones="AAABBBCC")
    ours, theirs = CountedNoise(), CountedNoise()
    keepers.channel.noise = theirs
    buckets = take(keepers, ours)
    assert {bucket.zone for bucket in buckets} == {None, "A", "B", "C"}
    assert ours.draws == theirs.draws == 4
    assert keepers.task.epsilon_micro == 1_000_000
    territory, zone = Fraction(4, 3) * 1000, Fraction(4) * 1000
    for source in (ours, theirs):
        assert source.scales == [territory, zone, zone, zone]


def test_without_noise_the_figures_are_what_was_sent(keepers):
    """The one place where noise is added is the noise source; everything else is exact."""
    fill(keepers, zones="AAABBC")
    keepers.channel.noise = NoNoise()
    release = build_release(keepers.task, take(keepers, NoNoise()), software_version="test 1")
    walk = {row.zone: row.value for row in release.rows if row.label == "walk"}
    unit_km = float(50 * keepers.task.scale / keepers.task.cap_units)
    assert walk == {
        None: round(18 * unit_km, 1),
        "A": round(9 * unit_km, 1),
        "B": None,
        "C": None,
    }


def test_a_second_collection_gives_the_same_shares_and_draws_nothing(keepers):
    fill(keepers)
    first = take(keepers)
    again = CountedNoise()
    keepers.channel.noise = again
    assert take(keepers, again) == first
    assert again.draws == 0


def test_the_helper_s_first_answer_stays(keepers):
    """K6: two of its draws for one bucket would be a loss of twice ε; one is published."""
    fill(keepers)
    first = take(keepers)
    for zone in (None, "A"):
        with keepers.leader.database.write() as connection:
            keep_other_share(connection, keepers.task.digest, zone, (1,) * 8)
    assert take(keepers) == first


def test_a_second_collection_of_another_set_is_refused_by_the_helper(keepers):
    fill(keepers)
    take(keepers)
    for zone in (None, "A"):
        other = ReportSet(count=4, checksum="ab" * 32)
        with pytest.raises(KeeperRefused):
            keepers.channel.collect(question(keepers, zone, other))


def test_sets_that_differ_are_refused_and_no_share_leaves_either_keeper(keepers):
    """K5: Nothing MUST be combined unless both hold the same reports."""
    fill(keepers)
    with keepers.helper.database.write() as connection:
        connection.execute(
            text(
                "UPDATE sealed_reports SET state = 'refused' WHERE report_id = "
                "(SELECT min(report_id) FROM sealed_reports)"
            )
        )
    noise = CountedNoise()
    keepers.channel.noise = noise
    with pytest.raises(KeeperRefused):
        take(keepers)
    assert noise.draws == 0
    assert own_shares(keepers.helper, keepers.task) == {}
    with keepers.leader.database.read() as connection:
        assert {b.other_share for b in collected_of(connection, keepers.task.digest)} == {None}


def test_a_leader_that_claims_enough_reports_is_not_believed(make_pair):
    """Each keeper counts by itself."""
    keepers = make_pair(min_batch_size=6)
    fill(keepers)
    with keepers.helper.database.read() as connection:
        ids = [row[0] for row in connection.execute(text("SELECT report_id FROM sealed_reports"))]
    for reports in (ReportSet.of(ids), ReportSet(count=6, checksum="ab" * 32)):
        with pytest.raises(KeeperRefused):
            keepers.channel.collect(question(keepers, None, reports))
    assert take(keepers) == ()
    assert own_shares(keepers.helper, keepers.task) == {}


def test_a_zone_below_the_minimum_is_never_collected(keepers):
    fill(keepers, zones="AAABBC")
    buckets = {bucket.zone: bucket.reports.count for bucket in take(keepers)}
    # With C alone hidden, territory minus A and B would be one resident: B is held back as well.
    assert buckets == {None: 6, "A": 3}
    assert set(own_shares(keepers.helper, keepers.task)) == {None, "A"}


def test_a_helper_gives_no_zone_that_would_show_another_one_empty(keepers):
    fill(keepers, zones="AAABB")
    with keepers.helper.database.read() as connection:
        held = buckets_of(connection, keepers.task)
    assert held.of("B").count == keepers.task.min_batch_size
    with pytest.raises(KeeperRefused):
        keepers.channel.collect(question(keepers, "B", held.of("B")))
    assert own_shares(keepers.helper, keepers.task) == {}


def test_late_reports_and_jobs_are_refused_after_the_collection(keepers):
    """K8: After the first collection a keeper MUST refuse late reports and jobs."""
    late = keepers.resident()
    shares = late.shares()
    fill(keepers)
    take(keepers)
    keepers.clock.advance(days=-3)
    with pytest.raises(ReportRefused, match="close"):
        late.send_sealed(shares=shares)
    with pytest.raises(KeeperRefused):
        keepers.channel.answer_job(keepers.channel.asked[1])


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("role", list(Role))
def test_what_draws_counts_the_reports_itself_whoever_asked(make_pair, role):
    """K5: enough of them, each by its own count; here nothing in front of the draw has looked."""
    keepers = make_pair(min_batch_size=6)
    fill(keepers)
    noise, side = CountedNoise(), keepers.leader if role is Role.LEADER else keepers.helper
    with side.database.write() as connection, pytest.raises(KeeperRefused):
        collection._draw(connection, keepers.task, said=None, noise=noise, now=side.clock.now())
    assert noise.draws == 0
    assert own_shares(side, keepers.task) == {}


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("role", list(Role))
def test_nothing_is_drawn_over_a_sum_that_is_missing(keepers, role):
    fill(keepers)
    noise, side = CountedNoise(), keepers.leader if role is Role.LEADER else keepers.helper
    keepers.channel.noise = noise
    with side.database.write() as connection:
        connection.execute(text("UPDATE aggregation_jobs SET share = NULL WHERE zone = 'A'"))
    with pytest.raises(KeeperRefused):
        take(keepers, noise if role is Role.LEADER else None)
    assert noise.draws == 0
    assert own_shares(side, keepers.task) == {}


def test_collecting_erases_shares_and_exact_sums_at_both(keepers):
    """K7: The collection MUST erase the sealed halves and the exact sums."""
    fill(keepers)
    take(keepers)
    for side in (keepers.leader, keepers.helper):
        with side.database.read() as connection:
            left = connection.execute(
                text(
                    "SELECT (SELECT count(sealed) FROM sealed_reports),"
                    " (SELECT count(share) + count(answer) FROM aggregation_jobs)"
                )
            ).one()
        assert tuple(left) == (0, 0)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_what_is_erased_is_overwritten_in_the_files(keepers, tmp_path):
    fill(keepers)
    with keepers.helper.database.read() as connection:
        (sealed,) = connection.execute(text("SELECT sealed FROM sealed_reports LIMIT 1")).one()
    take(keepers)
    with keepers.helper.database._engine.connect() as connection:
        connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = b"".join(path.read_bytes() for path in (tmp_path / "stewards").glob("*.db*"))
    assert b"collections" in content
    assert sealed not in content


@pytest.mark.parametrize("draw", [1, 2, 3])
def test_a_crash_during_the_draw_leaves_nothing_drawn(keepers, draw):
    fill(keepers, zones="AAABBCC")
    with pytest.raises(KeyboardInterrupt):
        take(keepers, CountedNoise(fails_at=draw))
    assert own_shares(keepers.leader, keepers.task) == {}
    assert own_shares(keepers.helper, keepers.task) == {}
    keepers.channel.noise = CountedNoise(fails_at=draw)
    with pytest.raises(KeyboardInterrupt):
        take(keepers)
    drawn = own_shares(keepers.leader, keepers.task)
    assert own_shares(keepers.helper, keepers.task) == {}
    keepers.channel.noise = CountedNoise()
    take(keepers)
    assert own_shares(keepers.leader, keepers.task) == drawn


def test_an_answer_lost_after_the_helper_drew_is_given_again(keepers):
    fill(keepers)

    class Lossy:
        def collect(self, request):
            keepers.channel.collect(request)
            raise KeeperFailed(fr="perdue", en="lost")

    with pytest.raises(KeeperFailed):
        collect(keepers.leader, WEEK, Lossy(), noise=CountedNoise())
    drawn = own_shares(keepers.helper, keepers.task)
    assert drawn
    buckets = take(keepers)
    assert {bucket.zone: bucket.other_share for bucket in buckets} == drawn


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize(
    "said",
    [
        {"reports": ReportSet(count=4, checksum="ab" * 32)},
        {"zone": "B"},
        {"task_digest": "ab" * 32},
        {"noised_share": (1,) * 7},
    ],
    ids=["another set", "another zone", "another task", "a figure less"],
)
def test_the_leader_combines_nothing_with_an_answer_to_another_question(keepers, said):
    """K5: the leader holds the helper's signed answer to what it asked, field by field."""
    fill(keepers)
    ours = {"task_digest": keepers.task.digest, "zone": None, "noised_share": (1,) * 8}

    class Wrong:
        def collect(self, request):
            asked = read_message(CollectionRequest, request, keepers.task.keepers[0].sign_key)
            answer = CollectionShare(**(ours | {"reports": asked.reports} | said))
            return sign_message(answer, keepers.helper.keeper.sign)

    with pytest.raises(KeeperFailed):
        collect(keepers.leader, WEEK, Wrong(), noise=CountedNoise())
    with keepers.leader.database.read() as connection:
        assert {b.other_share for b in collected_of(connection, keepers.task.digest)} == {None}


def test_a_week_is_not_collected_before_it_is_aggregated(keepers):
    keepers.resident().send_sealed()
    keepers.after_deadline()
    with pytest.raises(ReleaseRefused):
        take(keepers)


def test_a_week_is_released_once_from_both_noised_shares(keepers):
    """R4: A week MUST be released once; R5: with every statement."""
    for zone in "AAABB":
        keepers.resident(zone).send_sealed()
    keepers.after_deadline()
    stored = publish(keepers.leader, WEEK, executor=InlineExecutor(), channel=keepers.channel)
    assert b'"mechanism":"two-keepers-discrete-laplace"' in stored.body
    with pytest.raises(ReleaseRefused):
        publish(keepers.leader, WEEK, executor=InlineExecutor(), channel=keepers.channel)


def test_a_week_below_the_minimum_is_released_with_nothing_in_it(make_pair):
    """R3: A batch smaller than the task's minimum MUST NOT be published."""
    keepers = make_pair(min_batch_size=3)
    for _ in range(2):
        keepers.resident().send_sealed()
    keepers.after_deadline()
    stored = publish(keepers.leader, WEEK, executor=InlineExecutor(), channel=keepers.channel)
    assert b'"n":0' in stored.body
    assert b'"published"' not in stored.body


def test_a_total_that_so_many_reports_cannot_give_is_not_published(keepers):
    """Shares that belong together give at most n·Q and the tail of both noises, 120 scales."""
    task, reports = keepers.task, ReportSet.of(["01" * 16, "02" * 16])
    most = 2 * 1000 + 120 * 2000

    def released(total):
        bucket = Collected(
            task_digest=task.digest,
            zone=None,
            reports=reports,
            noised_share=(FIELD128.modulus - 5,) * 8,
            other_share=((total + 5) % FIELD128.modulus,) * 8,
            collected_at=keepers.clock.now(),
        )
        return build_release(task, [bucket], software_version="test 1")

    for total in (most, -most):
        assert released(total).n == 2
    for total in (most + 1, -most - 1):
        with pytest.raises(KeeperFailed):
            released(total)


@pytest.fixture
def restored(keepers, copies):
    """Return two keepers of whom the leader was restored to a copy made before the collection."""
    fill(keepers)
    before = copies.rows_of(keepers.leader)
    publish(keepers.leader, WEEK, executor=InlineExecutor(), channel=keepers.channel)
    drawn = own_shares(keepers.leader, keepers.task)
    copies.restore(keepers.leader, before)
    assert own_shares(keepers.leader, keepers.task) == {}
    return keepers, drawn


def test_a_leader_restored_from_an_older_copy_is_refused_a_second_release(restored):
    """K10: The leader MUST commit to what it drew; the helper MUST hold it to the first word."""
    keepers, drawn = restored
    noise = CountedNoise()
    keepers.channel.noise = noise
    for _ in range(2):
        with pytest.raises(KeeperRefused):
            publish(keepers.leader, WEEK, executor=InlineExecutor(), channel=keepers.channel)
    assert noise.draws == 0
    assert own_shares(keepers.leader, keepers.task) != drawn
    with keepers.leader.database.read() as connection:
        assert release_by_week(connection, WEEK) is None
        assert {b.other_share for b in collected_of(connection, keepers.task.digest)} == {None}


def test_what_the_leader_committed_to_is_what_it_publishes_with(keepers):
    fill(keepers)
    buckets = take(keepers)
    with keepers.helper.database.read() as connection:
        told = {b.commitment for b in collected_of(connection, keepers.task.digest)}
    assert told == {commitment({bucket.zone: bucket.noised_share for bucket in buckets})}
