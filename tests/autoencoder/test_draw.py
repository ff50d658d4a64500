"""DRAW: its equations, gradients, bounds held to integrals, and images of any form."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy.special import expit, logsumexp

from skdgm import DRAW
from skdgm.autoencoder._bound import BoundBatch
from skdgm.data import tabulate
from skdgm.nets import vjp
from skdgm.utils.random import stream
from skdgm.utils.tree import leaves
from tests.numerical import assert_gradient
from tests.options import grouped

BITS = np.array(list(product([0.0, 1.0], repeat=4)))
SMALL = {"n_glimpses": 2, "n_components": 1, "n_recurrent": 4, "random_state": 0}
MODELS = {
    "bits": {},
    "gru": {"cell": "gru", "read_size": 1, "write_size": 2},
    "whole": {"read_size": None, "write_size": None, "cell": "tanh"},
    "real": {"column_types": "gaussian"},
    "sample": {"column_types": "gaussian", "variance": "sample"},
    "colors": {"image_shape": (1, 2, 2), "write_size": None},
    "colors-sample": {
        **{"column_types": "gaussian", "variance": "sample"},
        **{"image_shape": (1, 2, 2), "read_size": 1, "write_size": 1},
    },
    "iwae": {"objective": "iwae", "n_importance": 3},
    "three": {"n_importance": 3},
}


def shaken(model, X, size=0.4):
    """A fitted model with random parameters."""
    model.fit(X)
    rng = np.random.default_rng(1)
    for leaf in leaves(model._training.params):
        leaf += size * rng.normal(size=leaf.shape)
    return model


def rows(model, n=5):
    rng = np.random.default_rng(0)
    return (
        rng.random((n, 4))
        if model._options.column_types == "bernoulli"
        else rng.normal(size=(n, 4))
    )


@pytest.mark.exhaustive(default=["three", "real"])
@pytest.mark.parametrize("name", MODELS)
def test_slopes_are_differences(name):
    model = grouped(DRAW, **SMALL | MODELS[name], n_iter=0)
    X = rows(model)
    X[1, 2] = np.nan
    shaken(model, X)
    objective = model._objective(tabulate(model._rows(X), None), 0)
    v, rng = model._rows(X).take(slice(None)), np.random.default_rng(2)
    noises, weight = rng.normal(size=(2, 5 * objective.n_each, 1)), rng.random(5)

    def bound(params):
        batch = BoundBatch(
            statistics=(),
            v=v,
            noise=lambda step, _: noises[step],
            beta=1.0,
            training=stream(0),
            covariates=None,
        )
        return -objective.forward(params, batch)[0]

    params = model._training.params
    value, found = vjp(bound, params, lambda _: weight)
    assert value.shape == (5,)
    assert_gradient(lambda p: weight @ bound(p), params, found)
    silent = sum(not leaf.any() for leaf in leaves(found))
    # A grid of one filter has no stride, but its other numbers are learned.
    assert silent == 0


@cache
def fitted(name="bits"):
    X = (np.random.default_rng(0).random((300, 4)) < [0.2, 0.5, 0.5, 0.8]) * 1.0
    return shaken(grouped(DRAW, **SMALL | MODELS[name], n_iter=2), X)


def painted(model, z):
    """Means of pixels, (n_rows, 4), given both latent units, by the equations."""
    c, (W, U, V, A) = [], model.coefs_[4:]
    b, start, d, a = model.intercepts_[4:]
    state, canvas = np.tile(start, (len(z), 1)), model._training.params.decoders[3]
    for step in range(2):
        i, f, o, g = np.split(z[:, [step]] @ W + b + state[:, :4] @ U, 4, axis=1)
        memory = expit(f) * state[:, 4:] + expit(i) * np.tanh(g)
        h = expit(o) * np.tanh(memory)
        state, patch = np.hstack([h, memory]), (h @ V + d).reshape(-1, 2, 2)
        where = h @ A + a
        g, log = 1.5 * (where[:, :2] + 1), 6 * np.tanh(where[:, 2:] / 6)
        places = (np.arange(2) - 0.5) * np.exp(log[:, [1]])
        mu = g[:, :, None] + places[:, None]
        far = np.arange(1, 3) - mu[..., None]
        F = np.exp(-(far**2) / (2 * np.exp(log[:, 0]))[:, None, None, None])
        F /= F.sum(axis=3, keepdims=True)
        drawn = np.einsum("nia,nij,njb->nab", F[:, 0], patch, F[:, 1])
        drawn /= np.exp(log[:, 2])[:, None, None]
        canvas = canvas + drawn.reshape(-1, 4)
        c.append(expit(canvas))
    return c


def test_images_are_painted_by_the_equations():
    model = fitted()
    z = np.random.default_rng(0).normal(size=(6, 2))
    steps = painted(model, z)
    np.testing.assert_allclose(model.inverse_transform(z), steps[-1])
    density = model.density_
    outs = density.hierarchy.canvases(density.net.params, z)
    np.testing.assert_allclose([expit(out) for out in outs], steps)


def test_what_is_painted_is_drawn():
    model = fitted()
    means = model.paint(3000, random_state=3)[:, -1]
    gap = model.sample(3000, random_state=3) - means
    assert (abs(gap.mean(axis=0)) < 5 * 0.5 / np.sqrt(3000)).all()
    assert (gap**2).mean() < (means * (1 - means)).mean() + 0.01


@cache
def exact(name="bits"):
    """Log-likelihood of all images, by quadrature over both latent units."""
    nodes, weight = np.polynomial.hermite_e.hermegauss(60)
    z = np.array(list(product(nodes, nodes)))
    log_w = np.log(np.outer(weight, weight).ravel() / weight.sum() ** 2)
    p = fitted(name).inverse_transform(z).clip(1e-300, 1 - 1e-16)
    log_p = BITS @ np.log(p).T + (1 - BITS) @ np.log1p(-p).T
    return logsumexp(log_p + log_w, axis=1)


@pytest.mark.exhaustive(default=["whole"])
@pytest.mark.parametrize("name", ["bits", "gru", "whole"])
def test_bounds_are_held_to_integrals(name):
    model, expected = fitted(name), exact(name)
    assert abs(np.exp(expected).sum() - 1) < 1e-9
    found, se = model.importance_likelihood(BITS, n_draws=1500, return_se=True)
    assert (abs(found - expected) < 5 * se + 1e-3).all()
    bound = model.elbo(BITS, n_draws=500)
    assert (bound.bound < expected + 0.05).all()
    assert (model.score_samples(BITS) < expected + 5 * se * np.sqrt(80)).all()


def test_samples_have_the_likelihoods():
    found = fitted().sample(20_000, random_state=0) @ [8, 4, 2, 1]
    share = np.bincount(found.astype(int), minlength=16) / len(found)
    p = np.exp(exact())
    assert (abs(share - p) < 5 * np.sqrt(p * (1 - p) / len(found))).all()


def test_missing_entries_are_summed_out_and_filled():
    model, p = fitted(), np.exp(exact())
    x = np.array([[1.0, np.nan, 0, 1]])
    pair = p[BITS @ [8, 4, 2, 1] == 9], p[BITS @ [8, 4, 2, 1] == 13]
    score = model.importance_likelihood(x, n_draws=4000)
    assert abs(score - np.log(sum(pair)))[0] < 0.04
    filled = model.impute(x, n_draws=1000)
    assert abs(filled[0, 1] - pair[1] / sum(pair)) < 0.04
    drawn = model.impute(
        np.repeat(x, 400, axis=0),
        method="sample",
        sampler="metropolis",
        n_steps=10,
        random_state=0,
    )
    share = np.array([1 - pair[1] / sum(pair), pair[1] / sum(pair)]).ravel()
    assert abs(drawn[:, 1].mean() - share[1]) < 5 * np.sqrt(share.prod() / 400)


def test_features_are_the_means_of_all_steps():
    model = fitted()
    parts = model.transform_layers(BITS)
    H = model.transform(BITS)
    assert H.shape == (16, 2)
    assert len(parts) == 2
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), H)


@pytest.mark.parametrize("shape", [(3, 4), (2, 2, 3), (1, 12), None])
def test_images_of_any_form(shape):
    X = np.random.default_rng(0).random((30, 12))
    model = DRAW(2, 2, 5, image_shape=shape, n_iter=1, random_state=0).fit(X)
    assert model.paint(2).shape == (2, 2, 12)
    assert np.isfinite(model.score_samples(X)).all()
    with pytest.raises(ValueError, match="image_shape"):
        DRAW(2, 2, 5, image_shape=(5, 5), n_iter=1).fit(X)


@pytest.mark.exhaustive
def test_it_learns_what_is_where():
    # A bright square of four pixels, somewhere in the image.
    rng = np.random.default_rng(0)
    X = np.zeros((600, 6, 6), np.float32)
    for image, (i, j) in zip(X, rng.integers(0, 5, (600, 2))):
        image[i : i + 2, j : j + 2] = 1
    X = X.reshape(600, 36)
    model = DRAW(4, 4, 32, read_size=3, write_size=3, n_iter=25, random_state=0)
    score = model.fit(X[:500]).score(X[500:])
    p = X.mean(axis=0).clip(1e-3, 1 - 1e-3)
    independent = (X[500:] @ np.log(p) + (1 - X[500:]) @ np.log1p(-p)).mean()
    assert score > independent + 4
