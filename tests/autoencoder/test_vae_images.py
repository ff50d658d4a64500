"""Encoders and decoders by convolutions."""

import numpy as np
import pytest

from skdgm import VAE, load, save
from tests.options import grouped

RNG = np.random.default_rng(0)
# Bars at any place of images of 6 x 5 pixels.
BARS = np.zeros((240, 6, 5))
for image, place, turned in zip(BARS, RNG.integers(0, 5, 240), RNG.random(240) < 0.5):
    image[(slice(None), place) if turned else (place,)] = 1
BARS = abs(BARS.reshape(240, 30) - (RNG.random((240, 30)) < 0.02))


def vae_of(**options):
    defaults = {
        "n_components": 4,
        "hidden_layer_sizes": (16,),
        "architecture": "conv",
        "conv_layer_sizes": (6, 8),
        "image_shape": (6, 5),
        "n_iter": 2,
        "batch_size": 20,
        "learning_rate": 0.01,
        "random_state": 0,
    }
    return grouped(VAE, **defaults | options)


@pytest.fixture(scope="module")
def fitted():
    return vae_of(n_iter=40).fit(BARS[:160].astype(np.float32))


@pytest.mark.exhaustive
def test_images_are_learned(fitted):
    p = (BARS[:160].sum(axis=0) + 1) / 162
    independent = (BARS[160:] * np.log(p) + (1 - BARS[160:]) * np.log(1 - p)).sum()
    assert fitted.score(BARS[160:]) > independent / 80 + 4
    assert fitted.coefs_[0].dtype == np.float32


@pytest.mark.exhaustive
def test_layers_are_convolutions_and_their_transposes(fitted):
    shapes = [W.shape for W in fitted.coefs_]
    assert shapes[:4] == [(25, 6), (150, 8), (32, 16), (16, 8)]
    assert shapes[4:6] == [(4, 16), (16, 32)]
    assert [len(b) for b in fitted.intercepts_[-2:]] == [6, 1]


@pytest.mark.exhaustive
def test_missing_pixels_are_filled_and_files_are_read(fitted, tmp_path):
    holed = np.where(RNG.random(BARS.shape) < 0.3, np.nan, BARS)[:20]
    found = fitted.impute(holed, n_draws=20)
    np.testing.assert_array_equal(found[~np.isnan(holed)], holed[~np.isnan(holed)])
    save(fitted, tmp_path / "vae")
    again = load(tmp_path / "vae")
    np.testing.assert_array_equal(
        again.score_samples(holed), fitted.score_samples(holed)
    )
    assert again.partial_fit(BARS).n_iter_ == 41


@pytest.mark.parametrize(
    "options",
    [
        {"n_components": (3, 2), "hidden_layer_sizes": ((8,), (6,))},
        {"prior": "vamp", "n_prior_components": 5, "posterior": "flow"},
        {"activation": "gated", "batch_norm": True, "dropout": 0.1},
        {"column_types": "gaussian", "objective": "iwae", "hidden_layer_sizes": ()},
        {"column_types": "categorical", "conv_layer_sizes": 3},
        {"image_shape": (2, 5, 3), "posterior": "full"},
    ],
    ids=str,
)
def test_options_go_together(options):
    vae = vae_of(**options).fit(BARS[:60])
    for found in (vae.score_samples(BARS[:5]), vae.transform(BARS[:5]), vae.sample(3)):
        assert np.isfinite(found).all()


@pytest.mark.parametrize(
    "options, words",
    [
        ({"image_shape": None}, "30 pixels, which is no square"),
        ({"image_shape": (4, 4)}, "= 30, the number of features"),
        ({"conv_layer_sizes": ()}, "architecture__layer_sizes must have"),
        ({"conv_layer_sizes": (3, 0)}, "architecture__layer_sizes must be"),
        ({"column_types": "gaussian", "variance": "sample"}, "equally many outputs"),
    ],
)
def test_what_is_no_image_is_named(options, words):
    with pytest.raises(ValueError, match=words):
        vae_of(**options).fit(BARS)


def test_convolutions_do_not_change_while_they_learn():
    vae = vae_of(n_iter=1).fit(BARS)
    with pytest.raises(ValueError, match="architecture__layer_sizes.* changed since"):
        vae.set_params(architecture__layer_sizes=(6, 9)).partial_fit(BARS)
