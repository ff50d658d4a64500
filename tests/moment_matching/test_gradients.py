"""Slopes of what generators and autoencoders minimise are central differences."""

import numpy as np
import pytest

from skdgm import GMMN
from skdgm.data import tabulate
from skdgm.nets import vjp
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
