"""Objectives that need no partition function: gradients, and where they agree."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logsumexp

from skdgm.distributions import Bernoulli, Gaussian
from skdgm.distributions.gaussian import Normal
from skdgm.energies import Params, layered
from skdgm.gradients.sampling_free import flips as neighbors
from skdgm.gradients.sampling_free.blocks import blocks
from skdgm.gradients.sampling_free.flips import flips, sites
from skdgm.gradients.sampling_free.noise_contrastive import noise_contrastive
from skdgm.gradients.sampling_free.scores import denoising, score_matching

RNG = np.random.default_rng(0)
N, H = 5, 3
STATES = np.array(list(product([0.0, 1.0], repeat=N)))
BITS = layered([[Bernoulli(N)], [Bernoulli(H)]])
REALS = {
    how: layered([[Gaussian(N, how)], [Bernoulli(H)]])
    for how in ("diagonal", "scalar", "fixed")
}


def params_of_bits(rng=RNG, scale=0.8):
    own = rng.normal(0, scale, N), rng.normal(0, scale, H)
    return Params(own, (rng.normal(0, scale, (N, H)),))


def log_p(params, v):
    return BITS.log_marginal(params, (v, None))


def flipped(v, i):
    v = v.copy()
    v[:, i] = 1 - v[:, i]
    return v


def gaps(params, v):
    """Log p of neighbors, less that of rows."""
    here = log_p(params, v)
    return np.stack([log_p(params, flipped(v, i)) - here for i in range(N)], axis=1)


PHI = {
    "pseudo-likelihood": (neighbors.pseudo_likelihood, lambda s: -log_expit(-s)),
    "ratio matching": (neighbors.ratio_matching, lambda s: expit(s) ** 2),
    "probability flow": (neighbors.probability_flow, lambda s: np.exp(s / 2)),
}


def flat(params):
    parts = [*params.units, *map(np.asarray, params.couplings)]
    arrays = [a for p in parts for a in (p if isinstance(p, Normal) else [p])]
    return np.concatenate([np.ravel(a) for a in arrays])


def like(vector, params):
    """Parameters of the form of others, from a vector."""
    own, c = params.units
    shapes = [a.shape for a in (own if isinstance(own, Normal) else [own])]
    shapes += [c.shape, params.couplings[0].shape]
    edges = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])[:-1]
    parts = [a.reshape(s) for a, s in zip(np.split(vector, edges), shapes)]
    *visible, c, W = parts
    own = Normal(*visible) if len(visible) == 2 else visible[0]
    return Params((own, c), (W,))


def numeric(value, params, step=1e-5):
    start = flat(params)
    grad = np.empty_like(start)
    for k in range(len(start)):
        moved = [start.copy(), start.copy()]
        moved[0][k] += step
        moved[1][k] -= step
        up, down = (value(like(vector, params)) for vector in moved)
        grad[k] = (up - down) / (2 * step)
    return grad


@pytest.mark.parametrize("name", PHI)
def test_gradients_of_neighbors(name):
    slope, phi = PHI[name]
    params, v = params_of_bits(), STATES[RNG.integers(0, 32, 6)]
    found = flips(params, v, np.arange(N), slope)
    value = lambda p: -phi(gaps(p, v)).sum(axis=1).mean()  # noqa: E731
    np.testing.assert_allclose(flat(found), numeric(value, params), atol=1e-8)


@pytest.mark.parametrize("name", PHI)
def test_parts_of_the_bits_are_unbiased(name):
    slope, _ = PHI[name]
    params, v = params_of_bits(), STATES[RNG.integers(0, 32, 6)]
    parts = [flat(flips(params, v, np.array([i]), slope)) for i in range(N)]
    whole = flat(flips(params, v, np.arange(N), slope))
    np.testing.assert_allclose(np.mean(parts, axis=0), whole, atol=1e-10)


def test_many_bits_are_drawn():
    index = sites(np.random.default_rng(0), 100, 784, 500)
    assert len(index) == 41
    assert len(set(index)) == 41
    assert list(sites(np.random.default_rng(0), 10, 64, 64)) == list(range(64))


def conditional(params, v, part):
    """Log p(v_B | rest), by enumeration of the states of the block."""
    total = []
    for state in product([0.0, 1.0], repeat=len(part)):
        other = v.copy()
        other[:, part] = state
        total.append(log_p(params, other))
    return log_p(params, v) - logsumexp(total, axis=0)


@pytest.mark.parametrize("parts", [[[0, 3], [1, 2, 4]], [[i] for i in range(N)]])
def test_gradient_of_blocks(parts):
    params, v = params_of_bits(), STATES[RNG.integers(0, 32, 6)]
    parts = [np.array(part) for part in parts]
    value = lambda p: sum(conditional(p, v, part) for part in parts).mean()  # noqa: E731
    found = flat(blocks(params, v, parts))
    np.testing.assert_allclose(found, numeric(value, params), atol=1e-8)
    if len(parts) == N:
        one = flips(params, v, np.arange(N), neighbors.pseudo_likelihood)
        np.testing.assert_allclose(found, flat(one), atol=1e-12)


def test_one_block_is_the_likelihood():
    params, v = params_of_bits(), STATES[RNG.integers(0, 32, 6)]
    value = lambda p: (log_p(p, v) - logsumexp(log_p(p, STATES))).mean()  # noqa: E731
    found = blocks(params, v, [np.arange(N)])
    np.testing.assert_allclose(flat(found), numeric(value, params), atol=1e-8)


def test_gradient_of_noise_contrastive_estimation():
    params, log_Z = params_of_bits(), 3.0
    v, u = (STATES[RNG.integers(0, 32, 6)] for _ in range(2))
    q = np.full(N, 0.3)

    def log_q(rows):
        return rows @ np.log(q) + (1 - rows) @ np.log(1 - q)

    def value(p, log_Z=log_Z):
        gains = [log_p(p, rows) - log_Z - log_q(rows) for rows in (v, u)]
        return log_expit(gains[0]).mean() + log_expit(-gains[1]).mean()

    found, of_log_Z = noise_contrastive(BITS, params, log_Z, v, u, log_q)
    np.testing.assert_allclose(flat(found), numeric(value, params), atol=1e-8)
    slope = (value(params, log_Z + 1e-5) - value(params, log_Z - 1e-5)) / 2e-5
    assert of_log_Z == pytest.approx(slope, abs=1e-8)


def scores(energy, params, v, step=1e-3):
    """Derivatives of log p* by v and their slopes, by differences."""
    psi, slope = np.empty_like(v), np.empty_like(v)
    here = energy.log_marginal(params, (v, None))
    for i in range(N):
        up, down = v.copy(), v.copy()
        up[:, i] += step
        down[:, i] -= step
        above, below = (energy.log_marginal(params, (x, None)) for x in (up, down))
        psi[:, i] = (above - below) / (2 * step)
        slope[:, i] = (above - 2 * here + below) / step**2
    return psi, slope


def params_of_reals():
    own = Normal(RNG.normal(size=N), RNG.normal(0, 0.3, N))
    return Params((own, RNG.normal(size=H)), (RNG.normal(size=(N, H)),))


@pytest.mark.parametrize("how", REALS)
def test_gradients_of_scores(how):
    energy, params, v = REALS[how], params_of_reals(), RNG.normal(size=(4, N))
    noise = RNG.normal(size=v.shape)
    unit = energy.units[0]

    def plain(p):
        psi, slope = scores(energy, p, v)
        return -(psi**2 / 2 + slope).sum(axis=1).mean()

    def noisy(p):
        psi, _ = scores(energy, p, v + 0.3 * noise)
        return -((psi + noise / 0.3) ** 2 / 2).sum(axis=1).mean()

    for found, value in (
        (score_matching(unit, params, v), plain),
        (denoising(unit, params, v, noise, 0.3), noisy),
    ):
        expected = like(numeric(value, params, 1e-3), params)
        learned = unit.learned(expected.units[0].log_precision)
        visible = expected.units[0]._replace(log_precision=learned)
        expected = Params((visible, expected.units[1]), expected.couplings)
        np.testing.assert_allclose(flat(found), flat(expected), rtol=1e-3, atol=1e-3)


def test_all_objectives_agree_where_the_model_is_right():
    """Rows weighted by a machine's probabilities: its parameters are a stationary point
    of every objective."""
    params = params_of_bits(np.random.default_rng(1))
    log_w = log_p(params, STATES)
    p = np.exp(log_w - logsumexp(log_w))
    found = {
        name: lambda v, slope=slope: flips(params, v, np.arange(N), slope)
        for name, (slope, _) in PHI.items()
    }
    found["blocks"] = lambda v: blocks(
        params, v, [np.array([0, 1]), np.array([2, 3, 4])]
    )
    for name, gradient in found.items():
        grad = sum(w * flat(gradient(v[None])) for w, v in zip(p, STATES))
        np.testing.assert_allclose(grad, 0, atol=1e-12, err_msg=name)
    # Noise and data as weighted sums of the gradients of single pairs.
    q = 1 / len(STATES)
    grad, log_Z = 0.0, logsumexp(log_w)
    log_q = lambda rows: np.full(len(rows), np.log(q))  # noqa: E731
    slope = 0.0
    for a, v in zip(p, STATES):
        part, _ = noise_contrastive(BITS, params, log_Z, v[None], v[None], log_q)
        only, of_data = noise_contrastive(
            BITS, params, log_Z, v[None], np.zeros((1, N)), log_q
        )
        none, of_noise = noise_contrastive(
            BITS, params, log_Z, np.zeros((1, N)), v[None], log_q
        )
        zero, of_zero = noise_contrastive(
            BITS, params, log_Z, np.zeros((1, N)), np.zeros((1, N)), log_q
        )
        # f(v, u) = data(v) + noise(u).
        data, noise = flat(only) - flat(zero), flat(none) - flat(zero)
        grad += a * data + q * noise
        slope += a * (of_data - of_zero) + q * (of_noise - of_zero)
        np.testing.assert_allclose(flat(part), data + noise + flat(zero), atol=1e-12)
    grad += flat(zero)
    slope += of_zero
    np.testing.assert_allclose(grad, 0, atol=1e-12)
    assert slope == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", PHI)
def test_a_visible_machine_is_found_again(name):
    """Without hidden weights the maximum is unique: that of the independent bits."""
    _, phi = PHI[name]
    params = Params((RNG.normal(size=N), np.zeros(H)), (np.zeros((N, H)),))
    log_w = log_p(params, STATES)
    p = np.exp(log_w - logsumexp(log_w))

    def loss(b):
        moved = params._replace(units=(b, params.units[1]))
        return p @ phi(gaps(moved, STATES)).sum(axis=1)

    best = minimize(loss, np.zeros(N), tol=1e-12).x
    np.testing.assert_allclose(best, params.units[0], atol=1e-3)
