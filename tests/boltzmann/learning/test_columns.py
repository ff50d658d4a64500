"""What is watched of columns of any kind, and machines joined of pairs, by hand."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, log_expit

from skdgm import RBM
from skdgm.boltzmann.learning.pretraining import joined
from skdgm.boltzmann.learning.table_objective import log_columns
from skdgm.distributions import Bernoulli, Binomial, Gaussian, Poisson, Sites
from skdgm.distributions.gaussian import Natural
from skdgm.energies import Params, layered
from skdgm.training import Batch

RNG = np.random.default_rng(0)
X = (RNG.random((20, 4)) < 0.4).astype(float)
ETA = RNG.normal(size=(5, 3))


@pytest.mark.parametrize(
    "unit, x, expected",
    [
        (Bernoulli(3), X[:5, :3], lambda x: stats.bernoulli(expit(ETA)).logpmf(x)),
        (
            Poisson(3),
            np.arange(15).reshape(5, 3),
            lambda x: stats.poisson(np.exp(ETA)).logpmf(x),
        ),
        (
            Binomial(3, 6),
            np.arange(15).reshape(5, 3) % 7,
            lambda x: stats.binom(6, expit(ETA)).logpmf(x),
        ),
    ],
)
def test_log_probabilities_of_columns(unit, x, expected):
    np.testing.assert_allclose(log_columns(unit, ETA, x), expected(x), atol=1e-9)


def test_log_probabilities_of_numbers_and_categories():
    precision = np.array([1.0, 4.0, 0.25])
    x = RNG.normal(size=(5, 3))
    found = log_columns(Gaussian(3), Natural(precision * ETA, precision), x)
    np.testing.assert_allclose(found, stats.norm(ETA, precision**-0.5).logpdf(x))
    found = log_columns(Sites((3,)), ETA, np.eye(3)[[0, 2, 1, 1, 0]])
    p = np.exp(ETA) / np.exp(ETA).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found[:, 0], np.log(p[np.arange(5), [0, 2, 1, 1, 0]]))


def test_columns_are_watched_given_the_hidden_means_of_the_others():
    rbm = RBM(3, column_types="bernoulli", n_iter=5, random_state=0).fit(X)
    table = rbm._begin(X, None, None, fresh=False)
    objective = rbm._objective(table, 0)
    state = objective.resume(rbm._state())
    watch = objective.watch(table, None, state)
    assert watch.units.shape == (20, 2)
    rows = X[watch.monitored]
    log_p, known = watch._watched(state.params, Batch(rows), slice(0, 20))
    W, b, c = rbm.components_.T, rbm.intercept_visible_, rbm.intercept_hidden_
    for row in range(20):
        for place, j in enumerate(watch.units[row]):
            rest = rows[row].copy()
            rest[j] = 0
            h = expit(c + rest @ W)
            field = (b + W @ h)[j] * (2 * rows[row, j] - 1)
            assert log_p[row, place] == pytest.approx(log_expit(field), rel=1e-4)
    assert known.all()
    loss = -4 * log_p.mean()
    assert watch.training_loss(state) == pytest.approx(loss)
    assert rbm.loss_curve_[-1] == pytest.approx(loss, rel=1e-5)


def test_machines_are_joined_of_pairs():
    sizes = (4, 3, 2, 5)
    energy = layered([[n] for n in map(Bernoulli, sizes)])
    pairs = [
        Params(
            tuple(RNG.normal(size=n) for n in sizes[k : k + 2]),
            (RNG.normal(size=sizes[k : k + 2]),),
        )
        for k in range(3)
    ]
    units, couplings = joined(energy, pairs)
    np.testing.assert_array_equal(units[0], pairs[0].units[0])
    for k in (1, 2):
        mean = 0.5 * (pairs[k - 1].units[1] + pairs[k].units[0])
        np.testing.assert_allclose(units[k], mean)
    np.testing.assert_array_equal(units[3], pairs[2].units[1])
    for W, pair in zip(couplings, pairs, strict=True):
        np.testing.assert_array_equal(W, pair.couplings[0])
    rest = Params(tuple(np.full(n, 9.0) for n in sizes), (None, None, "above"))
    units, couplings = joined(energy, pairs[:2], rest)
    np.testing.assert_array_equal(units[2], pairs[1].units[1])
    np.testing.assert_array_equal(units[3], 9)
    assert couplings[2] == "above"
