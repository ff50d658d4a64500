"""DataFrames with categories, where tables are compared."""

import numpy as np
import pandas as pd
import pytest

from skdgm.exceptions import DataRangeWarning
from skdgm.metrics import (
    autocorrelation,
    classifier_two_sample_test,
    maximum_mean_discrepancy,
    mode_coverage,
    nearest_training_neighbors,
    parzen_log_likelihood,
    pool_estimates,
)
from skdgm.metrics._pairs import as_tables, check_pair

XY = "X", "Y"


def frame(n=40, seed=0, shares=(0.5, 0.3, 0.2)):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.normal(40, 10, n),
            "work": rng.choice(["state", "private", "none"], n, p=shares),
            "rich": rng.random(n) < 0.3,
        }
    )


def test_different_categories_are_as_far_apart_as_bits():
    X = pd.DataFrame({"a": list("xyx"), "b": [True, True, False]})
    (X_numbers,) = as_tables([X], ["X"])
    distance = np.linalg.norm(X_numbers[:, None] - X_numbers, axis=2)
    np.testing.assert_allclose(
        distance, [[0, 1, 1], [1, 0, np.sqrt(2)], [1, np.sqrt(2), 0]]
    )


def test_columns_are_encoded_together_and_in_one_order():
    X, Y = frame(), frame(30, 1)
    Y["work"] = Y["work"].replace("none", "own").astype("category")
    first, second = as_tables([X, Y[["rich", "work", "age"]]], XY)
    assert first.shape == (40, 1 + 4 + 1)
    assert second.shape == (30, 1 + 4 + 1)
    ages = np.concatenate([X["age"], Y["age"]])
    np.testing.assert_allclose(first[:, 0], X["age"] / ages.std())
    hot = np.concatenate([first, second])[:, 1:5]
    np.testing.assert_allclose(np.linalg.norm(hot, axis=1), np.sqrt(0.5))
    # Frames of numbers stay as they are, but for the order of columns.
    numbers = X[["age", "rich"]]
    first, second = as_tables([numbers, numbers[["rich", "age"]]], XY)
    pd.testing.assert_frame_equal(first, second)


def test_figures_of_frames():
    X, Y, other = frame(200), frame(200, 1), frame(200, 2, (0.05, 0.05, 0.9))
    same = classifier_two_sample_test(X, Y, random_state=0)
    far = classifier_two_sample_test(X, other, random_state=0)
    assert same.p_value > 0.01
    assert far.p_value < 1e-3
    options = {"n_permutations": 100, "random_state": 0}
    assert maximum_mean_discrepancy(X, Y, **options).p_value > 0.02
    assert maximum_mean_discrepancy(X, other, **options).p_value < 0.02
    found = nearest_training_neighbors(X[:20], X, Y)
    np.testing.assert_array_equal(found.index, np.arange(20))
    assert found.copied == 1
    assert found.closer > 0.9


@pytest.mark.parametrize(
    "figure", [classifier_two_sample_test, maximum_mean_discrepancy]
)
def test_frames_that_do_not_match(figure):
    X, Y = frame(), frame(30, 1)
    with pytest.raises(ValueError, match="Y has the columns .*the same ones"):
        figure(X, Y.rename(columns={"age": "years"}))
    with pytest.raises(ValueError, match="'work' has categories, but Y is no Data"):
        figure(X, np.zeros((3, 3)))
    twice = pd.concat([Y, Y[["age"]]], axis=1)
    for pair in (twice, twice), (twice, X), (X[["age"]], twice[["age"]]):
        with pytest.raises(ValueError, match=r"several columns of the names \['age'\]"):
            figure(*pair)
    Y.loc[3, "work"] = None
    with pytest.raises(ValueError, match="Y contains NaN"):
        figure(X, Y)
    strange = X.assign(age=1j)
    with pytest.raises(TypeError, match="'age' has the dtype complex"):
        figure(strange, strange)
    dates = X.assign(age=pd.Timestamp("2020-01-01"))
    with pytest.raises(ValueError, match="'age' has dates, but Y is no DataFrame"):
        figure(dates[["age", "rich"]], np.zeros((3, 2)))


def test_dates_are_numbers_from_the_first_on():
    days = np.random.default_rng(0).permutation(40)
    X = frame().assign(day=pd.Timestamp("2020-01-01") + pd.to_timedelta(days, "D"))
    first, second = as_tables([X, X[:7]], XY)
    every = np.concatenate([days, days[:7]])
    expected = (days - days.min()) / every.std()
    np.testing.assert_allclose(first[:, -1], expected)
    np.testing.assert_allclose(second[:, -1], expected[:7])


HUGE = pd.DataFrame({"a": ["x"] * 3, "b": 1e200})
TOO_LARGE = [
    (lambda X: maximum_mean_discrepancy(X, 1e160 * X), "Y has values as large as"),
    (lambda X: nearest_training_neighbors(-1e300 * X, X), "samples has values as"),
    (lambda X: parzen_log_likelihood(X, X, X_valid=1e200 * X), "X_valid has values"),
    (lambda X: maximum_mean_discrepancy(X, [[10**400] * 2] * 3), "beyond all floats"),
    (lambda X: pool_estimates(1e300 * X[0], X[1] ** 2), "so large or small"),
    (lambda X: pool_estimates(X[0], [5e-324] * 2), "so large or small"),
    (lambda X: pool_estimates(X[0].astype("M8[s]"), X[1]), "estimates has times"),
    (lambda X: autocorrelation([[10**400, 1]]), "chains has a number beyond"),
    (lambda X: maximum_mean_discrepancy(X, X, gamma=10**399), "gamma must be a finite"),
    (lambda X: parzen_log_likelihood(X, X, sigma=5e-324), "1 / sigma has values as"),
    (lambda X: parzen_log_likelihood(X, X, X_valid=X, sigmas=[1e-200]), "1 / sigmas"),
    (
        lambda X: pool_estimates(X[0], X[1] ** 2, confidence=np.nan),
        "confidence must be",
    ),
    (lambda X: maximum_mean_discrepancy(X, X, kernel=pd.NA), "kernel"),
    (lambda X: autocorrelation(1e200 * X), "chains has values as large as"),
    (lambda X: parzen_log_likelihood(X, X, sigma=1e200), "sigma has values as large"),
    (lambda X: parzen_log_likelihood(X, X, X_valid=X, sigmas=[1e200]), "sigmas has"),
    (lambda X: pool_estimates(X[0], X[1] ** 2, complete_dof=5e-324), "complete_dof"),
    (lambda X: maximum_mean_discrepancy(HUGE, HUGE), "'b' of X has values as large"),
    (lambda X: parzen_log_likelihood(X, X, X_valid=X, sigmas=[[1], [1, 2]]), "inhomo"),
    (lambda X: autocorrelation([[1, 2], [3]]), "chains|inhomogeneous"),
    (lambda X: classifier_two_sample_test(X, X, cv=(2, 3)), r"cv must give pairs"),
    (lambda X: classifier_two_sample_test(X, X, cv=[]), r"cv must give pairs"),
]


@pytest.mark.parametrize("call, told", TOO_LARGE, ids=range(len(TOO_LARGE)))
def test_numbers_that_cannot_be_compared(call, told):
    with pytest.raises(ValueError, match=told):
        call(np.random.default_rng(0).normal(size=(9, 2)))


def test_numbers_beyond_all_floats_in_frames():
    X, Y = frame(), frame(seed=1).astype({"age": object})
    Y.loc[0, "age"] = 10**400
    with pytest.raises(TypeError, match="Column 'age'.* Y has other values.*too large"):
        as_tables([X, Y], XY)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_frames_of_other_libraries(library):
    module = pytest.importorskip(library)
    convert = module.DataFrame if library == "polars" else module.Table.from_pylist
    X, Y = frame(200), frame(200, 1)
    others = [convert(own.to_dict("records")) for own in (X, Y)]
    for columns in (list(X), ["age", "rich"]):
        pair = [own.select(columns) for own in others]
        for one, two in zip(
            as_tables([X[columns], Y[columns]], XY), as_tables(pair, XY)
        ):
            np.testing.assert_array_equal(one, two)
    options = {"n_permutations": 50, "random_state": 0}
    found = maximum_mean_discrepancy(*others, **options)
    assert found.mmd2 == maximum_mean_discrepancy(X, Y, **options).mmd2
    other = others[1].select(["age"])
    with pytest.raises(ValueError, match="Y has the columns .*the same ones"):
        maximum_mean_discrepancy(others[0], other)


def test_modes_of_frames():
    centers = pd.DataFrame({"town": list("abc"), "height": [0.0, 10.0, 20.0]})
    samples = pd.DataFrame({"height": [9.0, 1.0, 11.0], "town": list("bab")})
    found = mode_coverage(samples, centers, np.arange(3))
    np.testing.assert_allclose(found.share, [1 / 3, 2 / 3, 0])
    assert found.n_modes == 2


def test_scales_are_told_of_beyond_eight_times():
    names = "X", "Y"
    small, large = np.array([[0.0], [1.0]]), np.array([[-8.0], [2.0]])
    given = {"subject": "f", "names": names}
    for first, second in (small, large), (large, small):
        check_pair(first, second, **given)
        more = [np.where(part == -8, -8.1, part) for part in (first, second)]
        with pytest.warns(DataRangeWarning):
            check_pair(*more, **given)
    # Of a table of zeros there is no scale.
    check_pair(np.zeros((2, 1)), large, **given)
