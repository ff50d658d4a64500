"""Outliers in the table of an imputer."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

from skdgm import GenerativeImputer


def _table(outlier):
    """Table of logs of prices, prices and noise, and the mask of its missing prices."""
    rng = np.random.default_rng(0)
    log_price = rng.normal(3, 0.7, 600)
    price = np.exp(log_price + 0.1 * rng.normal(size=600))
    price[5] = outlier
    X = pd.DataFrame({"log": log_price, "price": price, "noise": rng.normal(size=600)})
    missing = rng.random(600) < 0.2
    missing[5] = False
    return X, missing


@pytest.mark.parametrize("outlier", [1e4, 1e7, -1e300])
@pytest.mark.parametrize("method", ["mean", "mode", "sample"])
def test_one_outlier_changes_no_other_row(outlier, method):
    errors = []
    for value in (20.0, outlier):
        X, missing = _table(value)
        true = X["price"][missing]
        imputer = GenerativeImputer(method=method, random_state=0)
        filled = imputer.fit_transform(X.assign(price=X["price"].mask(missing)))
        assert filled["price"][5] == value
        errors.append(np.abs(filled["price"][missing] - true).mean())
    assert errors[1] < 2 * errors[0]


def test_an_outlier_in_transform_changes_only_its_row():
    X = load_wine().data
    imputer = GenerativeImputer(random_state=0).fit(X)
    rows = X[:4].copy()
    rows[:, 3] = np.nan
    plain = imputer.transform(rows)
    rows[0, 4] = 1e12
    filled = imputer.transform(rows)
    assert X[:, 3].min() <= filled[0, 3] <= X[:, 3].max()
    np.testing.assert_allclose(filled[1:, 3], plain[1:, 3])


def test_rare_values_of_a_sparse_column_are_no_outliers():
    rng = np.random.default_rng(0)
    gain = np.where(rng.random(500) < 0.1, rng.lognormal(8, 1, 500), 0.0)
    X = np.column_stack([gain, 2 * gain, rng.normal(size=500)])
    held_out = gain > np.quantile(gain, 0.95)
    holed = X.copy()
    holed[held_out, 0] = np.nan
    filled = GenerativeImputer(random_state=0).fit(X).transform(holed)
    np.testing.assert_allclose(filled[held_out, 0], gain[held_out], rtol=0.2)
