"""Updates of machines and what watches them, by hand."""

import numpy as np
import pytest
from scipy.special import expit, log_expit, logsumexp

from skdgm import (
    BernoulliRBM,
    GaussianRBM,
    MeanCovarianceRBM,
    RBMClassifier,
    SpikeSlabRBM,
)
from skdgm.boltzmann._covariance import objective as covariance
from skdgm.couplings import Contrast
from skdgm.energies import Params, spike_slab
from skdgm.exceptions import DivergenceError
from skdgm.metrics import raise_log_likelihood
from skdgm.optim import Clock
from skdgm.options import PCD
from skdgm.training import Batch
from skdgm.utils.random import stream
from skdgm.utils.tree import leaves
from tests.numerical import assert_means, numerical_gradient
from tests.options import asked_value, grouped

RNG = np.random.default_rng(0)
X = (RNG.random((20, 4)) < 0.4).astype(float)
CLOCK = Clock(0, 1, 0, 1)
RATE = {"learning_rate": 0.1, "schedule": "constant"}


def run(model, X=X, y=None):
    """The objective of a fitted machine, its table, and state."""
    table = model._begin(X, y, None, fresh=False)
    objective = model._objective(table, 0)
    return objective, table, objective.resume(model._state())


def machine(**options):
    options = {"centering": None, "n_iter": 1, "random_state": 0} | RATE | options
    return grouped(BernoulliRBM, 3, **options).fit(X)


def arrays(params):
    (b, c), (W,) = params.units, params.couplings
    return [np.array(b), np.array(c), np.array(getattr(W, "W", W))]


def gradients(n):
    return [[RNG.normal(size=shape) for shape in (4, 3, (4, 3))] for _ in range(n)]


def ascend(objective, state, grads):
    for b, c, G in grads:
        grad = Params((b.copy(), c.copy()), (Contrast.of(G),))
        objective.ascend(state, grad, CLOCK)
    return arrays(state.params)


@pytest.mark.parametrize("batch_size", [10, 300])
def test_steps_have_momentum_and_penalties_on_weights_alone(batch_size):
    options = {"momentum": 0.5, "batch_size": batch_size}
    # Per row, 0.02 times absolute values and 0.15 times squares.
    options |= {"alpha": 0.32 * batch_size, "l1_ratio": 0.0625}
    objective, _, state = run(machine(max_norm=None, **options))
    before, grads = arrays(state.params), gradients(3)
    expected, speed = before, [0 * part for part in before]
    state = state._replace(optimizer=objective.solver.init(state.params))
    found = ascend(objective, state, grads)
    for grad in grads:
        W = expected[2]
        grad = [*grad[:2], grad[2] - 0.02 * np.sign(W) - 0.3 * W]
        speed = [0.5 * u + 0.1 * g for u, g in zip(speed, grad)]
        expected = [a + u for a, u in zip(expected, speed)]
    for a, b in zip(found, expected):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_weights_have_a_limit_after_each_step():
    objective, _, state = run(machine(max_norm=0.2))
    state = state._replace(optimizer=objective.solver.init(state.params))
    b, c, W = arrays(state.params)
    ((by_b, by_c, G),) = grads = gradients(1)
    found = ascend(objective, state, grads)
    W = W + 0.1 * G
    W *= np.minimum(1, 0.2 / np.linalg.norm(W, axis=0))
    for a, other in zip(found, (b + 0.1 * by_b, c + 0.1 * by_c, W)):
        np.testing.assert_allclose(a, other, atol=1e-12)


def test_centered_steps():
    objective, _, state = run(machine(centering="start"))
    mu, lam = (RNG.random(n) for n in (4, 3))
    state = state._replace(
        optimizer=objective.solver.init(state.params), offsets=(mu, lam)
    )
    b, c, W = arrays(state.params)
    ((by_b, by_c, G),) = grads = gradients(1)
    found = ascend(objective, state, grads)
    G = G - np.outer(mu, by_c) - np.outer(by_b, lam)
    expected = b + 0.1 * (by_b - G @ lam), c + 0.1 * (by_c - mu @ G), W + 0.1 * G
    for a, other in zip(found, expected):
        np.testing.assert_allclose(a, other, atol=1e-12)


@pytest.mark.parametrize("how", ["data", "moving"])
def test_offsets_and_activities_are_running_means(how):
    options = {"centering": how, "gradient": "pcd", "sparsity_target": 0.2}
    objective, _, state = run(machine(**options))
    offsets, activity = state.offsets, state.activity
    data = tuple(RNG.random((10, n)) for n in (4, 3))
    model = tuple(RNG.random((7, n)) for n in (4, 3))
    _, after = objective.phase.with_running_means(state, data, model)
    # Offsets move by a share of the way to the means of data, or of both phases.
    for block, old in enumerate(offsets):
        mean = data[block].mean(axis=0)
        if how == "moving":
            mean = 0.5 * (mean + model[block].mean(axis=0))
        share = (after.offsets[block] - old) / (mean - old)
        np.testing.assert_allclose(share, share[0])
        assert 0 < share[0] < 1
    share = (after.activity[0] - activity[0]) / (data[1].mean(axis=0) - activity[0])
    np.testing.assert_allclose(share, share[0])
    assert 0 < share[0] < 1


def log_conditionals(rbm, v):
    """log p(v_i | v_-i) of all entries, by free energies."""
    found = np.empty(v.shape)
    for i in range(v.shape[1]):
        other = v.copy()
        other[:, i] = 1 - other[:, i]
        both = -np.stack([rbm.free_energy(v), rbm.free_energy(other)])
        found[:, i] = both[0] - logsumexp(both, axis=0)
    return found


def test_the_loss_is_the_pseudo_likelihood_of_known_entries():
    rbm = machine(n_iter=10)
    each = log_conditionals(rbm, X)
    np.testing.assert_allclose(rbm.pseudo_likelihood(X), each.sum(axis=1), rtol=1e-5)
    assert rbm.loss_curve_[-1] == pytest.approx(-each.sum(axis=1).mean())
    objective, table, state = run(rbm)
    watch = objective.watch(table, None, state)
    assert sorted(np.unique(watch.units[0])) == [0, 1, 2, 3]
    index, weight = np.arange(20), RNG.random(20)
    found = watch._loss(state, index, weight)
    assert found == pytest.approx(-np.average(each.sum(axis=1), weights=weight))
    # Losses of independent columns, and what is more than harmless.
    p = (X.sum(axis=0) + 1) / 22
    independent = -(X * np.log(p) + (1 - X) * np.log(1 - p)).sum(axis=1).mean()
    assert watch.independent_loss == pytest.approx(independent, rel=0.01)
    highest = max(watch.first, watch.independent_loss)
    for loss, useless in (highest + 0.39, False), (highest + 0.41, True):
        assert watch.is_useless(loss) == useless
    assert watch.limit == pytest.approx(watch.independent_loss + 8)
    # Missing entries do not count, and the others stand for them.
    holed = X.copy()
    holed[:5, 1] = np.nan
    objective, table, state = run(rbm, holed)
    watch = objective.watch(table, None, state)
    log_p, counts = watch._watched(state.params, Batch(holed), slice(0, 20))
    order = np.argsort(watch.units, axis=1)
    counts = np.take_along_axis(counts, order, axis=1)
    np.testing.assert_array_equal(counts, ~np.isnan(holed))
    total = (log_p * np.take_along_axis(counts, watch.units, 1)).sum() / counts.sum()
    assert watch.training_loss(state) == pytest.approx(-4 * total)
    known = np.take_along_axis(log_p, order, axis=1)[5:]
    np.testing.assert_allclose(known, each[5:], rtol=1e-5)


def test_the_loss_of_labels_is_their_log_probability():
    y = RNG.permutation(np.repeat([0, 1, 2], [9, 7, 4]))
    clf = RBMClassifier(3, n_iter=3, random_state=0).fit(X, y)
    log_p = np.log(clf.predict_proba(X)[np.arange(20), y])
    assert clf.loss_curve_[-1] == pytest.approx(-log_p.mean(), rel=1e-5)
    objective, table, state = run(clf, X, y)
    watch = objective.watch(table, None, state)
    share = np.log(objective.moments[1][y])
    assert watch.allowed == pytest.approx(
        max(-share.mean(), watch.training_loss(state))
    )
    assert watch.limit == watch.allowed + 10
    assert watch.is_useless(watch.allowed + 2.01)
    assert not watch.is_useless(watch.allowed + 1.99)


def test_the_pseudo_likelihood_of_rows_and_labels():
    y = RNG.integers(0, 3, 20)
    clf = RBMClassifier(3, n_iter=5, solver="sgd", random_state=0).fit(X, y)
    objective, _, state = run(clf, X, y)
    params, given = state.params, np.where(np.arange(20) < 8, -1, y)

    def log_w(v, code):
        one_hot = np.eye(3)[np.full(len(v), code)]
        return objective.energy.log_marginal(params, (v, one_hot, None))

    by_label = np.stack([log_w(X, code) for code in range(3)], axis=1)
    own = (by_label - logsumexp(by_label, axis=1, keepdims=True))[np.arange(20), y]
    for i in range(4):
        other = X.copy()
        other[:, i] = 1 - other[:, i]
        flipped = np.stack([log_w(other, code) for code in range(3)], axis=1)
        both = np.stack([by_label, flipped])[:, np.arange(20), y]
        own = own + both[0] - logsumexp(both, axis=0)
    found = objective.pseudo_likelihood(stream(0), params, Batch(X, given))
    np.testing.assert_allclose(found[8:], own[8:], rtol=1e-5)
    # An unknown label is drawn, and has no term of its own.
    many = np.tile(X[:1], (4000, 1))
    drawn = objective.pseudo_likelihood(
        stream(1), params, Batch(many, np.full(4000, -1))
    )
    p = np.exp(by_label[0] - logsumexp(by_label[0]))
    terms = []
    for code in range(3):
        total = 0.0
        for i in range(4):
            other = X[:1].copy()
            other[:, i] = 1 - other[:, i]
            both = log_w(np.concatenate([X[:1], other]), code)
            total += both[0] - logsumexp(both)
        terms.append(total)
    assert_means(drawn, p @ terms)


def test_labels_are_drawn_with_their_probabilities():
    y = RNG.integers(0, 3, 20)
    clf = RBMClassifier(3, n_iter=20, random_state=0).fit(X, y)
    density, many = clf.density_, np.tile(X[:1], (4000, 1))
    given = density.params, *density.clamp_rows(many), stream(0).rows(4000)
    drawn, log_q = density.drawn_even(*given)
    codes = np.asarray(drawn[1]).argmax(axis=1)
    p = clf.predict_proba(X[:1])[0]
    np.testing.assert_allclose(np.exp(log_q), p[codes], rtol=1e-4)
    assert_means(np.asarray(drawn[1]), p)


REAL = RNG.normal(size=(30, 3)) @ RNG.normal(size=(3, 3))


@pytest.mark.parametrize("kind", [MeanCovarianceRBM, SpikeSlabRBM])
def test_steps_of_covariance_machines(kind, monkeypatch):
    monkeypatch.setattr(spike_slab, "_MAX_ENUMERATED", 0)
    sizes = (3,) if kind is SpikeSlabRBM else (2, 3)
    model = grouped(kind, *sizes, n_iter=1, n_chains=11, random_state=0, **RATE).fit(
        REAL
    )
    objective, _, state = run(model, REAL)
    energy, seen = objective.energy, {}

    class Solver:
        init = covariance.adam.init

        @staticmethod
        def step(params, memory, grad, **rule):
            seen.update(grad=grad, **rule)

    monkeypatch.setattr(covariance, "adam", Solver)
    size = state.log_size[0]
    after = objective.step(state, np.arange(12), CLOCK)
    v = objective.rows.take(np.arange(12))

    def gain(params):
        free = [energy.value(params, (x,))[0].mean() for x in (v, after.chains)]
        return free[1] - free[0]

    slopes = energy.tangent(state.params, numerical_gradient(gain, state.params))
    for found, slope in zip(leaves(seen["grad"]), leaves(slopes), strict=True):
        np.testing.assert_allclose(found, slope, rtol=1e-4, atol=1e-6)
    assert seen["rate"] == pytest.approx(0.1)
    assert seen["momentum"] == asked_value(model, "momentum")
    assert (after.chains != model._training[1]).any()
    if kind is MeanCovarianceRBM:
        # Longer steps where more are accepted than is aimed for, by at most a bit.
        assert 0 < abs(after.log_size[0] - size) <= 0.05


def test_steps_of_chains_that_diverge_are_halved(monkeypatch):
    model = grouped(MeanCovarianceRBM, 2, 3, n_iter=1, random_state=0, **RATE).fit(REAL)
    objective, _, state = run(model, REAL)

    class Diverging:
        def step(self, *given):
            raise DivergenceError("far")

    monkeypatch.setattr(objective.moves, "sampler", lambda *known: Diverging())
    size, chains = state.log_size[0], state.chains.copy()
    after = objective.step(state, np.arange(12), CLOCK)
    assert after.log_size[0] == pytest.approx(size - np.log(2))
    np.testing.assert_array_equal(after.chains, chains)
    state.log_size[0] = np.log(0.9e-5)
    with pytest.raises(DivergenceError):
        objective.step(state, np.arange(12), CLOCK)


def test_conservative_likelihoods_are_in_the_units_of_columns():
    rbm = GaussianRBM(2, n_iter=3, random_state=0).fit(100 * REAL)
    found = raise_log_likelihood(rbm, 100 * REAL, n_betas=30, random_state=0)
    assert abs(found - rbm.score_samples(100 * REAL)).max() < 2


def test_chains_of_real_rows_begin_at_the_model_without_couplings():
    rbm = GaussianRBM(2, n_iter=0, gradient=PCD(n_chains=400), random_state=0).fit(
        3 * REAL + 1
    )
    gap = abs(rbm.chains_.mean(axis=0) - 3 * REAL.mean(axis=0) - 1)
    assert (gap < 5 * 3 * REAL.std(axis=0) / 20).all()
    np.testing.assert_allclose(rbm.chains_.std(axis=0), 3 * REAL.std(axis=0), rtol=0.3)


def test_hidden_units_are_drawn_from_their_means():
    rbm = machine(n_iter=3)
    H = rbm.transform(X)
    field = X @ rbm.components_.T + rbm.intercept_hidden_
    np.testing.assert_allclose(H, expit(field), rtol=1e-5)
    free = -X @ rbm.intercept_visible_ + log_expit(-field).sum(axis=1)
    np.testing.assert_allclose(rbm.free_energy(X), free, rtol=1e-5)
