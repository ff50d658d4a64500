"""Energies of covariances beside sums over their hidden units."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp

from skdgm.distributions import Normal
from skdgm.energies.covariance import Covariance, CovarianceParams
from tests.numerical import assert_trees, numerical_gradient

N, N_MEAN, N_FACTORS, N_COVARIANCE = 3, 2, 4, 2


@pytest.fixture(params=[N_MEAN, 0])
def given(request):
    """Energy, parameters, and some rows."""
    rng = np.random.default_rng(0)
    params = CovarianceParams(
        Normal(*0.5 * rng.normal(size=(2, N))),
        rng.normal(size=(N, request.param)),
        rng.normal(size=request.param),
        rng.normal(size=(N, N_FACTORS)),
        rng.random((N_FACTORS, N_COVARIANCE)),
        1 + rng.normal(size=N_COVARIANCE),
    )
    return Covariance(N), params, rng.normal(size=(5, N))


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


def test_slopes_are_those_of_finite_differences(given):
    energy, params, v = given
    slope = energy.value(params, (v,))[1]
    found = numerical_gradient(lambda v: energy.value(params, (v,))[0].sum(), v)
    np.testing.assert_allclose(slope, found, rtol=1e-6, atol=1e-8)


def test_gradients_are_those_of_finite_differences(given):
    energy, params, v = given

    def goodness(params):
        return -energy.value(params, (v,))[0].mean()

    numerical = numerical_gradient(goodness, params)
    assert_trees(energy.gradient(params, v), numerical, rtol=1e-6, atol=1e-8)


def test_rows_given_hidden_units_are_normal(given):
    energy, params, v = given
    E, states = energies(params, v)
    n_mean = len(params.c)
    h, g = states[:, :n_mean], states[:, n_mean:]
    means, precisions = energy.mean(params, h, g), energy.precisions(params, g)
    gaps = v[:, None] - means
    squares = np.einsum("rsi,sij,rsj->rs", gaps, precisions, gaps)
    # Up to a constant of each state.
    rest = E - 0.5 * squares
    np.testing.assert_allclose(rest - rest[0], 0, atol=1e-10)
