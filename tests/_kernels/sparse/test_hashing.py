"""Hashes of rows tell rows apart, whatever they are stored as."""

import numpy as np
import scipy.sparse as sp

from skdgm.utils.rows import Rows, row_hash

RNG = np.random.default_rng(0)
X = np.where(RNG.random((40, 6)) < 0.5, RNG.normal(size=(40, 6)).round(1), 0.0)
X[:, 0] = np.arange(40)


def hashes(X):
    return np.asarray(row_hash(Rows(X, np.float64)))


def test_rows_that_differ_have_other_hashes():
    found = hashes(X)
    assert len(set(found.tolist())) == 40
    for j in range(6):
        other = X.copy()
        other[:, j] += 1
        assert (hashes(other) != found).all()
    assert (hashes(X[:, ::-1].copy())[1:] != found[1:]).all()


def test_equal_rows_have_equal_hashes():
    found, order = hashes(X), RNG.permutation(40)
    np.testing.assert_array_equal(hashes(X[order]), found[order])
    np.testing.assert_array_equal(hashes(sp.csr_array(X)), found)
    holed = X.copy()
    holed[:, 3] = np.nan
    np.testing.assert_array_equal(hashes(sp.csr_array(holed)), hashes(holed))
    minus = np.where(X == 0, -0.0, X)
    np.testing.assert_array_equal(hashes(minus), found)
