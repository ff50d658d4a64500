"""Columns of data and of samples."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import StepPatch
from sklearn.datasets import load_iris

from skdgm import BernoulliRBM, EoNADE, GaussianRBM
from skdgm.plotting import MarginalsDisplay
from skdgm.plotting.marginals import _of_names, draw


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


def test_gray_values_are_probabilities():
    X = np.linspace(0, 1, 21)[:, None] ** 2
    display = MarginalsDisplay(X, np.array([[0.0], [1.0], [1.0], [1.0]])).plot()
    np.testing.assert_allclose(heights(display.data_[0]), [1 - X.mean(), X.mean()])
    np.testing.assert_allclose(heights(display.samples_[0]), [0.25, 0.75])


def test_histograms(machine, iris):
    display = MarginalsDisplay.from_estimator(machine, iris, random_state=0)
    samples = np.asarray(machine.sample(1000, 0))
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
    expected = machine.sample(50, 0).iloc[:, [3, 1]]
    np.testing.assert_array_equal(display.samples, expected)


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


MASK = [True, False, True, True]


@pytest.mark.parametrize(
    "columns", [["petal"], [4], [], True, MASK, np.array(MASK), [0, np.True_]]
)
def test_unknown_columns(machine, iris, columns):
    with pytest.raises(ValueError, match="columns must be some of"):
        MarginalsDisplay.from_estimator(machine, iris, columns=columns)


def test_other_data(machine):
    X = pd.DataFrame({"a": [0.0, 1.0]})
    with pytest.raises(ValueError, match="X has 1 columns, but samples have 4"):
        MarginalsDisplay.from_estimator(machine, X, n_samples=5)


def test_columns_in_another_order_are_refused(machine, iris):
    net = EoNADE((2,), column_types="mixed", n_iter=1, random_state=0).fit(iris)
    other = iris[iris.columns[::-1]]
    renamed = iris.rename(columns={"sepal length (cm)": "a"})
    for model in machine, net:
        for X in other, renamed:
            with pytest.raises(ValueError, match="X has the columns .* was fitted on"):
                MarginalsDisplay.from_estimator(model, X, n_samples=5)
    # An estimator that knows no names takes any.
    rbm = GaussianRBM(2, n_iter=1, random_state=0).fit(iris.to_numpy())
    display = MarginalsDisplay.from_estimator(rbm, renamed, n_samples=5)
    assert titles(display) == list(renamed)


def table(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.normal(40, 10, n),
            "work": rng.choice(["state", "private", "none"], n, p=[0.2, 0.7, 0.1]),
            "town": [f"town {number}" for number in rng.integers(0, 30, n)],
            "rich": rng.random(n) < 0.3,
        }
    )


def test_frames_of_several_kinds():
    frame = table()
    frame.loc[:4, "work"] = None
    net = EoNADE((4,), column_types="mixed", n_iter=1, random_state=0).fit(frame)
    display = MarginalsDisplay.from_estimator(net, frame, random_state=0)
    assert titles(display) == list(frame)
    work = frame["work"].dropna().value_counts(normalize=True)
    labels = [text.get_text() for text in display.axes_[1].get_xticklabels()]
    assert sorted(labels) == sorted(work.index)
    np.testing.assert_allclose(heights(display.data_[1]), work[labels])
    drawn = net.sample(1000, 0)["work"].value_counts(normalize=True)
    np.testing.assert_allclose(heights(display.samples_[1]), drawn[labels])
    # Of many categories the most frequent ones are shown, and all others together.
    assert len(display.data_[2]) == 12
    assert sum(heights(display.data_[2])) == pytest.approx(1)
    p = frame["rich"].mean()
    np.testing.assert_allclose(heights(display.data_[3]), [1 - p, p])
    with pytest.raises(ValueError, match="Samples of this EoNADE are a DataFrame"):
        MarginalsDisplay.from_estimator(net, np.zeros((3, 4)))


def test_a_single_column(machine, iris):
    for column in "sepal width (cm)", 1, np.int64(1):
        options = {"columns": column, "n_samples": 9}
        display = MarginalsDisplay.from_estimator(machine, iris, **options)
        assert titles(display) == ["sepal width (cm)"]
    with pytest.raises(ValueError, match="some of .*got \\['age'\\]"):
        MarginalsDisplay.from_estimator(machine, iris, columns="age")


def test_looks_of_wrong_types(machine, iris):
    with pytest.raises(TypeError, match="data_kw of MarginalsDisplay must be a dict"):
        MarginalsDisplay.from_estimator(machine, iris, n_samples=9, data_kw="red")
    with pytest.raises(TypeError, match="ax of MarginalsDisplay must be matplotlib"):
        MarginalsDisplay.from_estimator(machine, iris, n_samples=9, ax="left")


@pytest.mark.exhaustive
@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames_of_any_library_with_dates(library):
    module = pytest.importorskip(library)
    frame = table().assign(day=pd.date_range("2020-01-01", periods=60))
    frame["spell"] = frame["day"] - frame["day"][0]
    frame.loc[:4, "day"] = None
    given = frame
    if library != "pandas":
        pytest.importorskip("pyarrow")
        module = module.Table if library == "pyarrow" else module
        given = module.from_pandas(frame)
    names = list(frame)
    display = MarginalsDisplay(given, given, names=names).plot()
    assert titles(display) == names
    work = frame["work"].value_counts(normalize=True)
    labels = [text.get_text() for text in display.axes_[1].get_xticklabels()]
    np.testing.assert_allclose(heights(display.data_[1]), work[labels])
    edges = display.data_[4].get_data().edges
    first = pd.Timestamp("2020-01-06")
    assert edges[0] == (first - pd.Timestamp("1970-01-01")).days
    assert edges[-1] == edges[0] + 54
    assert display.data_[5].get_data().edges[-1] == 59
    display.figure_.canvas.draw()
    labels = [text.get_text() for text in display.axes_[4].get_xticklabels()]
    assert any("2020" in label for label in labels)


@pytest.mark.parametrize(("n_columns", "size"), [(1, (5, 2.3)), (3, (7.5, 2.3))])
def test_figures_are_as_large_as_their_columns(n_columns, size):
    X = np.random.default_rng(0).normal(size=(20, n_columns))
    display = MarginalsDisplay(X, X).plot()
    np.testing.assert_allclose(display.figure_.get_size_inches(), size)


def test_a_column_of_up_to_ten_values_has_a_bar_for_each():
    looks = [{"color": "C0"}, {"color": "C1"}]
    for n in (10, 11):
        values = np.arange(n) * 1.5
        found = draw(plt.subplots()[1], (values, values[::-1]), False, looks)
        if n == 10:
            assert [len(bars) for bars in found] == [10, 10]
            np.testing.assert_allclose(heights(found[0]), 0.1)
        else:
            assert all(isinstance(own, StepPatch) for own in found)
            values, edges, _ = found[0].get_data()
            assert (values * np.diff(edges)).sum() == pytest.approx(1)
    plt.close("all")


@pytest.mark.parametrize("n", [12, 13])
def test_names_of_more_than_twelve_categories_are_put_together(n):
    column = np.array([f"c{k:02}" for k in range(n) for _ in range(n - k)], object)
    names, (shares, _) = _of_names([column, column[:5]])
    counts = np.arange(n, 0, -1)
    if n == 12:
        assert names == [f"c{k:02}" for k in range(12)]
        np.testing.assert_allclose(shares, counts / counts.sum())
    else:
        assert names == [f"c{k:02}" for k in range(11)] + ["others"]
        np.testing.assert_allclose(shares[-1], (1 + 2) / counts.sum())


def test_bits_of_which_none_is_known():
    """Shares of no values are zeros, without a warning."""
    X = np.array([[0.0], [1.0], [1.0], [1.0]])
    display = MarginalsDisplay(X, np.full((4, 1), np.nan)).plot()
    assert [patch.get_height() for patch in display.data_[0]] == [0.25, 0.75]


@pytest.mark.parametrize("unit, n_days", [("h", 1 / 24), ("D", 1), ("W", 7)])
def test_times_are_drawn_in_days(unit, n_days):
    dates = pd.DataFrame({"day": pd.to_datetime("2020-01-01")}, index=range(3))
    dates["day"] += pd.to_timedelta(np.arange(3) * n_days, unit="D")
    display = MarginalsDisplay(dates, dates).plot()
    low, high = display.axes_[0].get_xlim()
    first = (dates["day"][0] - pd.Timestamp("1970-01-01")).days
    assert low <= first
    assert first + 2 * n_days <= high < first + 4 * n_days + 1


def test_names_of_more_than_ten_letters_end_with_dots():
    names = ["ten letter", "eleven lett"]
    frame = pd.DataFrame({"a": pd.Categorical(names * 3)})
    display = MarginalsDisplay(frame, frame).plot()
    labels = [label.get_text() for label in display.axes_[0].get_xticklabels()]
    assert sorted(labels) == ["eleven le…", "ten letter"]
