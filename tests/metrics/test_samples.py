"""Figures of samples alone."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KernelDensity

from skdgm.exceptions import DataRangeWarning
from skdgm.metrics import (
    classifier_two_sample_test,
    maximum_mean_discrepancy,
    mode_coverage,
    nearest_training_neighbours,
    parzen_log_likelihood,
)

RNG = np.random.default_rng(0)
X, S = RNG.normal(size=(60, 3)), RNG.normal(size=(40, 3))


@pytest.mark.parametrize("sigma", [0.05, 0.3, 2.0])
def test_parzen_is_a_kernel_density(sigma):
    found = parzen_log_likelihood(X, S, sigma=sigma)
    expected = KernelDensity(bandwidth=sigma).fit(S).score_samples(X)
    np.testing.assert_allclose(found.rows, expected, rtol=1e-9)
    p = [
        np.mean([multivariate_normal.pdf(x, s, sigma**2 * np.eye(3)) for s in S])
        for x in X[:5]
    ]
    if sigma > 0.1:
        np.testing.assert_allclose(found.rows[:5], np.log(p), rtol=1e-6)
    assert found.log_likelihood == pytest.approx(found.rows.mean())
    assert found.se == pytest.approx(found.rows.std(ddof=1) / np.sqrt(60))
    assert found.sigma == sigma


def test_parzen_takes_the_width_that_suits_other_rows():
    sigmas, other = [0.01, 0.2, 0.6, 5.0], RNG.normal(size=(50, 3))
    by_width = [
        parzen_log_likelihood(other, S, sigma=sigma).log_likelihood for sigma in sigmas
    ]
    found = parzen_log_likelihood(X, S, X_valid=other, sigmas=sigmas)
    assert found.sigma == sigmas[np.argmax(by_width)]
    default = parzen_log_likelihood(X, S, X_valid=other)
    assert 0.2 < default.sigma < 1
    still = parzen_log_likelihood(X, np.zeros((4, 3)), X_valid=other)
    assert np.isfinite(still.log_likelihood)


def test_parzen_in_many_dimensions_by_blocks(monkeypatch):
    digits = load_digits().data / 16
    whole = parzen_log_likelihood(digits[:300], digits[300:], sigma=0.2)
    monkeypatch.setattr("skdgm.metrics.parzen._ENTRIES", 10_000)
    parts = parzen_log_likelihood(digits[:300], digits[300:], sigma=0.2)
    np.testing.assert_allclose(parts.rows, whole.rows, rtol=1e-9)


@pytest.mark.parametrize(
    "options, what",
    [
        ({}, "sigma is needed, or X_valid"),
        ({"sigma": 0.0}, "sigma must be positive"),
        ({"X_valid": X, "sigmas": [0.1, -1]}, "positive numbers"),
        ({"X_valid": X[:, :2]}, "2 columns, but samples have 3"),
    ],
)
def test_parzen_needs(options, what):
    with pytest.raises(ValueError, match=what):
        parzen_log_likelihood(X, S, **options)


def test_parzen_refuses():
    with pytest.raises(ValueError, match="NaN"):
        parzen_log_likelihood(np.full((2, 3), np.nan), S, sigma=1.0)
    with pytest.warns(DataRangeWarning, match="same scale"):
        parzen_log_likelihood(255 * X, S, sigma=1.0)


def test_mmd_by_its_definition():
    A, B, gamma = X[:5], S[:4], 0.3

    def k(a, b):
        return np.exp(-gamma * ((a - b) ** 2).sum())

    expected = (
        sum(k(A[i], A[j]) for i in range(5) for j in range(5) if i != j) / 20
        + sum(k(B[i], B[j]) for i in range(4) for j in range(4) if i != j) / 12
        - 2 * sum(k(a, b) for a in A for b in B) / 20
    )
    found = maximum_mean_discrepancy(A, B, gamma=gamma, n_permutations=0)
    assert found.mmd2 == pytest.approx(expected)
    assert np.isnan(found.p_value)
    linear = maximum_mean_discrepancy(A, B, kernel="linear", n_permutations=0)
    assert linear.gamma is None


def test_mmd_has_the_size_that_its_test_says():
    rng, n = np.random.default_rng(1), 200
    p = [
        maximum_mean_discrepancy(
            *rng.normal(size=(2, 20, 2)), n_permutations=99, random_state=seed
        ).p_value
        for seed in range(n)
    ]
    assert abs(np.mean(np.array(p) <= 0.2) - 0.2) < 4 * np.sqrt(0.16 / n)
    far = maximum_mean_discrepancy(X, S + 2, random_state=0)
    assert far.p_value < 0.01
    assert far.mmd2 > 0


def test_mmd_refuses():
    with pytest.raises(ValueError, match="3 columns, but Y has 2"):
        maximum_mean_discrepancy(X, S[:, :2])
    with pytest.raises(ValueError, match="room for 10000"):
        maximum_mean_discrepancy(np.zeros((9000, 1)), np.zeros((9000, 1)))
    with pytest.raises(ValueError, match="minimum of 2"):
        maximum_mean_discrepancy(X[:1], S)


def test_a_classifier_tells_what_differs_and_nothing_else():
    rng = np.random.default_rng(2)
    rows, alike = rng.normal(size=(300, 2)), rng.normal(size=(400, 2))
    same = classifier_two_sample_test(rows, alike, random_state=0)
    assert abs(same.accuracy - 0.5) < 4 * np.sqrt(0.25 / 600)
    assert same.p_value > 1e-4
    model = LogisticRegression()
    moved = classifier_two_sample_test(
        rows, alike + 1, classifier=model, random_state=0
    )
    # Of two normal distributions sqrt(2) apart: Φ(√2 / 2).
    assert abs(moved.accuracy - 0.760) < 4 * np.sqrt(0.76 * 0.24 / 600)
    assert moved.p_value < 1e-9
    assert moved.roc_auc > moved.accuracy
    assert not hasattr(model, "classes_")
    again = classifier_two_sample_test(rows, alike, random_state=0)
    assert again == same


def test_copies_are_told_from_samples():
    rng = np.random.default_rng(3)
    train, valid, fresh = rng.normal(size=(3, 200, 4))
    copies = train[:100] + 0.01 * rng.normal(size=(100, 4))
    found = nearest_training_neighbours(copies, train, valid)
    np.testing.assert_array_equal(found.index, np.arange(100))
    assert found.closer > 0.95
    assert found.p_value < 1e-6
    honest = nearest_training_neighbours(fresh, train, valid)
    assert abs(honest.closer - 0.5) < 4 * np.sqrt(1 / 12 * (1 / 200 + 1 / 200))
    wins = (honest.distance[:, None] < honest.valid_distance).mean()
    assert honest.closer == pytest.approx(wins)
    assert nearest_training_neighbours(fresh, train).closer is None
    with pytest.raises(ValueError, match="4 features, but there are rows with 3"):
        nearest_training_neighbours(X, train)


def test_modes():
    centres = 10 * np.arange(4.0)[:, None]
    y = np.repeat(np.arange(4), 50)
    data = centres[y] + RNG.normal(size=(200, 1))
    samples = centres[np.array([0] * 30 + [1] * 10)]
    found = mode_coverage(samples, data, y)
    assert found.n_modes == 2
    np.testing.assert_allclose(found.share, [0.75, 0.25, 0, 0])
    np.testing.assert_allclose(found.expected, 0.25)
    assert found.kl == pytest.approx(0.75 * np.log(3))
    model = LogisticRegression().fit(data, y)
    assert mode_coverage(samples, data, y, classifier=model).n_modes == 2
    assert mode_coverage(data, data, y).kl == 0
    with pytest.raises(ValueError, match=r"knows classes \[3\]"):
        mode_coverage(samples, data[y < 3], y[y < 3], classifier=model)
