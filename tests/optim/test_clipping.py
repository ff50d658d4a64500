import numpy as np
import pytest

from skdgm.optim import Penalised, clip_norm
from skdgm.utils.tree import leaves
from tests.numerical import assert_trees

DTYPES = [np.float32, np.float64]


def gradient(dtype=np.float64):
    """One of norm 13, of a few parts."""
    W = np.array([[3, 0], [0, -4]], dtype)
    return Penalised(W), (np.array([12], dtype),)


@pytest.mark.parametrize("limit", [None, np.inf, 13.0, 100])
def test_short_gradients_are_left_alone(limit):
    grad = gradient()
    assert clip_norm(grad, limit) is grad


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("limit", [1, 6.5, np.float64(12.9)])
def test_long_gradients_are_cut_as_a_whole(dtype, limit):
    grad, before = gradient(dtype), gradient(dtype)
    found = clip_norm(grad, limit)
    expected = [leaf * (limit / 13) for leaf in leaves(before)]
    assert_trees(leaves(found), expected, rtol=1e-6)
    norm = np.sqrt(sum((leaf**2).sum() for leaf in leaves(found)))
    assert norm == pytest.approx(limit, rel=1e-6)
    assert isinstance(found[0], Penalised)
    assert {leaf.dtype for leaf in leaves(found)} == {np.dtype(dtype)}
    assert_trees(leaves(grad), leaves(before), rtol=0)


def test_nothing_to_cut():
    grad = (np.zeros(3), ())
    assert clip_norm(grad, 0.0) is grad
