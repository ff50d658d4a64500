"""Log factorials of arrays of any shape, and draws of large counts beside SciPy."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

from skdgm.distributions.counts import draw_binomial, draw_poisson, log_factorials


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
