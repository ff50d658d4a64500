"""Columns with values dozens of standard deviations out: steps suit them, and words
name them."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from skdgm import DBN, RBM, DBNClassifier, DBNRegressor, GaussianRBM
from skdgm.boltzmann._fused_epochs import runs
from skdgm.exceptions import DivergenceError, OutlierWarning
from skdgm.gradients.steps import outliers
from skdgm.options import Penalty, Pretraining
from tests.options import grouped

DIGITS = load_digits().data
# Above zero once.
LONE = 56
outlier_text = pytest.mark.filterwarnings("ignore::skdgm.exceptions.OutlierWarning")


def table(size, n=2000, dtype=np.float64):
    """Normal columns, of which one has a value of so many standard deviations; or is
    not 0 in one row."""
    X = np.random.default_rng(0).normal(size=(n, 9)).astype(dtype)
    if size is None:
        X[:, 8] = 0
    X[n // 2, 8] = size or 1.0
    return X


def assert_sane(model, X):
    """Draws and filled cells are in the range of the data, or near."""
    low, high = X.min(axis=0), X.max(axis=0)
    holes = X[:100].copy()
    holes[::2, 8], holes[1::2, 3] = np.nan, np.nan
    for rows in model.sample(300, random_state=0), model.impute(holes):
        assert (np.abs(rows - (low + high) / 2) <= 2 * (high - low)).all()


@pytest.mark.release
@outlier_text
@pytest.mark.parametrize("n_components", [8, 64])
def test_a_pixel_above_zero_once_does_not_explode(n_components):
    for seed in range(3):
        rbm = GaussianRBM(n_components, random_state=seed).fit(DIGITS)
        drawn = rbm.sample(200, random_state=0)
        assert np.abs(drawn).max() < 50
        assert np.abs(drawn[:, LONE]).max() < 2
        again = rbm.inverse_transform(rbm.transform(DIGITS))
        assert np.sqrt(((again - DIGITS) ** 2).mean()) < 4


@pytest.mark.release
@outlier_text
@pytest.mark.parametrize("size", [None, 10.0, 30.0, 1e2, 1e4, 1e6])
def test_an_outlier_of_any_size_leaves_machines_sane(size):
    X = table(size)
    for n_components, n_seeds in (2, 1), (8, 3), (64, 1):
        for seed in range(n_seeds):
            assert_sane(GaussianRBM(n_components, random_state=seed).fit(X), X)
    assert_sane(RBM(16, column_types="gaussian", random_state=0, n_iter=5).fit(X), X)


@pytest.mark.release
@outlier_text
@pytest.mark.parametrize(
    "options",
    [
        {"solver": "adam", "learning_rate": 0.01},
        {"solver": "adam", "learning_rate": 0.01, "precision": "scalar"},
        {"gradient": "fpcd", "n_iter": 5},
        {"gradient": "tempering", "n_iter": 3, "n_temperatures": 4},
        {"gradient": "cd", "centering": None},
        {"gradient": "score-matching", "n_iter": 5},
        {"precision": "scalar"},
        {"quadratic": True, "n_iter": 5},
        {"batch_size": 1, "n_iter": 3},
        {"momentum": 0.9, "learning_rate": 0.02},
    ],
    ids=str,
)
def test_all_recipes_stay_sane(options):
    for size in None, 1e6:
        X = table(size)
        assert_sane(grouped(GaussianRBM, 16, random_state=0, **options).fit(X), X)


@outlier_text
@pytest.mark.parametrize("make", [DBNRegressor, DBNClassifier])
def test_networks_pretrain(make):
    X = table(None)
    options = {"column_types": "gaussian", "n_iter": 1, "pretrain_iter": 8}
    model = grouped(make, (32,), random_state=0, **options)
    assert_sane(model.fit(X, X[:, 0] > 0), X)


@pytest.mark.exhaustive(default=["sgd"])
@outlier_text
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_later_row_may_be_farther_out_than_all_before(solver):
    rate = 0.1 if solver == "sgd" else 0.01
    for size in 1e2, 1e6:
        rbm = GaussianRBM(16, solver=solver, learning_rate=rate, random_state=0)
        for X in table(1.0, 500), table(size, 500), table(2.0, 500):
            rbm.partial_fit(X)
        assert np.abs(rbm.sample(200, random_state=0)).max() < 10


@pytest.mark.exhaustive
@outlier_text
@pytest.mark.parametrize("size", [1e2, 1e4, 1e6])
def test_a_later_amount_may_be_farther_out_than_all_before(size):
    rbm = RBM(16, column_types="rectified", random_state=0)
    for value in 1.0, size, 2.0:
        rbm.partial_fit(np.abs(table(value, 500)))
    assert np.abs(rbm.sample(200, random_state=0)).max() < 10


def test_ordinary_columns_learn_as_ever(monkeypatch):
    asked, step_factors = [], outliers.step_factors

    def kept(*given):
        asked.append(step_factors(*given))
        return asked[-1]

    monkeypatch.setattr(outliers, "step_factors", kept)
    monkeypatch.setattr(
        "skdgm.boltzmann._fused_epochs.runs.supports_epoch", lambda *_: False
    )
    for load in load_iris, load_wine, load_breast_cancer:
        GaussianRBM(8, n_iter=1, random_state=0).fit(load().data[:400])
    assert asked
    assert not any(asked)


@outlier_text
@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("centering", ["data", None])
@pytest.mark.parametrize("fused", [True, False])
def test_penalties_are_shortened_as_the_gradient_is(
    fused, centering, momentum, monkeypatch
):
    X = table(1e3)
    if not fused:
        monkeypatch.setattr(runs, "supports_epoch", lambda *given: False)

    def weights(n_iter=1, alpha=0.0, l1_ratio=0.0):
        options = {"batch_size": 2000, "schedule": "constant", "precision": "fixed"}
        options |= {"momentum": momentum, "centering": centering, "random_state": 0}
        rbm = grouped(
            GaussianRBM,
            5,
            n_iter=n_iter,
            penalty=Penalty(alpha=alpha, l1_ratio=l1_ratio, max_norm=None),
            **options,
        )
        return rbm.fit(X).components_.T

    before, gradient = weights(0), weights()
    for l1_ratio, taken in (1.0, np.sign(before)), (0.0, before):
        penalized = weights(alpha=200.0, l1_ratio=l1_ratio)
        rate = np.mean((gradient - penalized) / (0.1 * taken), axis=1)
        np.testing.assert_allclose(rate[:8], rate[0], rtol=1e-6)
        # As a single value of 1,000 is about 45 standard deviations of 2,000 rows.
        far = np.abs((X[:, 8] - X[:, 8].mean()) / X[:, 8].std()).max()
        factor = min(1, 2000 * (1 - momentum) / (rate[0] * far**2))
        assert rate[8] == pytest.approx(rate[0] * factor, rel=1e-6)


def test_weights_are_repetitions():
    X = table(1e3, 60)
    weight = np.ones(60)
    weight[30] = 3
    one = GaussianRBM(6, n_iter=3, random_state=0).fit(X, sample_weight=weight)
    X = np.concatenate([X, X[[30, 30]]])
    other = GaussianRBM(6, n_iter=3, random_state=0).fit(X)
    np.testing.assert_array_equal(one.components_, other.components_)


@pytest.mark.exhaustive(default=["DBN", "GaussianRBM"])
@pytest.mark.parametrize(
    "model",
    [
        GaussianRBM(8, n_iter=1),
        RBM(8, column_types=("gaussian",) * 9, n_iter=1),
        DBN((8, 4), column_types="gaussian", n_iter=1),
        DBNRegressor((8,), n_iter=1, pretrain=Pretraining(n_iter=1)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_warning_names_columns_and_rows(model):
    X = pd.DataFrame(table(None), columns=[*"abcdefgh", "rare"])
    with pytest.warns(OutlierWarning, match=r"'rare' \(up to 44.71, in row 1000\)"):
        model.fit(X, X["a"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X.iloc[:500].assign(rare=X["a"][:500]), X["a"][:500])


@outlier_text
def test_an_error_names_columns_and_rows():
    rbm = GaussianRBM(8, solver="adam", learning_rate=1e200, random_state=0)
    words = r"diverged after 0 of 20 .* columns 8 \(up to 44.71, in row 1000\): correct"
    with pytest.raises(DivergenceError, match=words):
        rbm.fit(table(None))
    with pytest.raises(DivergenceError) as error:
        rbm.fit(table(1.0))
    assert "row" not in str(error.value).split("Lower")[0]


@pytest.mark.exhaustive
def test_no_other_warning_precedes_an_error(recwarn):
    X = table(1e6)
    for model in (
        GaussianRBM(8, solver="adam", learning_rate=1e200, random_state=0),
        RBM(8, column_types="gaussian", solver="adam", learning_rate=1e200),
    ):
        with pytest.raises(DivergenceError):
            model.fit(X)
    assert {own.category for own in recwarn.list} == {OutlierWarning}
