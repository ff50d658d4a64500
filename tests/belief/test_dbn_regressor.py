import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._testing import ignore_warnings

from skdgm import DBNRegressor
from skdgm.options import Pretraining
from tests.belief.tuning import assert_same_net

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 5)) * [1, 10, 100, 0.1, 0.01]
Y = np.column_stack([50 + 3 * X[:, 0], X[:, 2] * X[:, 0], X[:, 3] + X[:, 4]])
SMALL = DBNRegressor((12, 9), pretrain=Pretraining(n_iter=2), n_iter=3, random_state=0)


@pytest.mark.exhaustive
@ignore_warnings
def test_diabetes():
    data = load_diabetes(return_X_y=True)
    ours = DBNRegressor(
        (32, 32), pretrain=Pretraining(n_iter=10), n_iter=50, random_state=0
    )
    mlp = MLPRegressor(hidden_layer_sizes=(32, 32), max_iter=100, random_state=0)
    mlp = make_pipeline(StandardScaler(), mlp)
    score = cross_val_score(ours, *data, cv=3).mean()
    assert score > 0.4
    assert score > cross_val_score(mlp, *data, cv=3).mean() - 0.02


@pytest.mark.exhaustive
def test_a_function_that_is_not_linear():
    X, y = make_friedman1(1500, noise=0.5, random_state=0)
    reg = DBNRegressor((64, 64), pretrain=Pretraining(n_iter=5), random_state=0)
    # With hardly any noise, dropout costs some of the score.
    reg.set_params(dropout=0.0)
    assert reg.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9


def test_before_fine_tuning_means_are_predicted():
    weight = RNG.integers(1, 4, 150)
    reg = clone(SMALL).set_params(n_iter=0).fit(X, Y, sample_weight=weight)
    expected = np.average(Y, axis=0, weights=weight)
    np.testing.assert_allclose(reg.predict(X), np.tile(expected, (150, 1)))
    np.testing.assert_allclose(
        reg.transform(X), reg.dbn_.transform(X), rtol=1e-6, atol=1e-9
    )


def test_several_targets_in_their_own_units():
    reg = DBNRegressor(
        (40,), pretrain=Pretraining(n_iter=2), n_iter=150, random_state=0
    )
    reg.set_params(learning_rate=0.02)
    assert reg.fit(X, Y).score(X, Y) > 0.8
    assert reg.predict(X).shape == (150, 3)
    assert reg.n_outputs_ == 3
    one = clone(reg).fit(X, Y[:, 0])
    assert one.predict(X).shape == (150,)
    with pytest.raises(ValueError, match="3 columns, but there were 1"):
        one.partial_fit(X, Y)


def test_scale_and_place_of_targets_do_not_matter():
    y, reg = Y[:, 0], clone(SMALL).set_params(n_iter=100, learning_rate=0.01)
    large = 1e6 * y - 1e9
    expected = clone(reg).fit(X, y).score(X, y)
    # Rows come in another order.
    assert clone(reg).fit(X, large).score(X, large) == pytest.approx(expected, abs=0.02)
    constant = clone(SMALL).fit(X, np.full(150, 0.1))
    np.testing.assert_allclose(constant.predict(X), 0.1)


def test_rows_without_a_target_are_learned_of():
    y = np.where(np.arange(150) % 2, Y[:, 0], np.nan)
    known = ~np.isnan(y)
    found, without = clone(SMALL).fit(X, y), clone(SMALL).fit(X[known], y[known])
    assert (found.coefs_[0] != without.coefs_[0]).any()
    assert np.isfinite(found.predict(X)).all()
    expected = y[known].mean()
    start = clone(SMALL).set_params(n_iter=0).fit(X, y)
    np.testing.assert_allclose(start.predict(X), expected)


def test_single_targets_may_be_unknown():
    y = np.where(RNG.random(Y.shape) < 0.3, np.nan, Y)
    reg = DBNRegressor(
        (40,), pretrain=Pretraining(n_iter=2), n_iter=150, random_state=0
    )
    assert reg.fit(X, y).score(X, Y) > 0.6
    weight = RNG.integers(0, 3, 150)
    again = np.repeat(np.arange(150), weight)
    assert_same_net(
        clone(SMALL).fit(X, y, sample_weight=weight),
        clone(SMALL).fit(X[again], y[again]),
    )


def test_what_cannot_be_learned():
    nothing = np.full(150, np.nan)
    with pytest.raises(ValueError, match="needs targets"):
        clone(SMALL).fit(X, nothing)
    with pytest.raises(ValueError, match=r"none in columns \[1\]"):
        clone(SMALL).fit(X, np.column_stack([Y[:, 0], nothing]))
    with pytest.raises(ValueError, match="too large"):
        clone(SMALL).fit(X, 1e200 * Y[:, 0])
    y = np.where(np.arange(150) < 50, Y[:, 0], np.nan)
    with pytest.raises(ValueError, match="no row with a target has a weight"):
        clone(SMALL).fit(X, y, sample_weight=np.arange(150) >= 50)


def test_partial_fit_keeps_the_scale():
    reg = clone(SMALL).partial_fit(X[:75], Y[:75])
    reg.partial_fit(X[75:], 100 * Y[75:])
    assert reg.n_iter_ == 2
    nothing = np.full(Y.shape, np.nan)
    before = [W.copy() for W in reg.coefs_]
    reg.partial_fit(X, nothing)
    for W, other in zip(reg.coefs_, before):
        np.testing.assert_array_equal(W, other)


def test_a_single_column_of_targets_is_flattened_with_a_warning():
    flat = clone(SMALL).fit(X, Y[:, 0])
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        column = clone(SMALL).fit(X, Y[:, :1])
    assert column.predict(X).shape == (150,)
    np.testing.assert_array_equal(column.predict(X), flat.predict(X))
