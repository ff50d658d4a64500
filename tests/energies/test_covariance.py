"""Energies of covariances beside sums over their hidden units."""

from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import loggamma, logsumexp

from skdgm.distributions import Normal
from skdgm.energies.covariance import Covariance, CovarianceParams, ProductOfT
from skdgm.energies.spike_slab import SpikeSlab, SpikeSlabParams, largest
from skdgm.utils.tree import tree_map
from tests.numerical import assert_trees, numerical_gradient

N, N_MEAN, N_FACTORS, N_COVARIANCE = 3, 2, 4, 2


def parameters(n_mean):
    """Parameters, and some rows."""
    rng = np.random.default_rng(0)
    params = CovarianceParams(
        Normal(*0.5 * rng.normal(size=(2, N))),
        rng.normal(size=(N, n_mean)),
        rng.normal(size=n_mean),
        rng.normal(size=(N, N_FACTORS)),
        rng.random((N_FACTORS, N_COVARIANCE)),
        1 + rng.normal(size=N_COVARIANCE),
    )
    return params, rng.normal(size=(5, N))


@pytest.fixture(params=[N_MEAN, 0])
def given(request):
    """Energy, parameters, and some rows."""
    return Covariance(N), *parameters(request.param)


def slabs():
    """Energy of spikes and slabs, parameters, and some rows."""
    rng = np.random.default_rng(0)
    params = SpikeSlabParams(
        Normal(*0.5 * rng.normal(size=(2, N))),
        0.3 * rng.normal(size=(N, N_FACTORS)),
        rng.random((N, N_FACTORS)),
        *rng.normal(size=(3, N_FACTORS)),
    )
    return SpikeSlab(N), params, rng.normal(size=(5, N))


@pytest.fixture(params=[Covariance, ProductOfT, SpikeSlab])
def either(request):
    """The same, of all kinds of units."""
    if request.param is SpikeSlab:
        return slabs()
    return request.param(N), *parameters(N_MEAN)


def energies(params, v):
    """The energy of rows with all states of the hidden units, (n_rows, n_states); and
    these states."""
    b, precision = params.visible.mean, np.exp(params.visible.log_precision)
    n_mean = len(params.c)
    states = np.array(list(product([0.0, 1.0], repeat=n_mean + N_COVARIANCE)))
    found = np.empty((len(v), len(states)))
    for column, state in enumerate(states):
        h, g = state[:n_mean], state[n_mean:]
        own = 0.5 * (precision * (v - b) ** 2).sum(axis=1) - v @ params.W @ h
        own -= params.c @ h + params.d @ g
        found[:, column] = own + 0.5 * (v @ params.C) ** 2 @ params.P @ g
    return found, states


def test_free_energies_are_sums_over_hidden_units(given):
    energy, params, v = given
    E, states = energies(params, v)
    np.testing.assert_allclose(energy.value(params, (v,))[0], -logsumexp(-E, axis=1))
    p = np.exp(-E - logsumexp(-E, axis=1, keepdims=True))
    np.testing.assert_allclose(np.hstack(energy.hidden(params, v)), p @ states)


def test_slopes_are_those_of_finite_differences(either):
    energy, params, v = either
    slope = energy.value(params, (v,))[1]
    np.testing.assert_array_equal(energy.slope(params, (v,)), slope)
    found = numerical_gradient(lambda v: energy.value(params, (v,))[0].sum(), v)
    np.testing.assert_allclose(slope, found, rtol=1e-6, atol=1e-8)


def test_gradients_are_those_of_finite_differences(either):
    energy, params, v = either

    def goodness(params):
        return -energy.value(params, (v,))[0].mean()

    numerical = numerical_gradient(goodness, params)
    assert_trees(energy.gradient(params, v), numerical, rtol=1e-6, atol=1e-8)


def test_rows_given_hidden_units_are_normal(given):
    energy, params, v = given
    E, states = energies(params, v)
    assert_normal(energy, params, v, E, states)


def assert_normal(energy, params, v, E, states):
    """Energies given states of the hidden units are those of a normal distribution."""
    means, precisions = energy.mean(params, states), energy.precisions(params, states)
    gaps = v[:, None] - means
    squares = np.einsum("rsi,sij,rsj->rs", gaps, precisions, gaps)
    # Up to a constant of each state.
    rest = E - 0.5 * squares
    np.testing.assert_allclose(rest - rest[0], 0, atol=1e-10)


def moment(t, power, rate):
    """Integrand by the log t of a gamma unit."""
    return np.exp(power * t - rate * np.exp(t))


def test_gamma_units_are_integrated_out():
    params, v = parameters(N_MEAN)
    pooled = 0.5 * (v @ params.C) ** 2 @ params.P
    energy = ProductOfT(N)
    log_sum, mean = energy.log_sum(params.d, pooled), energy.on(params.d, pooled)
    for row, unit in product(range(len(v)), range(N_COVARIANCE)):
        shape, rate = np.exp(params.d[unit]), 1 + pooled[row, unit]
        # Moments of the density of the energy, by the log of the unit.
        parts = [quad(moment, -80, 10, (shape + k, rate))[0] for k in (0, 1)]
        expected = np.log(parts[0]) - loggamma(shape)
        assert log_sum[row, unit] == pytest.approx(expected, abs=1e-6)
        assert mean[row, unit] == pytest.approx(parts[1] / parts[0], rel=1e-6)


def test_a_column_along_which_rows_are_shifted(either):
    energy, params, v = either
    column, shift = np.array([0, 1, 2, 1, 0]), np.linspace(-2, 3, 7) * np.ones((5, 1))
    found = energy.along(params, v, column, shift)
    for place in range(7):
        moved = v.copy()
        moved[np.arange(5), column] += shift[:, place]
        expected = energy.value(params, (v,))[0] - energy.value(params, (moved,))[0]
        start = energy.along(params, v, column, np.zeros((5, 1)))[:, 0]
        np.testing.assert_allclose(found[:, place] - start, expected)


def spike_energies(params, v):
    """The energy of rows with all spikes, slabs integrated out, (n_rows, n_states); and
    these states."""
    gap, precision = v - params.visible.mean, np.exp(params.visible.log_precision)
    alpha, states = np.exp(params.log_alpha), product([0.0, 1.0], repeat=N_FACTORS)
    states = np.array(list(states))
    found = np.empty((len(v), len(states)))
    for (row, g), (column, h) in product(enumerate(gap), enumerate(states)):
        own = 0.5 * (g**2 * (precision + params.Phi @ h)).sum() - params.c @ h
        own += 0.5 * (alpha * params.mu**2) @ h
        # The slabs are normal, given row and spikes, with this precision and mean.
        mean = params.mu * h + h * (g @ params.W) / alpha
        found[row, column] = own - 0.5 * (alpha * mean**2).sum()
    return found, states


def test_slabs_and_spikes_are_summed_out():
    energy, params, v = slabs()
    E, states = spike_energies(params, v)
    np.testing.assert_allclose(energy.value(params, (v,))[0], -logsumexp(-E, axis=1))
    p = np.exp(-E - logsumexp(-E, axis=1, keepdims=True))
    np.testing.assert_allclose(energy.hidden(params, v)[0], p @ states)
    assert_normal(energy, params, v, E, states)


def test_means_of_gradients_are_slopes_of_log_Z():
    energy, params, _ = slabs()
    energy.constrain(params, None, 100.0)
    H, *_ = energy.patterns(params)
    np.testing.assert_array_equal(np.unique(H, axis=0).shape, H.shape)

    def log_Z(params):
        return logsumexp(energy.patterns(params).log_w)

    numerical = numerical_gradient(log_Z, params)
    assert_trees(energy.expected(params), numerical, rtol=1e-6, atol=1e-8)


def test_missing_entries_are_integrated_out():
    energy, params, _ = slabs()
    energy.constrain(params, None, 100.0)
    n = len(params.W)
    row = np.full((1, n), np.nan)
    whole = logsumexp(energy.patterns(params).log_w)
    np.testing.assert_allclose(energy.log_marginal(params, row), whole)
    row[0, :-1] = np.linspace(-0.5, 0.5, n - 1)
    line = np.linspace(-40, 40, 20_001)
    filled = np.repeat(row, len(line), axis=0)
    filled[:, -1] = line
    log_p = -energy.value(params, (filled,))[0]
    expected = logsumexp(log_p) + np.log(line[1] - line[0])
    np.testing.assert_allclose(energy.log_marginal(params, row), expected, rtol=1e-6)
    found = energy.log_marginal(params, filled[::4000])
    np.testing.assert_allclose(found, log_p[::4000])


def test_precisions_stay_positive_definite_for_all_spikes():
    energy, params, _ = slabs()
    params = params._replace(W=9 * params.W, Phi=params.Phi - 0.5)
    _, states = spike_energies(params, np.zeros((1, N)))
    assert np.linalg.eigvalsh(energy.precisions(params, states)).min() < 0
    energy.constrain(params, energy.kept(params), 100.0)
    assert params.Phi.min() == 0
    assert np.linalg.eigvalsh(energy.precisions(params, states)).min() > 0
    before = params.W.copy()
    energy.constrain(params, energy.kept(params), 100.0)
    np.testing.assert_allclose(params.W, before)
    energy.constrain(params, energy.kept(params), 0.1)
    np.testing.assert_allclose(np.linalg.norm(params.W, axis=0).max(), 0.1)


@pytest.mark.parametrize("shape", [(3, 7), (7, 3)])
def test_eigenvalues_near_the_limit_are_found(shape):
    A = np.random.default_rng(0).normal(size=shape)
    every = np.sort(np.linalg.svd(A, compute_uv=False) ** 2)
    A *= np.sqrt(1.1 / every[1])
    shares, below, above = largest(A)
    np.testing.assert_allclose(shares, 1.1 * every[1:] / every[1])
    np.testing.assert_allclose(A @ above, np.sqrt(shares) * below)
    for scale in (0.1, 1e-3):
        assert not len(largest(A * np.sqrt(scale / shares[-1]))[0])


def test_all_directions_are_moved_to_the_limit():
    """And not only that of the largest eigenvalue, or many steps would be needed."""
    energy, params, _ = slabs()
    left, _, right = np.linalg.svd(9 * params.W, full_matrices=False)
    beyond = np.linspace(1, 1.1, len(right))
    log_scale = np.add.outer(params.visible.log_precision, params.log_alpha)
    W = (left * np.sqrt(beyond)) @ right * np.exp(0.5 * log_scale)
    params = params._replace(W=W)
    np.testing.assert_allclose(energy._removed(params)[0], beyond)
    energy.constrain(params, None, 100.0)
    shares = np.linalg.svd(params.W * energy._removed(params)[3], compute_uv=False)
    assert shares.max() ** 2 <= 0.99
    # Their gradients share the precisions of columns and of slabs.
    assert shares.min() ** 2 > 0.9


def test_a_gradient_at_the_limit_leads_along_it():
    """And not beyond, by any of the parameters on which the limit depends."""
    energy, params, _ = slabs()
    params = params._replace(W=9 * params.W)
    before = params.visible.log_precision.copy(), params.log_alpha.copy()
    energy.constrain(params, energy.kept(params), 100.0)
    # There is more room: not only are weights smaller.
    assert (params.visible.log_precision >= before[0]).all()
    assert (params.log_alpha >= before[1]).all()
    share = energy._removed(params)[0].max()
    assert share == pytest.approx(0.99, abs=0.02)

    def share_at(step, grad):
        moved = tree_map(lambda part, own: part + step * own, params, grad)
        return energy._removed(moved)[0].max()

    out = tree_map(np.zeros_like, params)._replace(W=params.W.copy())
    assert share_at(1e-4, out) > share + 1e-6
    along = energy.tangent(params, tree_map(np.copy, out))
    assert abs(along.W).max() > 0
    assert share_at(1e-4, along) == pytest.approx(share, abs=1e-7)
    inwards = tree_map(np.negative, out)
    assert_trees(energy.tangent(params, tree_map(np.copy, inwards)), inwards)
