from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp

from skdgm.distributions import Gaussian, Sites, Softmax
from skdgm.energies import tiled
from skdgm.metrics import log_conditionals, log_densities
from skdgm.metrics.unnormalized import _STEP, _TAIL, _range
from skdgm.utils.lists import Lists
from skdgm.utils.tree import tree_map
from tests.connected import POTTS, all_states, log_weights, machine
from tests.reference import Enumeration, random_machine

LAYERS = {
    "gaussian": [[Gaussian(3)], [4]],
    "labels": [[Gaussian(2), Softmax(3)], [3]],
    "two-above": [[1, Gaussian(2)], [2, 3]],
}


@pytest.mark.parametrize("form", ["arrays", "lists"])
@pytest.mark.parametrize(
    "layers", [[[4], [3]], [[2, 2], [3]], [[3, Softmax(3)], [2, 2]]]
)
def test_conditionals_of_single_units(layers, form):
    energy, params = random_machine(layers, seed=0, scale=2.0)
    truth = Enumeration(layers, params)
    rows = np.random.default_rng(0).choice(len(truth.p), 9)
    x = tuple(part[rows] for part in truth.x)
    if form == "lists":
        params, x = tiled(params), tuple(Lists.pack(part, binary=True) for part in x)
    given = tuple(map(np.asarray, x))
    for block in range(len(layers[0])):
        if not isinstance(layers[0][block], int):
            continue
        found = log_conditionals(energy, params, x, block=block)
        for r in range(9):
            visible = {i: given[i][r] for i in range(len(layers[0]))}
            for unit in range(layers[0][block]):
                without = {i: v.copy() for i, v in visible.items()}
                without[block][unit] = np.nan
                expected = truth.log_prob(visible) - truth.log_prob(without)
                np.testing.assert_allclose(found[r, unit], expected)


def test_chosen_units():
    energy, params = random_machine([[6], [3]], seed=0)
    rng = np.random.default_rng(0)
    x = ((rng.random((5, 6)) < 0.5).astype(float), None)
    units = rng.integers(0, 6, (5, 2))
    everything = log_conditionals(energy, params, x)
    np.testing.assert_allclose(
        log_conditionals(energy, params, x, units),
        np.take_along_axis(everything, units, axis=1),
    )


def test_gray_values_mix_both_outcomes():
    energy, params = random_machine([[1], [3]], seed=0)
    on, off, gray = (
        log_conditionals(energy, params, (np.full((1, 1), value), None))[0, 0]
        for value in (1.0, 0.0, 0.25)
    )
    assert gray == pytest.approx(0.25 * on + 0.75 * off)


def made(name, n=5, scale=1.5):
    energy, params = random_machine(LAYERS[name], seed=0, scale=scale)
    truth = Enumeration(LAYERS[name], params)
    block = next(iter(truth.real))
    drawn = truth.draw(n, seed=1)
    x = tuple(v if i in energy.colors[0] else None for i, v in enumerate(drawn))
    return energy, params, truth, x, block


@pytest.mark.exhaustive
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
def test_chosen_real_units(form):
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


def test_integrals_over_a_unit_reach_all_its_modes_in_small_steps():
    """From the least to the largest mean, and tails, in steps of a share of the spread,
    for units of any precision."""
    rng = np.random.default_rng(0)
    matrices = [rng.normal(size=(2, 3)), rng.normal(size=(2, 4))]
    for precision in 0.01, 1.0, 400.0:
        mean = SimpleNamespace(mean=np.array([[3.0], [-1.0]]))
        eta = SimpleNamespace(precision=[np.full(1, precision)] * 2)
        rows = [W[:, None] for W in matrices]
        (low, high), n_steps = _range(rows, mean, eta, 1)
        broad = precision**-0.5
        reach = [np.minimum(W[1], 0).sum() for W in matrices]
        assert low == pytest.approx(-1 + sum(reach) - _TAIL * broad)
        reach = [np.maximum(W[1], 0).sum() for W in matrices]
        assert high == pytest.approx(-1 + sum(reach) + _TAIL * broad)
        assert n_steps == np.ceil((high - low) / (_STEP * broad))


@pytest.mark.parametrize("name", LAYERS)
def test_densities_are_in_proportion_to_those_of_rows_and_integrate_to_one(name):
    """Of each real unit given all others: without quadrature by a library, in short."""
    energy, params, truth, x, block = made(name, n=1, scale=1.0)
    given = {i: part[0] for i, part in enumerate(x) if part is not None}
    for unit in range(energy.units[block].size):
        line = np.linspace(-30, 30, 3001)
        rows = [None if v is None else np.repeat(v, len(line), axis=0) for v in x]
        rows[block][:, unit] = line
        units = np.full((len(line), 1), unit)
        log_p = log_densities(energy, params, tuple(rows), units, block)[:, 0]
        assert np.exp(log_p).sum() * (line[1] - line[0]) == pytest.approx(1, abs=1e-3)
        some = [1400, 1500, 1530, 1600]
        joint = []
        for u in line[some]:
            v = given[block].copy()
            v[unit] = u
            joint.append(truth.log_prob(given | {block: v}))
        np.testing.assert_allclose(
            np.diff(log_p[some]), np.diff(joint), rtol=1e-4, atol=1e-5
        )


def graph(n_hidden):
    """A general machine with bits and categories, and all its rows with their sums."""
    energy, params = machine(POTTS, n_hidden, seed=2)
    states = all_states(energy)
    log_w = log_weights(params, states)
    v, place = np.unique(states[0], axis=0, return_inverse=True)
    total = np.full(len(v), -np.inf)
    np.logaddexp.at(total, place.ravel(), log_w)
    return energy, params, v, total


def entries_of(site):
    """Entries of a site of the machine: three categories, a bit, two, four."""
    return [[0, 1, 2], [3], [4, 5], [6, 7, 8, 9]][site]


@pytest.mark.parametrize("n_hidden", [0, 2])
def test_conditionals_of_sites_by_enumeration(n_hidden):
    energy, params, v, total = graph(n_hidden)
    found = log_conditionals(energy, params, (v, None)[: 2 if n_hidden else 1])
    assert found.shape == (len(v), 4)
    for site in range(4):
        others = np.delete(v, entries_of(site), axis=1)
        _, group = np.unique(others, axis=0, return_inverse=True)
        whole = np.full(group.max() + 1, -np.inf)
        np.logaddexp.at(whole, group.ravel(), total)
        expected = total - whole[group.ravel()]
        np.testing.assert_allclose(found[:, site], expected, atol=1e-8)
    # Chosen sites, which differ by row.
    x = (v, None)[: 2 if n_hidden else 1]
    sites = np.random.default_rng(0).integers(0, 4, (len(v), 2))
    some = log_conditionals(energy, params, x, sites)
    np.testing.assert_allclose(some, np.take_along_axis(found, sites, axis=1))


def test_conditionals_of_gray_bits_among_sites_are_means():
    energy, params, v, _ = graph(2)
    on, off, gray = v[:40].copy(), v[:40].copy(), v[:40].copy()
    on[:, 3], off[:, 3], gray[:, 3] = 1, 0, 0.3
    log_p = [log_conditionals(energy, params, (x, None))[:, 1] for x in (on, off, gray)]
    np.testing.assert_allclose(log_p[2], 0.3 * log_p[0] + 0.7 * log_p[1], atol=1e-8)


@pytest.mark.parametrize("means", [False, True])
def test_conditionals_of_categorical_sites_of_restricted_machines(means):
    """Of means of draws, the mean over categories."""
    layers = [[Sites((3, 3))], [2]]
    energy, params = random_machine(layers, seed=0, scale=1.5)
    v = np.eye(3)[np.random.default_rng(0).integers(0, 3, (7, 2))].reshape(7, 6)
    x = 0.6 * v + 0.4 * np.roll(v, 1, axis=1).reshape(7, 2, 3).repeat(1, 0).reshape(
        7, 6
    )
    x = x / np.repeat(x.reshape(7, 2, 3).sum(axis=2), 3, axis=1) if means else v
    found = log_conditionals(energy, params, (x, None))
    for site in range(2):
        own = slice(3 * site, 3 * site + 3)
        log_w = []
        for state in np.eye(3):
            rows = x.copy()
            rows[:, own] = state
            log_w.append(energy.log_marginal(params, (rows, None)))
        log_p = np.stack(log_w, axis=1) - logsumexp(log_w, axis=0)[:, None]
        expected = (x[:, own] * log_p).sum(axis=1)
        np.testing.assert_allclose(found[:, site], expected, rtol=1e-6)
    sites = np.array([[1, 0]] * 6 + [[0, 0]])
    some = log_conditionals(energy, params, (x, None), sites)
    np.testing.assert_allclose(some, np.take_along_axis(found, sites, axis=1))
