"""Draws under rare conditions, and entries imputed given rare ones, held to exact
probabilities and to rejection."""

from functools import cache

import numpy as np
import pytest

from skdgm import FVBN, MADE, NADE, RNADE, EoNADE, NeuralAutoregressive
from skdgm.exceptions import DataRangeWarning, FewDrawsWarning
from skdgm.utils.random import stream
from tests.autoregressive.models import inside, states
from tests.numerical import assert_means
from tests.options import grouped

pd = pytest.importorskip("pandas")

CHAINS = {
    "nade": (NADE, {"n_components": 6}),
    "fvbn": (FVBN, {}),
    "made": (MADE, {"hidden_layer_sizes": (9,)}),
    "masks": (MADE, {"hidden_layer_sizes": (9,), "n_masks": 2}),
    "network": (NeuralAutoregressive, {"n_components": 3}),
}
# Columns of which the last is rarely 1, nearly always where the first three are.
BITS, CODES = "bernoulli", ("bernoulli", "categorical", "bernoulli", "categorical")


@cache
def rare(name, kind, p):
    """A fitted model of bits, or of categories, of which the last value of the last
    column has about a probability, nearly only where the first column is 1."""
    cls, own = CHAINS[name]
    rng, X = np.random.default_rng(0), states("bits" if kind == BITS else "mixed")
    first = rng.random(4000) < 2 * p
    rows = X[rng.integers(0, len(X), 4000)]
    last = X[:, -1].max()
    rows[:, 0], rows[:, -1] = first, np.where(first & (rng.random(4000) < 0.6), last, 0)
    given = {"ordering": "given", "n_iter": 30, "random_state": 0, "average": False}
    model = grouped(cls, column_types=kind, **given, **own).fit(rows)
    return model, X, np.exp(model.score_samples(X))


def assert_shares(drawn, X, p):
    """The values of each column, and pairs of the first two, are drawn as often as they
    should be."""
    for columns in ([0], [1], [2], [0, 1]):
        known, place = np.unique(X[:, columns], axis=0, return_inverse=True)
        share = np.bincount(place.ravel(), p / p.sum())
        found = (drawn[:, None, columns] == known).all(axis=2).astype(float)
        # By the expected spread: draws of a nearly certain value may be all alike.
        error = np.sqrt(share * (1 - share) / len(drawn))
        usual = share > 20 / len(drawn)
        assert (abs(found.mean(axis=0) - share) <= 4.5 * error + 1e-12)[usual].all()


@pytest.mark.release
@pytest.mark.parametrize("p", [0.03, 0.001])
@pytest.mark.parametrize("kind", [BITS, CODES], ids=["bits", "codes"])
@pytest.mark.parametrize("name", CHAINS)
def test_rare_conditions_have_exact_draws(name, kind, p):
    own, X, joint = rare(name, kind, p)
    last, n = X[:, -1].max(), 1000
    kept = joint * (X[:, -1] == last)
    assert kept.sum() < 2 * p
    for condition in (last, [last], slice(last, None)):
        drawn = own.sample(n, random_state=1, conditions={3: condition})
        assert_shares(drawn, X, kept)
    row = np.full((1, 4), np.nan)
    row[0, -1] = last
    # Many rows alike have particles together, few have their own.
    assert_shares(own.conditional_sample(row, n_samples=n, random_state=2), X, kept)
    parts = [own.impute(row, method="sample", random_state=i) for i in range(100)]
    assert_shares(np.concatenate(parts), X, kept)


@pytest.mark.release
@pytest.mark.parametrize("p", [0.03, 0.001])
@pytest.mark.parametrize("name", CHAINS)
def test_means_given_rare_entries_are_exact(name, p):
    own, X, joint = rare(name, BITS, p)
    (chains, params), n = inside(own), 30
    for row in np.array([[np.nan, 0, np.nan, 1], [np.nan, 1, np.nan, 1]]):
        kept = joint * ((row == X) | np.isnan(row)).all(axis=1)
        rows, rng = np.tile(row, (n, 1)), stream(1).rows(n)
        found = chains.fill(params, rows, rng, "mean")[:, [0, 2]]
        assert_means(found - (kept @ X / kept.sum())[[0, 2]], 0, n_sigma=6)
        score = chains.log_likelihood(params, rows, 0, rng)
        if chains.n_orders == 1:
            assert_means(np.exp(score - np.log(kept.sum())), 1, n_sigma=6)
            assert score.std() < 0.7


def payments(n=3000, share=0.01):
    """Amounts, hours and classes, of which one is rare and has high amounts."""
    rng = np.random.default_rng(0)
    fraud = rng.random(n) < share
    amount = np.where(fraud, rng.lognormal(7, 0.4, n), rng.lognormal(3.5, 1, n))
    kind = np.where(fraud, "fraud", rng.choice(["card", "cash"], n))
    table = {"amount": amount.round(2), "hour": rng.integers(0, 24, n), "kind": kind}
    return pd.DataFrame(table)


@pytest.mark.release
@pytest.mark.filterwarnings("ignore::skdgm.exceptions.FewDrawsWarning")
@pytest.mark.parametrize("kind", [NADE, MADE, FVBN])
def test_amounts_of_a_rare_class_are_those_of_rejection(kind):
    X = payments()
    own = kind(column_types="mixed", ordering="given", n_iter=30, random_state=0).fit(X)
    every = own.sample(50_000, random_state=0)
    kept = np.log1p(every["amount"][every["kind"] == "fraud"])
    drawn = own.sample(400, random_state=1, conditions={"kind": "fraud"})
    assert (drawn["kind"] == "fraud").all()
    assert drawn["amount"].nunique() > 300
    # Chosen among twice as many that count, effectively.
    error = kept.std() * np.sqrt(1.5 / len(drawn) + 1 / len(kept))
    assert abs(np.log1p(drawn["amount"]).mean() - kept.mean()) < 4.5 * error
    holed = X[X["kind"] == "fraud"].assign(amount=np.nan)
    draws = own.impute(holed, method="sample", random_state=0)
    error = kept.std() * np.sqrt(2 / len(draws) + 1 / len(kept))
    assert abs(np.log1p(draws["amount"]).mean() - kept.mean()) < 4.5 * error
    pd.testing.assert_frame_equal(own.impute(holed), own.impute(holed[::-1])[::-1])


@pytest.mark.exhaustive
def test_orderless_nets_begin_with_the_least_probable_event():
    X = payments()
    own = EoNADE((32,), column_types="mixed", n_iter=20, random_state=0).fit(X)
    given = {"kind": ["fraud"], "amount": slice(500, None)}
    drawn = own.sample(2000, random_state=0, conditions=given)
    every = own.sample(2000, random_state=1, conditions={"kind": "fraud"})
    kept = np.log1p(every["amount"][every["amount"] >= 500])
    error = kept.std() * np.sqrt(1.5 / len(drawn) + 1 / len(kept))
    assert abs(np.log1p(drawn["amount"]).mean() - kept.mean()) < 4.5 * error


@pytest.mark.exhaustive
def test_it_is_told_where_few_draws_count():
    """A row for which hardly any draw will do: the second column copies the first."""
    first = np.random.default_rng(0).normal(size=(500, 1))
    noise = np.random.default_rng(1).normal(size=(500, 1))
    X = np.hstack([first, first + 0.01 * noise])
    own = RNADE(8, n_iter=60, ordering="given", random_state=0).fit(X)
    beyond = X[:, 1].max() + 0.2
    with pytest.warns(FewDrawsWarning, match="of 1 of 2 rows are so improbable"):
        own.impute([[np.nan, beyond], [np.nan, 0.1]])
    with pytest.warns(FewDrawsWarning, match="RNADE: the conditions are so improb"):
        own.sample(100, random_state=0, conditions={1: beyond})
    # Far beyond it, a value counts as the end of the range, where draws will do.
    with pytest.warns(DataRangeWarning, match="far beyond the training range"):
        own.sample(1, random_state=0, conditions={1: 300.0})


@pytest.mark.exhaustive
def test_rows_in_a_tail_have_as_many_particles_as_they_need():
    """That few particles do not hit what is known is no reason to draw no more."""
    first = np.random.default_rng(0).normal(size=(500, 1))
    X = first + 0.05 * np.random.default_rng(1).normal(size=(500, 2)) * [0, 1]
    own = RNADE(8, n_iter=60, ordering="given", random_state=0).fit(X)
    highest = X[:, 1].max()
    assert abs(own.impute([[np.nan, highest]])[0, 0] - highest) < 0.6


@pytest.mark.exhaustive
def test_rare_conditions_do_not_depend_on_threads_or_parts(monkeypatch):
    own, _, _ = rare("nade", BITS, 0.004)
    rows = np.array([[np.nan, 0, np.nan, 1], [np.nan, 1, 0, 1], [0, 1, np.nan, 1]])
    whole, scores = own.impute(rows), own.score_samples(rows)
    monkeypatch.setattr("skdgm.autoregressive._filling._MAX_ACTIVATIONS", 2**14)
    np.testing.assert_allclose(own.impute(rows), whole, rtol=1e-6)
    np.testing.assert_allclose(own.score_samples(rows), scores, rtol=1e-6)
