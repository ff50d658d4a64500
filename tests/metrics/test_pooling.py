"""Rubin's rules: by hand, as published, and what they promise."""

import numpy as np
import pytest
from scipy import stats

from skdgm.metrics import pool_estimates


def test_by_hand():
    pooled = pool_estimates([1.0, 2.0, 3.0, 6.0], [0.5, 1.0, 1.5, 1.0])
    assert pooled.estimate == 3.0
    assert pooled.within == 1.0
    # (4 + 1 + 0 + 9) / 3
    assert pooled.between == pytest.approx(14 / 3)
    assert pooled.total == pytest.approx(1 + 5 / 4 * 14 / 3)
    r = 5 / 4 * 14 / 3
    assert pooled.dof == pytest.approx(3 * (1 + 1 / r) ** 2)
    assert pooled.missing_information == pytest.approx(
        (r + 2 / (pooled.dof + 3)) / (r + 1)
    )
    half = stats.t(pooled.dof).isf(0.025) * np.sqrt(pooled.total)
    assert (pooled.low, pooled.high) == pytest.approx((3 - half, 3 + half))
    assert all(type(value) is float for value in pooled)


def test_as_published():
    # Oxygen, five imputations of 31 rows: SAS/STAT's documentation of MIANALYZE, with
    # EDF=30 (standard errors are given to five digits).
    means = [47.0120, 47.2407, 47.4995, 47.1485, 47.0042]
    errors = np.array([0.95984, 0.93540, 1.00766, 0.95439, 0.96528])
    pooled = pool_estimates(means, errors**2, complete_dof=30)
    assert pooled.estimate == pytest.approx(47.180993, abs=2e-5)
    assert pooled.between == pytest.approx(0.041478, abs=1e-5)
    assert pooled.within == pytest.approx(0.930853, abs=2e-6)
    assert pooled.total == pytest.approx(0.980626, abs=1e-5)
    assert pooled.dof == pytest.approx(26.298, abs=1e-3)
    assert pooled.missing_information == pytest.approx(0.051977, abs=1e-5)
    assert (pooled.low, pooled.high) == pytest.approx((45.1466, 49.2154), abs=1e-4)


def test_several_estimates_and_ends():
    rng = np.random.default_rng(0)
    Q, U = rng.normal(size=(5, 3)), rng.random((5, 3))
    pooled = pool_estimates(Q, U, complete_dof=20, confidence=0.8)
    for j in range(3):
        alone = pool_estimates(Q[:, j], U[:, j], complete_dof=20, confidence=0.8)
        assert tuple(part[j] for part in pooled) == pytest.approx(tuple(alone))
    assert (pooled.dof < 20).all()
    # Without a difference between tables nothing is missing.
    same = pool_estimates([2.0, 2.0], [1.0, 1.0])
    assert same.total == 1
    assert same.dof == np.inf
    assert same.missing_information == 0
    assert same.high == pytest.approx(2 + stats.norm.isf(0.025))
    few = pool_estimates([2.0, 2.0], [1.0, 1.0], complete_dof=10)
    assert few.dof == pytest.approx(11 / 13 * 10)
    # Without variances within tables, all of it is.
    none = pool_estimates([1.0, 3.0], [0.0, 0.0])
    assert none.missing_information == none.dof == 1
    exact = pool_estimates([2.0, 2.0], [0.0, 0.0])
    assert (exact.low, exact.high) == (2, 2)


def test_intervals_cover():
    # The mean of 30 normal values, of which 40 % are missing, by draws given the
    # parameters' posterior: normal imputation as in Rubin's book.
    rng, n_trials, m, n, n_seen = np.random.default_rng(0), 1000, 10, 30, 18
    seen = rng.normal(size=(n_trials, n_seen))
    shape = m, n_trials
    variance = seen.var(axis=1) * n_seen / rng.chisquare(n_seen - 1, shape)
    mean = seen.mean(axis=1) + rng.normal(size=shape) * np.sqrt(variance / n_seen)
    drawn = rng.normal(size=(*shape, n - n_seen)) * np.sqrt(variance)[..., None]
    whole = np.concatenate(
        [np.broadcast_to(seen, (m, *seen.shape)), drawn + mean[..., None]], axis=-1
    )
    Q, U = whole.mean(axis=-1), whole.var(axis=-1, ddof=1) / n
    pooled = pool_estimates(Q, U, complete_dof=n - 1)
    covered = np.mean((pooled.low < 0) & (pooled.high > 0))
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / n_trials))
    # As if the first table had been seen.
    half = stats.t(n - 1).isf(0.025) * np.sqrt(U[0])
    assert np.mean(np.abs(Q[0]) < half) < 0.88
    assert pooled.missing_information.mean() == pytest.approx(0.4, abs=0.08)


def test_bad_input():
    for given, message in (
        (([1.0], [1.0]), "at least two"),
        (([1.0, 2.0], [1.0]), "same shape"),
        (([1.0, 2.0], [1.0, -1.0]), "negative"),
        (([1.0, np.nan], [1.0, 1.0]), "NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            pool_estimates(*given)
    for wrong in (0, 1, 95):
        with pytest.raises(ValueError, match="confidence"):
            pool_estimates([1.0, 2.0], [1.0, 1.0], confidence=wrong)
    with pytest.raises(ValueError, match="complete_dof"):
        pool_estimates([1.0, 2.0], [1.0, 1.0], complete_dof=-1)
