"""Proposals by moments of weighted draws, and pools of draws, by hand."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import multivariate_normal

from skdgm.latent import adapting
from skdgm.latent.adapting import BitProposal, NormalProposal, Pool, adapted
from skdgm.latent.weighing import Draws, _first, _Weighing
from skdgm.utils.random import stream
from tests.numerical import assert_means

RNG = np.random.default_rng(0)
N = 20_000


@pytest.mark.parametrize("most", [64, 1])
def test_normal_proposals_have_the_moments(most, monkeypatch):
    monkeypatch.setattr(adapting, "_CORRELATED", most)
    z = RNG.normal(size=(2, 400, 3)) @ RNG.normal(size=(3, 3)) + 2
    w = RNG.random((2, 400))
    w /= w.sum(axis=1, keepdims=True)
    found = NormalProposal.fitted(z, w)
    drawn = found.draw(stream(0).rows(2), N)
    assert drawn.shape == (2, N, 3)
    for row in range(2):
        mean, S = w[row] @ z[row], np.cov(z[row].T, aweights=w[row], ddof=0)
        kept = 1 / (1 + 1.5 * (w[row] ** 2).sum()) if most == 64 else 0
        S = 1.2 * np.where(np.eye(3), S, kept * S) + 1e-4 * np.eye(3)
        np.testing.assert_allclose(found.mean[row], mean)
        exact = multivariate_normal(mean, S)
        np.testing.assert_allclose(found.log_prob(z)[row], exact.logpdf(z[row]))
        assert_means(drawn[row], mean)
        np.testing.assert_allclose(np.cov(drawn[row].T), S, atol=0.05 * S.max())
    np.testing.assert_array_equal(found.take([1]).mean, found.mean[[1]])


def test_bit_proposals_have_the_means():
    z = (RNG.random((2, 50, 4)) < 0.4).astype(float)
    z[:, :, 3] = 1
    w = np.full((2, 50), 1 / 50)
    found = BitProposal.fitted(z, w)
    p = z.mean(axis=1).clip(0.05, 0.95)
    np.testing.assert_allclose(expit(found.odds), p)
    drawn = found.draw(stream(0).rows(2), N)
    log_p = np.log(np.where(z == 1, p[:, None], 1 - p[:, None])).sum(axis=2)
    np.testing.assert_allclose(found.log_prob(z), log_p)
    for row in range(2):
        assert_means(drawn[row], p[row])


def pool(n, seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(2, n, 1))
    return Pool(z, *rng.normal(size=(2, 2, n)), np.full(2, float(n)))


def test_pools_keep_draws_of_most_weight():
    one, other = pool(3, 0), pool(4, 1)
    both = one.joined(other, 10)
    assert both.z.shape == (2, 7, 1)
    few = one.joined(other, 4)
    np.testing.assert_array_equal(few.number, [7, 7])
    for row in range(2):
        weight = (both.log_p - both.log_mix)[row]
        best = np.argsort(-weight)[:4]
        np.testing.assert_allclose((few.log_p - few.log_mix)[row], weight[best])
        np.testing.assert_array_equal(few.z[row], both.z[row, best])


def test_draws_of_encoder_and_prior_are_pooled_with_their_densities():
    def log_p(z):
        return -((z[..., 0] - 1) ** 2)

    def log_prior(z):
        return -0.5 * z[..., 0] ** 2

    def gap(z):
        return -0.3 * z[..., 0]

    def draw(index, rng, counts, proposal=None, with_plausibility=False):
        n = sum(counts)
        z = rng.normal(n).reshape(-1, n, 1)
        return Draws(z, log_p(z), log_prior(z), gap(z), z), np.full(
            (len(index), 2), 9.0
        )

    found = _Weighing(3, "mean")
    own = _first(draw, 3, stream(0).rows(3), 100, found)
    np.testing.assert_array_equal(own.number, 100)
    np.testing.assert_allclose(own.log_p, log_p(own.z) + log_prior(own.z))
    mix = np.log(0.5 * np.exp(gap(own.z)) + 0.5) + log_prior(own.z)
    np.testing.assert_allclose(own.log_mix, mix)


def test_proposals_move_to_where_rows_are():
    target = np.array([[0.0], [6.0]])

    def log_joint(z, index):
        return -0.5 * ((z[..., 0] - target[index]) / 0.2) ** 2

    def draw(index, proposal, number):
        z = proposal.draw(stream(number).rows(len(index)), 40)
        return z, log_joint(z, index)

    z = RNG.normal(size=(2, 80, 1))
    log_mix = -0.5 * z[..., 0] ** 2 - 0.5 * np.log(2 * np.pi)
    given = Pool(z, log_joint(z, np.arange(2)), log_mix, np.full(2, 80.0))
    found = adapted(NormalProposal, given, draw, 40, 40)
    np.testing.assert_allclose(found.mean, target, atol=0.2)
    size = found.factor[:, 0, 0]
    assert ((size > 0.15) & (size < 0.5)).all()
