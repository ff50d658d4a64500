import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.neighbors import KernelDensity

from skdgm.exceptions import DataRangeWarning
from skdgm.metrics import parzen, parzen_log_likelihood


def tables(n=60, m=50, d=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d))


@pytest.mark.parametrize("d", [2, 784])
@pytest.mark.parametrize("shift, scale, sigma", [(0, 1, 0.3), (100, 1, 1), (0, 9, 2)])
def test_equals_kernel_density(shift, scale, sigma, d):
    X, samples = (shift + scale * table for table in tables(d=d))
    # With smaller leaves it is wrong in many dimensions (scikit-learn 1.9).
    exact = KernelDensity(bandwidth=sigma, leaf_size=len(samples))
    expected = exact.fit(samples).score_samples(X)
    found = parzen_log_likelihood(X, samples, sigma=sigma)
    np.testing.assert_allclose(found.rows, expected, rtol=0, atol=1e-6)
    assert found.log_likelihood == pytest.approx(expected.mean(), abs=1e-6)
    assert found.se == pytest.approx(expected.std(ddof=1) / np.sqrt(60), abs=1e-6)
    assert found.sigma == sigma


def test_equals_the_script_of_the_papers():
    rng = np.random.default_rng(0)
    X, samples = rng.random((7, 784)), rng.integers(0, 2, (40, 784)).astype(float)
    sigma = 0.17
    a = (X[:, None] - samples) / sigma
    E = logsumexp(-0.5 * (a**2).sum(axis=2), axis=1) - np.log(40)
    expected = E - 784 * np.log(sigma * np.sqrt(np.pi * 2))
    found = parzen_log_likelihood(X, samples, sigma=sigma)
    np.testing.assert_allclose(found.rows, expected, rtol=0, atol=1e-6)


def test_blocks_make_no_difference(monkeypatch):
    X, samples = tables()
    whole = parzen_log_likelihood(X, samples, sigma=0.5)
    monkeypatch.setattr(parzen, "_ENTRIES", 7 * len(samples))
    np.testing.assert_allclose(
        parzen_log_likelihood(X, samples, sigma=0.5).rows, whole.rows, rtol=1e-12
    )


@pytest.mark.parametrize("scale", [1e-3, 1, 1e3])
@pytest.mark.parametrize("n_samples, d", [(1, 5), (50, 1), (50, 5), (50, 40)])
def test_the_best_bandwidth(n_samples, d, scale):
    X, samples = (scale * table for table in tables(m=n_samples, d=d))
    sigma = parzen_log_likelihood(X, samples, X_valid=X).sigma
    if n_samples == 1:
        best = np.sqrt(np.mean((X - samples) ** 2))
        assert sigma == pytest.approx(best, rel=3e-3)
    around = sigma * np.array([0.5, 0.9, 0.99, 1, 1.01, 1.1, 2])
    means = [parzen_log_likelihood(X, samples, sigma=s).log_likelihood for s in around]
    assert np.argmax(means) == 3


def test_rows_amid_samples():
    # Of samples at ±1 and a row at 0 the best variance is 1.
    found = parzen_log_likelihood([[0.0]], [[-1.0], [1.0]], X_valid=[[0.0]])
    assert found.sigma == pytest.approx(1, rel=3e-3)


def test_a_narrow_bandwidth_is_found():
    X = np.linspace(0, 1, 400)[:, None]
    found = parzen_log_likelihood(X, X + 5e-4, X_valid=X)
    assert found.sigma < 2e-3


def test_the_best_bandwidth_of_a_list():
    X, samples = tables()
    sigmas = [0.2, 0.9, 0.4]
    means = [parzen_log_likelihood(X, samples, sigma=s).log_likelihood for s in sigmas]
    found = parzen_log_likelihood(X[:10], samples, X_valid=X, sigmas=sigmas)
    assert found.sigma == sigmas[np.argmax(means)]
    assert len(found.rows) == 10


def test_one_row():
    X, samples = tables(n=1)
    found = parzen_log_likelihood(X, samples, sigma=1)
    assert np.isfinite(found.log_likelihood)
    assert np.isnan(found.se)


def test_far_rows_do_not_underflow():
    found = parzen_log_likelihood([[7.0]], [[1.0]], sigma=1e-3)
    expected = -0.5 * 6e3**2 - np.log(1e-3 * np.sqrt(2 * np.pi))
    assert found.log_likelihood == pytest.approx(expected)


def test_another_scale():
    X, samples = np.random.default_rng(0).random((2, 20, 4))
    with pytest.warns(DataRangeWarning, match="X has values from .* samples from"):
        parzen_log_likelihood(255 * X, samples, sigma=0.2)
    with pytest.warns(DataRangeWarning, match="X_valid has values from"):
        parzen_log_likelihood(X, samples, X_valid=X - 20)


def test_bad_input():
    X, samples = tables()
    holed = np.vstack([X, np.full(5, np.nan)])
    for message, rows, drawn, options in (
        ("X contains NaN", holed, samples, {"sigma": 1}),
        ("samples contains NaN", X, holed, {"sigma": 1}),
        ("X_valid contains NaN", X, samples, {"X_valid": holed}),
        ("X has 4 features, but samples has 5", X[:, :4], samples, {"sigma": 1}),
        ("X_valid has 4 features", X, samples, {"X_valid": X[:, :4]}),
        ("minimum of 1", X, samples[:0], {"sigma": 1}),
        ("either sigma.*or X_valid", X, samples, {}),
        ("either sigma.*or X_valid", X, samples, {"sigma": 1, "X_valid": X}),
        ("either sigma or sigmas", X, samples, {"sigma": 1, "sigmas": [1, 2]}),
        ("sigma == 0", X, samples, {"sigma": 0}),
        ("sigma must be a finite", X, samples, {"sigma": np.nan}),
        ("sigmas must be above 0", X, samples, {"X_valid": X, "sigmas": [0, 1]}),
        ("among the samples", X, samples, {"X_valid": samples[:9]}),
        ("among the samples", X[:1], X[:1], {"X_valid": X[:1]}),
    ):
        with pytest.raises(ValueError, match=message):
            parzen_log_likelihood(rows, drawn, **options)
    for sigma in ("wide", [1.0, 2.0]):
        with pytest.raises(TypeError, match="sigma must be an instance of float"):
            parzen_log_likelihood(X, samples, sigma=sigma)
