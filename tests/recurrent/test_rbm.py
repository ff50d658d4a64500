"""Machines in time: log-likelihoods by enumeration, slopes, draws and annealing."""

from itertools import product

import numpy as np
import pytest
from scipy.special import expit, logsumexp, softmax

from skdgm import RNNRBM, RTRBM
from skdgm.exceptions import LikelihoodWarning
from skdgm.nets import vjp
from skdgm.nets.restricted import free_energy, statistic
from skdgm.optim import Clock
from skdgm.recurrent._rbm_step import RBMStep
from skdgm.training import segments
from skdgm.utils.random import stream
from skdgm.utils.tree import copy, leaves
from tests.nets.recipes import assert_slopes, numbers
from tests.numerical import numerical_gradient
from tests.options import assign, grouped
from tests.recurrent.test_rnn_nade import shaken

RNG = np.random.default_rng(3)
REAL = np.array([False, True, False, True])
SMALL = {"n_iter": 3, "batch_length": None, "average": False, "random_state": 0}
MODELS = [grouped(RNNRBM, 3, n_recurrent=3, **SMALL), grouped(RTRBM, 3, **SMALL)]
models = pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)


def test_slopes_of_free_energies():
    v, parts = numbers(5, 4), [numbers(4, 3), numbers(5, 3), numbers(5, 4), numbers(2)]
    center = np.array([0.3, 0, 0.6, 0])
    for real, precision in (REAL, parts[3]), (np.zeros(4, bool), numbers(0)):
        given = *parts[:3], precision
        assert_slopes(lambda p, real=real: free_energy(v, real, center, *p), given)
    assert_slopes(lambda p: statistic(v, REAL, *p), (parts[3],))


def fitted(model, kind="bernoulli", **options):
    X = RNG.integers(0, 3, (20, 2)).astype(float)
    if kind == "bernoulli":
        X = np.minimum(X, 1)
    if kind == "gaussian":
        X += RNG.normal(size=X.shape)
    if kind == "rare":
        kind, options = "categorical", options | {"max_categories": 2}
    model = grouped(type(model), **model.get_params(deep=False) | options).set_params(
        column_types=kind
    )
    return shaken(model.fit([X[:12], X[12:]])), X


@models
@pytest.mark.parametrize("kind", ["bernoulli", "categorical", "rare"])
def test_probabilities_of_all_sequences_add_up(model, kind):
    model, _ = fitted(model, kind)
    assert model.density_kind_ == "exact"
    values = range(2 if kind == "bernoulli" else 3)
    states = [list(pair) for pair in product(values, repeat=2)]
    every = [np.array(steps, float) for steps in product(states, repeat=2)]
    total = np.exp([own.sum() for own in model.score_samples(every)]).sum()
    np.testing.assert_allclose(total, 1, rtol=1e-9)
    # Of part of a step: the sum over the rest.
    known = np.array([[1, 0], [np.nan, 1]])
    parts = [np.where(np.isnan(known), value, known) for value in values]
    scores = [own[1] for own in model.score_samples(parts)]
    np.testing.assert_allclose(model.score_samples(known)[1], logsumexp(scores))
    filled = model.impute(known)[1, 0]
    p = np.exp(scores - logsumexp(scores))
    np.testing.assert_allclose(filled, p[1] if len(p) == 2 else p.argmax(), rtol=1e-6)


@models
@pytest.mark.parametrize("kind", ["bernoulli", "categorical"])
def test_biases_start_at_the_frequencies(model, kind):
    X = RNG.integers(0, 3, (400, 2)).astype(float)
    X[:150] = 0
    if kind == "bernoulli":
        X = np.minimum(X, 1) * [1, 0.0] + [0, 1.0] * (X > 1)
    model = grouped(
        type(model), **model.get_params(deep=False) | {"n_iter": 0}
    ).set_params(column_types=kind)
    params = model.fit(X).density_.params
    if kind == "bernoulli":
        np.testing.assert_allclose(expit(params.visible.b), X.mean(axis=0), atol=0.01)
        return
    share = [(X[:, [j]] == [0, 1, 2]).mean(axis=0) for j in range(2)]
    found = softmax(params.visible.b.reshape(2, 3), axis=1)
    np.testing.assert_allclose(found, share, atol=0.01)


@models
def test_densities_of_real_steps_integrate_to_one(model):
    model, X = fitted(model, "gaussian")
    axis = np.linspace(-25, 25, 301)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    parts = np.concatenate([np.tile(X[None, :1], (len(grid), 1, 1)), grid[:, None]], 1)
    density = np.exp(model.score_samples(parts.reshape(-1, 2), lengths=[2] * len(grid)))
    total = density[1::2].sum() * (axis[1] - axis[0]) ** 2
    np.testing.assert_allclose(total, 1, rtol=1e-3)


@pytest.mark.exhaustive
@models
@pytest.mark.parametrize("kind", ["bernoulli", "categorical", "gaussian"])
def test_annealing_agrees_with_enumeration(model, kind, monkeypatch):
    model, X = fitted(model, kind, n_betas=400)
    X[3, 0] = X[7] = np.nan
    exact, drawn = (
        model.score_samples(X),
        model.sample_sequences(1, n_samples=4000, random_state=1),
    )
    monkeypatch.setattr("skdgm.recurrent._rbm_step._MAX_ENUMERATED", 1)
    assert model.density_kind_ == "estimate"
    np.testing.assert_allclose(model.score_samples(X), exact, atol=0.15)
    assert abs((model.score_samples(X) - exact).mean()) < 0.05
    others = model.sample_sequences(1, n_samples=4000, random_state=0)
    a, b = np.concatenate(drawn), np.concatenate(others)
    for of in (lambda x: x, lambda x: x**2, lambda x: x[:, :1] * x[:, 1:]):
        one, other = of(a), of(b)
        error = np.hypot(one.std(axis=0), other.std(axis=0)) / np.sqrt(4000)
        gap = abs(one.mean(axis=0) - other.mean(axis=0))
        assert (gap < 5 * error).all()
    filled = model.impute(X)
    assert np.isfinite(filled).all()


@models
def test_scores_are_means_of_both_sides_of_annealing(model, monkeypatch):
    X = (RNG.random((60, 8)) < 0.5).astype(float)
    model = grouped(
        type(model), **model.get_params(deep=False) | {"n_components": 9, "n_betas": 40}
    )
    # Couplings that are strong: few steps of annealing up alone flatter a score.
    model = shaken(model.fit(X), 1.5)
    exact = model.score_samples(X)
    equal = model.likelihood_bracket(X)
    np.testing.assert_allclose(equal, [exact, exact])
    monkeypatch.setattr("skdgm.recurrent._rbm_step._MAX_ENUMERATED", 1)
    low, high = model.likelihood_bracket(X)
    low_error, high_error = (
        4 * (side - exact).std() / len(X) ** 0.5 for side in (low, high)
    )
    assert (low - exact).mean() < low_error
    assert (high - exact).mean() > -high_error
    assert model.score(X) == pytest.approx(exact.mean(), abs=high_error)
    parts = model.likelihood_bracket([X[:20], X[20:]])
    assert [[len(own) for own in side] for side in parts] == [[20, 40]] * 2
    # With few temperatures annealing up alone, as the score was, flatters by 1 nat.
    monkeypatch.setattr("skdgm.recurrent._rbm_step._ROUNDS", ((1, 1.0),))
    model.set_params(n_betas=1)
    low, high = model.likelihood_bracket(X)
    assert low.mean() < exact.mean() < high.mean() - 0.5
    with pytest.warns(LikelihoodWarning, match="between .* nats on average"):
        assert model.score(X) < exact.mean() + 0.1


def test_few_temperatures_are_enough_where_both_sides_agree(monkeypatch):
    X, asked = (RNG.random((60, 8)) < 0.5).astype(float), []
    model = RNNRBM(9, n_recurrent=4, n_iter=1, random_state=0).fit(X)
    model, scored = shaken(model, 0.2), RBMStep._scored
    exact = model.score_samples(X)

    def noted(self, rows, v, n_betas, n_chains):
        asked.append((n_betas, len(v)))
        return scored(self, rows, v, n_betas, n_chains)

    monkeypatch.setattr("skdgm.recurrent._rbm_step._MAX_ENUMERATED", 1)
    monkeypatch.setattr(RBMStep, "_scored", noted)
    found = model.score_samples(X)
    assert asked[0] == (25, 60)
    assert sum(n_rows for _, n_rows in asked[1:]) < 20
    np.testing.assert_allclose(found, exact, atol=0.25)
    assert abs((found - exact).mean()) < 4 * (found - exact).std() / 60**0.5 + 0.01


@pytest.mark.parametrize("kind", ["bernoulli", "rare"])
@models
def test_samples_have_the_probabilities(model, kind):
    model, X = fitted(model, kind)
    n_values = 2 if kind == "bernoulli" else 3
    states = [np.array(pair, float) for pair in product(range(n_values), repeat=2)]
    whole = [np.vstack([X[:5], own]) for own in states]
    p = np.exp([own[-1] for own in model.score_samples(whole)])
    n = 4000
    drawn = model.sample_sequences(1, prefix=X[:5], n_samples=n, random_state=0)
    found = np.stack(drawn)
    codes = (found[:, 0] @ [n_values, 1]).astype(int)
    share = np.bincount(codes, None, n_values**2) / n
    assert (abs(share - p) < 5 * np.sqrt(p * (1 - p) / n) + 1e-9).all()


@models
def test_gradients_reach_back_through_time(model):
    model, X = fitted(model, solver="sgd", momentum=0.0, learning_rate=1.0)
    assign(model, clip_norm=None, schedule="constant")
    parts = [X[:6], X[6:9], X[9:]]
    table = model._begin(parts, None, None, fresh=False)
    objective, clock = model._objective(table, 0), Clock(0, 1, 0, 1)
    state = objective.resume(model._state())
    (batch,) = segments(table.rows, [np.arange(3)])
    given, before = objective.prepare(state, batch, clock), copy(state.params)
    # Chains are of bits, which small changes of parameters leave as they are.
    slopes = numerical_gradient(
        lambda params: objective.forward(params, given)[0].mean(), before, 1e-6
    )
    after = objective.step(state, batch, clock).params
    # The last ones are offsets, which are not learned.
    *learned, offsets = zip(leaves(before), leaves(after), leaves(slopes))
    np.testing.assert_array_equal(*offsets[:2])
    for old, new, slope in learned:
        np.testing.assert_allclose(old - new, slope, rtol=1e-4, atol=1e-7)


def test_contrastive_divergence_of_many_steps_is_the_gradient():
    model, X = fitted(MODELS[0], n_steps=60)
    table = model._begin([X] * 300, None, None, fresh=False)
    rows = table.rows._replace(edges=np.arange(0, 6001, 20))
    objective, state = model._objective(table._replace(rows=rows), 0), model._state()
    (batch,) = segments(rows, [np.arange(300)])
    given = rows.rows.take(batch.index), batch, stream(0)
    net, before = objective.net, copy(state.params)
    ones = np.ones(20, int)

    def exact(params):
        biases, _ = net.all_biases(params, X, ones)
        return -net.step.log_p(params.step, biases, X, stream(0).rows(20)).mean()

    wanted = numerical_gradient(exact, before)

    def losses(params):
        return objective.forward(params, given)[0]

    _, found = vjp(losses, before, lambda out: np.full_like(out, 1 / len(out)))
    for a, b in zip(leaves(found)[:-1], leaves(wanted)):
        np.testing.assert_allclose(a, b, atol=0.05)


@pytest.mark.release
def test_tied_states_remember_periods():
    X = (np.arange(300)[:, None] % [2, 3, 5]) == 0
    options = {"n_iter": 100, "learning_rate": 0.03, "random_state": 0}
    # Two of three columns take a memory of more than one step: without, -1.13.
    assert grouped(RTRBM, 10, **options).fit(X).score(X) > -0.6
