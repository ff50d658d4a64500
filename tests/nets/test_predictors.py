"""Predictors of codes by least squares."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from skdgm.nets.predictors import UnitPredictors, folds, squared_gap
from tests.nets.recipes import assert_slopes, numbers

RNG = np.random.default_rng(0)
H = RNG.normal(size=(40, 3)) @ RNG.normal(size=(3, 3)) + RNG.normal(size=(40, 3))


def _of_others(h, j):
    return np.delete(h, j, axis=1)


def test_linear_predictors_are_regressions_on_the_others():
    predictors = UnitPredictors(3)
    params, statistics, _ = predictors.init(np.random.default_rng(0), float)
    predictors.solve(params, *predictors.moments(params, statistics, H))
    found = predictors.apply(params, statistics, H)
    held_out = predictors.held_out(params, statistics, H)
    for j in range(3):
        X, y = _of_others(H, j), H[:, j]
        np.testing.assert_allclose(
            found[:, j], LinearRegression().fit(X, y).predict(X), atol=1e-4
        )
        for train, test in folds(40).split(H):
            own = LinearRegression().fit(X[train], y[train]).predict(X[test])
            np.testing.assert_allclose(held_out[test, j], own, atol=1e-4)
    # Of two codes there are two folds, of one there is none left.
    two = predictors.held_out(params, statistics, H[:2])
    np.testing.assert_allclose(two, H[1::-1], atol=1e-6)
    one = predictors.held_out(params, statistics, H[:1])
    np.testing.assert_array_equal(one, predictors.apply(params, statistics, H[:1]))


def test_deep_predictors_are_regressions_on_hidden_units():
    predictors = UnitPredictors(3, (4,))
    params, statistics, _ = predictors.init(np.random.default_rng(0), float)
    predictors.solve(params, *predictors.moments(params, statistics, H))
    found, hidden = predictors.apply(params, statistics, H), params[0]
    for j in range(3):
        others, own = H * (np.arange(3) != j), slice(4 * j, 4 * j + 4)
        z = np.tanh(others @ hidden.W[:, own] + hidden.b[own])
        center = z - z.mean(axis=0)
        size = center.std(axis=0)
        # The ridge is a share of the variance of each.
        ridge = Ridge(1e-3 * 40).fit(center / size, H[:, j])
        expected = ridge.predict(center / size)
        np.testing.assert_allclose(found[:, j], expected, atol=1e-6)
        # A unit's own code is not among what it is predicted from.
        moved = H.copy()
        moved[:, j] += 1
        again = predictors.apply(params, statistics, moved)
        np.testing.assert_array_equal(again[:, j], found[:, j])
        assert (again[:, (j + 1) % 3] != found[:, (j + 1) % 3]).all()


def test_gaps_have_slopes():
    assert_slopes(lambda params: squared_gap(*params), (H[:4], numbers(4, 3)))
    np.testing.assert_allclose(squared_gap(H, 0 * H), (H**2).sum(axis=1))


@pytest.mark.parametrize("n", [2, 3, 40])
def test_folds(n):
    assert folds(n).get_n_splits() == min(5, n)
