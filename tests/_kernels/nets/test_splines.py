"""Splines beside their formula in NumPy, and beside differences."""

import numpy as np
import pytest
from scipy.special import softmax

from skdgm.nets.splines import gradients, inverse, spline
from tests.numerical import numerical_gradient

RNG = np.random.default_rng(0)
BOUND = 2.0


def given(n_rows=60, n_bins=4, of_rows=True, dtype=float):
    x = RNG.uniform(-1.2 * BOUND, 1.2 * BOUND, (n_rows, 3))
    raw = RNG.normal(size=(n_rows if of_rows else 1, 3, 3 * n_bins - 1))
    return x.astype(dtype), raw.astype(dtype)


def by_formula(x, raw):
    """Spline of a number."""
    n = (len(raw) + 1) // 3
    w, h = (
        2 * BOUND * (1e-3 + (1 - n * 1e-3) * softmax(part))
        for part in (raw[:n], raw[n : 2 * n])
    )
    inner = 1e-3 + np.logaddexp(0, raw[2 * n :] + np.log(np.expm1(1 - 1e-3)))
    d = np.concatenate([[1], inner, [1]])
    xs, ys = (np.concatenate([[0], np.cumsum(part)]) - BOUND for part in (w, h))
    k = np.searchsorted(xs[1:-1], x, side="right")
    t, s = (x - xs[k]) / w[k], h[k] / w[k]
    den = s + (d[k] + d[k + 1] - 2 * s) * t * (1 - t)
    return ys[k] + h[k] * (s * t**2 + d[k] * t * (1 - t)) / den


@pytest.mark.parametrize("of_rows", [True, False])
@pytest.mark.parametrize("n_bins", [1, 2, 7])
def test_values_inverses_and_slopes(n_bins, of_rows):
    x, raw = given(n_bins=n_bins, of_rows=of_rows)
    y, log_slope = spline(x, raw, BOUND)
    for (r, t), v in np.ndenumerate(x):
        inside = abs(v) < BOUND
        expected = by_formula(v, raw[r * of_rows, t]) if inside else v
        assert y[r, t] == pytest.approx(expected, rel=1e-10, abs=1e-12)
    np.testing.assert_allclose(inverse(y, raw, BOUND), x, atol=1e-9)
    low, high = (spline(x + step, raw, BOUND)[0] for step in (-1e-6, 1e-6))
    np.testing.assert_allclose(np.exp(log_slope), (high - low) / 2e-6, rtol=1e-4)


@pytest.mark.parametrize("of_rows", [True, False])
def test_gradients_are_differences(of_rows):
    x, raw = given(5, 3, of_rows)
    by_y, by_log = RNG.normal(size=(2, *x.shape))

    def total(params):
        y, log_slope = spline(*params, BOUND)
        return (by_y * y + by_log * log_slope).sum()

    found = gradients(x, raw, BOUND, by_y, by_log)
    for own, expected in zip(found, numerical_gradient(total, (x, raw))):
        np.testing.assert_allclose(own, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.exhaustive
def test_float32_and_extreme_numbers():
    x, raw = given(dtype=np.float32)
    y, _ = spline(x, raw, BOUND)
    np.testing.assert_allclose(inverse(y, raw, BOUND), x, atol=1e-4)
    y, log_slope = spline(x, 100 * raw, BOUND)
    assert y.dtype == log_slope.dtype == np.float32
    assert np.isfinite([y, log_slope]).all()
    found = gradients(x, 100 * raw, BOUND, np.ones_like(y), np.ones_like(y))
    assert all(np.isfinite(part).all() for part in found)
    x[0] = np.nan, np.inf, -np.inf
    np.testing.assert_array_equal(spline(x, raw, BOUND)[0][0], x[0])
