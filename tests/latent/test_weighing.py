"""Rows filled by weighted draws."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from skdgm.latent.adapting import BitProposal, NormalProposal
from skdgm.latent.weighing import Draws, by_enough
from skdgm.utils.random import stream
from tests.numerical import assert_means

N_ROWS, N_UNITS = 3, 8


def test_draws_without_weight_have_a_plain_mean_and_do_not_count():
    def draw(index, rng, counts, proposal=None, with_plausibility=False):
        log_p = np.full((len(index), sum(counts)), -np.inf)
        log_p[index == 1] = 0
        value = np.where(log_p[..., None] == 0, 2.0, 0.5)
        z, flat = np.zeros((*log_p.shape, 1)), np.zeros(log_p.shape)
        return Draws(z, log_p, flat, flat, value), np.ones((len(index), 2))

    how = 2, stream(0).rows(2), 100, "mean", NormalProposal
    found = by_enough(draw, *how)
    np.testing.assert_allclose(found.value[:, 0], [0.5, 2])
    assert found.number[0] == 0
    assert found.number[1] >= 25


def normal():
    """Rows seen through a linear map with little noise: draws of the prior, log p(z),
    log p(x | z), and means given the rows."""
    rng = np.random.default_rng(0)
    A = rng.normal(size=(N_UNITS, N_UNITS - 2))
    x = rng.normal(size=(N_ROWS, N_UNITS)) @ A + 3
    gain = np.linalg.inv(A.T @ A + 0.09 * np.eye(A.shape[1]))

    def log_p(z, index):
        return norm.logpdf(x[index, None], z @ A, 0.3).sum(axis=2)

    return _normal, _log_normal, log_p, x @ gain @ A.T, NormalProposal


def _normal(rng, n):
    return rng.normal(n * N_UNITS).reshape(-1, n, N_UNITS)


def _log_normal(z):
    return norm.logpdf(z).sum(axis=2)


def bits():
    """Independent bits, rare but for what is seen."""
    odds = np.array([[-4.0] * N_UNITS, [-3, -4] * (N_UNITS // 2), [-3] * N_UNITS])
    seen = np.tile([4.5] * (N_UNITS - 1) + [3], (N_ROWS, 1))

    def draw(rng, n):
        u = rng.uniform(n * N_UNITS).reshape(-1, n, N_UNITS)
        return (u < expit(odds[:, None].mean())).astype(float)

    def log_prior(z):
        return z.sum(axis=2) * odds.mean() - N_UNITS * np.log1p(np.exp(odds.mean()))

    def log_p(z, index):
        return (z * (seen + odds - odds.mean())[index, None]).sum(axis=2)

    return draw, log_prior, log_p, expit(seen + odds), BitProposal


@pytest.mark.parametrize("method", ["mean", "sample"])
@pytest.mark.parametrize("case", [normal, bits])
def test_proposals_adapt_to_rows_that_are_improbable(case, method):
    prior, log_prior, log_p, mean, kind = case()
    number, n_each = [], 20

    def draw(index, rng, counts, proposal=None, with_plausibility=False):
        n = sum(counts[:2])
        parts = [prior(rng, n)] if n else []
        if counts[2]:
            parts.append(proposal.draw(rng.fold(1), counts[2]))
        z = np.concatenate(parts, axis=1)
        number.append(len(index) * z.shape[1])
        terms = log_p(z, index // n_each), log_prior(z), np.zeros(z.shape[:2])
        return Draws(z, *terms, z), np.full((len(index), 2), [0.0, n])

    n_rows = N_ROWS * n_each
    how = draw, n_rows, stream(0).rows(n_rows), 100, method
    found = by_enough(*how, kind)
    assert np.median(found.number) > 25
    assert sum(number) < 2500 * n_rows
    for row, value in zip(mean, found.value.reshape(N_ROWS, n_each, -1)):
        assert_means(value, row)
    assert np.median(by_enough(*how, None).number) < 10
