import numpy as np
import pytest
from scipy.integrate import quad

from skdgm._kernels.machines.log_conditionals import UnitRows, log_odds
from skdgm.distributions import Bernoulli, Gaussian
from skdgm.energies import layered
from skdgm.metrics import log_densities


@pytest.mark.parametrize("units", [None, [[0, 2], [1, 1], [2, 0], [0, 1]]])
def test_log_density_of_a_real_unit(units):
    energy, rng = layered([[Gaussian(3)], [Bernoulli(5)]]), np.random.default_rng(0)
    params, v = energy.init(rng), rng.normal(size=(4, 3))
    params.couplings[0][:] = rng.normal(size=(3, 5))
    params.units[0].log_precision[:] = rng.normal(size=3)
    units = None if units is None else np.array(units)
    found = log_densities(energy, params, (v, None), units)
    columns = np.tile(np.arange(3), (4, 1)) if units is None else units

    def p(u, r, i, top):
        row = v[[r]].copy()
        row[0, i] = u
        return np.exp(energy.log_marginal(params, (row, None))[0] - top)

    for r, own in enumerate(columns):
        for k, i in enumerate(own):
            top = energy.log_marginal(params, (v[[r]], None))[0]
            area, _ = quad(p, -30, 30, (r, i, top), points=[v[r, i]], limit=500)
            np.testing.assert_allclose(found[r, k], -np.log(area), atol=1e-3)


def test_units_that_diverged_have_no_density():
    energy, rng = layered([[Gaussian(3)], [Bernoulli(5)]]), np.random.default_rng(0)
    params, v = energy.init(rng), rng.normal(size=(4, 3))
    params.couplings[0][1] = np.inf
    with np.errstate(invalid="ignore"):
        found = log_densities(energy, params, (v, None), None)
    assert np.isnan(found[:, 1]).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_log_odds_are_differences_of_log_sums(dtype):
    rng = np.random.default_rng(0)
    W, b = rng.normal(0, 2, (4, 5)).astype(dtype), rng.normal(size=5).astype(dtype)
    v = rng.integers(0, 2, (6, 4)).astype(dtype)
    units, out = np.tile(np.arange(4), (6, 1)), np.zeros((6, 4))
    rows = UnitRows(field=v @ W + b, v=v, units=units)
    log_odds(rows, W, np.expm1(W.astype(float)), out, 0, 6)
    for i in range(4):
        on, off = (np.where(np.arange(4) == i, value, v) @ W + b for value in (1, 0))
        expected = (np.logaddexp(0, on) - np.logaddexp(0, off)).sum(axis=1)
        np.testing.assert_allclose(out[:, i], expected, atol=1e-5)
