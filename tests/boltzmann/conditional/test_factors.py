"""Weights that conditions gate: by enumeration, by differences, and as options."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.base import clone

import skdgm
from skdgm import ConditionalRBM, GatedRBM
from skdgm.optim import Clock
from skdgm.partition import enumeration
from skdgm.training import Batch
from skdgm.utils.random import stream
from skdgm.utils.tree import leaves
from tests.boltzmann.conditional.test_exact import BITS, CODES, KINDS, MIXED, N, X
from tests.numerical import assert_means
from tests.options import grouped

KINDS_OF_GATES = {
    "all": {"n_factors": 4},
    "some": {"n_factors": 4, "gates": [-1]},
    "alone": {"n_factors": 4, "gates": (0, 2), "pairwise": False},
    "gated": {"n_factors": 4, "cls": GatedRBM},
}
Z = (X - X.mean(axis=0)) / X.std(axis=0)


@pytest.fixture(params=KINDS_OF_GATES)
def options(request):
    return KINDS_OF_GATES[request.param]


def shaken(model, scale=0.6):
    """A fitted model with large weights, as learning for long would make them."""
    rng = np.random.default_rng(1)
    model.factors_ = [
        # Columns that are no gates have zeros.
        part + (part != 0) * rng.normal(0, scale, part.shape)
        for part in model.factors_
    ]
    return model


def fitted(y, n_components=3, cls=ConditionalRBM, **options):
    model = grouped(cls, n_components, n_iter=2, random_state=0, **options)
    return shaken(model.fit(X, y))


def log_weight(model, z, y):
    """Log weights of rows of bits given conditions, by formula and enumeration."""
    W, A, B = model.components_.T, model.condition_visible_, model.condition_hidden_
    h = np.array(list(product([0, 1], repeat=W.shape[1])))
    total = h @ (model.intercept_hidden_ + z @ B) + y @ W @ h.T
    total += (y @ (model.intercept_visible_ + z @ A))[:, None]
    y, h, z = y[:, None], h[None], z[None, None]
    ends = [y, h, z, y, z, z, h, z, z]
    sent = [x @ part.T for x, part in zip(ends, model.factors_)]
    for i in range(0, len(sent), 3):
        total += (sent[i] * sent[i + 1] * sent[i + 2]).sum(axis=-1)
    return logsumexp(total, axis=1)


@pytest.mark.parametrize("n_components", [3, 7])
def test_likelihoods_and_means_are_those_of_enumeration(n_components, options):
    model = fitted(BITS, n_components, **options)
    assert model.density_kind_ == "exact"
    every = np.array(list(product([0, 1], repeat=4)))
    for i in (0, 1):
        weights = log_weight(model, Z[i], every)
        holed, alike = BITS[[i]].copy(), (every == BITS[i])[:, [0, 2, 3]].all(axis=1)
        there = (every == BITS[i]).all(axis=1)
        found = model.score_samples(X[[i]], BITS[[i]])
        expected = weights[there] - logsumexp(weights)
        assert found == pytest.approx(expected, abs=1e-4)
        holed[0, 1] = np.nan
        found = model.score_samples(X[[i]], holed)
        expected = logsumexp(weights[alike]) - logsumexp(weights)
        assert found == pytest.approx(expected, abs=1e-4)
        p = np.exp(weights - logsumexp(weights)) @ every
        np.testing.assert_allclose(model.impute(X[[i]])[0], p, atol=1e-5)


@pytest.mark.parametrize("hidden", ["bernoulli", "binomial(2)"])
@pytest.mark.parametrize(
    "kind, n", [("bernoulli", 2), ("categorical", 3), ("binomial(3)", 4)]
)
def test_probabilities_without_pairwise_weights_sum_to_one(kind, n, hidden):
    """The field of the enumerated layer is the same for all rows."""
    y = np.random.default_rng(0).integers(0, n, (N, 2)).astype(float)
    options = {"column_types": kind, "hidden": hidden, "pairwise": False}
    model = fitted(y, 2, n_factors=4, **options)
    every = np.array(list(product(range(n), repeat=2)), float)
    log_p = [model.score_samples(X, np.tile(row, (N, 1))) for row in every]
    np.testing.assert_allclose(np.exp(log_p).sum(axis=0), 1, rtol=1e-6)
    alone = [model.score_samples(X[[i]], y[[i]]) for i in range(3)]
    np.testing.assert_allclose(model.score_samples(X, y)[:3, None], alone)


def test_draws_are_those_of_enumeration(options):
    model = fitted(BITS, **options)
    every = np.array(list(product([0, 1], repeat=4)))
    drawn = model.sample(np.repeat(X[:1], 4000, axis=0), random_state=0, n_steps=30)
    log_w = log_weight(model, Z[0], every)
    p = np.exp(log_w - logsumexp(log_w))
    assert_means((drawn[:, None] == every).all(axis=2).astype(float), p)


@pytest.mark.exhaustive
def test_draws_averages_and_brackets_are_near(monkeypatch, options):
    model = fitted(MIXED, column_types=KINDS, **options)
    expected = model.score_samples(X, MIXED)
    bits = fitted(BITS, **options)
    p = bits.impute(X[:1])[0]
    monkeypatch.setattr(enumeration, "MAX_BITS", -1)
    low, high = model.likelihood_bracket(X, MIXED)
    assert (low - 1 < expected).all()
    assert (expected < high + 1).all()
    assert abs(model.score(X, MIXED) - expected.mean()) < 0.15
    drawn = bits.sample(np.repeat(X[:1], 4000, axis=0), random_state=0, n_steps=60)
    error = np.sqrt(p * (1 - p) / 4000)
    assert (abs(drawn.mean(axis=0) - p) < 4.5 * error + 1e-9).all()
    np.testing.assert_allclose(bits.impute(X[:1], n_steps=4000)[0], p, atol=0.05)


def test_the_gradient_of_mean_field_is_that_of_its_predictions(options):
    y = np.column_stack([BITS[:, :2], CODES])
    kinds = ("bernoulli", "bernoulli", "categorical")
    more = {"column_types": kinds, "gradient": "mean-field", "mean_field_steps": 3}
    model = fitted(y, **more, **options)
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
        bits, codes = density.marginals_of(density.pairs(X))
        truth = BITS[:, :2] * np.log(bits) + (1 - BITS[:, :2]) * np.log(1 - bits)
        return (truth.sum(axis=1) + np.log(codes[np.arange(N), CODES])).mean()

    for array, found in zip(state.params.couplings, grad.couplings, strict=True):
        places = np.argwhere(array)
        place = tuple(places[len(places) // 2])
        before, step = array[place], 1e-5
        array[place] = before + step
        above = log_q()
        array[place] = before - step
        slope = (above - log_q()) / (2 * step)
        array[place] = before
        found = np.asarray(found)
        assert found[place] == pytest.approx(slope, abs=1e-6)
        assert not found[array == 0].any()


@pytest.mark.exhaustive
def test_attributes_are_all_parameters(options, tmp_path):
    """Counts and categories have gains and one-hot entries; files keep them."""
    cls = options.get("cls", ConditionalRBM)
    options = {name: options[name] for name in options if name != "cls"}
    rng = np.random.default_rng(0)
    y = np.column_stack([rng.poisson(9, N), rng.integers(0, 3, N), abs(X[:, 0])])
    kinds = ("poisson", "categorical", "rectified")
    more = {"column_types": kinds, "hidden": "binomial(3)", "n_iter": 2}
    model = grouped(cls, 6, random_state=0, **more, **options).fit(X, y)
    state = model._state()
    facts = model._facts(model._learned)
    again = model._MODEL.state(facts, model._MODEL.attributes(facts, state))
    for one, other in zip(leaves(state.params), leaves(again.params), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    assert model.factors_[0].shape == (4, 5)
    assert len(model.factors_) == (9 if "gates" in options else 3)
    skdgm.save(model, tmp_path / "model.skdgm")
    other = skdgm.load(tmp_path / "model.skdgm")
    model.partial_fit(X, y)
    other.partial_fit(X, y)
    np.testing.assert_array_equal(model.predict(X), other.predict(X))


@pytest.mark.release
@pytest.mark.parametrize("gradient", ["auto", "cd"])
def test_learning_finds_what_a_condition_gates(gradient):
    """Two bits that are equal, or not, as x says."""
    rng = np.random.default_rng(0)
    x, bit = rng.integers(0, 2, (800, 1)), rng.integers(0, 2, 800)
    y = np.column_stack([bit, np.where(x[:, 0], bit, 1 - bit)]).astype(float)
    known = y.copy()
    known[:, 1] = np.nan
    model = ConditionalRBM(3, n_factors=8, gradient=gradient, random_state=0)
    model.set_params(n_iter=60, n_components=3 if gradient == "auto" else 9).fit(x, y)
    assert ((model.impute(x, known)[:, 1] > 0.5) == y[:, 1]).mean() > 0.95


@pytest.mark.release
def test_rows_before_gate_series_too():
    pd = pytest.importorskip("pandas")
    rng, N = np.random.default_rng(0), 300
    style = np.repeat(["slow", "fast"], N // 2)
    angle = np.cumsum(np.where(style == "slow", 0.15, 0.6))
    wave = np.column_stack([np.sin(angle), np.cos(angle)]) + rng.normal(0, 0.1, (N, 2))
    frame = pd.DataFrame(wave, columns=["a", "b"])
    frame["style"] = style
    model = ConditionalRBM(5, n_lags=2, n_factors=6, gates=["style"], random_state=0)
    model.set_params(n_iter=60).fit(frame)
    # Two categories, in either of two lags.
    gates = (model.factors_[2] != 0).any(axis=0)
    assert gates.sum() == 4
    plain = clone(model).set_params(n_factors=0, gates=None).fit(frame)
    assert model.score(frame) > plain.score(frame)
    (drawn,) = model.sample_sequences(9, prefix=frame[:20], random_state=0)
    assert set(drawn["style"]) <= {"slow", "fast"}
    holed = frame.copy()
    holed.loc[50:52, "a"] = np.nan
    assert model.impute(holed).notna().all(axis=None)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"gates": [0]}, "n_factors=0"),
        ({"gates": [], "n_factors": 2}, "gates is empty"),
        ({"gates": ["a"], "n_factors": 2}, "names column 'a', but X has 3 columns"),
        ({"gates": [3], "n_factors": 2}, "names column 3"),
        ({"gates": [True], "n_factors": 2}, "names column True"),
        ({"pairwise": False}, "n_factors=0"),
    ],
)
def test_factors_that_are_none(options, message):
    with pytest.raises(ValueError, match=message):
        grouped(ConditionalRBM, 3, **options).fit(X, BITS)
