"""Figures that are learned of columns, by hand, for each kind of units."""

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import bernoulli, entropy

from skdgm.data import BinaryColumns, RealColumns
from skdgm.data.counts import CountColumns, _refuse_too_many
from skdgm.data.units import UnitColumns, checked_kinds
from skdgm.utils.rows import Rows
from tests.data.test_mixed import learned

WEIGHT = np.array([2.0, 0, 1, 3, 1])
COUNTS = np.array([[0.0, 3, 1], [9, 9, 9], [2, 1, 0], [5, 0, 0], [1, 7, np.nan]])


def repeated(X):
    return np.repeat(X, WEIGHT.astype(int), axis=0)


def test_bits():
    X = np.array([[0, 1, np.nan], [1, 1, 1], [0, 1, 0], [0.5, 1, 1], [0, 0, 1]])
    fitted = learned(X, WEIGHT, domain=BinaryColumns())
    data = repeated(X)
    p = (np.nansum(data, axis=0) + 1) / ((~np.isnan(data)).sum(axis=0) + 2)
    np.testing.assert_allclose(fitted.domain.moments(fitted.columns), p)
    found = fitted.domain.loss_of_independent(fitted.columns)
    assert found == pytest.approx(bernoulli.entropy(p).sum())


def test_real_numbers():
    X = np.array([[0, 10, 5.0], [9, 1, 5], [1, 20, 5], [2, np.nan, 5], [4, 40, 5]])
    fitted = learned(X, WEIGHT, domain=RealColumns())
    data, columns, domain = repeated(X), fitted.columns, fitted.domain
    np.testing.assert_allclose(columns.mean, np.nanmean(data, axis=0))
    scale = np.nanstd(data, axis=0)
    # That of a constant column is the geometric mean of the others.
    scale[2] = np.sqrt(scale[0] * scale[1])
    np.testing.assert_allclose(columns.scale, scale)
    np.testing.assert_array_equal(columns.varies, [True, True, False])
    assert domain.loss_of_independent(columns) == pytest.approx(
        1.5 * np.log(2 * np.pi * np.e)
    )
    rows = fitted.rows(X)
    known = np.isfinite(X)
    np.testing.assert_allclose(
        domain.log_volume(columns, rows), -(known @ np.log(scale))
    )
    entries = domain.log_entries(columns, rows)
    np.testing.assert_allclose(entries, -(known * np.log(scale)))


def test_words():
    fitted = learned(COUNTS, WEIGHT, domain=CountColumns())
    columns, domain, data = fitted.columns, fitted.domain, repeated(COUNTS)
    mean, n = np.nanmean(data, axis=0), (~np.isnan(data)).sum(axis=0)
    np.testing.assert_allclose(columns.mean, mean)
    share = (mean + 1 / n) / (mean + 1 / n).sum()
    np.testing.assert_allclose(domain.share(columns), share)
    assert domain.length(columns) == pytest.approx(mean.sum())
    loss = mean.sum() * entropy(share)
    assert domain.loss_of_independent(columns) == pytest.approx(loss)
    # In order 3, 4, 5, 5, 5, 8, 8, of which some are at the middle of each third.
    lengths = np.sort(np.nansum(data, axis=1))
    found = domain.lengths(fitted.table, 3)
    np.testing.assert_array_equal(found, lengths[[1, 3, 5]])


@pytest.mark.parametrize("kind", ["poisson", "binomial", "binomial(12)"])
def test_units_of_counts(kind):
    fitted = learned(COUNTS, WEIGHT, domain=UnitColumns(kind))
    columns, domain, data = fitted.columns, fitted.domain, repeated(COUNTS)
    n, total = (~np.isnan(data)).sum(axis=0), np.nansum(data, axis=0)
    mean, deviation = total / n, np.nanstd(data, axis=0)
    facts, highest = columns.units, np.nanmax(data, axis=0)
    np.testing.assert_allclose(facts.mean, mean)
    np.testing.assert_allclose(facts.base, -np.nansum(gammaln(data + 1), axis=0) / n)
    if kind == "poisson":
        limits, moments, model = np.ones(3), (total + 0.5) / (n + 1), np.sqrt(mean)
        most = np.ones(3)
    else:
        limits = highest if kind == "binomial" else np.full(3, 12)
        moments, p = (total + limits) / (n + 2), mean / limits
        model, most = np.sqrt(limits * p * (1 - p)), 0.5 * np.sqrt(limits)
    np.testing.assert_array_equal(facts.limits, limits)
    found = domain.moments_of(columns, kind.partition("(")[0])
    np.testing.assert_allclose(found, moments)
    spread = np.max([deviation, model, most], axis=0)
    np.testing.assert_array_equal(facts.gains, 2.0 ** -np.rint(np.log2(spread)))


def test_units_of_amounts_and_shares():
    X = np.abs(np.random.default_rng(0).normal(size=(5, 2))) * [40, 0.3]
    fitted = learned(X, WEIGHT, domain=UnitColumns(("rectified", "interval")))
    columns, domain, data = fitted.columns, fitted.domain, repeated(X)
    size = np.sqrt((data[:, 0] ** 2).mean())
    np.testing.assert_allclose(columns.scale, [size, 1])
    mean, variance = domain.moments_of(columns, "rectified")
    np.testing.assert_allclose(mean, [(data[:, 0].sum() / size + 0.5) / 8])
    np.testing.assert_array_equal(variance, [1])
    found = domain.moments_of(columns, "interval")
    np.testing.assert_allclose(found, [(data[:, 1].sum() + 1) / 9])
    spread = max(data[:, 1].std(), 0.25)
    gains = [1, 2.0 ** -np.rint(np.log2(spread))]
    np.testing.assert_array_equal(columns.units.gains, gains)


@pytest.mark.parametrize("kind, high", [("interval", 1), ("binomial(12)", 12)])
def test_limits_are_within_what_is_allowed(kind, high):
    X = np.array([[0.0], [high], [np.nan]])
    learned(X, domain=UnitColumns(kind))
    for value in -1e-9, high + 1e-9:
        with pytest.raises(ValueError, match="is negative|highest value"):
            learned(np.append(X, [[value]], axis=0), domain=UnitColumns(kind))


@pytest.mark.parametrize(
    ("value", "place", "message"),
    [
        (2.0**53 + 2, (1, 2), "in column 2 are up to"),
        (2.0**53 - 2, (1, 2), "of row 1 sum to"),
        (2.0**53 - 4, (1, 2), None),
    ],
)
def test_counts_beyond_those_of_float64_are_named(value, place, message):
    X = np.zeros((3, 4))
    X[place], X[1, 0] = value, 4.0
    rows = Rows(X, np.float64)
    if message is None:
        _refuse_too_many(rows, "model", None)
        return
    with pytest.raises(ValueError, match=message):
        _refuse_too_many(rows, "model", None)
    if "column" in message:
        with pytest.raises(ValueError, match="in column 'c' are"):
            _refuse_too_many(rows, "model", list("abcd"))


@pytest.mark.parametrize(
    ("kinds", "wrong"),
    [
        ("mixed", None),
        ("gaussian", None),
        ("binomial(3)", None),
        (["bernoulli", "categorical(4)"], None),
        ({"a": "poisson"}, None),
        ("gauss", "gauss"),
        (["gaussian", "mixed"], "mixed"),
        ({"a": "mixed"}, "mixed"),
        (["gaussian", 3], 3),
    ],
)
def test_kinds_of_units_that_are_unknown_are_named(kinds, wrong):
    if wrong is None:
        checked_kinds(kinds)
    else:
        with pytest.raises(ValueError, match=f"got {wrong!r}"):
            checked_kinds(kinds)


def test_gains_are_powers_of_two_near_the_inverse_deviation():
    """That of counts is at least that of fair bits, or of a rate of 1."""
    fair = np.tile([0.0, 12], 6)
    X = np.column_stack([fair, fair / 12, np.zeros(12), fair * 3, fair > 0])
    X[:, 2] = [1] + [0] * 11
    kinds = ("binomial(12)", "interval", "poisson", "poisson", "bernoulli")
    fitted = learned(X, domain=UnitColumns(kinds))
    spread = np.array([6, 0.5, 1, 18, 1])
    expected = 2 ** -np.rint(np.log2(spread))
    np.testing.assert_array_equal(fitted.columns.units.gains, expected)
    constant = learned(np.full((4, 3), 0.0), domain=UnitColumns(kinds[:3]))
    spread = [np.sqrt(12) / 2, 0.25, 1]
    expected = 2 ** -np.rint(np.log2(spread))
    np.testing.assert_array_equal(constant.columns.units.gains, expected)
