"""Columns of data and of samples."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from skdgm import BernoulliRBM, GaussianRBM
from skdgm.plotting import MarginalsDisplay


@pytest.fixture(scope="module")
def iris():
    return load_iris(as_frame=True).data


@pytest.fixture(scope="module")
def machine(iris):
    return GaussianRBM(4, n_iter=5, random_state=0).fit(iris)


def heights(bars):
    return [bar.get_height() for bar in bars]


def titles(display):
    return [ax.get_title() for ax in display.axes_]


def test_bars(rbm, X):
    display = MarginalsDisplay.from_estimator(rbm, X, n_samples=200, random_state=0)
    samples = rbm.sample(200, 0)
    for data, drawn, column, sampled in zip(
        display.data_, display.samples_, X.T, samples.T, strict=True
    ):
        p, q = column.mean(), sampled.mean()
        np.testing.assert_allclose(heights(data), [1 - p, p])
        np.testing.assert_allclose(heights(drawn), [1 - q, q], atol=1e-6)
    assert titles(display) == [f"x{number}" for number in range(9)]


def test_few_values():
    X = np.array([[0.0], [3.0], [3.0], [np.nan]])
    display = MarginalsDisplay(X, np.array([[1.0], [3.0]])).plot()
    np.testing.assert_allclose(heights(display.data_[0]), [1 / 3, 0, 2 / 3])
    np.testing.assert_allclose(heights(display.samples_[0]), [0, 0.5, 0.5])
    ticks = [text.get_text() for text in display.axes_[0].get_xticklabels()]
    assert ticks == ["0", "1", "3"]


def test_grey_values_are_probabilities():
    X = np.linspace(0, 1, 21)[:, None] ** 2
    display = MarginalsDisplay(X, np.array([[0.0], [1.0], [1.0], [1.0]])).plot()
    np.testing.assert_allclose(heights(display.data_[0]), [1 - X.mean(), X.mean()])
    np.testing.assert_allclose(heights(display.samples_[0]), [0.25, 0.75])


def test_histograms(machine, iris):
    display = MarginalsDisplay.from_estimator(machine, iris, random_state=0)
    samples = machine.sample(1000, 0)
    for data, drawn, name, sampled in zip(
        display.data_, display.samples_, iris, samples.T, strict=True
    ):
        edges = data.get_data().edges
        np.testing.assert_array_equal(edges, drawn.get_data().edges)
        for artist, column in (data, iris[name]), (drawn, sampled):
            density, _ = np.histogram(column, edges, density=True)
            np.testing.assert_allclose(artist.get_data().values, density)
    assert titles(display) == list(iris)


def test_columns(machine, iris):
    options = {"n_samples": 50, "random_state": 0}
    chosen = [3, "sepal width (cm)"]
    display = MarginalsDisplay.from_estimator(machine, iris, columns=chosen, **options)
    assert titles(display) == ["petal width (cm)", "sepal width (cm)"]
    np.testing.assert_array_equal(display.X, iris.iloc[:, [3, 1]])
    np.testing.assert_array_equal(display.samples, machine.sample(50, 0)[:, [3, 1]])


def test_twelve_at_most():
    X = np.random.default_rng(0).integers(0, 2, (30, 20))
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(X)
    display = MarginalsDisplay.from_estimator(rbm, X, n_samples=20, n_steps=1)
    assert len(display.axes_) == len(display.figure_.axes) == 12
    display.figure_.canvas.draw()


def test_missing_values(X):
    X = np.where(np.arange(9) == 2, np.nan, X)
    X[:5, 0] = np.nan
    display = MarginalsDisplay(X, np.zeros((4, 9))).plot()
    p = np.nanmean(X[:, 0])
    np.testing.assert_allclose(heights(display.data_[0]), [1 - p, p])
    # A column of which nothing is known.
    np.testing.assert_array_equal(heights(display.data_[2]), [0])
    display = MarginalsDisplay(X[:, 2:3], np.arange(20.0)[:, None]).plot()
    np.testing.assert_array_equal(display.data_[0].get_data().values, 0)


def test_names_that_the_estimator_knows(machine, iris):
    display = MarginalsDisplay.from_estimator(machine, iris.to_numpy(), n_samples=9)
    assert titles(display) == list(iris)


def test_looks(machine, iris):
    display = MarginalsDisplay.from_estimator(
        machine,
        iris,
        n_samples=20,
        data_kw={"color": "red"},
        samples_kw={"label": "machine"},
    )
    assert display.data_[0].get_facecolor()[:3] == (1, 0, 0)
    (legend,) = display.figure_.legends
    assert [text.get_text() for text in legend.get_texts()] == ["data", "machine"]


@pytest.mark.parametrize("columns", [["petal"], [4], []])
def test_unknown_columns(machine, iris, columns):
    with pytest.raises(ValueError, match="columns must be some of"):
        MarginalsDisplay.from_estimator(machine, iris, columns=columns)


def test_other_data(machine):
    X = pd.DataFrame({"a": [0.0, 1.0]})
    with pytest.raises(ValueError, match="X has 1 columns, but samples have 4"):
        MarginalsDisplay.from_estimator(machine, X, n_samples=5)
