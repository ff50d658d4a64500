import numpy as np
import pytest

from skdgm._kernels.nets.maps import MapCombination, add_up, combine
from tests.suites import DTYPES

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_groups", [1, 3])
def test_sums_over_rows(dtype, n_groups):
    x, y = RNG.normal(size=(2, 8, 5)).astype(dtype)
    mean, shift = RNG.normal(size=(2, 5)).astype(dtype)
    out = np.full((n_groups, 2, 5), 7, dtype)
    add_up(x, mean, y, shift, out, 0, n_groups)
    terms = y - shift
    expected = np.stack([terms.sum(axis=0), (terms * (x - mean)).sum(axis=0)])
    np.testing.assert_allclose(out.sum(axis=0), expected, rtol=1e-4, atol=1e-5)
    first = terms[: 8 // n_groups].sum(axis=0)
    np.testing.assert_allclose(out[0, 0], first, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_are_combined(dtype):
    x, y = RNG.normal(size=(2, 4, 6)).astype(dtype)
    mean, slope, share, shift = RNG.normal(size=(4, 6)).astype(dtype)
    out = np.full((4, 6), 7, dtype)
    combine(x, y, MapCombination(mean, slope, share, shift), out, 0, 3)
    expected = ((x - mean) * slope + y * share + shift)[:3]
    np.testing.assert_allclose(out[:3], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(out[3], 7)
