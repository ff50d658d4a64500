import numpy as np
import pytest
from scipy.integrate import quad

from skdgm.distributions import Gaussian, Softmax
from skdgm.energies import tiled
from skdgm.metrics import log_densities
from skdgm.utils.tree import tree_map
from tests.reference import Enumeration, random_machine

LAYERS = {
    "gaussian": [[Gaussian(3)], [4]],
    "labels": [[Gaussian(2), Softmax(3)], [3]],
    "two-above": [[1, Gaussian(2)], [2, 3]],
}


def made(name, n=5, scale=1.5):
    energy, params = random_machine(LAYERS[name], seed=0, scale=scale)
    truth = Enumeration(LAYERS[name], params)
    block = next(iter(truth.real))
    drawn = truth.draw(n, seed=1)
    x = tuple(v if i in energy.colours[0] else None for i, v in enumerate(drawn))
    return energy, params, truth, x, block


@pytest.mark.parametrize("name", LAYERS)
def test_densities_given_all_other_units(name):
    energy, params, truth, x, block = made(name)
    found = log_densities(energy, params, x, None, block)
    assert found.shape == (5, energy.units[block].size)
    for row in range(5):
        given = {i: part[row] for i, part in enumerate(x) if part is not None}
        for unit in range(found.shape[1]):

            def density(u, given=given, unit=unit):
                v = given[block].copy()
                v[unit] = u
                return np.exp(truth.log_prob(given | {block: v}))

            here = given[block][unit]
            area, _ = quad(density, -40, 40, points=[here], limit=500, epsabs=1e-13)
            expected = np.log(density(here) / area)
            assert found[row, unit] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("scale", [0.1, 1.0, 4.0])
def test_each_is_a_density(scale):
    energy, params, _, x, _ = made("gaussian", n=1, scale=scale)
    line = np.linspace(-60, 60, 20001)
    v = np.tile(x[0], (len(line), 1))
    v[:, 1] = line
    units = np.full((len(line), 1), 1)
    density = np.exp(log_densities(energy, params, (v, None), units)[:, 0])
    assert density.sum() * (line[1] - line[0]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("form", [lambda p: p, tiled])
def test_chosen_units(form):
    energy, params, _, x, block = made("labels")
    units = np.random.default_rng(0).integers(0, 2, (5, 3))
    everything = log_densities(energy, params, x, None, block)
    found = log_densities(energy, form(params), x, units, block)
    expected = np.take_along_axis(everything, units, axis=1)
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_single_precision_is_enough():
    energy, params, _, x, block = made("gaussian", scale=0.5)
    single, x_single = (
        tree_map(lambda part: part if part is None else part.astype(np.float32), tree)
        for tree in (params, x)
    )
    found = log_densities(energy, single, x_single, None, block)
    assert found.dtype == np.float64
    expected = log_densities(energy, params, x, None, block)
    np.testing.assert_allclose(found, expected, atol=1e-3)
