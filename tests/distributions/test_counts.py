"""Log factorials of arrays of any shape, and draws of large counts beside SciPy."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

from skdgm.distributions.counts import draw_binomial, draw_poisson, log_factorials
from tests.numerical import assert_means


@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (4, 3, 2), (0, 4), (3, 0)])
def test_log_factorials_have_the_shape_of_counts(shape):
    x = np.random.default_rng(0).integers(0, 400, shape)
    found = log_factorials(x)
    assert found.shape == shape
    np.testing.assert_allclose(found, gammaln(x + 1.0), rtol=1e-12)
    given = log_factorials(np.asfortranarray(x))
    np.testing.assert_array_equal(given, found)


def test_no_columns_have_no_draws():
    none = np.empty((3, 0))
    assert draw_binomial(none, np.empty(0), none).shape == (3, 0)
    assert draw_poisson(none, none).shape == (3, 0)


@pytest.mark.parametrize("large", [499.0, 501.0])
def test_small_and_large_counts_invert_the_distribution_function(large):
    uniform = np.random.default_rng(0).random((50, 2))
    rate = np.tile([3.0, large], (50, 1))
    expected = stats.poisson(rate).ppf(uniform)
    np.testing.assert_array_equal(draw_poisson(rate, uniform), expected)
    n = np.array([3.0, large])
    expected = stats.binom(n.astype(int), 0.3).ppf(uniform)
    p = np.full((50, 2), 0.3)
    np.testing.assert_array_equal(draw_binomial(p, n, uniform), expected)


@pytest.mark.exhaustive(default=["110000.0"])
@pytest.mark.parametrize("rate", [1.1e5, 1e7])
def test_high_poisson_counts_invert_the_distribution_function(rate):
    uniform = np.random.default_rng(1).random((5000, 1))
    found = draw_poisson(np.full_like(uniform, rate), uniform)
    off = found - stats.poisson(rate).ppf(uniform)
    assert abs(off).max() <= 1
    assert np.count_nonzero(off) <= 5


@pytest.mark.parametrize("high", [1e12, 1e15])
def test_counts_of_any_size_have_their_moments(high):
    # SciPy inverts Poisson distributions of such rates to NaN, after a while.
    uniform = np.random.default_rng(2).random((4000, 2))
    p, n = np.full((4000, 2), 0.25), np.array([9.0, high])
    for found, few, variance in (
        (
            draw_poisson(np.tile(n, (4000, 1)), uniform),
            draw_poisson(n[0] + 0 * p, uniform),
            n,
        ),
        (
            draw_binomial(p, n, uniform),
            draw_binomial(p, n[:1].repeat(2), uniform),
            n * 3 / 16,
        ),
    ):
        np.testing.assert_array_equal(found[:, 0], few[:, 0])
        mean = n if variance is n else n / 4
        assert_means((found - mean) / np.sqrt(variance), [0, 0])
        assert_means((found - mean) ** 2 / variance, [1, 1])
