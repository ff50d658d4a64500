import numpy as np
import pytest
import scipy.sparse as sp

from skdgm.training import canonical, column_spread, column_sums
from skdgm.utils.rows import Rows

RNG = np.random.default_rng(0)


def table_of(X, weight=None):
    return canonical(Rows(X, np.float64), weight)


def test_column_sums_skip_what_is_missing(monkeypatch):
    monkeypatch.setattr("skdgm.utils.rows.BLOCK_ENTRIES", 7)
    data = RNG.integers(0, 3, (12, 4)) / 2
    data[RNG.random(data.shape) < 0.3] = np.nan
    data[:, 3] = np.nan
    weight = RNG.integers(0, 3, len(data)).astype(float)
    seen, total = column_sums(table_of(data, weight))
    observed = ~np.isnan(data)
    np.testing.assert_allclose(seen, weight @ observed)
    np.testing.assert_allclose(total, weight @ np.nan_to_num(data))


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array])
def test_spread_of_columns(convert, monkeypatch):
    monkeypatch.setattr("skdgm.utils.rows.BLOCK_ENTRIES", 12)
    data = np.where(RNG.random((30, 4)) < 0.2, np.nan, RNG.normal(5, 3, (30, 4)))
    weight = RNG.integers(1, 4, 30).astype(float)
    table = table_of(convert(data), weight)
    repeated = np.repeat(data, weight.astype(int), axis=0)
    # The mean is found again, however roughly it is given.
    for given in (np.nanmean(repeated, axis=0), np.array([4.0, 5.0, 6.0, 7.0])):
        mean, spread = column_spread(table, given)
        np.testing.assert_allclose(mean, np.nanmean(repeated, axis=0))
        np.testing.assert_allclose(spread, np.nanstd(repeated, axis=0))


def test_constant_columns_have_no_spread_whatever_the_rounding():
    n = 300_000
    data = np.column_stack([np.full(n, 0.1), np.full(n, 1e9 / 3), np.zeros(n)])
    data = np.column_stack([data, np.arange(n)])
    table = table_of(data)
    seen, total = column_sums(table)
    mean, spread = column_spread(table, total / seen)
    np.testing.assert_allclose(mean, [0.1, 1e9 / 3, 0, (n - 1) / 2], rtol=1e-14)
    assert (spread[:3] <= 1e-15 * mean[:3]).all()
    assert spread[3] == pytest.approx(data[:, 3].std())
