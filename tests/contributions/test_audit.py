"""The audit of ε passes the honest mechanisms from every view, and catches every planted fault."""

import math
from fractions import Fraction

import numpy as np
import pytest

from contributions.audit import certify, clopper_pearson
from contributions.collection import add_noise, totals
from contributions.errors import Malformed
from contributions.measurement import encode
from contributions.measures import Coordinate, Measure
from contributions.noise import OpenDPLaplace, noise_scale
from contributions.task import Adjacency, TrustMode
from contributions.two_keepers import Level, keeper_noise_scale

CAR, BIKE = (Measure.KILOMETRES, "car"), (Measure.KILOMETRES, "bike")
CAP = 4
PRECISE = 1_000_000
EPSILON = 0.5  # of the zones' figures in the task below
SLACK = 0.02
"""What an honest bound may exceed ε by: nothing but a 1 in 10 000 accident of the draws."""


@pytest.fixture(scope="module")
def audited(make_task):
    return make_task(
        trust_mode=TrustMode.TWO_KEEPERS,
        adjacency=Adjacency.ZERO_OUT,
        cap_units=CAP,
        scale=Fraction(1),
        coordinates=(
            Coordinate(measure=Measure.KILOMETRES, label="car", weight=100),
            Coordinate(measure=Measure.KILOMETRES, label="bike", weight=100),
        ),
    )


@pytest.fixture(scope="module", params=[80_000, pytest.param(PRECISE, marks=pytest.mark.slow)])
def draws(request):
    return request.param


@pytest.fixture(scope="module")
def pool(audited, draws):
    """Return certified draws: (input, keeper, draw, coordinate) at the zones' scale."""
    scale = keeper_noise_scale(audited, Level.ZONE)
    flat = OpenDPLaplace().laplace([0] * (2 * 2 * draws * 2), scale)
    return np.array(flat).reshape(2, 2, draws, 2)


def weeks(task, encoder=encode):
    """Return the empty week and the one that moves the sum most: the worst neighbours."""
    full = {CAR: 10_000.0, BIKE: 10_000.0}
    return tuple(np.array(encoder(week, task).vector) for week in ({}, full))


def bound(inputs, noise):
    released = [z + noise[which] for which, z in enumerate(inputs)]
    return certify(*(each.astype(float) for each in released), inputs=inputs).epsilon


def test_the_release_of_two_keepers_loses_at_most_epsilon_to_the_public(audited, pool):
    assert bound(weeks(audited), pool.sum(axis=1)) <= EPSILON + SLACK


@pytest.mark.parametrize("own", [0, 1])
def test_a_keeper_that_knows_its_own_noise_gains_at_most_epsilon(audited, pool, own):
    assert bound(weeks(audited), pool[:, 1 - own]) <= EPSILON + SLACK


def test_the_audit_is_sharp_enough_to_nearly_reach_epsilon(audited, pool, draws):
    share = 0.93 if draws == PRECISE else 0.7
    assert bound(weeks(audited), pool[:, 0]) > share * EPSILON


def test_half_the_noise_is_caught(audited, draws):
    scale = keeper_noise_scale(audited, Level.ZONE) / 2
    halved = np.array(OpenDPLaplace().laplace([0] * (2 * draws * 2), scale)).reshape(2, draws, 2)
    assert bound(weeks(audited), halved) > 1.5 * EPSILON


def test_a_missing_joint_cap_is_caught_although_each_coordinate_alone_passes(pool):
    # Each mode filled to Q by itself: the sum moves by 2Q.
    uncapped = (np.zeros(2, dtype=int), np.full(2, CAP))
    assert bound(uncapped, pool[:, 0]) > 1.5 * EPSILON
    for at in range(2):
        alone = tuple(z[at : at + 1] for z in uncapped)
        assert bound(alone, pool[:, 0, :, at : at + 1]) <= EPSILON + SLACK


def test_noise_used_twice_in_one_share_is_caught(pool):
    reused = np.repeat(pool[:, 0, :, :1], 2, axis=2)
    one_mode = (np.zeros(2, dtype=int), np.array([CAP, 0]))
    assert bound(one_mode, reused) > 4 * EPSILON
    assert bound(one_mode, pool[:, 0]) <= EPSILON + SLACK


def test_two_keepers_that_draw_the_same_noise_are_caught_from_either_s_view(pool):
    """A keeper sees the release without its own draw, and that draw: both must not tell z."""
    inputs = (np.zeros(4, dtype=int), np.array([CAP, 0, 0, 0]))

    def seen(own, other):
        # Of each figure: what is left of own + other once own is taken off, then own itself,
        # side by side: the audit compares neighbours.
        return np.stack([(own + other) - own, own], axis=3).reshape(*own.shape[:2], 4)

    honest, same = seen(pool[:, 0], pool[:, 1]), seen(pool[:, 0], pool[:, 0])
    assert bound(inputs, same) > 4 * EPSILON
    assert bound(inputs, honest) <= EPSILON + SLACK


@pytest.mark.parametrize("multiple", [2, 3, 10])
def test_noise_that_keeps_to_multiples_is_caught(pool, multiple):
    """Rounded noise is as wide as it should be, and its remainder tells one unit from none."""
    rounded = multiple * np.rint(pool[:, 0] / multiple)
    one_unit = (np.zeros(2, dtype=int), np.array([1, 0]))
    assert rounded.std() == pytest.approx(pool[:, 0].std(), rel=0.1)
    assert bound(one_unit, rounded) > 4 * EPSILON
    assert bound(one_unit, pool[:, 0]) <= EPSILON / CAP + SLACK


def test_a_silent_keeper_is_caught_from_the_other_s_view(audited, pool):
    # What the noisy keeper sees once it takes its own noise off: nothing protects it.
    assert bound(weeks(audited), np.zeros_like(pool[:, 0])) > 4 * EPSILON


def rounding_up(week, task):
    """Encode as production does, but for the direction of the last rounding."""
    units = [
        task.cap_units * Fraction(week.get(c.key, 0)) / (c.weight * task.scale)
        for c in task.coordinates
    ]
    shrink = min(Fraction(1), Fraction(task.cap_units) / (sum(units) or 1))
    return tuple(math.ceil(unit * shrink) for unit in units)


def test_rounding_up_after_capping_is_caught(make_task, audited, pool):
    wide = make_task(cap_units=CAP, coordinates=make_task().coordinates)
    week = {c.key: 0.001 for c in wide.coordinates} | {CAR: 9e9}
    vectors = np.array(encode(week, wide).vector), np.array(rounding_up(week, wide))
    noise = pool.reshape(2, -1, 8)
    honest, up = (bound((np.zeros(8, dtype=int), z), noise) for z in vectors)
    assert honest <= EPSILON + SLACK
    assert up > EPSILON + SLACK
    assert audited.cap_units == CAP < vectors[1].sum()


def test_a_local_report_loses_at_most_epsilon_between_any_two_weeks(make_task, draws):
    task = make_task(
        cap_units=CAP,
        scale=Fraction(1),
        coordinates=(
            Coordinate(measure=Measure.KILOMETRES, label="car", weight=100),
            Coordinate(measure=Measure.KILOMETRES, label="bike", weight=100),
        ),
    )
    noise = np.array(OpenDPLaplace().laplace([0] * (4 * draws), noise_scale(task)))
    inputs = tuple(np.array(encode(week, task).vector) for week in ({CAR: 9e9}, {BIKE: 9e9}))
    assert 0.7 < bound(inputs, noise.reshape(2, draws, 2)) <= 1 + SLACK


def test_float_noise_fails_the_precision_attack_and_ours_has_no_low_bits(audited):
    """Adding 1 to a float erases the bits that only an input of 0 can show."""
    rng = np.random.default_rng(7)
    inputs = (np.zeros(2, dtype=int), np.array([1, 0]))
    scale = float(keeper_noise_scale(audited, Level.ZONE))
    floats = rng.laplace(scale=scale, size=(2, 40_000, 2))
    assert bound(inputs, floats) > 4 * EPSILON
    ours = np.array(OpenDPLaplace().laplace([0] * 160_000, keeper_noise_scale(audited, Level.ZONE)))
    assert bound(inputs, ours.reshape(2, 40_000, 2)) <= EPSILON / CAP + SLACK


def test_the_noise_of_two_keepers_has_the_exact_distribution(audited, pool):
    """χ² of Y1 + Y2, drawn and combined in the field as keepers do, against the convolution."""
    scale = float(keeper_noise_scale(audited, Level.ZONE))
    sample = pool[0, :, :20_000, 0]
    ours = totals(
        [
            add_noise([0] * sample.shape[1], sample[0].tolist()),
            add_noise([0] * sample.shape[1], sample[1].tolist()),
        ],
        largest=10**6,
    )
    q = math.exp(-1 / scale)
    reach = 400
    ks = np.arange(-reach, reach + 1)
    single = (1 - q) / (1 + q) * q ** np.abs(ks)
    pair = np.convolve(single, single)
    edges = np.arange(-60, 61, 4)
    values = np.arange(-2 * reach, 2 * reach + 1)
    expected = np.array(
        [
            pair[(values >= low) & (values < high)].sum()
            for low, high in zip(np.r_[-(10**9), edges], np.r_[edges, 10**9], strict=True)
        ]
    ) * len(ours)
    observed = np.histogram(ours, bins=np.r_[-(10**9), edges, 10**9])[0]
    chi2 = ((observed - expected) ** 2 / expected).sum()
    freedom = len(expected) - 1
    # Wilson-Hilferty: beyond 4.5 sd with probability below 1e-5.
    z = ((chi2 / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))
    assert z < 4.5


def test_the_interval_of_clopper_and_pearson_is_the_published_one():
    # 10 of 100 at 95 %: 4.90 % to 17.62 %, as in every table of the method.
    low, high = clopper_pearson(10, 100, 0.05)
    assert (low, high) == (pytest.approx(0.0490047, abs=1e-6), pytest.approx(0.1762226, abs=1e-6))


def test_too_few_draws_certify_nothing():
    few = np.zeros((999, 2))
    with pytest.raises(Malformed):
        certify(few, few, inputs=(np.zeros(2, dtype=int), np.ones(2, dtype=int)))
