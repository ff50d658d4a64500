"""Images with missing pixels."""

import numpy as np
import pandas as pd
import pytest

from skdgm import FVBN, BernoulliRBM
from skdgm.plotting import ReconstructionDisplay


@pytest.fixture
def half(X):
    return np.where(np.arange(9) < 4, X, np.nan)


def shown(artists):
    """Images, a row each."""
    images = [np.ma.filled(artist.get_array(), np.nan).ravel() for artist in artists]
    return np.stack(images)


def test_three_rows(rbm, X, half):
    display = ReconstructionDisplay.from_estimator(rbm, half, X_true=X)
    truth, given, filled = display.images_
    np.testing.assert_array_equal(shown(truth), X[:10])
    np.testing.assert_array_equal(shown(given), half[:10])
    np.testing.assert_array_equal(shown(filled), rbm.impute(half[:10]))
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == ["truth", "given", "filled"]
    assert {artist.get_clim() for artist in display.images_.flat} == {(0, 1)}


def test_without_the_truth(rbm, half):
    display = ReconstructionDisplay.from_estimator(rbm, half, n_images=4)
    assert display.images_.shape == (2, 4)
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == ["given", "filled"]


def test_options_of_impute(rbm, half):
    options = {"method": "sample", "random_state": 0, "n_steps": 3}
    display = ReconstructionDisplay.from_estimator(rbm, half, **options)
    expected = rbm.impute(half[:10], **options)
    np.testing.assert_array_equal(shown(display.images_[1]), expected)


def test_data_frames(X, half):
    names = [f"pixel {number}" for number in range(9)]
    X, half = pd.DataFrame(X, columns=names), pd.DataFrame(half, columns=names)
    rbm = BernoulliRBM(3, n_iter=2, random_state=0).fit(X)
    display = ReconstructionDisplay.from_estimator(rbm, half, X_true=X)
    np.testing.assert_array_equal(shown(display.images_[0]), X[:10])
    np.testing.assert_array_equal(shown(display.images_[1]), half[:10])


@pytest.mark.parametrize("form", [np.asarray, pd.DataFrame, np.ndarray.tolist])
def test_only_rows_that_are_shown_are_read(rbm, X, half, form):
    half, X = half.copy(), np.array(X, float)
    half[4:] = X[4:] = np.inf
    own, truth, n = form(half), form(X), 4
    display = ReconstructionDisplay.from_estimator(rbm, own, X_true=truth, n_images=n)
    np.testing.assert_array_equal(shown(display.images_[0]), X[:4])
    few = truth[:4]
    with pytest.raises(ValueError, match="same rows"):
        ReconstructionDisplay.from_estimator(rbm, own, X_true=few, n_images=n)


def test_nothing_to_fill(rbm, X):
    display = ReconstructionDisplay.from_estimator(rbm, X, n_images=4)
    given, rebuilt = display.images_
    np.testing.assert_array_equal(shown(given), X[:4])
    expected = rbm.inverse_transform(rbm.transform(X[:4]))
    np.testing.assert_allclose(shown(rebuilt), expected, rtol=1e-6)
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == ["given", "rebuilt"]
    with pytest.raises(TypeError, match="Nothing is missing in X.*'method': 'sample'"):
        ReconstructionDisplay.from_estimator(rbm, X, method="sample")
    net = FVBN(n_iter=1).fit(X)
    with pytest.raises(TypeError, match="needs inverse_transform.*NaN.*FVBN has not"):
        ReconstructionDisplay.from_estimator(net, X)


def test_other_rows_for_the_truth(rbm, X, half):
    with pytest.raises(ValueError, match=r"\(39, 9\), but X \(40, 9\)"):
        ReconstructionDisplay.from_estimator(rbm, half, X_true=X[1:])


def test_numbers_of_images(rbm, half):
    with pytest.raises(ValueError, match="n_images"):
        ReconstructionDisplay.from_estimator(rbm, half, n_images=0)
