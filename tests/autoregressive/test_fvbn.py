"""Fully visible belief networks: the path of their penalties, and what they show."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from skdgm import FVBN
from skdgm.training import Budget
from tests.autoregressive.models import correlated_bits, data
from tests.callbacks import Callback
from tests.options import grouped

X = correlated_bits(80, noise=0.3)
EARLY = {"early_stopping": True, "validation_fraction": 0.3, "n_iter_no_change": 4}


def path(alpha=(300.0, 0.1), n_iter=60, **options):
    options = {"learning_rate": 0.1, "batch_size": 20, **options}
    return grouped(FVBN, alpha=alpha, n_iter=n_iter, random_state=0, **options)


class At(Callback):
    """Does something at the end of an epoch."""

    def __init__(self, epoch, act):
        self.epoch, self.act, self.heard = epoch, act, 0

    def on_fit_task_end(self, estimator, context):
        self.heard += context.task_name == "epoch"
        return self.heard == self.epoch and self.act()


def test_too_few_epochs_for_a_path_are_named():
    with pytest.raises(ValueError, match="n_iter=2 epochs .* 3 values"):
        path((3.0, 2.0, 1.0), 2).fit(X)
    assert path((3.0, 2.0, 1.0), 3).fit(X).n_iter_ == 3
    # A pass has the last value anyway, and there may be no epochs at all.
    assert path((3.0, 2.0, 1.0), 2).partial_fit(X).n_iter_ == 1
    assert path((3.0, 2.0), 0, **EARLY).fit(X).n_iter_ == 0


def test_there_are_as_many_epochs_as_values(monkeypatch):
    monkeypatch.setattr(FVBN, "_BUDGET", Budget(12, 1, 9))
    assert path((3.0, 2.0), "auto").fit(X).n_iter_ == 3
    assert path((3.0, 2.0, 1.0, 0.5, 0.1), "auto").fit(X).n_iter_ == 5


def test_early_stopping_lets_the_path_come_to_its_last_value():
    """And keeps the best of that one's turn."""
    own = path(schedule="constant", average=False, **EARLY).fit(X)
    curve = np.array(own.validation_curve_)
    assert own.n_iter_ == len(own.loss_curve_) == len(curve) < 60
    best = 30 + curve[30:].argmin()
    assert 30 < best < len(curve) - 1
    assert own.loss_curve_[best] < own.loss_curve_[29] - 0.02


@pytest.mark.parametrize("average", [True, False])
def test_a_path_of_one_value_said_twice_is_none(average):
    """The last epoch is the best here."""
    rows = correlated_bits(80, 20)
    options = {**EARLY, "average": average, "n_iter_no_change": 99, "n_iter": 9}
    options["learning_rate"] = 0.005
    whole = path(1.0, **options).fit(rows)
    parts = path((1.0, 1.0), **options).fit(rows)
    assert parts.loss_curve_ == whole.loss_curve_
    assert parts.validation_curve_ == whole.validation_curve_
    np.testing.assert_array_equal(parts.score_samples(rows), whole.score_samples(rows))


def test_a_callback_stops_the_whole_path():
    own = path(n_iter=8, **EARLY).set_callbacks(At(2, lambda: True)).fit(X)
    assert own.n_iter_ == 2
    assert len(own.validation_curve_) == 2


@pytest.mark.parametrize("epoch", [1, 5])
def test_an_error_in_any_turn_loses_nothing(epoch):
    def fail():
        raise KeyError("nothing that learning knows of")

    own = path(n_iter=8, warm_start=True, **EARLY).fit(X)
    before, curve = own.score_samples(X), list(own.loss_curve_)
    with pytest.raises(KeyError):
        own.set_callbacks(At(epoch, fail)).fit(X)
    assert own.loss_curve_ == curve
    assert own.n_iter_ == len(curve)
    np.testing.assert_array_equal(own.score_samples(X), before)


def test_what_is_expected_of_bits_is_their_probability():
    own = path(0.1, 5).fit(X)
    p = own.transform(X)
    expected = np.log(np.where(X == 1, p, 1 - p))
    np.testing.assert_allclose(own.score_features(X), expected, rtol=1e-9)


def test_what_is_expected_of_real_columns_is_their_regression_on_those_before():
    rows = data("real")
    found = FVBN(column_types="gaussian", alpha=0.0).fit(rows).transform(rows)
    Z = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    line = LinearRegression().fit(Z[:, :1], Z[:, 1])
    np.testing.assert_allclose(found[:, 0], 0, atol=1e-12)
    np.testing.assert_allclose(found[:, 1], line.predict(Z[:, :1]), rtol=1e-6)


def test_what_is_expected_of_codes_is_the_most_probable_one():
    rows = data("codes")
    own = path(0.1, 5, column_types="categorical").fit(rows)
    holed = rows.copy()
    holed[:, 3] = np.nan
    modes = own.impute(holed, method="mode")[:, 3]
    np.testing.assert_array_equal(own.transform(rows)[:, 3], modes)
