r"""Gibbs steps of pairs of a spike and a slab, given the observed entries of rows.

A pair is drawn from its exact distribution given all others, which is that of
:mod:`skdgm.directed._spike_slab` with the products of the others, :math:`h_k s_k`, in
place of their means. Chains begin at the prior, and precisions of the columns rise to
their own, so that chains may come to different modes of the posterior.
"""

import numpy as np
from scipy.special import expit

from skdgm.utils import addresses

# Independent chains of a row, of which the spread gives a standard error.
N_CHAINS = 10
_ON, _SLAB = addresses.SPIKE_SLAB_GIBBS


def swept(params, v, rng, n_annealed, n_kept):
    """Products of chains of rows v, NaN where missing, with a stream for each, after
    sweeps in which precisions rise, and further sweeps; and averages over the latter of
    the means of each product given the others. Each (n_rows, n_components)."""
    W, c, b, mu, alpha, beta = params
    weighted, across, seen = W * beta[:, None], np.ascontiguousarray(W.T), ~np.isnan(v)
    rest, scale = np.where(seen, v - c, 0.0), seen @ (W * weighted)
    u, total = np.zeros((2, len(v), len(b)))
    for t in range(n_annealed + n_kept):
        share, now = min(1.0, ((t + 1) / n_annealed) ** 2), rng.fold(t)
        on, noise = now.fold(_ON).uniform(len(b)), now.fold(_SLAB).normal(len(b))
        for i in range(len(b)):
            a = alpha[i] + share * scale[:, i]
            field = share * (rest @ weighted[:, i] + scale[:, i] * u[:, i])
            m = (field + alpha[i] * mu[i]) / a
            odds = a * m**2 - alpha[i] * mu[i] ** 2 + np.log(alpha[i] / a)
            g = expit(b[i] + 0.5 * odds)
            new = (on[:, i] < g) * (m + noise[:, i] / np.sqrt(a))
            rest -= np.multiply.outer(new - u[:, i], across[i]) * seen
            u[:, i] = new
            if t >= n_annealed:
                total[:, i] += g * m
    return u, total / max(n_kept, 1)


def averaged(params, v, rng, n_steps):
    """Means of the products of rows over chains of ``n_steps`` sweeps after as many of
    annealing, (n_rows, n_components); and root mean square standard errors of the
    means of the missing entries, relative to the deviations of these, (n_rows,)."""
    v_each = np.repeat(v, N_CHAINS, axis=0)
    u, mean = swept(params, v_each, rng.each(N_CHAINS), n_steps, n_steps)
    u, mean = (draws.reshape(len(v), N_CHAINS, -1) for draws in (u, mean))
    missing = np.isnan(v)
    between, whole = ((draws @ params.W.T).var(axis=1, ddof=1) for draws in (mean, u))
    between = (between * missing).sum(axis=1) / N_CHAINS
    whole = ((whole + 1 / params.beta) * missing).sum(axis=1)
    return mean.mean(axis=1), np.sqrt(between / whole)
