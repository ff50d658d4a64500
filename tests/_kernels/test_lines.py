import numpy as np
import pytest

from skdgm._kernels.jit import kernel
from skdgm._kernels.lines import BLOCK, LINE, add_lines, flip
from tests._kernels.oracles import DTYPES, TOLERANCE


@kernel
def added(out, row, left, tile, index, value, first, n):
    add_lines(out, row, left, tile, index, value, first, n)


@kernel
def flipped(square, row, left, out, row_out, left_out):
    flip(square, row, left, out, row_out, left_out)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [0, 1, 2, 7, 30])
def test_a_line_of_an_array_collects_lines_of_a_tile(n, weighted, dtype):
    rng, width = np.random.default_rng(0), LINE // np.dtype(dtype).itemsize
    tile = rng.normal(size=(40, width)).astype(dtype)
    index = rng.permutation(40).astype(np.uint32)
    value = rng.random(40 if weighted else 0).astype(dtype)
    out = rng.normal(size=(3, width + 5)).astype(dtype)
    expected = out.copy()
    lines = tile[index[4 : 4 + n]]
    total = value[4 : 4 + n] @ lines if weighted else lines.sum(axis=0)
    expected[1, 3 : 3 + width] += total
    added(out, 1, 3, tile, index, value, 4, n)
    np.testing.assert_allclose(out, expected, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_square_is_flipped(dtype):
    n = BLOCK // np.dtype(dtype).itemsize
    X = np.random.default_rng(0).random((n + 3, n + 5)).astype(dtype)
    out = np.zeros((n + 4, n + 2), dtype)
    flipped(X, 2, 3, out, 1, 2)
    np.testing.assert_array_equal(out[1 : 1 + n, 2 : 2 + n], X[2 : 2 + n, 3 : 3 + n].T)
    out[1 : 1 + n, 2 : 2 + n] = 0
    assert not out.any()
