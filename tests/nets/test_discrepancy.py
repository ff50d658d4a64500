"""The discrepancy of samples against scikit-learn's kernels, and its gradient."""

import numpy as np
from sklearn.metrics.pairwise import rbf_kernel

from skdgm.nets.discrepancy import bandwidths, discrepancy
from skdgm.nets.tape import vjp

RNG = np.random.default_rng(0)
X, Y, SIGMAS = RNG.normal(size=(7, 3)), RNG.normal(1, 2, size=(9, 3)), (0.5, 2.0)


def reference(x, y):
    means = [
        np.mean([rbf_kernel(a, b, gamma=0.5 / s**2) for s in SIGMAS])
        for a, b in ((x, x), (x, y), (y, y))
    ]
    return means[0] - 2 * means[1] + means[2]


def test_discrepancies_are_means_of_kernels():
    np.testing.assert_allclose(discrepancy(X, Y, SIGMAS)[0], reference(X, Y))
    assert abs(discrepancy(X, X, SIGMAS)[0]) < 1e-15


def test_gradients_are_differences():
    _, (found,) = vjp(lambda p: discrepancy(p[0], Y, SIGMAS), (X,), np.ones_like)
    for i, j in np.ndindex(X.shape):
        move = np.zeros_like(X)
        move[i, j] = 1e-6
        slope = (reference(X + move, Y) - reference(X - move, Y)) / 2e-6
        np.testing.assert_allclose(found[i, j], slope, atol=1e-9)


def test_bandwidths_follow_the_scale():
    np.testing.assert_allclose(
        bandwidths(10 * X, [0.5, 1]), 10 * bandwidths(X, [0.5, 1])
    )
    gaps = [np.linalg.norm(a - b) for n, a in enumerate(X) for b in X[:n]]
    np.testing.assert_allclose(bandwidths(X, [1.0])[0] ** 2, np.median(np.square(gaps)))
    assert (bandwidths(np.ones((4, 2)), [1.0]) == 1).all()
    assert (bandwidths(np.ones((1, 2)), [1.0]) == 1).all()
