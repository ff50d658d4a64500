"""Slopes of what generators and autoencoders minimise are central differences."""

import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.stats import bernoulli

from skdgm import GMMN
from skdgm.data import tabulate
from skdgm.moment_matching._autoencoder import (
    expected,
    inferred,
    reconstruction_slope,
)
from skdgm.nets import vjp
from skdgm.nets.stochastic.emission import Emission
from skdgm.utils.random import stream
from tests.numerical import assert_trees, numerical_gradient

RNG = np.random.default_rng(0)
WAYS = {
    "grey": {},
    "square": {"square_root": False},
    "real": {"column_types": "gaussian"},
    "given": {"bandwidths": (0.3, 2.0)},
    "classes": {"class_conditional": True},
    "norm": {"batch_norm": True},
    "codes": {"autoencoder_layer_sizes": (4, 2)},
    "code-classes": {"autoencoder_layer_sizes": 2, "class_conditional": True},
}


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_slopes_are_differences(way, missing):
    X, y = RNG.random((9, 3)), np.arange(9) % 2
    if missing:
        X[0, 1] = X[2, 0] = np.nan
        X[3] = np.nan
    options = {"n_components": 2, "hidden_layer_sizes": 3, "activation": "tanh"}
    gmmn = GMMN(**options, **WAYS[way], n_iter=1, random_state=0).fit(X, y)
    rows, _ = gmmn._label(gmmn._rows(X), y, False, None)
    objective = gmmn._objective(tabulate(rows, None), 0)
    state = objective.resume(gmmn._training)
    x, known = objective.emission.inputs(objective.rows.take(np.arange(9)))
    codes = y if gmmn.class_conditional else None
    given = objective.prepare(state, x, known, codes, stream(3))
    part = state.matched

    def loss(params):
        fake, _ = objective.generated(params, part.statistics, given)
        return objective.loss(fake, given)[0]

    _, found = vjp(
        lambda p: objective.generated(p, part.statistics, given)[0],
        part.params,
        lambda fake: objective.loss(fake, given)[1],
    )
    expected = numerical_gradient(loss, part.params)
    assert_trees(found, expected, atol=1e-8, rtol=1e-5)


def test_reconstructions_have_the_slopes_of_their_likelihoods():
    kinds = "grey", "bernoulli", "gaussian", "categorical", "ordinal"
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
    emission = Emission(("grey", "gaussian", "categorical"), (1, 1, 3), None, [0.5])
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
