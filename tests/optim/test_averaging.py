"""Means of what parameters were."""

import numpy as np
import pytest

from skdgm.optim import averaging
from skdgm.utils.parallel import limit
from skdgm.utils.tree import tree_map


def followed(path):
    """The mean of a path, which begins where nothing was learned."""
    mean = averaging.init(tree_map(lambda part: np.full_like(part, 7), path[0]))
    for params in path:
        averaging.follow(mean, params)
    assert mean.t == len(path)
    return mean.params


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
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
    mean = averaging.init(params)
    averaging.follow(mean, (np.full((3, 2), 5.0),))
    assert (params[0] == 1).all()
    assert (mean.params[0] == 5).all()
