"""Mixtures and kernels of pairs of rows, with SciPy."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import laplace, norm

from skdgm.distributions import Mixture
from skdgm.nets.discrepancy import discrepancy_and_slope
from tests.numerical import numerical_gradient

N = 3
FAMILY = {"gaussian": norm, "laplace": laplace}
RNG = np.random.default_rng(0)
OUT, X = RNG.normal(size=(3, 2 * 3 * N)), RNG.normal(size=(3, 2))


def log_densities(out, shape, floor):
    found = np.empty(X.shape)
    for r, t in np.ndindex(X.shape):
        logit, mean, s = np.split(out[r, 3 * N * t : 3 * N * (t + 1)], 3)
        log_p = FAMILY[shape].logpdf(X[r, t], mean, floor + np.exp(s))
        found[r, t] = logsumexp(logit + log_p) - logsumexp(logit)
    return found


@pytest.mark.parametrize("floor", [1e-6, 0.5])
@pytest.mark.parametrize("shape", FAMILY)
def test_log_densities_and_slopes(shape, floor):
    mixture = Mixture(N, shape, floor, rescaled=False)
    expected = log_densities(OUT, shape, floor)
    np.testing.assert_allclose(mixture.log_density(OUT, X), expected, rtol=1e-9)
    slopes = numerical_gradient(
        lambda out: -log_densities(out, shape, floor).sum(), OUT.copy()
    )
    found = mixture.grad(OUT, X)
    np.testing.assert_allclose(found, slopes, rtol=1e-5, atol=1e-7)
    # What is missing has no slope.
    holed = X.copy()
    holed[1, 0] = np.nan
    slopes[1, : 3 * N] = 0
    np.testing.assert_allclose(mixture.grad(OUT, holed), slopes, rtol=1e-5, atol=1e-7)


def test_rescaled_slopes_by_means_are_those_times_scales():
    plain, rescaled = (Mixture(N, "gaussian", 0.5, own) for own in (False, True))
    found, expected = rescaled.grad(OUT, X), plain.grad(OUT, X)
    for t in range(2):
        own = slice(3 * N * t + N, 3 * N * t + 2 * N)
        scale = 0.5 + np.exp(OUT[:, own.stop : own.stop + N])
        expected[:, own] *= scale
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_discrepancies_are_means_over_pairs():
    x, y, sigmas = RNG.normal(size=(4, 2)), RNG.normal(size=(5, 2)), (0.7, 2.0)

    def mean(a, b):
        squares = ((a[:, None] - b) ** 2).sum(axis=2)
        return np.mean([np.exp(-squares / (2 * s**2)).mean() for s in sigmas])

    def value(x):
        return mean(x, x) - 2 * mean(x, y) + mean(y, y)

    found, slope = discrepancy_and_slope(x, y, sigmas)
    assert found == pytest.approx(value(x))
    np.testing.assert_allclose(slope, numerical_gradient(value, x), atol=1e-8)
