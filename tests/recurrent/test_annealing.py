"""Annealing of machines of a step, and particle filters, by sums over all states."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import logsumexp

from skdgm.recurrent._latent_learning import _resampled
from skdgm.recurrent._net import Biases
from skdgm.recurrent._rbm_step import RBMStep, combined
from skdgm.utils.random import stream
from skdgm.utils.tree import leaves
from tests.recurrent.test_rbm import MODELS
from tests.recurrent.test_rbm import fitted as fitted_machine
from tests.recurrent.test_vrnn import fitted as fitted_vrnn

KINDS = ["bernoulli", "categorical", "gaussian"]
HOLED = np.array([[1.0, 0], [np.nan, 1], [0, np.nan], [np.nan, np.nan]])


def machine(kind):
    """A step of a net, its machine with random parameters, and biases of rows."""
    model, _ = fitted_machine(MODELS[0], kind)
    net, params = model.density_.net, model.density_.params
    biases, _ = net.all_biases(params, net.inputs(params, HOLED), np.ones(4, int))
    rng = np.random.default_rng(0)
    biases = Biases(*(rng.normal(size=part.shape) for part in biases))
    return net.step, params.step, biases


def energies(step, shared, biases, v):
    """Log weight of each row, by the definition, for all states of hidden units."""
    x = step.inputs(v)
    W, c, b = shared.W, biases.hidden[:, None], biases.visible
    h = np.array(list(product([0, 1], repeat=step.n_hidden)))
    seen = step.seen(shared, x)[:, None]
    log_w = (c * h).sum(axis=2) + ((h - 0.5) @ W.T * seen).sum(axis=2)
    real, scale = step.real, np.exp(shared.precision / 2)
    log_w -= 0.5 * np.square(scale * (x - b)[:, real]).sum(axis=1)[:, None]
    return log_w + (x * b)[:, ~real].sum(axis=1)[:, None]


@pytest.mark.parametrize("kind", KINDS)
def test_the_energy_is_that_of_the_machine(kind):
    step, shared, biases = machine(kind)
    v = np.array([[1.0, 0], [0, 1], [1, 1], [0, 0]])
    known, x = np.ones((4, step.n_inputs), bool), step.inputs(v)
    rows = step._rows(shared, biases, x, stream(0).rows(4), known)
    found = step.energy.log_marginal(rows.params, step._blocks(x))
    gap = logsumexp(energies(step, shared, biases, v), axis=1) - found
    # Terms that do not depend on the state are left out.
    other = step.inputs(np.array([[0.0, 1], [1, 1], [0, 1], [1, 1]]))
    again = step.energy.log_marginal(rows.params, step._blocks(other))
    others = energies(step, shared, biases, step.output.value(other))
    np.testing.assert_allclose(logsumexp(others, axis=1) - again, gap)
    # The base of annealing has the biases themselves, and no couplings.
    free = shared._replace(W=0 * shared.W)
    alone = biases._replace(hidden=0 * biases.hidden)
    base, _ = step._params(free, alone)
    for one, two in zip(leaves(rows.base), leaves(base.units), strict=True):
        np.testing.assert_array_equal(one * np.ones_like(two), two)


@pytest.mark.parametrize("kind", KINDS)
def test_annealing_of_rows_with_missing_entries(kind, monkeypatch):
    step, shared, biases = machine(kind)
    exact = step.bracket(shared, biases, HOLED, stream(0).rows(4))
    np.testing.assert_array_equal(*exact)
    assert exact[0, 3] == pytest.approx(0)
    known, x = step._known(HOLED), step.inputs(HOLED)
    rows = step._rows(shared, biases, x, stream(1).rows(4), known)
    wanted = step._log_partition(rows, 60, 50, 30)[0]
    chains, rng = step._chains(rows, 50)
    sides, state = chains.log_Z(rng, 61, 30)
    np.testing.assert_allclose(sides, [wanted, wanted], atol=0.1)
    assert step._joined(state.x).shape == (4 * 50, step.n_inputs)
    one, _ = chains.log_Z(rng, 61, 0)
    np.testing.assert_array_equal(one, [sides[0], sides[0]])
    monkeypatch.setattr("skdgm.recurrent._rbm_step._MAX_ENUMERATED", 1)
    step.n_betas = 60
    found = step.bracket(shared, biases, HOLED, stream(0).rows(4))
    np.testing.assert_allclose(found, exact, atol=0.25)
    watched = step.watched(shared, biases, HOLED, stream(0).rows(4))
    np.testing.assert_allclose(watched, -exact[0], atol=0.4)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_unknown_entries_have_the_moments_given_the_others(kind, exact, monkeypatch):
    """Draws, exact and annealed, and means, beside integrals over the free column."""
    step, shared, biases = machine(kind)
    n, row = 20_000, np.array([[np.nan, 1.0]])
    values = np.arange(3.0 if kind == "categorical" else 2)
    if kind == "gaussian":
        values = np.linspace(-12, 12, 2001)
    every = np.column_stack([values, np.ones(len(values))])
    one = biases.take([0])
    p = logsumexp(energies(step, shared, one.take([0] * len(values)), every), axis=1)
    p = np.exp(p - logsumexp(p))
    mean = p @ step.inputs(every)
    if not exact:
        monkeypatch.setattr("skdgm.recurrent._rbm_step._MAX_ENUMERATED", 1)
        step.n_betas = 60
    known, many = step._known(row).repeat(n, 0), one.take([0] * n)
    x = step.inputs(row).repeat(n, 0)
    rows = step._rows(shared, many, x, stream(2).rows(n), known)
    drawn, free = step._completed(rows), ~known[0]
    size = 5 * drawn.std(axis=0) / n**0.5 + 1e-9 + 0.01 * (not exact)
    assert (abs(drawn.mean(axis=0) - mean) < size)[free].all()
    np.testing.assert_array_equal(drawn[known], x[known])
    means = step._expected(rows)
    np.testing.assert_allclose(means.mean(axis=0), mean, atol=1e-6 if exact else 0.05)
    np.testing.assert_array_equal(means[known], x[known])


def test_estimates_of_both_sides():
    high, low = np.array([1.0, 3.0, 2.5]), np.array([0.5, 1.9, 1.5])
    np.testing.assert_allclose(combined(high, low), [0.75, 1.9, 2.0])
    np.testing.assert_allclose(combined(low, high), [0.75, 1.9, 2.0])


def test_rows_on_which_both_sides_disagree_get_more_temperatures(monkeypatch):
    step, shared, biases = machine("bernoulli")
    step.n_betas, asked = 8, []
    rows_of = {2: [0, 1, 2, 3], 8: [1, 3], 32: [1, 3], 128: [3]}
    gaps = {2: [0, 0.26, 0.25, 9], 8: [0.3, 9], 32: [0.9, 1.1], 128: [3.0]}

    def scored(self, rows, v, n_betas, n_chains):
        asked.append((n_betas, len(v)))
        np.testing.assert_array_equal(rows.base[0], known[rows_of[n_betas]])
        return np.array([gaps[n_betas], np.zeros(len(v))])

    known = biases.visible
    monkeypatch.setattr(RBMStep, "_scored", scored)
    found = step.bracket(shared, biases, HOLED, stream(0).rows(4))
    assert asked == [(2, 4), (8, 2), (32, 2), (128, 1)]
    np.testing.assert_allclose(found, [[0, 0.9, 0.25, 3], [0, 0, 0, 0]])


@pytest.mark.parametrize("cell", ["tanh", "gru"])
@pytest.mark.parametrize("resampled", [True, False])
def test_estimates_of_all_sequences_add_up(cell, resampled):
    """Likelihoods by particles are unbiased, also where these are drawn anew."""
    density = fitted_vrnn(1, size=1.2, cell=cell).density_
    states = [list(pair) for pair in product([0, 1], repeat=2)]
    every, totals = np.array(list(product(states, repeat=3)), float), []
    for seed in range(4):
        own = density.with_particles(100, resampled)
        # By the prior weights are bounded, and the estimate is near its mean.
        own.seed, own.blind = seed, True
        log_p = own.log_prob(every.reshape(-1, 2), np.full(64, 3)).reshape(64, 3)
        totals.append(np.exp(log_p.sum(axis=1)).sum())
    assert abs(np.mean(totals) - 1) < 0.05


def test_particles_drawn_anew_are_as_many_as_their_weights():
    k, rng = 8, np.random.default_rng(0)
    # Effective numbers of 8, 4, and less: only the last is below half.
    w = np.array([[1] * 8, [1] * 4 + [0] * 4, [0.31, 0.5, 0, 0.19, 0, 0, 0, 0]])
    log_w = np.log(np.maximum(w / w.sum(axis=1, keepdims=True), 1e-30))
    states = rng.normal(size=(3 * k, 3))
    counts = np.zeros(k)
    for seed in range(400):
        found, after = _resampled(states, log_w, stream(seed).rows(3))
        np.testing.assert_array_equal(found[: 2 * k], states[: 2 * k])
        np.testing.assert_array_equal(after[:2], log_w[:2])
        np.testing.assert_allclose(after[2], -np.log(k))
        copies = (found[2 * k :, None] == states[2 * k :]).all(axis=2).sum(axis=0)
        assert (abs(copies - k * w[2]) < 1).all()
        counts += copies / 400
    np.testing.assert_allclose(counts, k * w[2], atol=0.1)


def test_the_filter_starts_with_equal_weights_and_means_are_weighted():
    density = fitted_vrnn(n_draws=5).density_
    state = density.begin(2)
    np.testing.assert_allclose(state[:, -5:], -np.log(5))
    np.testing.assert_allclose(
        state[:, :3], np.tile(density.net.begin(density.params, 1), (2, 1))
    )
    v, batch, rng = HOLED[:2].copy(), SimpleNamespace(sizes=[2]), stream(0).rows(2)
    ((_, own, after),) = density._steps(v, batch, rng, state.copy())
    np.testing.assert_allclose(np.exp(own.log_w).sum(axis=1), 1)
    total = own.log_p - own.kl - np.log(5)
    np.testing.assert_allclose(own.gain, logsumexp(total, axis=1))
    found, last = density.hidden(v, batch, rng, state.copy())
    units = after.reshape(2, 5, -1)
    np.testing.assert_allclose(
        found, (np.exp(own.log_w)[..., None] * units).sum(axis=1)
    )
    np.testing.assert_allclose(last, np.c_[units.reshape(2, -1), own.log_w])
    # Where nothing is known, units are drawn by the prior: nothing is gained.
    ((_, own, _),) = density._steps(
        HOLED[3:], SimpleNamespace(sizes=[1]), rng.take([0]), density.begin(1)
    )
    np.testing.assert_allclose(own.kl, 0, atol=1e-12)
    np.testing.assert_allclose(own.gain, 0, atol=1e-12)
