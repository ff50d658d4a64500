"""Losses that are watched, and the bars above which they are bad."""

import numpy as np
import pytest

from skdgm.training import Table
from skdgm.training.watch import DensityWatch
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows

X = np.arange(40.0).reshape(20, 2)


class Squares(DensityWatch):
    """A state's factor times the first value of each row."""

    def _losses(self, state, index, part):
        return state * self.rows.take(index)[:, 0]


def watch(independent=None, state=0.0, X=X, held_out=None, **rows):
    index = np.arange(len(X))
    table = Table(Rows(X, np.float64, **rows), index, index, np.ones(len(X)))
    return Squares(table, held_out, stream(0), independent, state)


def test_losses_are_means_by_weight():
    held_out = Table(None, np.array([1, 3]), None, np.array([3.0, 1.0]))
    found = watch(held_out=held_out)(2.0)
    assert found == (2 * X[:, 0].mean(), 2 * (3 * X[1, 0] + X[3, 0]) / 4)
    assert watch()(2.0)[1] is None


@pytest.mark.parametrize("independent, start", [(None, 19), (5.0, 19), (50.0, 50)])
def test_bars_are_above_the_higher_of_two_losses(independent, start):
    """10 and .1 nats per column, of two, above the first loss and that of columns."""
    found = watch(independent, state=1.0)
    assert found.limit == start + 20
    assert not found.is_useless(start + 0.2)
    assert found.is_useless(np.nextafter(start + 0.2, 100))


def test_values_far_out_raise_the_bars():
    """In standard deviations of real columns, at a variance of .01."""
    far = np.zeros((20, 3))
    far[:, 2] = 50.0
    far[3, :2] = -20.0, 10.0
    far[4, 1], far[5, 0] = np.nan, 5.0
    affine = (0.0, 0.0, 0.0), (0.5, 1.0, 1.0)
    found = watch(X=far, affine=affine)
    expected = 0.5 * found.rows.take([3])[0, 0] ** 2 / 0.01 / 20
    assert expected > 0
    assert found.room == pytest.approx(expected)
    assert found.limit == pytest.approx(30 + expected)
    assert not found.is_useless(expected)
    assert found.is_useless(expected + 0.31)
