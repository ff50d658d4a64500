"""Steps that change no log rate by more than a limit."""

import numpy as np
import pytest

from skdgm.distributions import Bernoulli, Poisson
from skdgm.energies import Params, contrast, layered
from skdgm.gradients.steps.rate_limit import limit_rate


@pytest.mark.parametrize("rates_above", [True, False])
def test_no_log_rate_moves_further(rates_above):
    rng = np.random.default_rng(0)
    counts = Poisson(3, (1.0, 0.5, 2.0))
    units = (Bernoulli(4), counts) if rates_above else (counts, Bernoulli(4))
    energy = layered([[unit] for unit in units])
    sizes = [unit.size for unit in units]
    params = Params(tuple(map(np.zeros, sizes)), (np.zeros(sizes),))
    x, other = (
        tuple(rng.poisson(3.0, (5, n)).astype(float) for n in sizes) for _ in "ab"
    )
    grad, block = contrast(energy, params, x, other), int(rates_above)
    rate = limit_rate(energy, grad, 10.0)
    assert rate < 10.0
    after = Params(
        tuple(rate * own for own in grad.units), (rate * np.asarray(grad.couplings[0]),)
    )
    moved = [
        abs(energy.field(after, block, energy.received(after, state, block))).max()
        for state in (x, other)
    ]
    assert max(moved) == pytest.approx(0.5)
    assert limit_rate(energy, grad, 1e-6) == 1e-6


def test_other_units_have_no_such_limit():
    energy = layered([[Bernoulli(2)], [Bernoulli(2)]])
    params = Params((np.zeros(2), np.zeros(2)), (np.zeros((2, 2)),))
    x, other = ((np.full((3, 2), value),) * 2 for value in (1.0, 0.0))
    grad = contrast(energy, params, x, other)
    assert limit_rate(energy, grad, 1e6) == 1e6
