"""Sums over missing codes, which are exact, and the cost of improbable rows."""

import numpy as np
import pytest

from skdgm import NADE, RNNNADE
from skdgm.autoregressive import particles as source
from tests.autoregressive.models import SOME, model, probabilities, states
from tests.autoregressive.test_particles import exact, holed
from tests.options import grouped

pd = pytest.importorskip("pandas")


@pytest.mark.parametrize("kind", ["bits", "mixed"])
@pytest.mark.parametrize("name", SOME)
def test_missing_codes_are_summed_over(name, kind):
    """Of likelihoods, of their parts, and of means of what is missing."""
    own, rows = model(name, kind), holed(kind)
    np.testing.assert_allclose(np.exp(own.score_samples(rows)), exact(own, kind, rows))
    parts = own.score_features(rows)
    np.testing.assert_allclose(parts.sum(axis=1), own.score_samples(rows))
    assert (parts[np.isnan(rows)] == 0).all()
    X, p, row = states(kind), probabilities(own, kind), rows[0]
    inside = X[:, 3] == row[3]
    share = p[inside] @ (X[inside, 0] == 1) / p[inside].sum()
    assert np.isclose(own.impute(row[None])[0, 0], share)


def test_missing_bits_of_sequences_are_summed_over():
    X = np.random.default_rng(0).integers(0, 2, (40, 3)).astype(float)
    own = RNNNADE(n_iter=3, n_components=4, random_state=0).fit(X, lengths=[10] * 4)
    row = np.array([[np.nan, np.nan, 1.0]])
    every = np.array([[a, b, 1.0] for a in (0, 1) for b in (0, 1)])
    each = [own.score_samples(r[None], lengths=[1])[0] for r in every]
    found = own.score_samples(row, lengths=[1])
    np.testing.assert_allclose(np.exp(found), np.exp(each).sum())


def test_rows_that_no_number_of_particles_serves_have_few(monkeypatch):
    rng, drawn = np.random.default_rng(0), []
    table = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    own = NADE(column_types="mixed", n_iter=2, random_state=0, ordering="given")
    own.fit(table)
    complete = source.complete

    def spy(chain, params, v, rng, n_each, *more, **how):
        drawn.append(len(v) * n_each)
        return complete(chain, params, v, rng, n_each, *more, **how)

    monkeypatch.setattr("skdgm.autoregressive._chain.complete", spy)
    scores = own.score_samples(table.head(2).assign(a=np.nan, c=1e3))
    assert np.isfinite(scores).all()
    assert sum(drawn) < 2 * 2200


def test_means_after_summed_codes_are_over_many_draws():
    """Nearly all weight is on one combination, of which few particles are."""
    rng = np.random.default_rng(0)
    codes, known = (rng.random((400, 6)) < 0.02) * 1.0, rng.normal(size=(400, 1))
    first = rng.normal(size=(400, 1))
    rows = np.c_[codes, known, first, first + 0.3 * rng.normal(size=(400, 1))]
    kinds = ("bernoulli",) * 6 + ("gaussian",) * 3
    how = {"n_iter": 40, "batch_size": 20, "n_mixtures": 1, "random_state": 0}
    own = grouped(NADE, 8, column_types=kinds, ordering="given", **how).fit(rows)
    holes = rows[:40].copy()
    holes[:, :6] = holes[:, 7:] = np.nan
    assert own.impute(holes)[:, 8].std() < 0.2
