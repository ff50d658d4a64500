from functools import partial
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kstest
from sklearn.metrics.pairwise import laplacian_kernel, polynomial_kernel, rbf_kernel

from skdgm.exceptions import DataRangeWarning
from skdgm.metrics import maximum_mean_discrepancy, mmd


def tables(m=8, n=6, d=3, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(m, d)), shift + rng.normal(size=(n, d))


def by_sums(X, Y, kernel):
    """The definition, one pair after the other."""
    m, n = len(X), len(Y)
    xx = sum(kernel(X[i], X[j]) for i in range(m) for j in range(m) if i != j)
    yy = sum(kernel(Y[i], Y[j]) for i in range(n) for j in range(n) if i != j)
    xy = sum(kernel(x, y) for x in X for y in Y)
    return xx / (m * (m - 1)) + yy / (n * (n - 1)) - 2 * xy / (m * n)


def gaussian(gamma):
    return lambda x, y: np.exp(-gamma * ((x - y) ** 2).sum())


@pytest.mark.parametrize("entries", [1, 30, 2**22])
def test_equals_its_definition(entries, monkeypatch):
    monkeypatch.setattr(mmd, "_ENTRIES", entries)
    X, Y = tables()
    found = maximum_mean_discrepancy(X, Y, gamma=0.3, n_permutations=0)
    assert found.mmd2 == pytest.approx(by_sums(X, Y, gaussian(0.3)))
    assert found.gamma == 0.3
    assert np.isnan(found.p_value)
    assert found.permuted.shape == (0,)


@pytest.mark.parametrize(
    "many, one",
    [
        (
            partial(polynomial_kernel, degree=2, gamma=1),
            lambda x, y: (x @ y + 1) ** 2,
        ),
        (
            partial(laplacian_kernel, gamma=0.7),
            lambda x, y: np.exp(-0.7 * np.abs(x - y).sum()),
        ),
    ],
)
def test_any_kernel(many, one):
    X, Y = tables()
    found = maximum_mean_discrepancy(X, Y, kernel=many, n_permutations=9)
    assert found.mmd2 == pytest.approx(by_sums(X, Y, one))
    assert found.gamma is None


def test_far_from_zero():
    X, Y = (np.round(table, 3) for table in tables(30, 20, d=40))
    near = maximum_mean_discrepancy(X, Y, gamma=0.01, n_permutations=0)
    far = maximum_mean_discrepancy(X + 2**30, Y + 2**30, gamma=0.01, n_permutations=0)
    assert far.mmd2 == pytest.approx(near.mmd2, rel=1e-3)


def test_a_kernel_keeps_its_matrix():
    X, Y = tables()
    table = rbf_kernel(np.concatenate([X, Y]))
    kept = table.copy()
    maximum_mean_discrepancy(X, Y, kernel=lambda a, b: table, n_permutations=9)
    np.testing.assert_array_equal(table, kept)


def test_the_median_distance():
    X, Y = tables()
    rows = np.concatenate([X, Y])
    # Equal rows leave it as it is.
    twice = np.repeat(X, 2, axis=0)
    distances = [
        np.linalg.norm(a - b)
        for a, b in combinations(np.concatenate([twice, Y]), 2)
        if (a != b).any()
    ]
    expected = 1 / (2 * np.median(distances) ** 2)
    found = maximum_mean_discrepancy(twice, Y, n_permutations=0)
    assert found.gamma == pytest.approx(expected)
    scaled = maximum_mean_discrepancy(5 * twice, 5 * Y, n_permutations=0)
    assert scaled.gamma == pytest.approx(expected / 25)
    assert scaled.mmd2 == pytest.approx(found.mmd2)
    same = np.ones_like(rows)
    assert maximum_mean_discrepancy(same, same)[:3] == (0.0, 1.0, 1.0)


def test_the_median_of_many_rows(monkeypatch):
    X, Y = tables(400, 400)
    whole = maximum_mean_discrepancy(X, Y, n_permutations=0).gamma
    monkeypatch.setattr(mmd, "_MEDIAN_ROWS", 300)
    parts = [
        maximum_mean_discrepancy(X, Y, n_permutations=0, random_state=seed).gamma
        for seed in (0, 0, 1)
    ]
    assert parts[0] == parts[1] != parts[2]
    np.testing.assert_allclose(parts, whole, rtol=0.1)


def test_permuted_are_estimates_of_splits():
    X, Y = tables(3, 2)
    rows, every = np.concatenate([X, Y]), set(range(5))
    splits = [
        by_sums(rows[list(one)], rows[list(every - set(one))], gaussian(0.3))
        for one in combinations(range(5), 3)
    ]
    n = 4000
    found = maximum_mean_discrepancy(X, Y, gamma=0.3, n_permutations=n, random_state=0)
    distance = np.abs(found.permuted[:, None] - splits)
    assert distance.min(axis=1).max() < 1e-12
    counts = np.bincount(distance.argmin(axis=1), minlength=10)
    assert np.abs(counts - n / 10).max() < 4 * np.sqrt(n * 0.1 * 0.9)
    exact = np.mean(np.array(splits) >= found.mmd2 - 1e-12)
    assert abs(found.p_value - exact) < 4 * np.sqrt(exact * (1 - exact) / n)


def test_p_values_are_uniform_without_a_difference():
    options = {"n_permutations": 199, "random_state": 0}
    found = [
        maximum_mean_discrepancy(*tables(20, 30, seed=seed), **options)
        for seed in range(200)
    ]
    assert kstest([one.p_value for one in found], "uniform").pvalue > 0.01
    squared = np.array([one.mmd2 for one in found])
    assert abs(squared.mean()) < 4 * squared.std() / np.sqrt(200)


def test_a_difference_is_found():
    found = maximum_mean_discrepancy(*tables(60, 60, shift=1.0), random_state=0)
    assert found.p_value == 1 / 1001
    assert found.mmd2 > found.permuted.max()
    again = maximum_mean_discrepancy(*tables(60, 60, shift=1.0), random_state=0)
    np.testing.assert_array_equal(again.permuted, found.permuted)


def test_bad_input():
    X, Y = tables()
    holed = np.full((2, 3), np.nan)
    for message, given, options in (
        ("X contains NaN", (holed, Y), {}),
        ("Y contains NaN", (X, holed), {}),
        ("X has 2 features, but Y has 3", (X[:, :2], Y), {}),
        ("minimum of 2", (X, Y[:1]), {}),
        ("kernel must be", (X, Y), {"kernel": "nonsense"}),
        ("gamma is of kernel='rbf'", (X, Y), {"kernel": laplacian_kernel, "gamma": 1}),
        ("gamma == 0", (X, Y), {"gamma": 0}),
        ("gamma must be a finite", (X, Y), {"gamma": np.nan}),
        ("matrix of finite", (X, Y), {"kernel": lambda a, b: a @ b.T * np.nan}),
        ("matrix of finite", (X, Y), {"kernel": lambda a, b: (a * b[:1]).sum()}),
        ("n_permutations == -1", (X, Y), {"n_permutations": -1}),
    ):
        with pytest.raises(ValueError, match=message):
            maximum_mean_discrepancy(*given, **options)
    with pytest.warns(DataRangeWarning, match="X has values"):
        maximum_mean_discrepancy(255 * X, Y)
