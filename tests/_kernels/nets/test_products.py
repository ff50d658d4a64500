import numba
import numpy as np
import pytest

from skdgm._kernels.compiler.shares import counts, take
from skdgm._kernels.nets.products import lay_all, multiply
from tests.suites import DTYPES


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("n, k, m", [(9, 20, 70), (1, 1, 1), (3, 1030, 33), (2, 0, 3)])
def test_is_the_product(n, k, m, turned, across, dtype):
    rng = np.random.default_rng(0)
    A, B, b = (rng.normal(size=s).astype(dtype) for s in ((n, k), (k, m), m))
    out = np.full((n, m), np.nan, dtype)
    a = (A.T if turned else A).ravel()
    other = np.ascontiguousarray(B.T) if across else B
    multiply(a, n, k, turned, other, across, b, out, counts())
    np.testing.assert_allclose(out, A @ B + b, rtol=1e-3, atol=1e-3)
    multiply(a, n, k, turned, other, across, b[:0], out, counts())
    np.testing.assert_allclose(out, A @ B, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("across", [False, True])
def test_tiles_are_strips_of_columns(across):
    B = np.arange(20.0 * 37).reshape(20, 37)
    tiles, own = np.zeros((3, 20, 16)), np.ascontiguousarray(B.T) if across else B
    lay_all(own, across, 37, tiles, 0, 3)
    joined = np.concatenate(tiles, axis=1)
    np.testing.assert_array_equal(joined[:, :37], B)
    assert not joined[:, 37:].any()


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="atomic only where compiled")
@pytest.mark.parametrize("size", [1, 2, 3, 16])
@pytest.mark.parametrize("n", [0, 1, 5, 16, 25])
def test_each_piece_is_taken_once(n, size):
    places = counts(size)
    found = [take(places, n) for _ in range(n + 3)]
    assert sorted(found[:n]) == list(range(n))
    assert found[n:] == [n] * 3
