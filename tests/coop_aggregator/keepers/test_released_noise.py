"""The noise of what is released, through the HTTP path, against the exact two-keeper distribution.

OpenDP draws from the system's generator, so that no seed is fixed: error rates are stated instead.
"""

import math

import numpy as np
import pytest

from contributions.collection import totals
from contributions.noise import OpenDPLaplace
from contributions.two_keepers import Level, keeper_noise_scale
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.keepers.aggregation import aggregate
from coop_aggregator.keepers.collection import collect
from coop_aggregator.transport import HttpHelper

WEEK = "2026-W46"
ZONES = 40


def two_keeper_pmf(scale, reach):
    """Return P(Y₁ + Y₂ = k) for |k| ≤ reach, by convolution of the exact one-draw law."""
    q = math.exp(-1 / float(scale))
    k = np.arange(-4 * reach, 4 * reach + 1)
    one = (1 - q) / (1 + q) * q ** np.abs(k)
    both = np.convolve(one, one)
    middle = len(both) // 2
    return both[middle - reach : middle + reach + 1]


@pytest.fixture(scope="module")
def drawn():
    """Return the noise that was drawn so far: one week serves every test."""
    return []


@pytest.fixture
def noise(drawn, request):
    """Return the task, and the noise of every zone's figure: 320 draws of each keeper."""
    if not drawn:
        drawn.append(request.getfixturevalue("week_of_noise"))
    return drawn[0]


@pytest.fixture
def week_of_noise(make_keepers, light_settings, squares, serve):
    """Collect a week over HTTP and take away what was sent."""
    keepers = make_keepers(light_settings, cap_units=20)
    for zone in [square["properties"]["code"] for square in squares]:
        for _ in range(2):
            keepers.resident(zone).send_sealed([1] * 8)
    keepers.after_deadline()
    client = serve(keepers.helper)
    with HttpHelper("http://coop.example", transport=client._transport) as channel:
        aggregate(keepers.leader, WEEK, channel, executor=InlineExecutor())
        buckets = collect(keepers.leader, WEEK, channel, noise=OpenDPLaplace())
    found = []
    for bucket in buckets:
        if bucket.zone is not None:
            units = totals([bucket.noised_share, bucket.other_share], largest=10**9)
            found.extend(value - 2 for value in units)
    return keepers.task, np.array(found)


@pytest.fixture
def squares(squares):
    """Forty zones in place of three."""
    ring = squares[0]["geometry"]["coordinates"][0]
    return [
        squares[0]
        | {
            "properties": {"code": f"Z{number}", "nom": f"Zone {number}"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x + number, y] for x, y in ring]],
            },
        }
        for number in range(ZONES)
    ]


def test_the_noise_of_released_figures_follows_the_two_keeper_law(noise):
    """Chi-squared over bins of equal mass."""
    task, drawn = noise
    scale = keeper_noise_scale(task, Level.ZONE)
    reach = math.ceil(40 * scale)
    pmf = two_keeper_pmf(scale, reach)
    cumulated = np.cumsum(pmf)
    bins = 16
    edges = np.searchsorted(cumulated, np.arange(1, bins) / bins)
    expected = np.diff([0, *cumulated[edges], 1]) * len(drawn)
    place = np.searchsorted(edges, drawn + reach, side="left")
    counts = np.bincount(place, minlength=bins)
    statistic = float(((counts - expected) ** 2 / expected).sum())
    assert len(drawn) == ZONES * 8
    assert statistic < 56.5  # 15 degrees of freedom: P(χ² > 56.5) is about 1e-6


def test_the_size_of_released_noise_is_that_of_two_full_draws(noise):
    """Mean magnitude, within five standard errors; one silent keeper is seven away."""
    task, drawn = noise
    scale = keeper_noise_scale(task, Level.ZONE)
    reach = math.ceil(40 * scale)
    magnitude = np.abs(np.arange(-reach, reach + 1))
    pmf = two_keeper_pmf(scale, reach)
    mean = float((pmf * magnitude).sum())
    spread = math.sqrt(float((pmf * magnitude**2).sum()) - mean**2)
    assert abs(float(np.abs(drawn).mean()) - mean) < 5 * spread / math.sqrt(len(drawn))
