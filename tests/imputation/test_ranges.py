"""Draws of the default imputer within the range of a column."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skdgm import GenerativeImputer
from skdgm.imputation.normal_mixtures import _truncated


def test_truncated_normal_distributions():
    values, center, spread = np.array([-1.0, 0.0, 2.0]), 0.5, 1.5
    u = (np.arange(20_000) + 0.5) / 20_000
    draws = _truncated(u, center, spread, values)
    low, high = (values[[0, -1]] - center) / spread
    exact = stats.truncnorm(low, high, center, spread)
    assert stats.kstest(draws, exact.cdf).statistic < 1e-4
    far = _truncated(u[:3], np.array([-1e6, 1e6, 1e300]), np.ones(3), values)
    np.testing.assert_array_equal(far.clip(-1, 2), [-1, 2, 2])


@pytest.mark.parametrize("seed", range(3))
def test_draws_of_a_skewed_column_do_not_accumulate_at_its_minimum(seed):
    rng = np.random.default_rng(seed)
    income = rng.lognormal(10, 1.2, 800)
    X = pd.DataFrame({"income": income, "noise": rng.normal(size=800)})
    missing = rng.random(800) < 0.3
    holed = X.assign(income=X["income"].mask(missing))
    imputer = GenerativeImputer(method="sample", random_state=0)
    drawn = imputer.fit_transform(holed)["income"][missing]
    seen = income[~missing]
    assert drawn.between(seen.min(), seen.max()).all()
    assert (drawn == seen.min()).mean() < 0.01
    assert (drawn < np.quantile(seen, 0.05)).mean() < 0.15
