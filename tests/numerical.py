"""What tests compare with: differences, standard errors, machines held to data."""

from itertools import zip_longest

import numpy as np

from skdgm.distributions import Softmax
from skdgm.energies import contrast
from skdgm.utils.tree import copy, leaves

_N_GROUPS = 40


def numerical_gradient(function, tree, eps=1e-5):
    """Central differences of a function of a tree of arrays, a tree like it."""
    if isinstance(tree, tuple):
        parts = []
        for i in range(len(tree)):

            def of_part(part, i=i):
                return function(_replaced(tree, i, part))

            parts.append(numerical_gradient(of_part, tree[i], eps))
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    grad = np.empty_like(tree)
    for index in np.ndindex(tree.shape):
        up, down = tree.copy(), tree.copy()
        up[index] += eps
        down[index] -= eps
        grad[index] = (function(up) - function(down)) / (2 * eps)
    return grad


def _replaced(tree, i, part):
    parts = [part if j == i else branch for j, branch in enumerate(tree)]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)


def assert_gradient(function, tree, grad, rtol=1e-5, atol=1e-7, n_ways=3):
    """The gradient of a function of a tree of arrays is that of central differences,
    along a few random directions of each leaf. (Of small functions, the whole of it:
    ``numerical_gradient``.)"""
    rng = np.random.default_rng(0)
    for i, (leaf, slope) in enumerate(zip(arrays(tree), arrays(grad), strict=True)):
        for _ in range(min(n_ways, leaf.size)):
            way = rng.normal(size=leaf.shape)
            way *= 1e-5 / np.linalg.norm(way)
            ends = []
            for turn in (1, -1):
                moved = copy(tree)
                leaves(moved)[i][...] += turn * way
                ends.append(function(moved))
            found, size = (slope * way).sum() * 1e5, np.linalg.norm(slope)
            expected = (ends[0] - ends[1]) / 2e-5
            np.testing.assert_allclose(
                found, expected, rtol=rtol, atol=atol + rtol * size, err_msg=f"leaf {i}"
            )


def assert_descends(value, old, new, rng):
    """A plain step of size one from old parameters to new ones goes down the gradient
    of a function of them, by differences along four random directions."""
    for _ in range(4):
        way = [rng.normal(size=leaf.shape) for leaf in leaves(old)]

        def moved(size, way=way):
            own = copy(old)
            for leaf, part in zip(leaves(own), way):
                leaf += size * part
            return own

        slope = (value(moved(1e-6)) - value(moved(-1e-6))) / 2e-6
        parts = zip(leaves(old), leaves(new), way)
        gained = sum(((b - a) * part).sum() for a, b, part in parts)
        np.testing.assert_allclose(gained, -slope, rtol=2e-4, atol=1e-7)


def arrays(tree):
    """The leaves of a tree; a gradient that is made of parts is a leaf."""
    if hasattr(tree, "__array__"):
        return [np.asarray(tree)]
    return [leaf for branch in tree for leaf in arrays(branch)]


def assert_trees(found, expected, **tolerance):
    """Two trees agree."""
    for a, b in zip(arrays(found), arrays(expected), strict=True):
        np.testing.assert_allclose(a, b, **tolerance)


def assert_means(rows, expected, n_sigma=4.5):
    """Independent rows have the expected mean, within standard errors.

    What has one value only has no error.
    """
    rows = np.asarray(rows)
    se = rows.std(axis=0) / np.sqrt(len(rows))
    assert (abs(rows.mean(axis=0) - expected) <= n_sigma * se + 1e-12).all()


def assert_moments(x, truth, n_sigma=4.5):
    """Samples have the means, squares and pair moments of an enumerated machine."""
    x = [np.asarray(part) for part in x]
    for part, mean, var in zip(x, truth.x, truth.var):
        assert_means(part, truth.p @ mean, n_sigma)
        assert_means(part**2, truth.p @ (mean**2 + var), n_sigma)
    for i, j in truth.links:
        pairs = (truth.p[:, None] * truth.x[i]).T @ truth.x[j]
        assert_means(x[i][:, :, None] * x[j][:, None, :], pairs, n_sigma)


def assert_expectation(energy, params, phases, exact):
    """The gradients of groups of rows are those expected, within standard errors."""
    groups = []
    for number in range(_N_GROUPS):
        parts = []
        for x in phases:
            size = len(x[0]) // _N_GROUPS
            rows = slice(number * size, (number + 1) * size)
            parts.append(tuple(part[rows] for part in x))
        groups.append(arrays(contrast(energy, params, *parts)))
    for found, expected in zip(zip(*groups), arrays(exact), strict=True):
        assert_means(found, expected, n_sigma=6)


def observed(truth, n, missing=0.0, blocks=1, seed=0):
    """Exact samples of the first blocks, with entries missing (labels as a whole)."""
    rng, data = np.random.default_rng(seed), []
    for unit, x in zip(truth.units[:blocks], truth.draw(n, seed)):
        whole = isinstance(unit, Softmax)
        holes = rng.random((n, 1 if whole else unit.size)) < missing
        data.append(np.where(holes, np.nan, x))
    return data


def clamped(energy, *data, rest=0.5):
    """Values of the blocks and what of them is held: the known entries of data of the
    first ones. Free entries have some value."""
    x, clamp, n = [], [], len(data[0])
    for unit, rows in zip_longest(energy.units, data):
        if rows is None:
            rows = np.full((n, unit.size), np.nan)
        held = ~np.isnan(rows)
        free = 1 / unit.size if isinstance(unit, Softmax) else rest
        x.append(np.where(held, rows, free))
        clamp.append(True if held.all() else held if held.any() else None)
    return tuple(x), tuple(clamp)


def effort(sampler, n):
    """Arguments of ``impute`` of models with latent units: n draws, or n steps."""
    n_passes = "n_draws" if sampler == "importance" else "n_steps"
    return {"sampler": sampler, n_passes: n}
