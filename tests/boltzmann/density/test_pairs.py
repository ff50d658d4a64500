"""Scores of pairs of columns, by hand."""

import numpy as np
import pytest

from skdgm.boltzmann._density.pairs import (
    _block,
    _corrected,
    _direct_information,
    _frequencies,
)
from skdgm.distributions import Sites

RNG = np.random.default_rng(0)


def test_direct_information_is_that_of_two_columns_with_the_frequencies():
    J = RNG.normal(size=(3, 2))
    h, g = RNG.normal(size=3), RNG.normal(size=2)
    P = np.exp(J + h[:, None] + g)
    P /= P.sum()
    f = P.sum(axis=1), P.sum(axis=0)
    expected = (P * np.log(P / np.multiply.outer(*f))).sum()
    assert _direct_information(J, *f) == pytest.approx(expected, rel=1e-6)
    assert _direct_information(0 * J, *f) == pytest.approx(0, abs=1e-9)


def test_scores_are_corrected_by_products_of_means_over_other_columns():
    scores = RNG.random((4, 4))
    scores += scores.T
    np.fill_diagonal(scores, 0)
    mean = [np.delete(row, i).mean() for i, row in enumerate(scores)]
    expected = scores - np.outer(mean, mean) / np.mean(mean)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(_corrected(scores), expected)
    # Of two columns there are no others.
    assert not _corrected(scores[:2, :2]).any()
    assert not _corrected(np.zeros((4, 4))).any()


def test_bits_are_two_categories():
    unit, J = Sites((3, 0, 2)), RNG.normal(size=(6, 6))
    np.testing.assert_array_equal(_block(unit, J, 0, 2), J[:3, 4:])
    np.testing.assert_array_equal(_block(unit, J, 0, 1), np.c_[np.zeros(3), J[:3, 3]])
    found = _block(unit, J, 1, 2)
    np.testing.assert_array_equal(found, np.stack([np.zeros(2), J[3, 4:]]))
    f = np.array([0.2, 0.5, 0.3, 0.4, 0.1, 0.9])
    np.testing.assert_allclose(_frequencies(unit, f, 0), f[:3])
    np.testing.assert_allclose(_frequencies(unit, f, 1), [0.6, 0.4])
