"""Likelihoods, bounds, samples and imputation agree with enumeration."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy.special import expit

from skdgm import SigmoidBeliefNetwork
from skdgm.exceptions import FewDrawsWarning
from skdgm.utils.tree import leaves
from tests.numerical import assert_means, effort

N_COLUMNS, SIZES = 3, (3, 2)
ROWS = np.array(list(product([0.0, 1.0], repeat=N_COLUMNS)))


@cache
def network(n_draws=100):
    """A small network with parameters of some size."""
    sbn = SigmoidBeliefNetwork(SIZES, n_iter=0, n_draws=n_draws, random_state=0)
    sbn.fit(ROWS)
    rng = np.random.default_rng(3)
    model = sbn._training.learned.model
    for leaf in leaves(model):
        leaf[...] = rng.normal(0, 1.5, leaf.shape)
    for leaf in leaves(model.encoders):
        leaf *= 0.3
    return sbn


@cache
def wrong(seed):
    """The same of an encoder that knows nothing of the model, and is overconfident."""
    sbn = SigmoidBeliefNetwork(SIZES, n_iter=0, random_state=0).fit(ROWS)
    rng = np.random.default_rng(seed)
    for leaf in leaves(sbn._training.learned.model):
        leaf[...] = rng.normal(0, 3, leaf.shape)
    return sbn


@cache
def joint(sbn=None):
    """Probabilities of all rows and hidden bits, computed once more: their product."""
    sbn = network() if sbn is None else sbn
    (W, b), (W_2, b_2) = zip(sbn.coefs_[2:], sbn.intercepts_[2:])
    total = np.zeros((len(ROWS), *[2] * sum(SIZES)))
    for one in product([0, 1], repeat=SIZES[0]):
        for two in product([0, 1], repeat=SIZES[1]):
            p = bernoulli(two, expit(sbn.prior_intercept_))
            p *= bernoulli(one, expit(two @ W_2 + b_2))
            for number, row in enumerate(ROWS):
                p_row = bernoulli(row, expit(one @ W + b))
                total[(number, *one, *two)] = p * p_row
    return total


def bernoulli(x, p):
    x = np.asarray(x)
    return np.prod(np.where(x > 0, p, 1 - p))


def marginal(sbn=None):
    return joint(sbn).reshape(len(ROWS), -1).sum(axis=1)


def test_probabilities_add_up_to_one():
    np.testing.assert_allclose(marginal().sum(), 1)


def test_importance_sampling_finds_the_likelihood():
    found, se = network().importance_likelihood(ROWS, n_draws=20_000, return_se=True)
    assert (abs(found - np.log(marginal())) < 4.5 * se + 1e-4).all()
    assert se.max() < 0.05


def test_bounds_are_below_it():
    exact, bound = np.log(marginal()), network().elbo(ROWS, n_draws=5000)
    assert (bound.bound < exact).all()
    np.testing.assert_allclose(bound.bound, bound.reconstruction - bound.kl)
    sbn = network()
    log_w = sbn.importance_likelihood(ROWS, n_draws=20_000)
    assert (log_w > bound.bound).all()


def test_missing_columns_are_summed_out():
    X = np.array([[1.0, np.nan, 0.0], [np.nan, np.nan, 1.0], [np.nan] * 3])
    p = marginal()
    fits = [(np.isnan(row) | (row == ROWS)).all(axis=1) for row in X]
    expected = [np.log(p[fit].sum()) for fit in fits]
    found, se = network().importance_likelihood(X, n_draws=20_000, return_se=True)
    assert (abs(found - expected) < 4.5 * se + 1e-3).all()


def test_samples_have_the_probabilities_of_the_model():
    drawn = network().sample(20_000, random_state=0)
    which = (drawn[:, None] == ROWS).all(axis=2)
    assert_means(which.astype(float), marginal())


@pytest.mark.parametrize("sampler", ["importance", "metropolis"])
def test_imputed_bits_have_their_conditional_probabilities(sampler):
    row = np.array([1.0, np.nan, 1.0])
    how = effort(sampler, 200) | {"method": "sample", "random_state": 0}
    found = network().impute(np.tile(row, (4000, 1)), **how)[:, 1]
    p = marginal()[(np.array([1.0, 0, 1]) == ROWS).all(axis=1)]
    q = marginal()[(np.array([1.0, 1, 1]) == ROWS).all(axis=1)]
    assert_means(found[:, None], q / (p + q))


@pytest.mark.exhaustive(default=["11-2-1", "3-0-0"])
@pytest.mark.parametrize("seed, j, bit", [(3, 0, 0), (4, 0, 1), (11, 2, 1)])
def test_what_is_given_a_rare_bit_has_its_conditional_probability(seed, j, bit):
    sbn, row = wrong(seed), np.full((1, N_COLUMNS), np.nan)
    p, row[0, j] = marginal(sbn) * (ROWS[:, j] == bit), bit
    assert p.sum() < 0.011
    found = sbn.impute(row)[0]
    np.testing.assert_allclose(found, p @ ROWS / p.sum(), atol=0.05)
    drawn = sbn.impute(np.repeat(row, 100, axis=0), method="sample", random_state=0)
    np.testing.assert_allclose(drawn.mean(axis=0), p @ ROWS / p.sum(), atol=0.15)


def test_too_few_draws_are_told():
    X = np.eye(40)
    sbn = SigmoidBeliefNetwork(100, n_iter=0, random_state=0).fit(X)
    rng = np.random.default_rng(0)
    for leaf in leaves(sbn._training.learned.model):
        leaf[...] = rng.normal(0, 9, leaf.shape)
    X = np.where(np.arange(40) < 20, rng.random((3, 40)) < 0.5, np.nan)
    with pytest.warns(FewDrawsWarning, match='n_draws, or take sampler="metropolis"'):
        sbn.impute(X)


def test_features_are_means_layer_by_layer():
    sbn = network()
    one = expit(ROWS @ sbn.coefs_[0] + sbn.intercepts_[0])
    two = expit(one @ sbn.coefs_[1] + sbn.intercepts_[1])
    np.testing.assert_allclose(sbn.transform(ROWS), np.hstack([one, two]))
    for found, expected in zip(sbn.transform_layers(ROWS), (one, two), strict=True):
        np.testing.assert_allclose(found, expected)
    back = sbn.inverse_transform(sbn.transform(ROWS))
    (W, b), (W_2, b_2) = zip(sbn.coefs_[2:], sbn.intercepts_[2:])
    np.testing.assert_allclose(back, expit(one @ W + b))
    top = SigmoidBeliefNetwork(SIZES, n_iter=0, feature_layer=-1).fit(ROWS)
    assert top.transform(ROWS).shape == (len(ROWS), SIZES[-1])
    assert top.inverse_transform(np.ones((2, 2))).shape == (2, N_COLUMNS)
    back = sbn.density_.decode(two, 1)
    np.testing.assert_allclose(back, expit(expit(two @ W_2 + b_2) @ W + b))
