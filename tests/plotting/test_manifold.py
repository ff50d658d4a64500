"""Images along a grid of two features."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdgm import DBN, VAE
from skdgm.plotting import ManifoldDisplay


def shown(artist):
    return np.ma.getdata(artist.get_array()).ravel()


def test_corners_and_axes(two):
    display = ManifoldDisplay.from_estimator(two, n_images=3)
    assert display.images_.shape == (3, 3)
    # Rows from the top, where the second feature is greatest.
    for place, h in {
        (0, 0): (0, 1),
        (0, 2): (1, 1),
        (2, 0): (0, 0),
        (1, 2): (1, 0.5),
    }.items():
        expected = two.inverse_transform([h])[0]
        np.testing.assert_allclose(shown(display.images_[place]), expected, rtol=1e-6)
    low, high = display.images_[2, 0].get_extent(), display.images_[0, 2].get_extent()
    assert low[0] < high[0]
    assert low[2] > high[2]
    ax = display.ax_
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert (ax.get_xlabel(), ax.get_ylabel()) == tuple(two.get_feature_names_out())
    ticks = dict(zip(ax.get_yticks(), [t.get_text() for t in ax.get_yticklabels()]))
    assert ticks[max(ticks)] == "0"
    assert ticks[min(ticks)] == "1"


def test_deep_machines(X):
    dbn = DBN((5, 2), n_iter=2, feature_layer=-1, random_state=0).fit(X)
    display = ManifoldDisplay.from_estimator(dbn)
    assert display.images_.shape == (15, 15)


def test_other_limits(X):
    pca = PCA(2).fit(X)
    limits = (-2, 3), (-1, 0)
    display = ManifoldDisplay.from_estimator(pca, limits=limits, n_images=2)
    expected = pca.inverse_transform([[-2, 0], [3, 0], [-2, -1], [3, -1]])
    for artist, row in zip(display.images_.flat, expected):
        np.testing.assert_allclose(shown(artist), row)
    assert {a.get_clim() for a in display.images_.flat} == {
        (expected.min(), expected.max())
    }
    across = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert across == ["-2", "3"]


def test_limits_of_latent_units_are_those_of_their_prior(X):
    vae = VAE(2, (4,), n_iter=1, random_state=0).fit(X)
    for model in vae, make_pipeline(MinMaxScaler(), vae).fit(X):
        display = ManifoldDisplay.from_estimator(model, n_images=2)
        np.testing.assert_array_equal(display.limits, [[-2.5, 2.5]] * 2)
        corner = model.inverse_transform(np.array([[-2.5, 2.5]]))[0]
        np.testing.assert_allclose(shown(display.images_[0, 0]), corner, rtol=1e-5)


def test_more_features(rbm):
    with pytest.raises(ValueError, match="two features, but this BernoulliRBM has 5"):
        ManifoldDisplay.from_estimator(rbm)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"n_images": 1}, "n_images"),
        ({"limits": (0, 1, 2)}, "limits must be"),
        ({"limits": ("a", "b")}, "limits must be"),
        ({"image_shape": (9, 9)}, r"image_shape=\(9, 9\)"),
    ],
)
def test_bad_options(two, options, message):
    with pytest.raises(ValueError, match=message):
        ManifoldDisplay.from_estimator(two, **options)
