from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp

from skdgm import BernoulliRBM
from skdgm.utils.domains import bernoulli_rows
from skdgm.utils.given import Given
from skdgm.utils.rows import Rows, floating_type, row_hash
from tests.suites import FLOAT32

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array])
def test_take_is_dense_typed_and_clipped(convert):
    X = np.array([[0.0, 2.0], [1.0, 0.5], [0.0, 0.0]])
    part = Rows(convert(X), np.float32, (0, 1)).take(np.array([1, 0]))
    assert part.dtype == np.float32
    np.testing.assert_array_equal(part, [[1, 0.5], [0, 1]])


def test_take_does_not_copy_what_is_right_already():
    X = np.zeros((10, 3))
    assert np.shares_memory(Rows(X, np.float64).take(slice(2, 5)), X)


def test_missing_values_survive_clipping():
    X = np.array([[np.nan, 3.0]])
    np.testing.assert_array_equal(
        Rows(X, np.float64, (0, 1)).take(slice(None)), [[np.nan, 1]]
    )


def test_blocks_cover_the_rows(monkeypatch):
    monkeypatch.setattr("skdgm.utils.rows.BLOCK_ENTRIES", 10)
    rows = Rows(np.zeros((23, 4)), np.float64)
    assert np.concatenate([np.arange(23)[b] for b in rows.blocks()]).size == 23
    assert [b.stop - b.start for b in rows.blocks(5)] == [2, 2, 1]


@pytest.mark.parametrize(
    "dtype, expected",
    [(np.float64, np.float64), (np.float32, np.float32), (bool, np.float32)]
    + [(t, np.float32) for t in (np.float16, np.uint8, np.int64)],
)
def test_floating_type(dtype, expected):
    assert floating_type(np.dtype(dtype)) == expected


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("dtype", [np.float64, FLOAT32, np.int64])
def test_columns_are_standardized_as_they_are_read(convert, dtype):
    X = np.array([[0, 300], [2, 0], [5, 100]]).astype(dtype)
    shift, scale = np.array([1.0, 100.0]), np.array([2.0, 0.5])
    for out in (np.float32, np.float64):
        rows = Rows(convert(X), out, affine=(shift, scale))
        part = rows.take(np.array([2, 0]))
        assert part.dtype == out
        np.testing.assert_array_equal(part, [[2, 0], [-0.5, 400]])
        np.testing.assert_array_equal(rows.take(slice(1, 2)), [[0.5, -200]])
    np.testing.assert_array_equal(X, [[0, 300], [2, 0], [5, 100]])


def test_columns_far_from_zero_keep_their_digits():
    X = np.array([[1e9 + 1], [1e9 + 2]])
    rows = Rows(X, np.float32, affine=(np.array([1e9]), np.array([1.0])))
    np.testing.assert_array_equal(rows.take(slice(None)), [[1], [2]])


KINDS = {
    "binary": lambda X: (X > 0).astype(np.uint8),
    "gray": lambda X: X,
    "clipped": lambda X: 2 * X,
    "CSR": sp.csr_array,
    "clipped CSR": lambda X: sp.csr_array(2 * X),
    "CSR with zeros": lambda X: with_zeros(sp.csr_array(X)),
    "binary CSR": lambda X: sp.csr_matrix(X > 0),
}


def with_zeros(X):
    X.data[::3] = 0
    return X


@pytest.mark.filterwarnings("ignore::skdgm.exceptions.DataRangeWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_a_table_in_memory_is_the_same(kind, monkeypatch):
    monkeypatch.setattr("skdgm.utils.rows.BLOCK_ENTRIES", 40)
    rng = np.random.default_rng(0)
    X = KINDS[kind](rng.random((23, 9)) * (rng.random((23, 9)) < 0.3))
    rows = bernoulli_rows(BernoulliRBM(), X, reset=True)
    packed = rows.in_memory()
    assert packed.packed is not None
    for some in (np.array([4, 22, 0, 4]), slice(3, 8)):
        expected, found = rows.take(some), packed.present(some)
        np.testing.assert_array_equal(np.asarray(found), expected)
        np.testing.assert_array_equal(np.asarray(rows.present(some)), expected)
        assert found.binary == rows.binary


def test_a_table_that_is_too_large_or_dense_or_incomplete_is_not(monkeypatch):
    X = np.eye(9)
    for other in (1 - X, np.where(X == 1, np.nan, X)):
        assert (
            bernoulli_rows(BernoulliRBM(), other, reset=True).in_memory().packed is None
        )
    monkeypatch.setattr("skdgm.utils.rows._MAX_LIST_BYTES", 8)
    assert bernoulli_rows(BernoulliRBM(), X, reset=True).in_memory().packed is None


def test_data_that_change_while_they_are_read_are_refused():
    X = np.eye(9)
    rows = bernoulli_rows(BernoulliRBM(), X, reset=True)
    X[0] = 1
    with pytest.raises(ValueError, match="has changed"):
        rows.in_memory()


def hashes(X):
    return row_hash(Rows(X, np.float64))


def test_no_two_bit_rows_collide():
    X = np.array(list(product([0, 1], repeat=14)), dtype=np.uint8)
    assert len(np.unique(hashes(X))) == len(X)


def test_neighboring_values_do_not_collide():
    X = np.nextafter(np.full((2000, 1), 0.5), 1) + np.arange(2000)[:, None] * 2.0**-52
    assert len(np.unique(hashes(X))) == 2000


def test_columns_matter():
    assert len(np.unique(hashes(np.eye(50)))) == 50
    assert hashes(np.array([[1.0, 2.0]])) != hashes(np.array([[2.0, 1.0]]))


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, FLOAT32, np.float64])
@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array, sp.csr_matrix])
def test_storage_does_not_matter(dtype, convert):
    X = RNG.random((40, 30)) < 0.2
    X[3] = 0
    np.testing.assert_array_equal(hashes(convert(X.astype(dtype))), hashes(X))


def test_explicit_zeros_signs_and_nans():
    a = np.array([[0.0, np.nan, 1.0]])
    b = np.array([[-0.0, -np.nan, 1.0]])
    c = sp.csr_array(([0.0, np.nan, 1.0], [0, 1, 2], [0, 3]), shape=(1, 3))
    assert hashes(a) == hashes(b) == hashes(c)


def test_blocks_do_not_matter(monkeypatch):
    X = RNG.random((50, 8))
    whole = hashes(X)
    monkeypatch.setattr("skdgm.utils.rows.BLOCK_ENTRIES", 24)
    np.testing.assert_array_equal(hashes(X), whole)


def test_labels_tell_rows_apart():
    X = np.ones((4, 3))
    rows = Rows(X, np.float64, given=Given(np.array([0, 1, -1, 1])))
    found = row_hash(rows)
    assert len(np.unique(found)) == 3
    assert found[1] == found[3]
    assert (found != hashes(X)).all()


def labeled(labels):
    return row_hash(Rows(np.ones((len(labels), 3)), np.float64, given=Given(labels)))


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("dtype", [bool, np.int64, FLOAT32, np.float64])
def test_targets_tell_rows_apart(n_outputs, dtype):
    targets = RNG.random((6, n_outputs)) < 0.5
    targets[:3] = [[False], [True], [False]]
    targets[3] = ~targets[2]
    found = labeled(targets.astype(dtype))
    expected = np.unique(targets, axis=0, return_inverse=True)[1]
    assert (np.equal.outer(found, found) == np.equal.outer(expected, expected)).all()


def test_targets_of_any_type_and_unknown_ones():
    targets = np.array([[0.5, np.nan], [0.5, 0.0], [np.nan, 0.5], [0.0, 0.5]])
    assert len(np.unique(labeled(targets))) == 4
    found = labeled(targets.astype(np.float32))
    np.testing.assert_array_equal(found, labeled(targets))
    assert len(np.unique(labeled(np.nextafter(np.full(3, 0.5), [0, 0.5, 1])))) == 3


def test_targets_are_not_columns():
    one, other = Rows(np.array([[1.0]]), float), Rows(np.array([[2.0]]), float)
    a = row_hash(one._replace(given=Given(np.array([2.0]))))
    b = row_hash(other._replace(given=Given(np.array([1.0]))))
    assert a != b


class Half:
    """A scale of columns."""

    def forward(self, x):
        return x / 2


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array, np.asfortranarray])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"bounds": (0, 1)},
        {"affine": (np.ones(3), np.full(3, 2.0))},
        {"scales": (None, Half(), None)},
    ],
)
def test_lists_have_what_is_read(convert, how):
    X = np.array([[0.0, 2.0, 1.0], [1.0, 0.5, 0.0], [0.0, 0.0, -3.0]])
    rows, index = Rows(convert(X), np.float64, complete=True, **how), np.array([2, 0])
    found = rows.present(index, lists=True)
    np.testing.assert_array_equal(np.asarray(found), rows.take(index))


class Halved:
    """Scale of a column that counts how often it is asked."""

    n_calls = 0

    def forward(self, x):
        self.n_calls += 1
        return x / 2


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array])
def test_values_are_converted_once_if_they_fit(convert, monkeypatch):
    X = np.random.default_rng(0).normal(size=(20, 3))
    gaps = np.array([False, True, False])
    X[3, 1], scale = np.nan, Halved()
    facts = {"scales": (None, scale, None), "gaps": gaps, "affine": (1.0, 3.0)}
    rows = Rows(convert(X), np.float32, bounds=(-2, 2), **facts)
    stored = rows.converted()
    for index in (slice(None), slice(2, 5), np.array([4, 3, 3])):
        scale.n_calls = 0
        found = stored.take(index)
        assert scale.n_calls == 0
        np.testing.assert_array_equal(found, rows.take(index))
        # Changes of what was read do not change the table.
        found[:] = 0
        np.testing.assert_array_equal(stored.take(index), rows.take(index))
    np.testing.assert_array_equal(stored.raw.take(slice(None)), X.astype(np.float32))
    assert Rows(X, np.float32).converted().values is None
    monkeypatch.setattr("skdgm.utils.rows._MAX_LIST_BYTES", 8)
    assert rows.converted().values is None
