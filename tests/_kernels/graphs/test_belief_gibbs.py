"""Saul's bound and Gibbs sweeps, with NumPy and scipy.special."""

from itertools import product

import numpy as np
import pytest
from scipy.special import entr, expit, log_expit, logsumexp

from skdgm._kernels.graphs import belief_gibbs
from skdgm._kernels.graphs.belief_gibbs import SaulRows
from tests._kernels.oracles import TOLERANCE
from tests.suites import DTYPES

N_PARENTS, N_CHILDREN = 5, 4


def parts(dtype=np.float64, n=3, scale=1.5):
    """Means, children (one of them unknown), xi, log odds from above, W, b."""
    rng = np.random.default_rng(0)
    mean, xi = rng.random((n, N_PARENTS)), rng.random((n, N_CHILDREN))
    t = (rng.random((n, N_CHILDREN)) < 0.5).astype(float)
    t[0, 1] = np.nan
    W = rng.normal(0, scale, (N_PARENTS, N_CHILDREN))
    field, b = rng.normal(size=(n, N_PARENTS)), rng.normal(size=N_CHILDREN)
    return [part.astype(dtype) for part in (mean, t, xi, field, W, b)]


def expected(mean, t, xi, W, b):
    """The bound by enumeration of the parents, and the expectation that it bounds."""
    states = np.array(list(product([0.0, 1.0], repeat=N_PARENTS)))
    a = states @ W + b
    p = np.exp(states @ np.log(mean).T + (1 - states) @ np.log1p(-mean).T).T
    bound, truth = np.zeros((2, len(mean)))
    for r in range(len(mean)):
        middle = p[r] @ a
        both = np.stack([-xi[r] * a, (1 - xi[r]) * a])
        log_sum = logsumexp(both + np.log(p[r])[:, None], axis=(0, 1))
        known = ~np.isnan(t[r])
        bound[r] = ((t[r] - xi[r]) * middle - log_sum)[known].sum()
        log_p = np.where(t[r] > 0, log_expit(a), log_expit(-a))
        truth[r] = (p[r] @ log_p)[known].sum()
    return bound, truth


def value(mean, t, xi, W, b):
    out = np.empty(len(mean))
    belief_gibbs.bound(SaulRows(mean, t, xi), (W, b), out, 0, len(mean))
    return out


def settled(mean, t, xi, field, W, b):
    better, share = np.empty_like(xi), np.empty_like(xi)
    slack = W.dtype.type(np.sqrt(np.finfo(W.dtype).max))
    rows, found = SaulRows(mean, t, xi), (better, share)
    belief_gibbs.mean_field(rows, field, (W, b), slack, found, 0, len(mean))
    return better, share


def objective(mean, t, xi, field, W, b):
    """What the means maximize."""
    entropy = (entr(mean) + entr(1 - mean)).sum(axis=1)
    return value(mean, t, xi, W, b) + (mean * field).sum(axis=1) + entropy


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bound_is_that_of_enumeration(dtype):
    mean, t, xi, _, W, b = parts(dtype)
    bound, truth = expected(mean, t, xi, W, b)
    assert (bound < truth).all()
    np.testing.assert_allclose(value(mean, t, xi, W, b), bound, rtol=TOLERANCE[dtype])


def test_sweeps_raise_the_bound():
    mean, t, xi, field, W, b = parts()
    last = objective(mean, t, xi, field, W, b)
    for _ in range(30):
        better, _ = settled(mean, t, xi, field, W, b)
        now = objective(mean, t, xi, field, W, b)
        assert (now >= last - 1e-12).all()
        last = objective(mean, t, better, field, W, b)
        assert (last >= now - 1e-9).all()
        xi = better
    assert ((xi >= 0) & (xi <= 1)).all()
    # Neither means nor xi can be moved to advantage.
    for what, index in (0, (1, 2)), (0, (2, 4)), (2, (1, 3)), (2, (2, 0)):
        for shift in -0.01, 0.01:
            moved = [part.copy() for part in (mean, t, xi, field, W, b)]
            moved[what][index] = np.clip(moved[what][index] + shift, 1e-12, 1 - 1e-12)
            assert (objective(*moved) <= last + 1e-9).all()


def test_slopes_are_differences():
    mean, t, xi, field, W, b = parts()
    _, share = settled(mean, t, xi, field, W, b)
    found = np.empty_like(W)
    belief_gibbs.slope(SaulRows(mean, t, xi), W, share, found, 0, len(W))
    for index in np.ndindex(W.shape):
        up, down = W.copy(), W.copy()
        up[index] += 1e-6
        down[index] -= 1e-6
        gap = value(mean, t, xi, up, b) - value(mean, t, xi, down, b)
        np.testing.assert_allclose(found[index], gap.sum() / 2e-6, rtol=1e-6, atol=1e-7)
    by_b = np.where(np.isnan(t), 0, t - share).sum(axis=0)
    for i in range(len(b)):
        shift = 1e-6 * (np.arange(len(b)) == i)
        gap = value(mean, t, xi, W, b + shift) - value(mean, t, xi, W, b - shift)
        np.testing.assert_allclose(by_b[i], gap.sum() / 2e-6, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_weights_give_numbers(dtype):
    mean, t, xi, field, W, b = parts(dtype, scale=30)
    for _ in range(5):
        xi, share = settled(mean, t, xi, field, W, b)
    found = np.empty_like(W)
    belief_gibbs.slope(SaulRows(mean, t, xi), W, share, found, 0, len(W))
    for part in (mean, xi, share, found):
        assert np.isfinite(part).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_sweep_is_one_bit_after_the_other(dtype):
    _, t, _, field, W, b = parts(dtype)
    rng = np.random.default_rng(1)
    z = (rng.random(field.shape) < 0.5).astype(dtype)
    noise = rng.random(field.shape).astype(dtype)
    wanted = z.copy()
    for r, j in np.ndindex(z.shape):
        log_p = []
        for bit in 0, 1:
            wanted[r, j], before = bit, wanted[r, j]
            a = wanted[r].astype(float) @ W + b
            known = ~np.isnan(t[r])
            all_p = np.where(t[r] > 0, log_expit(a), log_expit(-a))
            log_p.append(all_p[known].sum() + bit * field[r, j])
            wanted[r, j] = before
        flips = expit((log_p[1] - log_p[0]) * (1 - 2 * wanted[r, j]))
        if noise[r, j] < flips:
            wanted[r, j] = 1 - wanted[r, j]
    belief_gibbs.sweep(z, t, field, (W, b), noise, 0, len(z))
    np.testing.assert_array_equal(z, wanted)


def test_xi_makes_a_newton_step():
    mean, t, xi, field, W, b = parts()
    old, h = xi.copy(), 1e-4
    better, _ = settled(mean, t, xi, field, W, b)

    def bound(r, i, shift):
        moved = old.copy()
        moved[r, i] += shift
        return value(mean, t, moved, W, b)[r]

    for r, i in np.ndindex(old.shape):
        if np.isnan(t[r, i]):
            continue
        low, middle, high = (bound(r, i, shift) for shift in (-h, 0, h))
        step = 0.5 * h * (high - low) / (2 * middle - low - high)
        expected = np.clip(old[r, i] + np.clip(step, -0.5, 0.5), 0, 1)
        assert better[r, i] == pytest.approx(expected, abs=1e-5)
