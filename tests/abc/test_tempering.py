"""Draws from a prior times a likelihood: modes, moments, and the integral."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from skdgm.abc._priors import Priors
from skdgm.abc._tempering import ParticleMixture, TemperedParticles

N = 4000


def sampled(log_likelihood, priors, seed=0, n=N):
    """Final particles."""

    def possible(log_prior, theta):
        log_p = np.full(len(theta), -np.inf)
        log_p[log_prior > -np.inf] = log_likelihood(theta[log_prior > -np.inf])
        return log_p

    source = np.random.RandomState(seed)
    particles = TemperedParticles(possible, Priors(priors), n, source)
    while particles.power < 1:
        particles.step()
    return particles


@pytest.mark.parametrize(
    "width, scale", [(1, (0.02, 0.05)), (2, (0.02, 0.05)), (5, (0.1, 0.1))]
)
def test_modes_have_their_masses(width, scale):
    """The likelihood is a mixture of two distant, narrow normal distributions. In few
    dimensions, one is narrower: in many, it would lose its particles at small powers,
    at which it has no mass."""
    weight, scale = np.array([0.3, 0.7]), np.array(scale)
    mean = np.outer([-2.0, 1.0], np.ones(width))

    def log_likelihood(theta):
        parts = [
            np.log(w) + stats.norm(m, s).logpdf(theta).sum(axis=1)
            for w, m, s in zip(weight, mean, scale)
        ]
        return logsumexp(parts, axis=0)

    found = [
        sampled(log_likelihood, [stats.norm(0, 3)] * width, seed) for seed in range(4)
    ]
    # The products of normal densities and their integrals.
    total = np.sqrt(scale**2 + 9)
    mass = weight * np.prod(stats.norm(0, total[:, None]).pdf(mean), axis=1)
    evidence, share = np.log(mass.sum()), mass[0] / mass.sum()
    shares = [np.mean(particles.theta[:, 0] < -0.5) for particles in found]
    assert abs(np.mean(shares) - share) < 5 * np.sqrt(share * (1 - share) / N)
    evidences = [particles.log_evidence for particles in found]
    assert abs(np.mean(evidences) - evidence) < 0.15
    theta = np.concatenate([particles.theta for particles in found])
    for k, part in enumerate((theta[theta[:, 0] < -0.5], theta[theta[:, 0] > -0.5])):
        variance = 1 / (1 / 9 + 1 / scale[k] ** 2)
        error = np.sqrt(variance / len(part))
        expected = mean[k] * variance / scale[k] ** 2
        assert (abs(part.mean(axis=0) - expected) < 6 * error).all()
        np.testing.assert_allclose(part.var(axis=0), variance, rtol=0.15)


def test_particles_stay_within_bounded_priors():
    """A wide likelihood leaves the uniform prior, beyond which nothing is drawn."""
    found = sampled(
        lambda theta: stats.norm(0.9, 0.5).logpdf(theta).sum(axis=1),
        [stats.uniform(-1, 2)] * 4,
    ).theta
    assert (abs(found) <= 1).all()
    exact = stats.truncnorm(-1.9 / 0.5, 0.1 / 0.5, 0.9, 0.5)
    error = exact.std() / np.sqrt(N)
    assert (abs(found.mean(axis=0) - exact.mean()) < 5 * error).all()
    np.testing.assert_allclose(found.std(axis=0), exact.std(), rtol=0.08)


def test_proposals_have_their_density():
    """The mean ratio of densities of the mixture and a normal distribution is one."""
    theta = np.random.default_rng(0).gamma(2.0, 1.0, (3000, 2))
    source = np.random.RandomState(0)
    mixture = ParticleMixture.of(theta, source)
    drawn = mixture.draw(20_000, source)
    log_scale = np.log(mixture.scale).sum()
    broad = stats.norm(theta.mean(axis=0), 0.5 * theta.std(axis=0))
    log_ratio = broad.logpdf(drawn).sum(axis=1) - mixture.log_prob(drawn) + log_scale
    ratio = np.exp(log_ratio)
    assert abs(ratio.mean() - 1) < 5 * ratio.std() / np.sqrt(len(ratio))


@pytest.mark.parametrize("n", [1000, 1001])
@pytest.mark.parametrize("prior", [stats.expon(), stats.norm()])
def test_a_flat_likelihood_keeps_the_prior(prior, n):
    """Mixtures that are fitted to the particles do not draw them together."""
    width, ratios, gaps = 5, [], []
    for seed in range(12):
        found = sampled(lambda theta: np.zeros(len(theta)), [prior] * width, seed, n)
        ratios.append((found.theta.var(axis=0) / prior.var()).mean())
        gaps.append((found.theta.mean() - prior.mean()) / prior.std())
        assert abs(found.log_evidence) < 1e-9
    for values, expected in (ratios, 1), (gaps, 0):
        error = np.std(values) / np.sqrt(len(values))
        assert abs(np.mean(values) - expected) < 5 * error + 0.02


def test_many_parameters_and_one_particle():
    """Mixtures of particles in a subspace are not used."""
    found = sampled(
        lambda theta: np.where(theta[:, 0] < -1.9, 0.0, -np.inf), [stats.norm()] * 60
    )
    assert (found.theta[:, 0] < -1.9).all()
    x = np.random.default_rng(0).normal(size=(500, 60))
    x[:, 1] = x[:, 0]
    assert ParticleMixture.of(x, np.random.RandomState(0)) is None
    sampled(lambda theta: -(theta[:, 0] ** 2), [stats.norm()], n=1)


@pytest.mark.parametrize("width", [1, 3])
def test_equal_particles_have_no_mixture(width):
    assert ParticleMixture.of(np.ones((50, width)), np.random.RandomState(0)) is None
