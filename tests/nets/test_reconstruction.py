"""Reconstructions: slopes of their losses, and missing entries."""

import numpy as np
from scipy.special import log_softmax
from scipy.stats import bernoulli

from skdgm.nets.reconstruction import (
    expected,
    inferred,
    reconstruction_slope,
    squared_slope,
)
from skdgm.nets.stochastic.emission import Emission
from tests.numerical import numerical_gradient

RNG = np.random.default_rng(0)


def test_reconstructions_have_the_slopes_of_their_likelihoods():
    kinds = "gray", "bernoulli", "gaussian", "categorical", "ordinal"
    sizes, share = (1, 1, 1, 3, 4), np.array([0.5, 0.5])
    emission = Emission(kinds, sizes, None, share)
    v = np.column_stack(
        [
            RNG.random(6),
            RNG.integers(0, 2, 6),
            RNG.normal(size=6),
            RNG.integers(0, 3, 6),
            RNG.integers(0, 4, 6),
        ]
    )
    x, _ = emission.inputs(v)
    out = RNG.normal(size=(6, emission.n_outputs))

    def loss(o):
        p = 1 / (1 + np.exp(-o[:, 0]))
        found = v[:, 0] * np.log(p) + (1 - v[:, 0]) * np.log1p(-p)
        found = found + bernoulli.logpmf(v[:, 1], 1 / (1 + np.exp(-o[:, 1])))
        found = found - (v[:, 2] - o[:, 2]) ** 2 / 2
        for part, column in ((o[:, 3:6], v[:, 3]), (o[:, 6:], v[:, 4])):
            rows = np.arange(len(o)), column.astype(int)
            found = found + log_softmax(part, axis=1)[rows]
        return -found.sum()

    slope = reconstruction_slope(emission, out, x)
    np.testing.assert_allclose(slope, numerical_gradient(loss, out), atol=1e-7)


def test_missing_entries_are_what_the_others_rebuild():
    emission = Emission(("gray", "gaussian", "categorical"), (1, 1, 3), None, [0.5])
    x, known = emission.inputs(np.array([[np.nan, 0.5, 1.0], [0.2, np.nan, np.nan]]))
    W = RNG.normal(size=(emission.n_inputs, emission.n_outputs)) / 8

    def rebuild(rows):
        return rows @ W

    found = inferred(emission, rebuild, x, known)
    np.testing.assert_array_equal(found[known == 1], x[known == 1])
    # A fixed point, nearly: what is missing is the expectation given the row.
    again = expected(emission, rebuild(found))
    np.testing.assert_allclose(found[known == 0], again[known == 0], atol=0.02)
    assert inferred(emission, rebuild, x, None) is x


def test_squared_errors_are_of_what_is_known():
    x, out = RNG.normal(size=(2, 4, 3))
    known = np.where(RNG.random(x.shape) < 0.5, 1.0, 0.0)
    for mask in None, known:
        weight = 1.0 if mask is None else mask

        def loss(o, weight=weight):
            return 0.5 * (weight * (o - x) ** 2).sum()

        found, truth = squared_slope(out, x, mask), numerical_gradient(loss, out)
        np.testing.assert_allclose(found, truth, atol=1e-7)
