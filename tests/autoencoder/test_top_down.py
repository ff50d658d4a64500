"""Layers inferred from the highest down, two units of which are known by quadrature."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from skdgm import VAE, load, save
from skdgm.nets import layers_of
from skdgm.options import Prior
from skdgm.utils.tree import leaves
from tests.numerical import assert_means, effort
from tests.options import grouped

BITS = np.array(list(product([0.0, 1.0], repeat=3)))
STEP = 0.1
LINE = np.arange(-8, 8, STEP)
SMALL = {"n_components": (1, 1), "hidden_layer_sizes": (4, 3), "random_state": 0}


@pytest.fixture(scope="module", params=["normal", "vamp"])
def vae(request):
    """A model whose parameters are far from where they began, in float64."""
    prior = {"normal": "normal", "vamp": Prior("vamp", n_components=3)}[request.param]
    options = {"prior": prior, "n_iter": 0, "inference": "top-down"}
    found = VAE(**SMALL, **options).fit(np.tile(BITS, (5, 1)))
    rng, params = np.random.default_rng(2), found._training.params
    for leaf in leaves((params.encoders, params.decoders)):
        leaf += 0.6 * rng.normal(size=leaf.shape)
    for part in params.encoders:
        *_, (W, b) = layers_of(part)
        W *= 0.3
        b[1] = 0.6
    return found


def net(layers, x):
    (W, b), (V, c) = layers
    return np.tanh(x @ W + b) @ V + c


def log_normal(z, stats):
    mean, s = np.split(stats, 2, axis=-1)
    return norm.logpdf(z, mean, np.exp(6 * np.tanh(s / 12)))


def top_log_prior(vae, encoder):
    if vae._options.prior == "normal":
        return norm.logpdf(LINE)
    stats = net(encoder, vae.pseudo_inputs_)
    own = [log_normal(LINE[:, None], part)[:, 0] for part in stats]
    return logsumexp(own, axis=0) - np.log(len(own))


def grid(vae):
    """log p(x, z1, z2), (n_rows, n_z1, n_z2)."""
    layers = list(zip(vae.coefs_, vae.intercepts_))
    # Those of q(z1 | x, z2), q(z2 | x), p(x | z1, z2) and p(z1 | z2).
    _, encoder, lower, upper = (layers[start : start + 2] for start in (0, 2, 4, 6))
    top = top_log_prior(vae, encoder)
    middle = log_normal(LINE[:, None], net(upper, LINE[:, None])[:, None]).squeeze(-1).T
    both = np.stack(np.meshgrid(LINE, LINE, indexing="ij"), axis=-1)
    out = net(lower, both)
    rows = BITS[:, None, None]
    log_x = (rows * out - np.logaddexp(0, out)).sum(axis=-1)
    return log_x + middle + top + 2 * np.log(STEP)


@pytest.fixture(scope="module")
def truth(vae):
    return logsumexp(grid(vae), axis=(1, 2))


@pytest.mark.exhaustive
def test_bounds_are_below_the_likelihood_and_reach_it(vae, truth):
    assert np.exp(truth).sum() == pytest.approx(1)
    found, se = vae.importance_likelihood(BITS, n_draws=4000, return_se=True)
    assert (abs(found - truth) <= 4 * se + 1e-6).all()
    assert (se < 0.1).all()
    assert (vae.elbo(BITS).bound < truth).all()


def test_draws_are_of_the_model(vae, truth):
    rows = vae.sample(20_000, random_state=0)
    assert_means((rows[:, None] == BITS).all(axis=2), np.exp(truth))
    rows = vae.sample(6000, random_state=0, conditions={1: 1})
    p = np.exp(truth) * (BITS[:, 1] == 1)
    assert_means(rows[:, [0, 2]], (p @ BITS / p.sum())[[0, 2]])


@pytest.mark.exhaustive(default=["normal", "importance"])
@pytest.mark.parametrize("sampler", ["importance", "metropolis"])
def test_missing_entries_are_filled_as_likely(vae, truth, sampler):
    p = np.exp(truth) * (BITS[:, 0] == 1)
    rows = np.tile([1.0, np.nan, np.nan], (1500, 1))
    how = effort(sampler, 60) | {"method": "sample", "random_state": 0}
    found = vae.impute(rows, **how)
    assert_means(found[:, 1:], (p @ BITS / p.sum())[1:])
    assert_means(found[:, 1] * found[:, 2], p @ (BITS[:, 1] * BITS[:, 2]) / p.sum())


def test_means_are_those_of_encoders(vae):
    layers = list(zip(vae.coefs_, vae.intercepts_))
    top = net(layers[2:4], BITS)[:, :1]
    (W, b), (V, c) = layers[:2]
    low = (np.c_[np.tanh(BITS @ W + b), top] @ V + c)[:, :1]
    for found, expected in zip(vae.transform_layers(BITS), (low, top)):
        np.testing.assert_allclose(found, expected)
    np.testing.assert_array_equal(vae.transform(BITS), top)
    below = net(layers[6:8], top)[:, :1]
    out = net(layers[4:6], np.c_[below, top])
    np.testing.assert_allclose(vae.inverse_transform(top), 1 / (1 + np.exp(-out)))


@pytest.mark.parametrize(
    "options",
    [
        {"posterior": "flow", "objective": "iwae", "column_types": "gaussian"},
        {"posterior": "auxiliary", "prior": "flow", "free_bits": 1.0},
        {"architecture": "conv", "conv_layer_sizes": 3, "image_shape": (1, 3)},
        {"n_components": (2, 2, 1), "hidden_layer_sizes": (4, 3, ())},
        {"batch_norm": True, "dropout": 0.2, "activation": "gated"},
    ],
    ids=str,
)
def test_options_go_together(options, tmp_path):
    X = np.random.default_rng(0).integers(0, 2, (30, 3)).astype(np.float32)
    X[0, 0] = np.nan
    model = grouped(VAE, **SMALL | options, inference="top-down", n_iter=3).fit(X)
    save(model, tmp_path / "vae")
    again = load(tmp_path / "vae")
    np.testing.assert_array_equal(again.score_samples(X), model.score_samples(X))
    found = model.sample(3, random_state=0), model.impute(X, n_draws=5)
    assert all(np.isfinite(part).all() for part in found)
    assert again.partial_fit(X).n_iter_ == 4
    with pytest.raises(ValueError, match=r"inference.* changed since"):
        again.set_params(inference="bottom-up").partial_fit(X)


def test_an_encoder_of_the_data_has_hidden_units():
    for sizes in (((), 3), ((), ())):
        with pytest.raises(ValueError, match="needs a hidden layer in each encoder"):
            VAE((2, 1), sizes, inference="top-down").fit(BITS)


def test_of_one_layer_the_order_makes_no_difference():
    one, other = (
        VAE(2, 5, inference=name, n_iter=2, random_state=0).fit(BITS)
        for name in ("bottom-up", "top-down")
    )
    np.testing.assert_array_equal(*(m.score_samples(BITS) for m in (one, other)))
