import numpy as np
import pytest

from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.sparse.lines import BLOCK, LINE, add_lines, add_products, flip
from tests._kernels.oracles import TOLERANCE
from tests.suites import DTYPES


@kernel
def added(out, row, left, tile, index, value, first, n):
    add_lines(out, row, left, tile, index, value, first, n)


@kernel
def multiplied(out, to, left, x, of, along, lines, top, n_out, n):
    add_products(out, to, 0, left, x, of, 0, along, lines, top, n_out, n)


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
@pytest.mark.parametrize(
    ("n_out", "n"), [(0, 5), (1, 0), (1, 7), (2, 6), (5, 9), (19, 4)]
)
@pytest.mark.parametrize("turned", [False, True])
def test_rows_collect_products_with_lines(turned, n_out, n, dtype):
    rng, width = np.random.default_rng(0), LINE // np.dtype(dtype).itemsize
    lines, X = rng.normal(size=(12, width)), rng.normal(size=(21, 21))
    lines, X = lines.astype(dtype), X.astype(dtype)
    out = rng.normal(size=(25, width + 5)).astype(dtype)
    expected, to = out.copy(), rng.permutation(25)[:n_out]
    factors = (X.T if turned else X)[1 : 1 + n_out, 1 : 1 + n]
    expected[to, 3 : 3 + width] += factors @ lines[2 : 2 + n]
    across, along = (1, 21) if turned else (21, 1)
    of = 22 + across * np.arange(n_out)
    multiplied(out, to, 3, X.ravel(), of, along, lines, 2, n_out, n)
    np.testing.assert_allclose(out, expected, atol=10 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_row_of_products_does_not_depend_on_others(dtype):
    rng, width = np.random.default_rng(0), LINE // np.dtype(dtype).itemsize
    lines, X = (rng.normal(size=(9, n)).astype(dtype) for n in (width, 9))
    together, alone = (np.zeros((9, width), dtype) for _ in range(2))
    rows = np.arange(9)
    multiplied(together, rows, 0, X.ravel(), 9 * rows, 1, lines, 0, 9, 9)
    for r in range(9):
        own = rows[r : r + 1]
        multiplied(alone, own, 0, X.ravel(), 9 * own, 1, lines, 0, 1, 9)
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_square_is_flipped(dtype):
    n = BLOCK // np.dtype(dtype).itemsize
    X = np.random.default_rng(0).random((n + 3, n + 5)).astype(dtype)
    out = np.zeros((n + 4, n + 2), dtype)
    flipped(X, 2, 3, out, 1, 2)
    np.testing.assert_array_equal(out[1 : 1 + n, 2 : 2 + n], X[2 : 2 + n, 3 : 3 + n].T)
    out[1 : 1 + n, 2 : 2 + n] = 0
    assert not out.any()
