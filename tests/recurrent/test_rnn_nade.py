"""The recurrent NADE: exact by enumeration, learned by exact gradients through time."""

from functools import partial
from itertools import product

import numpy as np
import pytest
from sklearn.base import clone

from skdgm import RNNNADE
from skdgm.distributions import standard_mixture
from skdgm.nets import Layer, Tied, drop_out
from skdgm.optim import Clock
from skdgm.options import Adam, Sequences
from skdgm.recurrent._net import Biases
from skdgm.training import segments
from skdgm.utils.random import stream
from skdgm.utils.tree import copy, leaves
from tests.numerical import numerical_gradient
from tests.options import assign, grouped

RNG = np.random.default_rng(1)
SMALL = {"n_recurrent": 3, "batch_length": None, "n_iter": 4, "random_state": 0}


def shaken(model, size=0.7):
    """A fitted model with random parameters."""
    rng = np.random.default_rng(2)
    for leaf in leaves(model._training.learned):
        leaf += size * rng.normal(size=leaf.shape)
    return model


def fitted(cell="gru", **options):
    X = RNG.integers(0, 2, (20, 2)).astype(float)
    model = grouped(
        RNNNADE, 4, cell=cell, solver=Adam(average=False), **SMALL | options
    )
    return shaken(model.fit([X[:12], X[12:]]))


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("ordering", ["given", (1, 0)])
def test_probabilities_of_all_sequences_add_up(cell, ordering):
    model = fitted(cell, ordering=ordering)
    states = [list(pair) for pair in product([0, 1], repeat=2)]
    every = [np.array(steps, float) for steps in product(states, repeat=3)]
    scores = np.stack(model.score_samples(every))
    np.testing.assert_allclose(np.exp(scores.sum(axis=1)).sum(), 1, rtol=1e-10)
    # And those of a step given any past.
    for k in (0, 20, 63):
        after = [np.vstack([every[k], step]) for step in states]
        last = [own[-1] for own in model.score_samples(after)]
        np.testing.assert_allclose(np.exp(last).sum(), 1, rtol=1e-10)
    entries = np.stack(model.score_features(every))
    np.testing.assert_allclose(entries.sum(axis=2), scores, rtol=1e-10)


def test_samples_have_the_probabilities():
    model = fitted()
    states = [np.array(pair, float) for pair in product([0, 1], repeat=2)]
    every = [np.array(steps) for steps in product(states, repeat=2)]
    prefix = RNG.integers(0, 2, (5, 2)).astype(float)
    whole = [np.vstack([prefix, own]) for own in every]
    p = np.exp([own[-2:].sum() for own in model.score_samples(whole)])
    n, weight = 4000, 2 ** np.arange(4)
    found = model.sample_sequences(2, prefix=prefix, n_samples=n, random_state=0)
    share = np.bincount(np.stack(found).reshape(n, 4).astype(int) @ weight, None, 16)
    order = np.stack(every).reshape(16, 4).astype(int) @ weight
    error = np.sqrt(p * (1 - p) / n)
    assert (abs(share[order] / n - p) < 5 * error + 1e-9).all()


def test_missing_entries_are_summed_out():
    model = fitted(n_draws=4000)
    x = np.array([[1.0, 0], [np.nan, 1], [0, np.nan]])
    # Of a step, given what the past is read as.
    both = [np.where(np.isnan(x[1]), bit, x[1]) for bit in (0, 1)]
    parts = [model.score_samples(np.vstack([x[:1], own]))[-1] for own in both]
    expected = np.logaddexp(*parts)
    assert abs(model.score_samples(x)[1] - expected) < 0.05
    filled = model.impute(x)
    p = np.exp(parts[1] - expected)
    assert abs(filled[1, 0] - p) < 0.05


@pytest.mark.exhaustive(default=["tanh", "bernoulli", "gaussian-gru"])
@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("kind", ["bernoulli", "gaussian", "categorical"])
def test_gradients_reach_back_through_time(cell, kind, monkeypatch):
    # Steps of means are long where scales are large; slopes are without that.
    plain = partial(standard_mixture, rescaled=False)
    monkeypatch.setattr("skdgm.autoregressive.model.standard_mixture", plain)
    X = RNG.integers(0, 3, (11, 2)).astype(float)
    if kind == "bernoulli":
        X = np.minimum(X, 1)
    elif kind == "gaussian":
        X += RNG.normal(size=X.shape)
    parts = [X[:6], X[6:9], X[9:]]
    model = grouped(
        RNNNADE, 3, cell=cell, column_types=kind, **SMALL | {"n_recurrent": 2}
    )
    assign(model, solver="sgd", momentum=0.0, learning_rate=1.0, clip_norm=None)
    if cell == "gru" and kind != "gaussian":
        model.set_params(dropout=(0.3, 0.4))
    shaken(assign(model, schedule="constant", average=False).fit(parts), 0.3)
    table = model._begin(parts, None, None, fresh=False)
    objective = model._objective(table, 0)
    state = objective.resume(model._state())
    (batch,) = segments(table.rows, [np.arange(3)])
    given = objective.prepare(state, batch, Clock(0, 1, 0, 1))

    def loss(params):
        return objective.forward(params, given)[0].mean()

    before = copy(state.params)
    slopes = numerical_gradient(loss, before)
    after = objective.step(state, batch, Clock(0, 1, 0, 1)).params
    for old, new, slope in zip(leaves(before), leaves(after), leaves(slopes)):
        np.testing.assert_allclose(old - new, slope, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu"])
@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
def test_units_of_a_step_drop_out(activation, kind):
    X = RNG.integers(0, 2, (6, 3)).astype(float)
    if kind == "gaussian":
        X += RNG.normal(size=X.shape)
    model = grouped(RNNNADE, 5, activation=activation, column_types=kind, **SMALL).fit(
        X
    )
    net = model.density_.net
    chain, shared = net.step.chain, shaken(model, 0.2)._training.learned.step
    biases = Biases(RNG.normal(size=(6, 5)), RNG.normal(size=(6, net.step.n_visible)))
    own, x = net.step._chain_params(shared, biases), chain.conditionals.inputs(X)
    found = chain.apply(chain.dropped(own, 0.4, stream(3)), x)
    kept = drop_out(np.ones((6, 5)), 0.4, stream(3)) > 0
    assert 0 < kept.sum() < 30
    (W, c), (V, b), rho = own
    for r, on in enumerate(kept):
        above, row = Layer(V[:, on] / 0.6, b[r : r + 1]), x[r : r + 1]
        few = Tied(Layer(W[:, on], c[r : r + 1, on]), above, rho)
        np.testing.assert_allclose(found[r], chain.apply(few, row)[0], atol=1e-10)


def test_stretches_hand_the_state_on():
    parts = [RNG.integers(0, 2, (n, 3)).astype(float) for n in (9, 4, 7)]
    model = grouped(RNNNADE, 3, solver=Adam(average=False), **SMALL).fit(parts)
    table = model._begin(parts, None, None, fresh=False)
    objective, state = model._objective(table, 0), model._state()
    found = []
    for length in (None, 4, 3):
        total = 0
        for batch in segments(table.rows, [np.arange(3)], length):
            given = table.rows.rows.take(batch.index), batch, stream(0)
            total += objective.forward(state.params, given)[0].sum()
        found.append(total)
    np.testing.assert_allclose(found[1:], found[0], rtol=1e-12)
    expected = objective.losses(state, np.arange(3), stream(0)).sum()
    np.testing.assert_allclose(found[0], expected, rtol=1e-12)


@pytest.mark.release
def test_memory_is_learned():
    # Bits come back after six steps, longer than segments are.
    bits = RNG.integers(0, 2, (40, 6, 2))
    parts = [np.tile(own, (4, 1)) for own in bits]
    model = RNNNADE(
        20, n_recurrent=40, sequences=Sequences(batch_length=12), random_state=0
    )
    model.set_params(n_iter=300, learning_rate=0.01).fit(parts)
    scores = np.stack(model.score_samples(parts))
    assert scores[:, 6:].mean() > -0.5 > scores[:, :6].mean()


@pytest.mark.release
@pytest.mark.parametrize("kind", ["gaussian", "categorical", "mixed"])
def test_columns_of_other_kinds(kind):
    t = np.arange(200)
    X = np.column_stack([np.sin(t / 5), np.cos(t / 5)]) + 0.05 * RNG.normal(
        size=(200, 2)
    )
    if kind == "categorical":
        X = np.column_stack([t % 3, t // 2 % 4])
    if kind == "mixed":
        pd = pytest.importorskip("pandas")
        X = pd.DataFrame({"wave": X[:, 0], "day": np.array(list("abcd"))[t % 4]})
    model = RNNNADE(20, n_recurrent=20, column_types=kind, random_state=0)
    model.set_params(n_iter=100, learning_rate=0.01)
    start = clone(model).set_params(n_iter=0).fit(X).score(X)
    assert model.fit(X).score(X) > start + 0.5
    (found,) = model.sample_sequences(20, prefix=X, random_state=0)
    assert found.shape == (20, 2)
    assert type(found) is type(X)
