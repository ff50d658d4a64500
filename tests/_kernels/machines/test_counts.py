"""Counts, beside SciPy."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

from skdgm._kernels.machines.counts import draw_binomial, draw_poisson, log_factorials

RNG = np.random.default_rng(0)


def test_log_factorials():
    x = np.array([0.0, 1, 2, 9, 10, 300, 0.5, 8.75, 1e-9, 10.5, 2e5, 1e12])
    out, table = np.empty_like(x), gammaln(np.arange(1.0, 11.0))
    log_factorials(x, table, out, 0, len(x))
    np.testing.assert_allclose(out, gammaln(x + 1), rtol=1e-12, atol=1e-15)


# Not where a distribution function has a step.
U = np.concatenate([RNG.random(40), [0.0, 2**-32, 1 - 2**-32]])


@pytest.mark.parametrize("p", [0.0, 1e-12, 0.03, 0.4999, 0.5, 0.7, 1 - 1e-9, 1.0])
def test_binomial_counts_invert_the_distribution_function(p):
    n = np.array([0.0, 1, 2, 16, 33, 500])
    uniform = np.repeat(U[:, None], len(n), axis=1)
    x = np.empty_like(uniform)
    draw_binomial(np.full_like(x, p), n, uniform, x, 0, len(x))
    assert ((x >= 0) & (x <= n) & (x == np.rint(x))).all()
    own = stats.binom(n.astype(int), p)
    assert (own.cdf(x) >= uniform - 1e-12).all()
    assert (own.cdf(x - 1) <= uniform + 1e-12).all()
    assert (np.diff(x[np.argsort(U)], axis=0) >= 0).all()


@pytest.mark.parametrize("rate", [1e-38, 0.01, 1.0, 7.3, 120.0, 500.0])
def test_poisson_counts_invert_the_distribution_function(rate):
    x = np.empty((len(U), 1))
    draw_poisson(np.full_like(x, rate), U[:, None], x, 0, len(x))
    own = stats.poisson(rate)
    assert (own.cdf(x) >= U[:, None] - 1e-12).all()
    assert (own.cdf(x - 1) <= U[:, None] + 1e-12).all()
