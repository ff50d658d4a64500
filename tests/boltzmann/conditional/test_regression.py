"""Regressions that start a conditional machine, with gaps in y."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from skdgm import ConditionalRBM
from skdgm.boltzmann._conditional import regression

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3)) + [1, -2, 0]
Y = X @ RNG.normal(size=(3, 4)) + [0, 3, -1, 2] + 0.3 * RNG.normal(size=(400, 4))


def started(y):
    return ConditionalRBM(2, n_iter=0, random_state=0).fit(X, y)


@pytest.mark.parametrize(
    "max_operations, tolerance", [(regression._MAX_OPERATIONS, 0.2), (0, 0.6)]
)
def test_each_column_is_regressed_on_rows_where_it_is_known(
    max_operations, tolerance, monkeypatch
):
    # Pooled products of conditions differ from those of the known rows by chance.
    monkeypatch.setattr(regression, "_MAX_OPERATIONS", max_operations)
    gaps = RNG.random(Y.shape) < [0, 0, 0.3, 0.8]
    model = started(np.where(gaps, np.nan, Y))
    for j, known in enumerate(~gaps.T):
        line = LinearRegression().fit(X[known], Y[known, j])
        error = np.std(Y[known, j] - line.predict(X[known]))
        np.testing.assert_allclose(
            model.predict(X)[:, j], line.predict(X), atol=tolerance
        )
        np.testing.assert_allclose(model.precision_[j] * error**2, 1, rtol=tolerance)


def test_gaps_that_depend_on_conditions_do_not_bias_regressions():
    gaps = (X[:, :1] > 1) & [True, True, False, False]
    model = started(np.where(gaps, np.nan, Y))
    for j, known in enumerate(~gaps.T):
        line = LinearRegression().fit(X[known], Y[known, j])
        np.testing.assert_allclose(model.predict(X)[:, j], line.predict(X), atol=0.08)
