r"""Conditional log densities of single real units, the pseudo-likelihood's terms.

.. math:: \log p(v_i \mid v_{-i}) = \log \tilde p(v) - \log \int \tilde p(u, v_{-i}) \,
   \mathrm{d}u, \qquad \tilde p(v) \propto \sum_h e^{-E(v, h)}

As a function of u, :math:`\tilde p(u, v_{-i})` is a mixture of normal distributions
with a common precision. The means lie between :math:`b_i` plus the sum of the negative
:math:`W_{ij}` and :math:`b_i` plus the sum of the positive ones. Equidistant points 1.4
standard deviations apart integrate it to a relative error of 1e-4.
"""

from functools import partial

import numpy as np
from scipy.special import logsumexp

from skdgm.energies import plain

# Distance between points, and margin beyond the outermost means, in standard deviations
# of a component.
_STEP, _TAIL = 1.4, 5.0
# Number of points above which weights are taken to have diverged.
_MANY = 10_000


def log_densities(energy, params, x, units, block=0):
    r"""Conditional log densities of real units given all others, in nats.

    .. math:: \log p(v_i \mid v_{-i}) = \log \tilde p(v) - \log \int \tilde p(u, v_{-i})
       \, \mathrm{d}u

    Parameters
    ----------
    energy : Energy
        Energy of the model.
    params : Params
        Its parameters.
    x : tuple
        Values of all colours but the last, which is summed out.
    units : ndarray of int, shape (n_rows, n_units), or None
        Indices of the units of each row; None for all units of the block.
    block : int, default=0
        Index of the block in the bottom layer that the units belong to.

    Returns
    -------
    log_p : ndarray of shape (n_rows, n_units), float64
        NaN for units whose weights have diverged.
    """
    v, own = np.asarray(x[block]), params.units[block]
    eta, matrices = energy.units[block].field(own), plain(params).couplings
    above = [
        (matrices[link], other, energy.received(params, x, other))
        for link, other, _ in energy.neighbours(block)
    ]
    columns = np.arange(v.shape[1])[:, None] if units is None else units.T
    log_p, rows = np.empty((len(v), len(columns))), np.arange(len(v))
    for number, i in enumerate(columns):
        i = np.broadcast_to(i, len(v))
        line = partial(_log_weight, energy, params, above, v[rows, i], eta, i)
        points = _points(above, own, eta, i)
        if points is None:
            log_p[:, number] = np.nan
            continue
        area = logsumexp(np.stack([line(u) for u in points.T], axis=1), axis=1)
        area += np.log(points[:, 1] - points[:, 0])
        log_p[:, number] = line(v[rows, i]) - area
    return log_p


def _log_weight(energy, params, above, value, eta, i, u):
    """Log unnormalised probability of each row with u as the value of its unit i, up to
    terms that do not depend on u."""
    theta, precision = eta.theta[i], eta.precision[i]
    total = theta * u - 0.5 * precision * u**2
    for W, other, received in above:
        moved = received + (precision * (u - value))[:, None] * W[i]
        field = energy.field(params, other, moved)
        total = total + energy.units[other].log_partition(field)
    return total


def _points(above, own, eta, i):
    """Integration points for the conditional density of unit i of each row; None if
    weights have diverged."""
    low = high = own.mean[i].astype(np.float64)
    for W, _, _ in above:
        low = low + np.minimum(W[i], 0.0).sum(axis=1)
        high = high + np.maximum(W[i], 0.0).sum(axis=1)
    broad = 1.0 / np.sqrt(eta.precision[i].astype(np.float64))
    low, high = low - _TAIL * broad, high + _TAIL * broad
    n_steps = np.ceil(((high - low) / (_STEP * broad)).max())
    if not n_steps < _MANY:
        return None
    return np.linspace(low, high, int(n_steps) + 1, axis=1)
