"""One value far out, in any real column of any model, ruins no fit."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags

from skdgm import ConditionalRBM, GatedRBM
from skdgm.exceptions import (
    CollapseWarning,
    DataRangeWarning,
    OutlierWarning,
    PrecisionWarning,
)
from skdgm.options import Columns
from tests.common.instances import KINDS, cases
from tests.common.shapes import brief

N, SIDE = 1200, 4
EXPECTED = (
    *(OutlierWarning, PrecisionWarning, CollapseWarning, DataRangeWarning),
    ConvergenceWarning,
)
REALS = [one for one in KINDS if not get_tags(one).input_tags.positive_only]


def plain():
    """Normal columns."""
    return np.random.default_rng(0).normal(size=(N, SIDE**2))


def one_hot():
    """A column that is not 0 in one row."""
    X = plain()
    X[:, 5] = np.arange(N) == N // 2
    return X


def with_value(size):
    """One value of so many standard deviations."""
    X = plain()
    X[N // 2, 5] = size
    return X


def with_row(size):
    """One row of so many times the size of the others."""
    X = plain()
    X[N // 2] *= size
    return X


CASES = [one_hot(), with_value(1e6), with_row(1e3)]


@pytest.mark.parametrize("instance", cases(REALS))
def test_a_value_far_out_leaves_a_model_sane(instance):
    wrong = []
    for number, X in enumerate(CASES):
        model, y = brief(clone(instance)), X[:, 0] > 0
        if is_regressor(model):
            # The target has a value far out, too.
            y = np.where(np.arange(N) == N // 3, 1e6, X[:, 0])
        elif isinstance(model, ConditionalRBM | GatedRBM):
            given = X if model.column_types == "mixed" else np.sign(X[:, :1])
            y = np.column_stack([given[:, 0], y])
        elif not is_classifier(model):
            y = np.where(y, "a", "b")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for kind in EXPECTED:
                warnings.simplefilter("ignore", kind)
            model.fit(X, y)
        if isinstance(model, ConditionalRBM | GatedRBM):
            drawn, X = [model.sample(X, random_state=0), model.predict(X)], y
        else:
            drawn = [np.asarray(model.sample(200, random_state=0), np.float64)]
        if hasattr(model, "impute") and X is not y:
            holes = X[:100].copy()
            holes[::2, 0], holes[1::2, 5] = np.nan, np.nan
            drawn.append(model.impute(holes))
        if hasattr(model, "predict") and X is not y:
            assert np.isfinite(np.asarray(model.predict(X)).astype(float)).all()
        low, high = X.min(axis=0), X.max(axis=0)
        room = 2 * (high - low)
        for rows in drawn:
            if not ((rows > low - room) & (rows < high + room)).all():
                wrong.append((number, abs(rows).max()))
    assert not wrong


OF_X = [one for one in REALS if not isinstance(one, ConditionalRBM | GatedRBM)]


@pytest.mark.parametrize("instance", cases(OF_X))
def test_a_value_far_out_is_named(instance):
    X = np.random.default_rng(0).normal(size=(1600, SIDE**2))
    X[800, 5], model = 1e6, brief(clone(instance), most=1)
    y = X[:, 0] > 0
    if is_regressor(model):
        y = X[:, 0]
    elif not is_classifier(model):
        y = np.where(y, "a", "b")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.fit(X, y)
    told = [str(own.message) for own in told if own.category is OutlierWarning]
    if any(own.kind == "numeric" for own in model.column_types_.values()):
        # Tails are theirs.
        assert not told
        return
    assert len(told) == 1
    assert "5 (up to 39.99, in row 800)" in told[0]


def test_a_value_far_out_of_y_is_named():
    X = np.random.default_rng(0).normal(size=(1600, 3))
    X[800, 1], model = (
        1e6,
        ConditionalRBM(2, n_iter=1, column_types=Columns(precision="fixed")),
    )
    with pytest.warns(OutlierWarning, match=r"0 \(up to 39.99, in row 800\)"):
        model.fit(X[:, [0, 2]], X[:, 1:])
    with pytest.warns(OutlierWarning, match=r"1 \(up to 39.99, in row 800\)"):
        model.set_params(n_lags=2).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.set_params(n_lags=0).fit(X[:, :2], X[:, 2:])
