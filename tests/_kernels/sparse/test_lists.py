import numpy as np
import pytest

from skdgm._kernels.sparse import lists as kernels
from skdgm.utils.lists import Lists, Packed, dot
from skdgm.utils.products import product, tiles
from tests._kernels.oracles import TOLERANCE, binary_rows, gray_rows
from tests.suites import DTYPES

KINDS = {"binary": binary_rows, "gray": gray_rows}
N_COLUMNS = 43


@pytest.fixture(params=DTYPES)
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


def test_columns_are_lists_too(rows):
    X, lists = rows
    turned = lists.transposed()
    np.testing.assert_array_equal(np.asarray(turned), X.T)
    assert (turned.dtype, turned.binary) == (lists.dtype, lists.binary)


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
    for some in (lists, X):
        found = product(some, tiles(W), 19)
        np.testing.assert_allclose(found, X @ W, atol=TOLERANCE[dtype])
    np.testing.assert_allclose(dot(lists, W[:, 0]), X @ W[:, 0], atol=TOLERANCE[dtype])
    np.testing.assert_allclose(dot(X, W[:, 0]), X @ W[:, 0], atol=TOLERANCE[dtype])


def test_sums(rows):
    X, lists = rows
    weights = np.arange(7.0)
    np.testing.assert_allclose(lists.mean(axis=0), X.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(lists.weighted_sum(weights), weights @ X, rtol=1e-6)


def test_columns_of_two_sets(rows, dtype):
    (X, lists), (X_2, lists_2) = rows, binary_rows(4, N_COLUMNS, dtype, seed=1)
    first, end, where, values = kernels.by_column(
        _parts(lists), _parts(lists_2), N_COLUMNS
    )
    found = np.zeros((11, N_COLUMNS), dtype)
    for j in range(N_COLUMNS):
        own = slice(first[j], end[j])
        assert (np.diff(where[own].astype(int)) > 0).all()
        found[where[own], j] = values[own] if len(values) else 1
    np.testing.assert_array_equal(found, np.concatenate([X, X_2]))


def _parts(lists):
    return kernels.RowLists(lists.index, lists.value, lists.count)


def test_weighted_sums_of_some_rows(rows):
    X, lists = rows
    given = np.count_nonzero(X), N_COLUMNS, X.dtype, lists.binary
    joined = Packed.of([lists[:4], lists[4:]], *given)
    some, weight = np.array([5, 0, 5]), np.array([1, 2, 3])
    found = joined.weighted_sum(some, weight.astype(float))
    np.testing.assert_allclose(found, weight @ X[some], rtol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_entries_of_rows_are_divided_among_threads_by_column(size):
    X, lists = binary_rows(7, N_COLUMNS, np.float32)
    bounds = np.full((size + 1, 7), -1)
    kernels.mark(lists.index, lists.count, N_COLUMNS, bounds, size, 0, 7)
    edges = [N_COLUMNS * rank // size for rank in range(size + 1)]
    expected = [np.count_nonzero(X[:, :edge], axis=1) for edge in edges]
    np.testing.assert_array_equal(bounds, expected)
