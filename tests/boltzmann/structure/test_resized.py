"""Convolutional machines that have one visible bias a channel, at any size."""

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.datasets import load_digits

from skdgm import ConvDBN, ConvRBM
from skdgm.options import Filters
from tests.boltzmann.test_conv_rbm import log_weights, states
from tests.numerical import assert_means
from tests.options import grouped

X = load_digits().data[:80] / 16
RNG = np.random.default_rng(0)
TIED = {"visible_bias": "channel", "n_iter": 2, "random_state": 0}


def spreads(machine):
    """By how much visible parameters of a channel differ."""
    n_channels = machine.image_shape_[2]
    names = "intercept_visible_", "precision_", "mean_", "scale_"
    found = [vars(machine)[name] for name in names if name in vars(machine)]
    return [np.ptp(part.reshape(-1, n_channels), axis=0).max() for part in found]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"solver": "sgd", "centering": "data", "momentum": 0.5},
        {"gradient": "fpcd", "centering": "moving", "sparsity_target": 0.1},
        {"gradient": "tempering", "n_temperatures": 3},
        {"gradient": "cd", "image_shape": (4, 4, 4), "filter_shape": 2},
        {"column_types": "gaussian", "gradient": "cd", "learning_rate": 0.003},
        {"column_types": "gaussian", "precision": "fixed", "image_shape": (8, 4, 2)},
        {"early_stopping": True, "padding": "same", "stride": 2},
    ],
    ids=str,
)
def test_pixels_of_a_channel_are_alike(options):
    model = grouped(ConvRBM, 4, **TIED, **options).fit(X)
    assert max(spreads(model)) == 0
    assert (model.intercept_visible_ != 0).any()
    model.partial_fit(X)
    assert max(spreads(model)) == 0
    height, width, channels = model.image_shape_
    large = model.resized((height + 4, width + 2))
    assert large.image_shape_ == (height + 4, width + 2, channels)
    Z = RNG.random((30, large.n_features_in_))
    before = large.components_.copy()
    large.partial_fit(Z)
    assert max(spreads(large)) == 0
    assert (large.components_ != before).any()
    assert large.sample(2, random_state=0).shape == (2, Z.shape[1])
    holed = np.where(RNG.random(Z.shape) < 0.3, np.nan, Z)
    assert np.isfinite(large.impute(holed, n_steps=3)).all()


def test_statistics_are_those_of_channels():
    Z = RNG.normal(size=(50, 24)) * np.tile([1.0, 3.0], 12) + np.arange(24)
    model = grouped(
        ConvRBM, 2, column_types="gaussian", image_shape=(3, 4, 2), **TIED
    ).fit(Z)
    for channel in range(2):
        part = Z[:, channel::2]
        np.testing.assert_allclose(model.mean_[channel::2], part.mean())
        np.testing.assert_allclose(model.scale_[channel::2], part.std())
    weight = RNG.integers(0, 3, 50)
    holed = np.where(RNG.random(Z.shape) < 0.2, np.nan, Z)
    model.fit(holed, sample_weight=weight)
    part = np.repeat(holed, weight, axis=0)[:, ::2]
    np.testing.assert_allclose(model.mean_[::2], np.nanmean(part))
    np.testing.assert_allclose(model.scale_[::2], np.nanstd(part))


def test_what_a_patch_shows_is_what_the_image_shows():
    model = grouped(ConvRBM, 5, filters=Filters(shape=3, pool_shape=2), **TIED).fit(X)
    large = model.resized((12, 16))
    image = RNG.random((3, 12, 16))
    maps = large.transform(image.reshape(3, -1)).reshape(3, 5, 7, 5)
    patch = image[:, 2:10, 4:12].reshape(3, -1)
    expected = model.transform(patch).reshape(3, 3, 3, 5)
    np.testing.assert_allclose(maps[:, 1:4, 2:5], expected, rtol=1e-6)
    same = large.resized((8, 8))
    np.testing.assert_array_equal(same.transform(X), model.transform(X))
    np.testing.assert_array_equal(same.free_energy(X), model.free_energy(X))


def test_a_machine_of_another_size_is_normalized():
    model = grouped(
        ConvRBM, 2, filters=Filters(shape=2, pool_shape=1), image_shape=(3, 3), **TIED
    )
    model.fit(X[:, :9])
    model.components_ = RNG.normal(size=model.components_.shape)
    large = model.resized((2, 4))
    v, h = states(large)
    log_p = logsumexp(log_weights(large, v, h), axis=1)
    log_p -= logsumexp(log_p)
    np.testing.assert_allclose(large.score_samples(v), log_p)
    drawn = large.sample(4000, random_state=0, init="noise", n_steps=50)
    assert_means(drawn, np.exp(log_p) @ v)


@pytest.mark.exhaustive
@pytest.mark.parametrize("column_types", ["bernoulli", "gaussian"])
def test_networks(column_types):
    given = {"filter_shape": (3, 2), "pool_shape": (2, 1), "column_types": column_types}
    dbn = grouped(ConvDBN, (4, 3), **given, **TIED).fit(X)
    assert max(map(max, map(spreads, dbn.layers_))) == 0
    large = dbn.resized((14, 12))
    image = RNG.random((2, 14, 12))
    maps = large.transform_maps(image.reshape(2, -1))
    assert [part.shape for part in maps] == [(2, 6, 5, 4), (2, 5, 4, 3)]
    patch = image[:, 4:12, 2:10].reshape(2, -1)
    for part, own, (i, j) in zip(maps, dbn.transform_maps(patch), [(2, 1), (2, 1)]):
        n = own.shape[1]
        np.testing.assert_allclose(part[:, i : i + n, j : j + n], own, rtol=1e-6)
    Z = image.reshape(2, -1).round().repeat(10, axis=0)
    assert np.isfinite(large.score_samples(Z[:3])).all()
    assert large.sample(2, random_state=0).shape == (2, 168)
    assert large.partial_fit(Z).n_iter_ == dbn.n_iter_ + 2
    assert dbn.n_features_in_ == 64
    assert large.fit(Z).layers_[1].image_shape_ == (6, 5, 4)


def test_networks_of_given_layers():
    layers = [
        ("a", grouped(ConvRBM, 3, filters=Filters(shape=3, pool_shape=2), **TIED)),
        (
            "b",
            grouped(
                ConvRBM, 2, filters=Filters(shape=2), image_shape=(3, 3, 3), **TIED
            ),
        ),
    ]
    dbn = ConvDBN(layers=layers, random_state=0).fit(X)
    Z = RNG.random((20, 168))
    large = dbn.resized((14, 12)).partial_fit(Z)
    assert large.fit(Z).layers_[1].image_shape_ == (6, 5, 3)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 8), "larger than images"),
        ((7, 7), "does not divide"),
        ((8, 8, 3), "learned images of 1 channels"),
        ((8,), "must be .height, width"),
        ("ab", "must be .height, width"),
        ((8, 0), "must be .height, width"),
    ],
)
def test_sizes_that_cannot_be(shape, message):
    given = {"filter_shape": 3, "pool_shape": 2, **TIED}
    for model in (grouped(ConvRBM, 2, **given), grouped(ConvDBN, 2, **given)):
        with pytest.raises(ValueError, match=message):
            model.fit(X).resized(shape)


def test_models_that_know_the_place():
    with pytest.raises(ValueError, match="visible_bias='channel'"):
        ConvRBM(2, n_iter=0).fit(X).resized((12, 12))
    with pytest.raises(ValueError, match="visible_bias='channel'"):
        ConvDBN(2, n_iter=0).fit(X).resized((12, 12))
    dbn = grouped(ConvDBN, 2, hidden_layer_sizes=3, **TIED).fit(X)
    with pytest.raises(ValueError, match="layers that see all of them"):
        dbn.resized((12, 12))
