"""Slopes of what is maximized are central differences."""

from itertools import product

import numpy as np
import pytest

from skdgm import VAE
from skdgm.autoencoder._bound import BoundBatch
from skdgm.autoencoder._bound import bound as bound_of
from skdgm.data import tabulate
from skdgm.nets import vjp
from skdgm.utils.random import stream
from skdgm.utils.tree import leaves, tree_map
from tests.numerical import assert_gradient
from tests.options import grouped

DEEP = {"n_components": (2, 1), "hidden_layer_sizes": (3, 2)}
DECODERS = {
    "bernoulli": {},
    "feature": {"column_types": "gaussian"},
    "sample": {"column_types": "gaussian", "variance": "sample"},
    "fixed": {"column_types": "gaussian", "variance": 0.3},
    "categorical": {"column_types": "categorical"},
}
WAYS = {
    "elbo": {},
    "three": {"n_importance": 3},
    "iwae": {"objective": "iwae", "n_importance": 3},
    "beta": {"beta": 0.5},
    "iwae-beta": {"objective": "iwae", "beta": 0.5},
    "deep": DEEP,
    "deep-iwae": {**DEEP, "objective": "iwae", "n_importance": 3},
    "norm": {"batch_norm": True},
    "deep-norm-iwae": {**DEEP, "batch_norm": True, "objective": "iwae"},
    "dropout": {"hidden_layer_sizes": 4, "dropout": 0.4},
    "maxout": {"activation": "maxout", "n_importance": 2},
    "linear": {"hidden_layer_sizes": ()},
    "gated": {"activation": "gated"},
    "classes": {"class_conditional": True, "n_importance": 2},
    "attributes": {"attribute_conditional": True, "n_importance": 2},
    "deep-classes-vamp": {
        **DEEP,
        "class_conditional": True,
        "objective": "iwae",
        "prior": "vamp",
        "n_prior_components": 2,
    },
    "mixture": {"prior": "mixture", "n_prior_components": 3},
    "vamp": {"prior": "vamp", "n_prior_components": 3, "n_importance": 2},
    "deep-vamp-full": {
        **DEEP,
        "prior": "vamp",
        "n_prior_components": 3,
        "posterior": "full",
    },
    "vamp-norm-iwae": {
        "prior": "vamp",
        "n_prior_components": 3,
        "objective": "iwae",
        "batch_norm": True,
    },
    "flow": {"prior": "flow", "n_couplings": 2},
    "autoregressive-full": {"prior": "autoregressive", "posterior": "full"},
    "full": {"posterior": "full", "n_importance": 2},
    "full-linear-autoregressive": {
        "posterior": "full",
        "hidden_layer_sizes": (),
        "prior": "autoregressive",
    },
    "flow-posterior-iwae": {
        "posterior": "flow",
        "n_couplings": 2,
        "objective": "iwae",
        "n_importance": 3,
    },
    "auxiliary": {"posterior": "auxiliary", "n_importance": 2},
    "deep-auxiliary-vamp-iwae": {
        **DEEP,
        "posterior": "auxiliary",
        "prior": "vamp",
        "n_prior_components": 2,
        "objective": "iwae",
    },
    "top-down": {**DEEP, "inference": "top-down", "n_importance": 2},
    "top-down-classes-vamp-iwae": {
        **DEEP,
        "inference": "top-down",
        "class_conditional": True,
        "prior": "vamp",
        "n_prior_components": 2,
        "objective": "iwae",
        "activation": "gated",
    },
    "top-down-three-norm": {
        "n_components": (2, 1, 1),
        "hidden_layer_sizes": (3, 2, 2),
        "inference": "top-down",
        "batch_norm": True,
    },
    "vamp-flow-posterior": {
        "posterior": "flow",
        "n_couplings": 1,
        "prior": "vamp",
        "n_prior_components": 2,
    },
}
CONV = {
    "conv": {
        "architecture": "conv",
        "conv_layer_sizes": (2, 3),
        "image_shape": (1, 3),
        "min_categories": 3,
    },
}
CONV["conv-top-down"] = {**CONV["conv"], **DEEP, "inference": "top-down"}
CONV["deep-conv-vamp"] = {
    **CONV["conv"],
    **DEEP,
    "prior": "vamp",
    "n_prior_components": 2,
}


def rows(decoder, missing=False):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5, 3)) * [1, 10, 0.1]
    X = {"bernoulli": rng.random((5, 3)), "categorical": (X > 0) + 1.0 * (X > 1)}.get(
        decoder, X
    )
    if missing:
        X[0, 1] = X[2, 0] = np.nan
        X[3] = np.nan
    return X


def goal(options, missing=False):
    """What is maximized, parameters, and its gradient at them."""
    plain = {"column_types": "bernoulli", "n_components": 2, "hidden_layer_sizes": 3}
    options = plain | options
    vae = grouped(VAE, **options, n_iter=0, random_state=0)
    X = rows(vae._options.column_types, missing)
    y = np.array([1, 0, 2, 1, 0]) if vae.class_conditional else None
    if vae.attribute_conditional:
        y = np.array([[0.5, 2], [1, -1], [3.5, 0], [0, 1], [-1, -1]])
    vae.fit(X, y)
    table = vae._rows(X)
    objective = vae._objective(tabulate(vae._label(table, y, True, None)[0], None), 0)
    rng = np.random.default_rng(1)
    params = tree_map(
        lambda a: a + 0.4 * rng.normal(size=a.shape), vae._training.params
    )
    v = vae._rows(X).take(slice(None))
    noises = rng.normal(size=(3, len(v) * objective.n_each, 4))
    weight = rng.random(len(v)) + 0.5

    def noise(level, stats):
        hierarchy = objective.hierarchy
        return noises[level][:, : hierarchy.units.n_noise(hierarchy.n_latent[level])]

    def bound(params):
        batch = BoundBatch(
            statistics=vae._training.statistics,
            v=v,
            noise=noise,
            beta=vae._options.beta,
            training=stream(0),
            covariates=objective._covariates(slice(None)),
        )
        return -objective.forward(params, batch)[0]

    value, found = vjp(bound, params, lambda b: weight)
    assert value.shape == (len(v),)
    return lambda p: weight @ bound(p), params, found


# Every decoder meets one latent layer and two, every way bits and numbers.
CASES = {
    *product(DECODERS, ["elbo", "deep-iwae"]),
    *product(["bernoulli", "sample"], WAYS),
    *product(["bernoulli", "feature", "categorical"], CONV),
}


@pytest.mark.exhaustive(
    default=[
        "bernoulli-deep-vamp",
        "elbo-whole",
        "sample-full-whole",
        "categorical-conv-whole",
        "-top-down-whole",
        "sample-flow",
    ]
)
@pytest.mark.parametrize("missing", [False, True], ids=["whole", "holed"])
@pytest.mark.parametrize("decoder, way", sorted(CASES))
def test_slopes_are_differences(decoder, way, missing):
    bound, params, found = goal({**DECODERS[decoder], **(WAYS | CONV)[way]}, missing)
    assert_gradient(bound, params, found, rtol=1e-6)
    # What is learned has grads, but for biases before batches are standardized.
    silent = sum(abs(leaf).max() < 1e-12 for leaf in leaves(found))
    assert bool(silent) == ("norm" in way)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_what_is_maximized(beta):
    rng = np.random.default_rng(0)
    log_p, gap, kl = (
        rng.normal(size=(4, 3)),
        rng.normal(size=(4, 3)),
        rng.random((4, 1)),
    )
    found = bound_of(log_p, kl, beta, False)
    np.testing.assert_allclose(found, log_p.mean(axis=1) - beta * kl[:, 0])
    found = bound_of(log_p, gap, beta, False)
    np.testing.assert_allclose(found, (log_p - beta * gap).mean(axis=1))
    found = bound_of(log_p, gap, beta, True)
    expected = np.log((np.exp(log_p) / np.exp(gap) ** beta).mean(axis=1))
    np.testing.assert_allclose(found, expected)
