import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logsumexp

import skdgm
from skdgm.utils.math import (
    distinct,
    limit_norms,
    log_mean_exp,
    log_sum_exp,
    logit,
    shares,
    sigmoid,
    softplus,
)
from tests.suites import DTYPES

FAR = np.array([-1e4, -800, -90, -30, -1, 0, 1e-8, 1, 30, 90, 800, 1e4])


@pytest.mark.parametrize("dtype", DTYPES)
def test_agree_with_scipy_without_warning(dtype):
    x = FAR.astype(dtype)
    eps = np.finfo(dtype).eps
    tiny = np.finfo(dtype).tiny
    np.testing.assert_allclose(sigmoid(x), expit(x), rtol=8 * eps, atol=tiny)
    np.testing.assert_allclose(softplus(x), np.logaddexp(0, x), rtol=8 * eps, atol=eps)
    assert sigmoid(x).dtype == softplus(x).dtype == dtype


def test_logit_inverts_sigmoid():
    p = np.array([1e-12, 0.2, 0.5, 0.999])
    np.testing.assert_allclose(sigmoid(logit(p)), p)


def test_log_mean_exp():
    w = np.random.default_rng(0).random((50, 3)) + 0.1
    expected = np.log(w.mean(axis=0))
    se = w.std(axis=0, ddof=1) / w.mean(axis=0) / np.sqrt(50)
    for shift in (0, -2000, 2000):
        for axis, log_w in enumerate((np.log(w) + shift, np.log(w).T + shift)):
            found = log_mean_exp(log_w, axis=axis)
            np.testing.assert_allclose(found[0] - shift, expected, atol=1e-10)
            np.testing.assert_allclose(found[1], se, rtol=1e-9)
    assert log_mean_exp(np.array([1.5])) == (1.5, 0.0)


def test_shares_are_weights_but_for_a_power_of_two():
    for weight in ([3, 0, 5], [0.1, 0.7], [1e-320, 3e-322], [1.7e308, 1e308]):
        weight = np.array(weight)
        share, exponent = shares(weight)
        assert 0.5 <= share.max() < 1
        np.testing.assert_array_equal(np.ldexp(share, exponent), weight)


def test_distinct_rows_are_those_of_numpy():
    rng = np.random.default_rng(0)
    for shape in (0, 3), (1, 1), (5, 0), (40, 3), (40, 20):
        for high, kind in (2, bool), (3, np.int8), (3, float):
            x = rng.integers(0, high, shape).astype(kind)
            x = x[rng.integers(0, max(len(x), 1), len(x))]
            rows, which = distinct(x)
            np.testing.assert_array_equal(rows, np.unique(x, axis=0))
            np.testing.assert_array_equal(rows[which], x)


def test_nothing_compares_records():
    """NumPy makes a TypeError of a Ctrl-C in the meantime."""
    pattern = re.compile(r"[^`]np.unique\([^)]*axis")
    files = Path(skdgm.__file__).parent.rglob("*.py")
    assert not [file for file in files if pattern.search(file.read_text())]


def test_norms_have_a_limit():
    W = np.array([[3.0, 0.3, 0.0], [4.0, 0.4, 0.0]])
    limit_norms(W, 1.0)
    np.testing.assert_allclose(W, [[0.6, 0.3, 0.0], [0.8, 0.4, 0.0]])


@pytest.mark.parametrize("axis", [0, 1])
def test_log_of_a_sum_beside_scipys(axis):
    x = 300 * np.random.default_rng(0).normal(size=(5, 7))
    found = log_sum_exp(x, axis=axis)
    np.testing.assert_allclose(found, logsumexp(x, axis=axis))
    assert log_sum_exp(x.astype(np.float32)).dtype == np.float32
