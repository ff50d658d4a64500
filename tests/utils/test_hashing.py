from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp

from skdgm.utils.hashing import row_hash
from skdgm.utils.rows import Rows

RNG = np.random.default_rng(0)


def hashes(X):
    return row_hash(Rows(X, np.float64))


def test_no_two_bit_rows_collide():
    X = np.array(list(product([0, 1], repeat=14)), dtype=np.uint8)
    assert len(np.unique(hashes(X))) == len(X)


def test_neighbouring_values_do_not_collide():
    X = np.nextafter(np.full((2000, 1), 0.5), 1) + np.arange(2000)[:, None] * 2.0**-52
    assert len(np.unique(hashes(X))) == 2000


def test_columns_matter():
    assert len(np.unique(hashes(np.eye(50)))) == 50
    assert hashes(np.array([[1.0, 2.0]])) != hashes(np.array([[2.0, 1.0]]))


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32, np.float64])
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
    rows = Rows(X, np.float64, labels=np.array([0, 1, -1, 1]))
    found = row_hash(rows)
    assert len(np.unique(found)) == 3
    assert found[1] == found[3]
    assert (found != hashes(X)).all()


def labelled(labels):
    return row_hash(Rows(np.ones((len(labels), 3)), np.float64, labels=labels))


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("dtype", [bool, np.int64, np.float32, np.float64])
def test_targets_tell_rows_apart(n_outputs, dtype):
    targets = RNG.random((6, n_outputs)) < 0.5
    targets[:3] = [[False], [True], [False]]
    targets[3] = ~targets[2]
    found = labelled(targets.astype(dtype))
    expected = np.unique(targets, axis=0, return_inverse=True)[1]
    assert (np.equal.outer(found, found) == np.equal.outer(expected, expected)).all()


def test_targets_of_any_type_and_unknown_ones():
    targets = np.array([[0.5, np.nan], [0.5, 0.0], [np.nan, 0.5], [0.0, 0.5]])
    assert len(np.unique(labelled(targets))) == 4
    found = labelled(targets.astype(np.float32))
    np.testing.assert_array_equal(found, labelled(targets))
    assert len(np.unique(labelled(np.nextafter(np.full(3, 0.5), [0, 0.5, 1])))) == 3


def test_targets_are_not_columns():
    one, other = Rows(np.array([[1.0]]), float), Rows(np.array([[2.0]]), float)
    a = row_hash(one._replace(labels=np.array([2.0])))
    b = row_hash(other._replace(labels=np.array([1.0])))
    assert a != b
