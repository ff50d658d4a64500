"""Gibbs sampling of pairs of a spike and a slab, given the observed entries of rows.

A pair is drawn from its exact conditional distribution: that of
:mod:`skdgm.directed._spike_slab`, with the sampled products :math:`h_k s_k` of the
other pairs in place of their means. Chains start at the prior, and the precisions of
the columns are annealed from 0, so that chains can reach different modes of the
posterior.
"""

import numpy as np
from scipy.special import expit

from skdgm.utils import addresses

# Number of independent chains of a row; their spread determines standard errors.
N_CHAINS = 10
_ON, _SLAB = addresses.SPIKE_SLAB_GIBBS


def swept(params, v, rng, n_annealed, n_kept):
    """Run chains of rows v, NaN where missing, with a random stream for each row:
    annealed sweeps, then ``n_kept`` averaged sweeps. Returns the final products, and
    averages of their conditional means, both (n_rows, n_components)."""
    W, c, b, mu, alpha, beta = params
    weighted, across, seen = W * beta[:, None], np.ascontiguousarray(W.T), ~np.isnan(v)
    gap, scale = np.where(seen, v - c, 0.0), seen @ (W * weighted)
    u, total = np.zeros((2, len(v), len(b)))
    for t in range(n_annealed + n_kept):
        share, rng_t = min(1.0, ((t + 1) / n_annealed) ** 2), rng.fold(t)
        on, noise = rng_t.fold(_ON).uniform(len(b)), rng_t.fold(_SLAB).normal(len(b))
        for i in range(len(b)):
            a = alpha[i] + share * scale[:, i]
            field = share * (gap @ weighted[:, i] + scale[:, i] * u[:, i])
            m = (field + alpha[i] * mu[i]) / a
            odds = a * m**2 - alpha[i] * mu[i] ** 2 + np.log(alpha[i] / a)
            g = expit(b[i] + 0.5 * odds)
            new = (on[:, i] < g) * (m + noise[:, i] / np.sqrt(a))
            gap -= np.multiply.outer(new - u[:, i], across[i]) * seen
            u[:, i] = new
            if t >= n_annealed:
                total[:, i] += g * m
    return u, total / max(n_kept, 1)


def averaged(params, v, rng, n_steps):
    """Means of the products of rows over ``n_steps`` sweeps after as many annealed
    sweeps, (n_rows, n_components); and root mean square standard errors of imputed
    means, relative to posterior standard deviations, (n_rows,)."""
    v_each = np.repeat(v, N_CHAINS, axis=0)
    u, mean = swept(params, v_each, rng.each(N_CHAINS), n_steps, n_steps)
    u, mean = (draws.reshape(len(v), N_CHAINS, -1) for draws in (u, mean))
    missing = np.isnan(v)
    between, total = ((draws @ params.W.T).var(axis=1, ddof=1) for draws in (mean, u))
    between = (between * missing).sum(axis=1) / N_CHAINS
    total = ((total + 1 / params.beta) * missing).sum(axis=1)
    return mean.mean(axis=1), np.sqrt(between / total)
