"""Bounds by several particles: gradients, and means over draws, beside sums over all
sequences and filters of very many particles."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp

from skdgm import VRNN
from skdgm.nets import pick_sorted, vjp
from skdgm.optim import Clock
from skdgm.options import SequenceBound
from skdgm.recurrent._particle_bound import (
    ParticleBound,
    ParticleNoise,
    Particles,
    ancestors_of,
)
from skdgm.training import segments
from skdgm.utils.random import stream
from tests.numerical import assert_gradient
from tests.recurrent.test_objectives import PARTS, run
from tests.recurrent.test_vrnn import fitted, widened

KINDS = ["elbo", "iwae", "fivo"]
SIZES = np.array([3, 2, 2, 1])


def noise_of(rng, n_rows, k, n_latent):
    uniform = rng.random((n_rows, 1))
    return ParticleNoise(rng.normal(size=(n_rows * k, n_latent)), uniform)


def n_resampled(bound, net, params, v, noise):
    """Number of rows whose particles are resampled before them."""
    found, particles, first = 0, None, 0
    for size in SIZES:
        part, each = (slice(f * first, f * (first + size)) for f in (1, 4))
        own = ParticleNoise(noise.normal[each], noise.uniform[part])
        if particles is not None:
            log_w = particles.log_w[:size]
            particles = Particles(particles.states[: size * 4], log_w)
            found += len(ancestors_of(log_w, lambda few, own=own: own.uniform[few])[0])
        one = np.array([size])
        _, particles = bound.losses(net, params, v[part], one, own, particles, 1.0)
        first += size
    return found


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_slopes_are_differences(kind, cell, beta):
    """With fixed noise, and hence fixed ancestors, which are constants."""
    model = fitted(2, size=1.0, cell=cell)
    net, params = model.density_.net, model._training.params
    rng = np.random.default_rng(0)
    v, noise = rng.integers(0, 2, (8, 2)) * 1.0, noise_of(rng, 8, 4, 2)
    v[3, 1] = np.nan
    weight, bound = rng.random(8), ParticleBound(kind, 4)
    if kind == "fivo":
        assert n_resampled(bound, net, params, v, noise)

    def loss(params):
        return bound.losses(net, params, v, SIZES, noise, None, beta)[0]

    _, found = vjp(loss, params, lambda _: weight)
    assert_gradient(lambda p: weight @ loss(p), params, found)


def test_rows_that_are_picked_several_times_have_the_sum_of_the_gradients():
    x, rng = np.arange(12.0).reshape(4, 3), np.random.default_rng(0)
    index, grad = np.array([0, 0, 2, 3, 3, 3]), rng.normal(size=(6, 3))
    _, found = vjp(lambda x: pick_sorted(x, index), x, lambda _: grad)
    expected = np.zeros((4, 3))
    np.add.at(expected, index, grad)
    np.testing.assert_allclose(found, expected)
    np.testing.assert_array_equal(pick_sorted(x, index), x[index])


def losses_of(model, bound, sequences, seed=0):
    """Losses of sequences of equal lengths, (n_sequences, n_steps)."""
    n, n_steps = sequences.shape[:2]
    net, params = model.density_.net, model._training.params
    v = sequences.swapaxes(0, 1).reshape(n * n_steps, -1)
    rng = np.random.default_rng(seed)
    noise = noise_of(rng, len(v), bound.n_particles, net.n_latent)
    sizes = np.full(n_steps, n)
    losses, _ = bound.losses(net, params, v, sizes, noise, None, 1.0)
    return losses.reshape(n_steps, n).T


@pytest.mark.parametrize("kind", ["iwae", "fivo"])
def test_estimates_are_unbiased(kind):
    """Their logs are therefore lower bounds: the sum over all 64 sequences is 1."""
    model = widened(fitted(1, cell="gru"))
    # Weights are bounded, but vary enough for resampling.
    model._training.params.encoder[1].W[:] *= 0.3
    model._training.params.decoder[1].W[:] *= 4
    states = [list(pair) for pair in product([0, 1], repeat=2)]
    every, n = np.array(list(product(states, repeat=3)), float), 1600
    losses = losses_of(model, ParticleBound(kind, 4), np.repeat(every, n, axis=0))
    p = np.exp(-losses.sum(axis=1)).reshape(64, n)
    total, se = p.mean(axis=1).sum(), np.sqrt((p.var(axis=1) / n).sum())
    assert se < 0.01
    assert abs(total - 1) < 4 * se
    # Each likelihood is that of a filter of very many particles.
    X, lengths = every.reshape(-1, 2), np.full(64, 3)
    model.set_params(n_draws=3000)
    exact = model.score_samples(X, lengths=lengths).reshape(64, 3).sum(axis=1)
    gap = p.mean(axis=1) - np.exp(exact)
    assert (abs(gap) < 5 * p.std(axis=1) / n**0.5 + 0.02 * np.exp(exact)).all()
    many = losses_of(model, ParticleBound(kind, 1000), every)
    np.testing.assert_allclose(-many.sum(axis=1), exact, atol=0.15)


def test_bounds_are_tighter_with_more_particles_and_with_resampling():
    model = widened(fitted(1, size=1.2, cell="gru"))
    rng = np.random.default_rng(3)
    sequences = rng.integers(0, 2, (600, 30, 2)) * 1.0
    found = {}
    for kind, k in ("elbo", 1), ("iwae", 5), ("fivo", 5), ("fivo", 50):
        bound = ParticleBound(kind, k)
        found[kind, k] = -losses_of(model, bound, sequences).sum(axis=1).mean()
    elbo, iwae, filtered, many = found.values()
    assert elbo < iwae < filtered < many


def test_a_single_particle_has_the_evidence_lower_bound():
    model = fitted(1, size=1.0)
    rng = np.random.default_rng(4)
    sequences = rng.integers(0, 2, (50, 4, 2)) * 1.0
    bounds = [ParticleBound(kind, 1) for kind in ("iwae", "fivo")]
    one, two = (losses_of(model, bound, sequences) for bound in bounds)
    np.testing.assert_array_equal(one, two)
    net, params = model.density_.net, model._training.params
    v = sequences.swapaxes(0, 1).reshape(200, 2)
    noise = noise_of(np.random.default_rng(0), 200, 1, 1).normal
    trail = net.trail(params, v, noise, np.full(4, 50), net.begin(params, 50))
    log_p = net.output.nll(trail.out, v, params.dispersion)
    expected = log_p + net.gap(trail.stats, trail.prior, noise, trail.z)
    np.testing.assert_allclose(one, expected.reshape(4, 50).T)
    exact = losses_of(model, ParticleBound("elbo", 1), sequences)
    expected = log_p + trail.divergence
    np.testing.assert_allclose(exact, expected.reshape(4, 50).T)


@pytest.mark.parametrize("kind", KINDS)
def test_particles_are_carried_from_segment_to_segment(kind):
    objective = SequenceBound(kind, n_importance=3)
    model = VRNN(2, n_hidden=4, n_recurrent=4, n_iter=1, objective=objective)
    objective, table, state = run(model.set_params(random_state=0).fit(PARTS))
    bound, net, params = objective.particles, objective.net, state.params
    (whole,) = segments(table.rows, [np.arange(4)])
    v, _, noise, _ = objective.prepare(state, whole, Clock(2, 10, 0, 1))
    assert noise.normal.shape == (3 * 34, 2)
    at_once, last = bound.losses(net, params, v, whole.sizes, noise, None, 1.0)
    rows, particles, parts = 0, None, []
    for sizes in whole.sizes[:5], whole.sizes[5:]:
        part = slice(rows, rows + sizes.sum())
        each = slice(3 * part.start, 3 * part.stop)
        own = ParticleNoise(noise.normal[each], noise.uniform[part])
        losses, particles = bound.losses(
            net, params, v[part], sizes, own, particles, 1.0
        )
        parts.append(losses)
        rows = part.stop
    np.testing.assert_array_equal(np.concatenate(parts), at_once)
    np.testing.assert_array_equal(particles.states, last.states)
    # Monitoring adds up bounds of whole sequences.
    found = objective.losses(state, np.arange(4), stream(0))
    assert found.shape == (4,)
    assert np.isfinite(found).all()
    if kind != "elbo":
        np.testing.assert_allclose(logsumexp(last.log_w, axis=1), 0, atol=1e-12)


def test_monitored_losses_are_those_of_scores():
    rng = np.random.default_rng(5)
    parts = [(rng.random((n, 3)) < 0.4) * 1.0 for n in (7, 12, 3, 12) * 40]
    objective = SequenceBound("fivo", n_importance=10)
    model = VRNN(2, n_hidden=4, n_recurrent=4, n_iter=2, objective=objective)
    model.set_params(random_state=0, n_draws=10).fit(parts)
    objective, _, state = run(model, parts)
    loss = objective.losses(state, np.arange(160), stream(0)).sum() / (34 * 40)
    assert loss == pytest.approx(-model.score(parts), abs=0.02)
    assert model.loss_curve_[-1] == pytest.approx(loss, abs=0.05)
    default = VRNN(2, n_hidden=4, n_recurrent=4, n_iter=1, objective="fivo")
    assert run(default.set_params(random_state=0).fit(PARTS))[0].n_each == 5
