"""Posteriors with auxiliary units, of which one of each is known by quadrature."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from skdgm import VAE, load, save
from skdgm.latent.auxiliary import AuxiliaryUnits
from skdgm.nets import join_columns, layers, vjp
from skdgm.optim import FlatParameters, adam
from skdgm.utils.random import stream
from skdgm.utils.tree import leaves, tree_map
from tests.numerical import assert_means, effort
from tests.options import grouped

BITS = np.array(list(product([0.0, 1.0], repeat=3)))
STEP = 0.05
LINE = np.arange(-9, 9, STEP)


def units_of(n_units, n_rows=1):
    """Units, stats of rows, and noise."""
    rng = np.random.default_rng(4)
    units = AuxiliaryUnits(layers.dense(4, "tanh"))
    own = units.link(n_units, "glorot_uniform", rng, np.float64)
    own = tree_map(lambda a: a + 0.5 * rng.normal(size=a.shape), own)
    raw = 0.5 * rng.normal(size=(n_rows, units.n_raw(n_units)))
    return units, units.stats(raw, own), rng


def net(params, value, raw):
    """Outputs of one of the nets, with one hidden layer."""
    (W, b), (V, c) = params[0], params[1]
    return np.tanh(np.c_[value, np.tile(raw, (len(value), 1))] @ W + b) @ V + c


def spread(s):
    return np.exp(6 * np.tanh(s / 12))


def normal(stats):
    """Normal distribution of means and log variances before they are bounded."""
    mean, s = np.split(stats, 2, axis=1)
    return norm(mean, spread(s))


def densities(stats):
    """log q(a), q(z | a) and r(a | z) of one unit on a grid, with a along rows."""
    (raw,), n, z = stats.raw, len(LINE), LINE[:, None]
    log_a = normal(raw[None, 2:]).logpdf(LINE)[0][:, None]
    onward = normal(raw[:2] + net(stats.link[0], z, raw)).logpdf(LINE)
    back = normal(raw[2:] + net(stats.link[1], z, raw)).logpdf(LINE).T
    assert onward.shape == back.shape == (n, n)
    return log_a, onward, back


def test_draws_are_a_mixture_by_quadrature():
    units, stats, rng = units_of(1)
    log_a, onward, back = densities(stats)
    joint = np.exp(log_a + onward) * STEP**2
    assert joint.sum() == pytest.approx(1, abs=1e-4)
    q = joint.sum(axis=0)
    z, log_q = units.drawn(stats, rng.normal(size=(20_000, 2)))
    assert_means(z, q @ LINE)
    assert_means(z**2, q @ LINE**2)
    # The mixture is neither normal nor that of a single a.
    assert_means(z**3, q @ LINE**3)
    assert abs(q @ (LINE - q @ LINE) ** 3) > 0.05
    # Mean log probability: that of q, and how far r is from what a is given z.
    assert_means(log_q, (joint * (log_a + onward - back)).sum())
    gap = (joint * (log_a + onward - back)).sum() - q @ np.log(q / STEP)
    assert gap > 0.01
    # Weights are right for any r: those of a density sum to 1.
    assert_means(np.exp(norm.logpdf(z[:, 0], 0, 0.5) - log_q), 1.0)


@pytest.mark.parametrize("n_units", [1, 3])
def test_noise_makes_given_values(n_units):
    units, stats, rng = units_of(n_units, 2)
    z = rng.normal(size=(2, n_units))
    noise = units.noise_of(z, stats, stream(0).rows(2))
    assert noise.shape == (2, 2 * n_units)
    np.testing.assert_allclose(units.draw(stats, noise), z)
    other = units.noise_of(z, stats, stream(1).rows(2))
    assert (noise != other).all()


def test_auxiliary_values_are_drawn_by_the_reverse_net():
    units, stats, _ = units_of(1)
    z = np.full((8000, 1), 0.7)
    rows = stats._replace(raw=np.repeat(stats.raw, 8000, axis=0))
    noise = units.noise_of(z, rows, stream(0).rows(8000))
    (raw,) = stats.raw
    first, back = normal(raw[None, 2:]), normal(raw[2:] + net(stats.link[1], z, raw))
    a = first.mean() + first.std() * noise[:, :1]
    assert_means(a, back.mean()[0])
    assert_means((a - back.mean()[0]) ** 2, back.var()[0])


def test_the_mean_is_that_of_the_mean_of_a():
    units, stats, _ = units_of(2, 3)
    noise = np.zeros((3, 4))
    np.testing.assert_allclose(units.mean(stats), units.draw(stats, noise))


@pytest.fixture(scope="module")
def vae():
    """A model whose parameters are far from where they began, in float64."""
    options = {"posterior": "auxiliary", "n_iter": 0, "random_state": 0}
    found = grouped(VAE, 1, 4, **options).fit(np.tile(BITS, (5, 1)))
    rng, params = np.random.default_rng(2), found._training.params
    for leaf in leaves(params):
        leaf += 0.5 * rng.normal(size=leaf.shape)
    top = params.encoders[0][-1]
    top.W[:] *= 0.3
    top.b[1] = 0.8
    return found


def exact(vae):
    """Log-likelihood of each row of bits."""
    z, density = LINE[:, None], vae.density_
    out = density.hierarchy.downwards(density.net, z)
    log_p = (BITS[:, None] * out - np.logaddexp(0, out)).sum(axis=2)
    return logsumexp(log_p + norm.logpdf(LINE) + np.log(STEP), axis=1)


def test_bounds_are_below_the_likelihood_and_reach_it(vae):
    truth = exact(vae)
    assert np.exp(truth).sum() == pytest.approx(1)
    found, se = vae.importance_likelihood(BITS, n_draws=4000, return_se=True)
    assert (abs(found - truth) <= 4 * se + 1e-6).all()
    assert (se < 0.1).all()
    assert (vae.elbo(BITS).bound < truth).all()


@pytest.mark.parametrize("sampler", ["importance", "metropolis"])
def test_missing_entries_are_filled_as_likely(vae, sampler):
    p = np.exp(exact(vae)) * (BITS[:, 0] == 1)
    rows = np.tile([1.0, np.nan, np.nan], (1500, 1))
    how = effort(sampler, 60) | {"method": "sample", "random_state": 0}
    found = vae.impute(rows, **how)
    assert_means(found[:, 1:], (p @ BITS / p.sum())[1:])
    assert_means(found[:, 1] * found[:, 2], p @ (BITS[:, 1] * BITS[:, 2]) / p.sum())


def test_files_keep_them(vae, tmp_path):
    save(vae, tmp_path / "vae")
    found = load(tmp_path / "vae")
    np.testing.assert_array_equal(found.score_samples(BITS), vae.score_samples(BITS))


@pytest.mark.exhaustive
def test_two_modes_are_learned():
    """By the gradient of the bound; the best normal distribution has one of them."""

    def target(z):
        gaps = (np.array([-1.5, 1.5]) - z) / 0.5
        parts = norm.logpdf(gaps) - np.log(0.5 * 2)
        log_p = logsumexp(parts, axis=1)
        share = np.exp(parts - log_p[:, None])
        return log_p, (share * gaps / 0.5).sum(axis=1, keepdims=True)

    rng, units = np.random.default_rng(0), AuxiliaryUnits(layers.dense(8, "tanh"))
    own = units.link(1, "glorot_uniform", rng, np.float64)
    learner, stats = (
        FlatParameters(own, adam.init(own)),
        units.stats(np.zeros((1, 4)), own),
    )

    def drawn(own, noise):
        return units.drawn(stats._replace(link=own), noise)

    for _ in range(500):
        noise, own = rng.normal(size=(200, 2)), learner.params
        slope = target(drawn(own, noise)[0])[1]

        def both(own, noise=noise):
            z, log_q = drawn(own, noise)
            return join_columns(z, log_q.reshape((-1, 1)))

        up = np.c_[slope, -np.ones(200)] / 200
        learner.step(adam, vjp(both, own, lambda _, up=up: up)[1], rate=0.02)
    z, log_q = drawn(learner.params, rng.normal(size=(4000, 2)))
    log_p, line = target(LINE[:, None])[0], LINE
    best = max(
        norm.pdf(line, *at) @ (log_p - norm.logpdf(line, *at)) * STEP
        for at in product((0, 1.5), np.arange(0.4, 2.2, 0.1))
    )
    assert best + 0.4 < (target(z)[0] - log_q).mean() < 0.05
