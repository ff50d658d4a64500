"""Penalties, clipping, and means of what parameters were."""

import numpy as np
import pytest

from skdgm.optim import Mean, Penalized, adam, clip_norm, sgd
from skdgm.utils.threading.parallel import limit
from skdgm.utils.tree import leaves, tree_map
from tests.numerical import assert_trees
from tests.suites import DTYPES


@pytest.mark.parametrize("dtype", DTYPES)
def test_sgd_is_that_by_hand(dtype):
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(7, 5)).astype(dtype), rng.normal(size=5).astype(dtype)
    params, expected, u = (W.copy(), b.copy()), W.astype(np.float64), 0.0
    velocity = sgd.init(params)
    for _ in range(4):
        g = rng.normal(size=W.shape).astype(dtype)
        rule = {"rate": 0.1, "momentum": 0.8, "l1": 0.3, "l2": 0.2}
        sgd.step(params, velocity, (Penalized(g), np.zeros(5, dtype)), **rule)
        u = 0.8 * u + 0.1 * (g - 0.3 * np.sign(expected) - 0.2 * expected)
        expected = expected + u
    np.testing.assert_allclose(params[0], expected, rtol=1e-5, atol=1e-6)
    assert params[0].dtype == dtype
    np.testing.assert_array_equal(params[1], b)


def test_adam_is_that_of_arrays_but_for_penalties():
    rng = np.random.default_rng(0)
    W, grads = rng.normal(size=(7, 5)), rng.normal(size=(4, 7, 5))
    found, plain = W.copy(), W.copy()
    memory, other = adam.init((found,)), adam.init((plain,))
    for g in grads:
        adam.step((found,), memory, (Penalized(g),), rate=0.1, l2=0.5)
        adam.step((plain,), other, (g - 0.5 * plain,), rate=0.1)
    np.testing.assert_allclose(found, plain, rtol=1e-12)
    assert abs(found - W).mean() > 0.05


def test_refuses_to_move_a_copy():
    params = (np.zeros((3, 2)).T,)
    with pytest.raises(AssertionError):
        sgd.step(params, sgd.init(params), (Penalized(np.ones((2, 3))),), rate=0.1)


def gradient(dtype=np.float64):
    """One of norm 13, of a few parts."""
    W = np.array([[3, 0], [0, -4]], dtype)
    return Penalized(W), (np.array([12], dtype),)


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
    assert isinstance(found[0], Penalized)
    assert {leaf.dtype for leaf in leaves(found)} == {np.dtype(dtype)}
    assert_trees(leaves(grad), leaves(before), rtol=0)


def test_nothing_to_cut():
    grad = (np.zeros(3), ())
    assert clip_norm(grad, 0.0) is grad


def followed(path):
    """The mean of a path, which begins where nothing was learned."""
    mean = Mean.of(tree_map(lambda part: np.full_like(part, 7), path[0]))
    for params in path:
        mean.update(params)
    assert mean.t == len(path)
    return mean.params


@pytest.mark.parametrize("dtype", DTYPES)
def test_means_are_weighted_sums(dtype):
    """The weight of what was after t updates is that of t, times what later ones
    leave."""
    rng = np.random.default_rng(0)
    shapes = [((3, 2), 4)] * 30
    path = [(rng.normal(size=a), (rng.normal(size=b),)) for a, b in shapes]
    path = [(a.astype(dtype), (b.astype(dtype),)) for a, (b,) in path]
    new = 10 / (np.arange(1, 31) + 9)
    weight = new * np.append(np.cumprod((1 - new)[::-1])[::-1][1:], 1)
    assert weight.sum() == pytest.approx(1)
    mean = followed(path)
    expected = sum(w * a for w, (a, _) in zip(weight, path))
    np.testing.assert_allclose(mean[0], expected, rtol=1e-5, atol=1e-6)
    expected = sum(w * b for w, (_, (b,)) in zip(weight, path))
    np.testing.assert_allclose(mean[1][0], expected, rtol=1e-5, atol=1e-6)
    assert mean[0].dtype == dtype


def test_means_are_of_the_last_tenth():
    """Nearly all of a mean's weight is on the last third, half of it on the last
    fourteenth."""
    path = [[np.full(1, float(t < n)) for n in (700, 930)] for t in range(1000)]
    early, (not_late,) = followed([(a, (b,)) for a, b in path])
    assert early < 0.05
    assert not_late == pytest.approx(0.5, abs=0.03)


def test_means_do_not_depend_on_how_many_threads_there_are():
    rng, found = np.random.default_rng(0), []
    path = [(rng.normal(size=(1000, 1001)),) for _ in range(3)]
    for n in (1, 3):
        with limit(n):
            found += followed([(a, (a[0],)) for (a,) in path])[:1]
    np.testing.assert_array_equal(*found)


def test_a_mean_has_numbers_of_its_own():
    params = (np.ones((2, 3)).T,)
    mean = Mean.of(params)
    mean.update((np.full((3, 2), 5.0),))
    assert (params[0] == 1).all()
    assert (mean.params[0] == 5).all()
