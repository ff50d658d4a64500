r"""Mixtures of normal distributions inside nets, as functions of their statistics.

.. math:: \log p(z) = \log \sum_k \pi_k \, \mathcal{N}(z; \mu_k, e^{s_k}), \qquad
   \pi = \operatorname{softmax}(a)

Products of all values and all components are matrix products. They are computed in
float64, because large terms cancel: :math:`-\frac12 z^2 e^{-s} + z \mu e^{-s} - \frac12
\mu^2 e^{-s}`.
"""

import numpy as np
from autograd.extend import defvjp_argnums
from scipy.special import log_softmax, softmax

from skdgm.nets.stochastic.latents import halves
from skdgm.nets.tape import primitive
from skdgm.utils.math import LOG_2PI, log_sum_exp


@primitive
def log_mixture(z, stats, logits):
    """Log density of each row of z, (n_rows,), in nats. ``stats``,
    (n_components, 2 * n_units), are the means and log variances of components, and
    ``logits``, (n_components,), are the logits of the mixing weights."""
    return log_sum_exp(_joint(z, stats, logits), axis=1).astype(z.dtype)


def _joint(z, stats, logits):
    """Log density of each row and component, (n_rows, n_components), in float64."""
    mean, s = (statistic.astype(np.float64) for statistic in halves(stats))
    z, precision = z.astype(np.float64), np.exp(-s)
    constant = -0.5 * (s + mean**2 * precision + LOG_2PI).sum(axis=1)
    constant += log_softmax(logits.astype(np.float64))
    return constant + z @ (mean * precision).T - 0.5 * (z**2 @ precision.T)


def _log_mixture_back(argnums, _, args, kwargs):
    z, stats, logits = args

    def backward(grad):
        mean, s = halves(stats)
        precision = np.exp(-s)
        # Responsibilities of components, times the gradient of each row.
        share = softmax(_joint(z, stats, logits), axis=1).astype(z.dtype)
        share *= grad[:, None]
        total = share.sum(axis=0)
        first, second = share.T @ z, share.T @ z**2
        gap = first - total[:, None] * mean
        squares = second - 2 * mean * first + total[:, None] * mean**2
        by_s = 0.5 * (precision * squares - total[:, None])
        back = (
            share @ (mean * precision) - z * (share @ precision),
            np.concatenate([precision * gap, by_s], axis=1),
            total - softmax(logits) * total.sum(),
        )
        return [back[argnum] for argnum in argnums]

    return backward


defvjp_argnums(log_mixture, _log_mixture_back)


def component(rng, logits):
    """Draw the number of a component for each stream, (n_rows,)."""
    cumulative = softmax(logits.astype(np.float64)).cumsum()
    number = np.searchsorted(cumulative, rng.uniform(1)[:, 0], side="right")
    return np.minimum(number, len(cumulative) - 1)
