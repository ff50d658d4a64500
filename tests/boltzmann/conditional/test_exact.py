"""Likelihoods, probabilities, draws and gradients given conditions, by enumeration."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp

from skdgm.boltzmann import ConditionalRBM
from skdgm.boltzmann._conditional import annealing
from skdgm.boltzmann._conditional.objective import clamp_of
from skdgm.energies import contrast
from skdgm.exceptions import FewDrawsWarning
from skdgm.gradients.contrastive import cd
from skdgm.optim import Clock
from skdgm.partition import enumeration
from skdgm.samplers import Gibbs
from skdgm.training import Batch
from skdgm.utils.random import stream
from tests.options import grouped

RNG = np.random.default_rng(0)
N = 60
X = RNG.normal(size=(N, 3))
BITS = (RNG.random((N, 4)) < 0.5 + 0.3 * np.sign(X[:, :1])).astype(float)
CODES = RNG.integers(0, 3, N)
# Categories, bits and a number.
MIXED = np.column_stack([CODES, BITS[:, 0], X[:, 0] + BITS[:, 1]])
KINDS = ("categorical", "bernoulli", "gaussian")


def shaken(model, scale=0.7):
    """A fitted model with large weights, as learning for long would make them."""
    rng = np.random.default_rng(1)
    for name in "components_", "condition_visible_", "condition_hidden_":
        own = getattr(model, name)
        setattr(model, name, own + rng.normal(0, scale, own.shape))
    return model


def fitted(y, n_components=3, **options):
    model = grouped(ConditionalRBM, n_components, n_iter=2, random_state=0, **options)
    return shaken(model.fit(X, y))


def states_of(model, y):
    """All rows of y, whose columns are bits or codes."""
    return np.array(list(product(*(np.unique(column) for column in y.T))))


def log_weight(model, x, y):
    """Log weights of rows of bits given conditions, by formula and enumeration."""
    z = (x - X.mean(axis=0)) / X.std(axis=0)
    W, A, B = model.components_.T, model.condition_visible_, model.condition_hidden_
    h = np.array(list(product([0, 1], repeat=W.shape[1])))
    b = model.intercept_visible_ + z @ A
    c = model.intercept_hidden_ + z @ B
    return logsumexp(h @ c + y @ W @ h.T + (y @ b)[:, None], axis=1)


@pytest.mark.parametrize("n_components", [3, 7])
def test_likelihoods_of_bits_are_those_of_enumeration(n_components):
    # Of 3 hidden units their states are enumerated, of 7 those of y.
    model = fitted(BITS, n_components)
    assert model.density_kind_ == "exact"
    every = states_of(model, BITS)
    for i in (0, 1):
        weights = log_weight(model, X[i], every)
        there = (every == BITS[i]).all(axis=1)
        expected = weights[there] - logsumexp(weights)
        found = model.score_samples(X[[i]], BITS[[i]])
        assert found == pytest.approx(expected, abs=1e-4)
        holed = BITS[[i]].copy()
        holed[0, 1] = np.nan
        alike = (every == BITS[i])[:, [0, 2, 3]].all(axis=1)
        expected = logsumexp(weights[alike]) - logsumexp(weights)
        found = model.score_samples(X[[i]], holed)
        assert found == pytest.approx(expected, abs=1e-4)
        p = np.exp(weights - logsumexp(weights)) @ every
        found = [own[0, 1] for own in model.predict_proba(X[[i]])]
        np.testing.assert_allclose(found, p, atol=1e-5)
        np.testing.assert_allclose(model.impute(X[[i]])[0], p, atol=1e-5)


@pytest.mark.parametrize("n_components", [2, 7])
def test_probabilities_of_mixed_columns_sum_to_one(n_components):
    model = fitted(MIXED, n_components, column_types=KINDS)
    grid = np.linspace(-30, 30, 4001)
    x, total = X[:1], 0.0
    for code, bit in product(range(3), range(2)):
        y = np.column_stack([np.full((len(grid), 2), [code, bit]), grid])
        log_p = model.score_samples(np.repeat(x, len(grid), axis=0), y)
        total += np.exp(log_p).sum() * (grid[1] - grid[0])
        alone = np.array([[code, bit, np.nan]])
        marginal = np.exp(model.score_samples(x, alone)[0])
        mass = np.exp(log_p).sum() * (grid[1] - grid[0])
        assert mass == pytest.approx(marginal, abs=1e-5)
    assert total == pytest.approx(1, abs=1e-5)


def test_draws_have_the_exact_moments(monkeypatch):
    model = fitted(BITS)
    many = np.repeat(X[:1], 4000, axis=0)
    p = model.impute(X[:1])[0]
    error = np.sqrt(p * (1 - p) / len(many))
    for most in (12, -1):
        monkeypatch.setattr(enumeration, "MAX_BITS", most)
        drawn = model.sample(many, random_state=0, n_steps=30)
        assert (abs(drawn.mean(axis=0) - p) < 4.5 * error + 1e-9).all()


def test_averages_over_gibbs_steps_are_near_the_exact_means(monkeypatch):
    model = fitted(BITS)
    expected = model.impute(X)
    monkeypatch.setattr(enumeration, "MAX_BITS", -1)
    found = model.impute(X, n_steps=2000)
    np.testing.assert_allclose(found, expected, atol=0.05)


@pytest.mark.parametrize("n_components", [3, 7])
def test_what_is_missing_of_a_row_is_filled_exactly(n_components, monkeypatch):
    """By states of the hidden layer, or of what is missing alone."""
    model, y = fitted(BITS, n_components), BITS[:3].copy()
    y[:, 1:3] = np.nan
    many = np.repeat(y, 2000, axis=0), np.repeat(X[:3], 2000, axis=0)
    # Of two bits there are four states, where a row has sixteen.
    monkeypatch.setattr(enumeration, "MAX_BITS", 2 if n_components == 7 else 12)
    filled, H = model.impute(X[:3], y), model.transform(X[:3], y)
    drawn = model.impute(many[1], many[0], method="sample", random_state=0)
    every = states_of(model, BITS)
    c, W = model.intercept_hidden_, model.components_
    for i in range(3):
        alike = every[(every == BITS[i])[:, [0, 3]].all(axis=1)]
        weights = log_weight(model, X[i], alike)
        p = np.exp(weights - logsumexp(weights))
        np.testing.assert_allclose(filled[i], p @ alike, atol=1e-5)
        z = (X[i] - X.mean(axis=0)) / X.std(axis=0)
        eta = c + z @ model.condition_hidden_ + alike @ W.T
        np.testing.assert_allclose(H[i], p @ (1 / (1 + np.exp(-eta))), atol=1e-5)
        error = np.sqrt(filled[i] * (1 - filled[i]) / 2000)
        mean = drawn[i * 2000 : (i + 1) * 2000].mean(axis=0)
        assert (abs(mean - filled[i]) < 4.5 * error + 1e-9).all()


@pytest.mark.parametrize("n_components", [2, 7])
def test_mixed_columns_are_filled_exactly(n_components):
    """Their means are those of the likelihoods of rows with each value."""
    model = fitted(MIXED, n_components, column_types=KINDS)
    y = MIXED[:2].copy()
    y[:, 1], y[1, 2] = np.nan, np.nan
    on = np.where(np.isnan(y) & (np.arange(3) == 1), 1.0, y)
    p = np.exp(model.score_samples(X[:2], on) - model.score_samples(X[:2], y))
    np.testing.assert_allclose(model.impute(X[:2], y)[:, 1], p, atol=1e-6)


def test_averages_over_chains_are_near_and_say_where_they_are_not(monkeypatch):
    model = shaken(fitted(BITS, 5), 2.0)
    y = BITS.copy()
    y[::2, 1] = np.nan
    expected = model.impute(X), model.impute(X, y)
    monkeypatch.setattr(enumeration, "MAX_BITS", -1)
    assert model.density_.capabilities["fill"]["missing"] == "estimate"
    found = model.impute(X), model.impute(X, y)
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other, atol=0.1)
    alone = model.impute(X[5:6])
    np.testing.assert_allclose(alone, found[0][5:6], atol=1e-6)
    with pytest.warns(FewDrawsWarning, match="standard errors of up to"):
        model.impute(X, n_steps=1)


def test_rows_are_scored_in_parts(monkeypatch):
    density = fitted(BITS).density_
    whole = density.log_prob(X, y=BITS)
    monkeypatch.setattr("skdgm.boltzmann._conditional.density._MAX_ENTRIES", 4 * 7)
    np.testing.assert_allclose(density.log_prob(X, y=BITS), whole)
    np.testing.assert_array_equal(density.features(X, y=BITS).shape, (N, 3))


def test_scores_are_the_middle_of_a_narrow_bracket():
    density = fitted(BITS).density_
    density.bracket = lambda X, y: np.array([[1.0, 1.0, 1.0], [1.5, 2.0, 2.5]])
    np.testing.assert_array_equal(density.log_prob(X, y=BITS), [1.25, 1.5, 1.0])


def test_means_that_are_not_sure_have_more_chains(monkeypatch):
    model = shaken(fitted(BITS, 5), 1.0)
    density = model.density_
    ((_, x, clamp),) = density.blocks(density.pairs(X))
    given = density.energy, density.params, x, clamp, 50
    found = []
    for rounds in annealing._MORE[:1], annealing._MORE:
        monkeypatch.setattr(annealing, "_MORE", rounds)
        found.append(annealing.averages(stream(0).rows(N), *given))
    ((first,), few), ((more,), error) = found
    sure = few <= 0.02
    assert 0 < sure.sum() < N
    np.testing.assert_array_equal(more[sure], first[sure])
    assert (more[~sure] != first[~sure]).any(axis=1).all()
    assert error.mean() < few.mean()
    exact = model.impute(X)
    assert abs(more - exact).mean() < abs(first - exact).mean() + 1e-3
    # Standard errors are those of the means.
    z = (first - exact) / np.maximum(few, 1e-3)[:, None]
    assert np.sqrt((z**2).mean()) < 2


def test_the_bracket_holds_the_exact_likelihood(monkeypatch):
    model = fitted(MIXED, column_types=KINDS)
    expected = model.score_samples(X, MIXED)
    monkeypatch.setattr(enumeration, "MAX_BITS", -1)
    assert model.density_kind_ == "estimate"
    low, high = model.likelihood_bracket(X, MIXED)
    assert (high - low).mean() < 0.5
    assert (low - 0.5 < expected).all()
    assert (expected < high + 0.5).all()
    assert abs(model.score(X, MIXED) - expected.mean()) < 0.1


def test_the_gradient_is_that_of_the_likelihood():
    model = fitted(BITS)
    density, n_chains, step = model.density_, 4000, 1e-4
    rows = density.pairs(X[:1], BITS[:1], np.float64)
    ((_, x, clamp),) = density.blocks(rows)
    energy, params = density.energy, density.enumeration.params
    x = tuple(
        None if v is None else np.repeat(np.asarray(v), n_chains, axis=0) for v in x
    )
    sampler = Gibbs(energy, clamp=clamp_of(energy))
    phases, *_ = cd(stream(0), sampler, params, x, clamp, 40)
    grad = contrast(energy, params, phases.data, phases.model)

    def log_p():
        log_w = density.log_weight([v if v is None else v[:1] for v in x], clamp)
        return float((log_w - density._log_Z(x[-1][:1], None)[0])[0])

    for array, found in zip(params.couplings, grad.couplings):
        place = (1, 2)
        before = array[place]
        found = np.asarray(found)[place]
        array[place] = before + step
        above = log_p()
        array[place] = before - step
        slope = (above - log_p()) / (2 * step)
        array[place] = before
        size = abs(np.asarray(phases.data[-1])[0]).max() + 1
        assert found == pytest.approx(slope, abs=4 * size / np.sqrt(n_chains))


def test_draws_by_enumeration_make_the_same_gradient():
    model = fitted(BITS, gradient="enumeration")
    rows = np.repeat(np.arange(1), 4000)
    table = model._begin(X[rows], BITS[rows], np.ones(4000), False)
    table = table._replace(index=rows)
    objective = model._objective(table, 0)
    state = objective.resume(model._state())
    x, clamp = objective.clamp_rows(
        Batch(objective.rows.take(rows), objective.rows.accompanying(rows))
    )
    rng, clock = stream(0), Clock(0, 1, 0, 1)
    (_, by_draws), _ = objective.phase.phases(rng, state, x, clamp, clock)
    sampler = Gibbs(objective.energy, clamp=clamp_of(objective.energy))
    (_, by_chains), *_ = cd(rng, sampler, state.params, x, clamp, 40)
    for one, other in zip(by_draws, by_chains):
        one, other = (np.asarray(own).mean(axis=0) for own in (one, other))
        np.testing.assert_allclose(one, other, atol=4.5 * np.sqrt(0.5 / 4000))


def test_the_gradient_of_mean_field_is_that_of_its_predictions():
    y = np.column_stack([BITS[:, :2], CODES])
    kinds = ("bernoulli", "bernoulli", "categorical")
    options = {"column_types": kinds, "gradient": "mean-field", "mean_field_steps": 3}
    model = fitted(y, **options)
    table = model._begin(X, y, None, False)
    objective = model._objective(table, 0)
    index = objective.table.index
    batch = Batch(objective.rows.take(index), objective.rows.accompanying(index))
    x, clamp = objective.clamp_rows(batch)
    state = objective.resume(model._state())
    grad, _ = objective.phase.gradient(stream(0), state, x, clamp, Clock(0, 1, 0, 1))

    def log_q():
        density = model.density_
        density.params = state.params
        rows = density.pairs(X)
        bits, codes = density.marginals_of(rows)
        truth = BITS[:, :2] * np.log(bits) + (1 - BITS[:, :2]) * np.log(1 - bits)
        own = np.log(codes[np.arange(N), CODES])
        return (truth.sum(axis=1) + own).mean()

    arrays = (*state.params.units[:-1], *state.params.couplings)
    grads = (*grad.units[:-1], *grad.couplings)
    for array, found in zip(arrays, grads, strict=True):
        place = (1,) if array.ndim == 1 else (1, 2)
        before, step = array[place], 1e-5
        array[place] = before + step
        above = log_q()
        array[place] = before - step
        slope = (above - log_q()) / (2 * step)
        array[place] = before
        assert np.asarray(found)[place] == pytest.approx(slope, abs=1e-6)


@pytest.mark.exhaustive
def test_learning_finds_what_ties_columns_together():
    """Two bits that are equal, and random given X: no regression for each knows."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 2))
    bit = (rng.random(600) < 0.5).astype(float)
    y, known = np.column_stack([bit, bit]), np.column_stack([bit, np.full(600, np.nan)])
    model = ConditionalRBM(8, n_iter=40, random_state=0)
    for gradient in "cd", "enumeration":
        model.set_params(gradient=gradient).fit(x, y)
        assert model.score(x, y) > -0.9
    model.set_params(gradient="perturb-and-descend").fit(x, y)
    assert ((model.impute(x, known)[:, 1] > 0.5) == bit).mean() > 0.97


def test_without_hidden_weights_it_is_a_regression():
    """The conditions alone explain a linear y as least squares does."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 3))
    y = x @ [1.0, -2.0, 0.5] + rng.normal(0, 0.3, 500)
    model = ConditionalRBM(2, n_iter=10, random_state=0).fit(x, y)
    assert np.std(model.predict(x) - y) < 0.33


@pytest.mark.exhaustive
def test_high_counts_of_hidden_classes_are_learned():
    """Biases that Adam moves by themselves did not: -74.7 nats for -23.4."""
    rng = np.random.default_rng(0)
    rate = np.where(rng.random((300, 1)) < 0.5, 30.0, 3.0)
    X, Y = rng.normal(size=(300, 2)), rng.poisson(rate, (300, 8))
    machine = ConditionalRBM(4, column_types="poisson", random_state=0)
    assert machine.fit(X[:200], Y[:200]).score(X[200:], Y[200:]) > -30
