import numpy as np
import pytest

from skdgm._kernels import lists as kernels
from skdgm.utils.lists import Lists, dot
from tests._kernels.oracles import DTYPES, TOLERANCE, binary_rows, grey_rows

KINDS = {"binary": binary_rows, "grey": grey_rows}
N_COLUMNS = 43


@pytest.fixture(params=DTYPES, ids=["float32", "float64"])
def dtype(request):
    return request.param


@pytest.fixture(params=KINDS)
def rows(request, dtype):
    return KINDS[request.param](7, N_COLUMNS, dtype)


def test_there_and_back(rows):
    X, lists = rows
    np.testing.assert_array_equal(np.asarray(lists), X)
    np.testing.assert_array_equal(lists.count, np.count_nonzero(X, axis=1))
    np.testing.assert_array_equal(np.asarray(lists[2:5]), X[2:5])
    np.testing.assert_array_equal(np.asarray(lists[np.array([4, 1])]), X[[4, 1]])
    np.testing.assert_array_equal(np.asarray(lists.copy()), X)


def test_some_rows_of_any_type(dtype):
    X = np.eye(5, dtype=np.uint8)
    lists = Lists.pack(X, np.array([3, 0, 3]), dtype, binary=True)
    np.testing.assert_array_equal(np.asarray(lists), np.eye(5)[[3, 0, 3]])
    assert lists.dtype == dtype
    assert lists.binary


def test_a_lone_row_keeps_its_values(dtype):
    X = np.array([[0.5, 0, 0.25]], dtype)
    np.testing.assert_array_equal(np.asarray(Lists.pack(X)), X)
    np.testing.assert_array_equal(
        np.asarray(Lists.pack(X[:, :2] > 0, None, dtype, True)), [[1, 0]]
    )
    other = np.asarray(Lists.pack(np.ones((1, 3), dtype), binary=True))
    np.testing.assert_array_equal(other, np.ones((1, 3)))


def test_products(rows, dtype):
    X, lists = rows
    W = np.random.default_rng(1).normal(size=(N_COLUMNS, 19)).astype(dtype)
    np.testing.assert_allclose(lists @ W, X @ W, atol=TOLERANCE[dtype])
    np.testing.assert_allclose(dot(lists, W[:, 0]), X @ W[:, 0], atol=TOLERANCE[dtype])
    np.testing.assert_allclose(dot(X, W[:, 0]), X @ W[:, 0], atol=TOLERANCE[dtype])


def test_sums(rows):
    X, lists = rows
    weights = np.arange(7.0)
    np.testing.assert_allclose(lists.mean(axis=0), X.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(lists.weighted_sum(weights), weights @ X, rtol=1e-6)


@pytest.mark.parametrize("n_columns", [8, 9])
def test_merged_pairs_stand_for_both(n_columns):
    X, lists = binary_rows(20, n_columns, np.float64, density=0.6)
    W = np.random.default_rng(0).normal(size=(n_columns, 3))
    extended = np.concatenate([W, W[:-1:2] + W[1::2]])
    for r in range(len(X)):
        merged = np.empty(n_columns, np.uint32)
        n = kernels.merge(lists.index[r], lists.count[r], n_columns, merged)
        np.testing.assert_allclose(extended[merged[:n]].sum(axis=0), X[r] @ W)
        pairs = X[r, : n_columns // 2 * 2].reshape(-1, 2).all(axis=1).sum()
        assert n == lists.count[r] - pairs
