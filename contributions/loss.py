"""A resident's privacy loss over a year, by two rules: the sum, and the tighter PLD figure.

Pure composition adds ε up and is what the ledger decides by (`budget`). Composing the privacy loss
distributions (PLD) of the same mechanisms gives a smaller ε at a δ of one in a million. Each
contribution counts as one Laplace mechanism of its whole ε, in one coordinate: an upper bound for
a vector of the same L1 sensitivity, and for an ε that is split between zones and territory.

The PLD figure is shown and never decides. Google's `dp-accounting` computes it; it is loaded at the
first figure, not with this module.
"""

from collections import Counter
from functools import lru_cache
from math import ceil

from contributions.budget import WINDOW_WEEKS
from contributions.errors import Malformed
from contributions.wire import INTEGER_LIMIT, expect_integer

DELTA = 1e-6
"""The δ at which the PLD figure is stated; that of the pure figure is 0."""

_MOST_MICRO = 10**9
_GRID = 1e-3
"""Step of the loss grid; rounding is upwards, which adds at most one step a contribution."""


@lru_cache(maxsize=64)
def pld_epsilon(amounts_micro: tuple[int, ...]) -> float:
    """Return ε at `DELTA` of contributions of these ε, in millionths, composed by PLD; 0 for none.

    Never above their sum. Takes half a millisecond a contribution once the library is loaded.
    Raises `Malformed` for an amount that is not a positive integer.
    """
    if not amounts_micro:
        return 0.0
    for amount in amounts_micro:
        expect_integer(amount, "amounts_micro", low=1, high=INTEGER_LIMIT - 1)
    if sum(amounts_micro) > _MOST_MICRO:
        raise Malformed("expected amounts that add up to an epsilon of at most 1 000")
    from dp_accounting.pld import privacy_loss_distribution as pld  # noqa: PLC0415 (2 s)

    whole = None
    for amount, count in sorted(Counter(amounts_micro).items()):
        one = pld.from_laplace_mechanism(10**6 / amount, value_discretization_interval=_GRID)
        many = one.self_compose(count)
        whole = many if whole is None else whole.compose(many)
    assert whole is not None, "there is at least one amount"
    return min(float(whole.get_epsilon_for_delta(DELTA)), sum(amounts_micro) / 10**6)


def yearly_pld_micro(epsilon_week_micro: int) -> int:
    """Return ε of 52 such weeks composed by PLD, in millionths, rounded up."""
    return ceil(10**6 * pld_epsilon((epsilon_week_micro,) * WINDOW_WEEKS))
