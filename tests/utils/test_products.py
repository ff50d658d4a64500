import numpy as np
import pytest

from skdgm.utils.products import _edges, matmul
from skdgm.utils.threading.parallel import limit
from tests.suites import DTYPES


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_do_not_depend_on_the_threads(dtype):
    rng = np.random.default_rng(0)
    A, B = (rng.normal(size=s).astype(dtype) for s in ((300, 700), (700, 50)))
    found = []
    for threads in (1, 2, 4):
        with limit(threads):
            found.append(matmul(A, B))
    np.testing.assert_allclose(found[0], A @ B, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


# Shapes of products: the first has few rows where it is of at most 128.
PRODUCTS = [
    ((3, 5), (5, 0)),
    ((1, 7), (7, 1)),
    ((1, 7), (7, 300)),
    ((0, 7), (7, 5)),
    ((3, 0), (0, 5)),
    ((100, 500), (500, 700)),
    ((128, 40), (40, 513)),
    ((129, 40), (40, 513)),
    ((20, 30), (4, 30, 300)),
    ((130, 30), (2, 3, 30, 5)),
    # More lines than stay near, and a last tile that is not whole.
    ((20, 1100), (1100, 301)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("of_A, of_B", PRODUCTS)
def test_products_of_all_shapes(of_A, of_B, dtype):
    rng = np.random.default_rng(0)
    A, B = (rng.normal(size=shape).astype(dtype) for shape in (of_A, of_B))
    turned = [np.swapaxes(np.swapaxes(x, -1, -2).copy(), -1, -2) for x in (A, B)]
    for left in (A, turned[0]):
        for right in (B, turned[1], np.repeat(B, 2, axis=-1)[..., ::2]):
            found = []
            for threads in (1, 2):
                with limit(threads):
                    found.append(matmul(left, right))
            assert found[0].dtype == dtype
            np.testing.assert_allclose(found[0], A @ B, rtol=1e-3, atol=1e-3)
            np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("n", [20, 3000])
def test_biases_are_added_to_each_row(n):
    rng = np.random.default_rng(0)
    A, B, b = (rng.normal(size=shape) for shape in ((n, 40), (40, 70), 70))
    np.testing.assert_allclose(matmul(A, B, b), A @ B + b, rtol=1e-10, atol=1e-10)


def test_one_bias_is_that_of_all_columns():
    rng = np.random.default_rng(0)
    A, B = (rng.normal(size=shape) for shape in ((100, 784), (784, 100)))
    found = matmul(A, B, np.full(1, 2.0))
    np.testing.assert_allclose(found, A @ B + 2, rtol=1e-10, atol=1e-10)


def test_blocks_are_about_as_large_as_asked_for():
    edges = _edges(1000, 100)
    assert (edges[0], edges[-1], len(edges)) == (0, 1000, 11)
    np.testing.assert_array_equal(np.diff(edges), 100)
    assert _edges(7, 100) == [0, 3, 7]
