"""Filters of hidden units."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import BernoulliRBM as ScikitRBM
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdgm import (
    DBM,
    DBN,
    BernoulliRBM,
    DBMClassifier,
    DBNClassifier,
    DBNRegressor,
    GaussianRBM,
    GenerativeDBNClassifier,
)
from skdgm.options import Pretraining
from skdgm.plotting import ComponentsDisplay


def shown(display):
    """The filters, a row each."""
    images = [artist.get_array().ravel() for artist in display.images_]
    return np.ma.getdata(np.ma.stack(images))


def test_restricted_machines(rbm):
    display = ComponentsDisplay.from_estimator(rbm)
    norms = np.linalg.norm(rbm.components_, axis=1)
    expected = rbm.components_[norms.argsort()[::-1]]
    np.testing.assert_array_equal(shown(display), expected)
    np.testing.assert_array_equal(display.components, expected)
    for artist, row in zip(display.images_, expected):
        low, high = artist.get_clim()
        assert -low == high == abs(row).max()
        assert artist.get_cmap().name == "RdBu_r"


def test_their_own_order_and_number(rbm):
    display = ComponentsDisplay.from_estimator(rbm, order="first", n_components=3)
    np.testing.assert_array_equal(shown(display), rbm.components_[:3])


def test_a_hundred_at_most(X):
    dbn = DBN(120, n_iter=1, random_state=0).fit(X)
    assert len(ComponentsDisplay.from_estimator(dbn).images_) == 100


@pytest.mark.parametrize("cls", [GaussianRBM, ScikitRBM])
def test_other_restricted_machines(cls, X):
    rbm = cls(4, n_iter=2, random_state=0).fit(X)
    display = ComponentsDisplay.from_estimator(rbm, order="first")
    np.testing.assert_array_equal(shown(display), rbm.components_)


def test_labels_are_left_out(clf):
    display = ComponentsDisplay.from_estimator(clf, order="first")
    np.testing.assert_array_equal(shown(display), clf.components_)


@pytest.mark.parametrize("layer", [0, 1, -1, -2])
def test_layers_of_deep_machines(dbm, layer):
    display = ComponentsDisplay.from_estimator(dbm, layer=layer, order="first")
    first, second = dbm.coefs_
    expected = first if layer in (0, -2) else first @ second
    np.testing.assert_allclose(shown(display), expected.T)


@pytest.mark.parametrize(
    "estimator",
    [
        DBN((6, 4), n_iter=2),
        pytest.param(
            DBMClassifier(DBM((6, 4), n_iter=2, learning_rate=0.05), n_iter=2),
            marks=pytest.mark.exhaustive,
        ),
        pytest.param(
            GenerativeDBNClassifier((6, 4), n_iter=2), marks=pytest.mark.exhaustive
        ),
        DBNClassifier((6, 4), pretrain=Pretraining(n_iter=2), n_iter=2),
        DBNRegressor((6, 4), pretrain=Pretraining(n_iter=2), n_iter=2),
        MLPClassifier((6, 4), tol=1.0),
    ],
)
def test_outputs_are_no_layer(estimator, X):
    estimator.set_params(random_state=0).fit(X, X[:, 0].astype(int))
    display = ComponentsDisplay.from_estimator(estimator, layer=-1, order="first")
    first, second, *_ = estimator.coefs_
    np.testing.assert_allclose(shown(display), (first @ second).T, atol=1e-6)
    with pytest.raises(ValueError, match="2 hidden layers.*from -2 to 1"):
        ComponentsDisplay.from_estimator(estimator, layer=2)


def test_arguments_of_imshow(rbm):
    options = {"cmap": "gray", "vmin": -1, "vmax": 1}
    display = ComponentsDisplay.from_estimator(rbm, im_kw=options)
    assert {artist.get_clim() for artist in display.images_} == {(-1, 1)}
    assert display.images_[0].get_cmap().name == "gray"


def test_a_filter_of_zeros():
    display = ComponentsDisplay(np.zeros((1, 4))).plot()
    assert display.images_[0].get_clim() == (-1, 1)
    # In the middle of the scale.
    rgba = display.images_[0].to_rgba(np.zeros((2, 2)))
    np.testing.assert_allclose(rgba[0, 0], plt.get_cmap("RdBu_r")(0.5))


def test_shape_and_columns(rbm):
    display = ComponentsDisplay.from_estimator(rbm, image_shape=(1, 9), n_columns=1)
    assert display.images_[0].get_array().shape == (1, 9)
    assert len({artist.get_extent()[0] for artist in display.images_}) == 1


@pytest.mark.parametrize(
    "options, message",
    [
        ({"order": "last"}, "order must be 'norm' or 'first'"),
        ({"n_components": 0}, "n_components"),
        ({"layer": 1}, "layer=1, but BernoulliRBM has 1 hidden layer.*from -1 to 0"),
        ({"image_shape": (2, 3)}, r"image_shape=\(2, 3\)"),
    ],
)
def test_bad_options(rbm, options, message):
    with pytest.raises(ValueError, match=message):
        ComponentsDisplay.from_estimator(rbm, **options)


def test_the_first_machine_of_a_pipeline(rbm, X):
    y = np.arange(len(X)) % 2
    pipe = make_pipeline(MinMaxScaler(), BernoulliRBM(5, n_iter=1, random_state=0))
    pipe.steps.append(("last", LogisticRegression()))
    display = ComponentsDisplay.from_estimator(pipe.fit(X, y), order="first")
    np.testing.assert_array_equal(display.components, pipe[1].components_)
    with pytest.raises(TypeError, match="Pipeline has not"):
        ComponentsDisplay.from_estimator(
            make_pipeline(MinMaxScaler(), LogisticRegression()).fit(X, y)
        )
    with pytest.raises(TypeError, match="im_kw of ComponentsDisplay must be a dict"):
        ComponentsDisplay.from_estimator(rbm, im_kw="gray")
    with pytest.raises(ValueError, match="image_shape=9 of"):
        ComponentsDisplay.from_estimator(rbm, image_shape=9)
