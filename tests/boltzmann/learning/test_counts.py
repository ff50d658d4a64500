"""High counts, whose steps are of the same length as those of other columns."""

import numpy as np
import pytest
from scipy import stats

from skdgm import RBM, ConditionalRBM
from skdgm.exceptions import DataRangeWarning

LAWS = {"poisson": stats.poisson, "binomial(400)": lambda p: stats.binom(400, p)}


@pytest.mark.exhaustive(default=["poisson-means0", "means2"])
@pytest.mark.parametrize(
    "kind, means",
    [
        ("poisson", (30.0, 3.0)),
        ("poisson", (300.0, 60.0)),
        ("binomial(400)", (0.08, 0.008)),
        ("binomial(400)", (0.8, 0.2)),
    ],
)
def test_few_epochs_find_two_kinds_of_rows(kind, means):
    rng, law = np.random.default_rng(0), LAWS[kind]
    on = rng.random((300, 1)) < 0.5
    X = law(np.where(on, *means)).rvs((300, 5), random_state=rng).astype(float)
    right = np.logaddexp(*(law(m).logpmf(X).sum(axis=1) for m in means)) - np.log(2)
    share = X.mean(axis=0) / (1 if kind == "poisson" else 400)
    independent = law(share).logpmf(X).sum(axis=1).mean()
    rbm = RBM(8, column_types=kind, n_iter=8, random_state=0).fit(X)
    assert rbm.score(X) > right.mean() + 0.3 * (independent - right.mean())


def test_constant_columns_and_an_outlier_do_no_harm():
    rng = np.random.default_rng(0)
    on = rng.random((300, 1)) < 0.5
    X = rng.poisson(np.where(on, 300.0, 100.0), (300, 5)).astype(float)
    X[:, 0], X[:, 1], X[0, 2] = 7.0, 0.0, 1e6
    rbm = RBM(8, column_types="poisson", n_iter=4, random_state=0).fit(X)
    assert np.isfinite(rbm.components_).all()
    assert rbm.chains_[:, 1].max() == 0.0


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "kind, means", [("poisson", (30.0, 3.0)), ("binomial(100)", (0.6, 0.1))]
)
def test_counts_given_a_condition(kind, means):
    rng, binomial = np.random.default_rng(0), lambda p: stats.binom(100, p)
    law = stats.poisson if kind == "poisson" else binomial
    x = (rng.random((500, 1)) < 0.5).astype(float)
    counted = law(np.where(x, *means))
    y = counted.rvs((500, 5), random_state=rng).astype(float)
    right = counted.logpmf(y).sum(axis=1).mean()
    share = y.mean(axis=0) / (1 if kind == "poisson" else 100)
    independent = law(share).logpmf(y).sum(axis=1).mean()
    machine = ConditionalRBM(4, column_types=kind, random_state=0).fit(x, y)
    assert machine.score(x, y) > right + 0.1 * (independent - right)


@pytest.mark.parametrize("kind", ["poisson", "binomial"])
def test_fractions_of_counts_are_told_of(kind):
    X = np.array([[0.0, 1.5], [2.0, np.nan], [3.0, 2.0]])
    with pytest.warns(DataRangeWarning, match=r"Columns \[1\] are counts, but have fr"):
        RBM(2, column_types=kind, n_iter=1, random_state=0).fit(X)
