r"""Pseudo-likelihoods and the free-energy gap, which need no partition function.

The pseudo-likelihood of binary units is

.. math:: \mathrm{PL}(v) = \sum_i \log p(v_i \mid v_{-i})
   = \sum_i \left[v_i \Delta_i - \log(1 + e^{\Delta_i})\right], \qquad
   \Delta_i = \log \tilde p(v_i = 1, v_{-i}) - \log \tilde p(v_i = 0, v_{-i})

where :math:`\tilde p` is the unnormalized probability with the next layer summed out.
The pseudo-likelihood [1]_ is not a likelihood, but cheap enough to monitor training.

The pseudo-likelihood of real units has the terms

.. math:: \log p(v_i \mid v_{-i}) = \log \tilde p(v) - \log \int \tilde p(u, v_{-i}) \,
   \mathrm{d}u, \qquad \tilde p(v) \propto \sum_h e^{-E(v, h)}

As a function of u, :math:`\tilde p(u, v_{-i})` is a mixture of normal distributions
with the same precision. The means are between :math:`b_i` plus the sum of the negative
:math:`W_{ij}` and :math:`b_i` plus the sum of the positive :math:`W_{ij}`. Equidistant
points 1.4 standard deviations apart integrate the mixture to a relative error of 1e-4.

The free-energy gap, in which log Z cancels, increases as a model overfits its training
rows [2]_.

References
----------
.. [1] Besag (1975). Statistical analysis of non-lattice data. The Statistician.
.. [2] Hinton (2012). A practical guide to training restricted Boltzmann machines.
   Section 6.
"""

from functools import partial

import numpy as np
from scipy.special import logsumexp

from skdgm._kernels.machines.log_conditionals import (
    LIMIT,
    RealUnitArrays,
    UnitRows,
    log_density,
    log_odds,
)
from skdgm.distributions import Bernoulli, Sites
from skdgm.energies import Energy
from skdgm.energies.params import Params
from skdgm.metrics import sites
from skdgm.metrics.models import check_can
from skdgm.typing import Data
from skdgm.utils.lists import Lists
from skdgm.utils.math import softplus
from skdgm.utils.threading.parallel import run

# Distance between points, and margin outside the range of means, in standard deviations
# of a component.
_STEP, _TAIL = 1.4, 5.0
# Cost of a unit of the next layer, in multiply-adds.
_WORK = 10
# Number of points above which weights have diverged.
_MAX_POINTS = 10_000


def log_conditionals(
    energy: Energy,
    params: Params,
    x: tuple,
    units: np.ndarray | None = None,
    block: int = 0,
) -> np.ndarray:
    """Log probabilities of binary units given all others, in nats, float64.

    ``x`` are values of all colors but the last, which is summed out. ``units``,
    (n_rows, n_units), are the units of each row in a ``block`` of the bottom layer, by
    default all.
    """
    if energy.is_sitewise:
        return sites.log_conditionals(energy, params, x, units)
    if isinstance(energy.units[block], Sites):
        return sites.restricted_conditionals(energy, params, x, units)
    if units is None:
        units = np.broadcast_to(np.arange(energy.units[block].size), x[block].shape)
    v, binary = np.asarray(x[block]), isinstance(x[block], Lists) and x[block].binary
    bias = energy.units[block].field(params.units[block])
    above = []
    for link, other, _ in energy.neighbors(block):
        W = energy.couplings[link].matrix(params.couplings[link])
        field = energy.field(params, other, energy.received(params, x, other))
        above.append((W, field, energy.units[other].log_partition))
    if energy.is_binary_chain and all(abs(W).max() <= LIMIT for W, _, _ in above):
        odds = bias[units] + _log_odds(above, v, units)
        return np.take_along_axis(v, units, axis=1) * odds - softplus(odds)
    current = [total(field) for _, field, total in above] if binary else []
    log_p = np.empty(units.shape)
    for column, i in enumerate(units.T):
        value = v[np.arange(len(v)), i]
        odds = bias[i].astype(np.float64)
        for number, (W, field, total) in enumerate(above):
            if binary:
                # The weight of the current value is already known.
                change = 1 - 2 * value
                gain = total(field + change[:, None] * W[i]) - current[number]
                odds = odds + change * gain
            else:
                without_unit = field - value[:, None] * W[i]
                odds = odds + total(without_unit + W[i]) - total(without_unit)
        log_p[:, column] = value * odds - softplus(odds)
    return log_p


def _log_odds(above, v, units):
    """Log odds of units without their biases, by a kernel. ``above`` has the weights to
    and the fields of the blocks above."""
    odds = np.zeros(units.shape)
    for W, field, _ in above:
        expm1_weights, work = np.expm1(W, dtype=np.float64), _WORK * field.size
        rows = UnitRows(np.ascontiguousarray(field), v, units)
        work *= units.shape[1]
        run(log_odds, rows, W, expm1_weights, odds, n=len(v), work=work)
    return odds


def log_densities(
    energy: Energy, params: Params, x: tuple, units: np.ndarray, block: int = 0
) -> np.ndarray:
    """Log densities of real units given all others, in nats, float64; arguments as for
    :func:`log_conditionals`. NaN for units whose weights have diverged."""
    v, block_params = np.asarray(x[block]), params.units[block]
    eta = energy.units[block].field(block_params)
    above = []
    for link, other, _ in energy.neighbors(block):
        W = energy.couplings[link].matrix(params.couplings[link])
        above.append((W, other, energy.received(params, x, other)))
    if len(above) == 1 and isinstance(energy.units[above[0][1]], Bernoulli):
        (W, other, received) = above[0]
        field = energy.field(params, other, received)
        return _by_kernel(field, W, v, units, block_params, eta)
    columns = np.arange(v.shape[1])[:, None] if units is None else units.T
    log_p, rows = np.empty((len(v), len(columns))), np.arange(len(v))
    for number, i in enumerate(columns):
        i = np.broadcast_to(i, len(v))
        log_w = partial(_log_weight, energy, params, above, v[rows, i], eta, i)
        (low, high), n_steps = _range([W for W, _, _ in above], block_params, eta, i)
        if not n_steps.max() < _MAX_POINTS:
            log_p[:, number] = np.nan
            continue
        points = np.linspace(low, high, int(n_steps.max()) + 1, axis=1)
        log_area = logsumexp(np.stack([log_w(u) for u in points.T], axis=1), axis=1)
        log_area += np.log(points[:, 1] - points[:, 0])
        log_p[:, number] = log_w(v[rows, i]) - log_area
    return log_p


def _by_kernel(field, W, v, units, unit_params, eta):
    """Log densities by a kernel, given the field of the only block above, a binary
    one."""
    if units is None:
        units = np.broadcast_to(np.arange(v.shape[1]), v.shape)
    field = np.broadcast_to(field, (len(v), W.shape[1]))
    edges, n_steps = _range([W], unit_params, eta, slice(None))
    n_points = np.where(n_steps < _MAX_POINTS, n_steps, -1).astype(np.int64) + 1
    log_p = np.empty(units.shape)
    run(
        log_density,
        UnitRows._make(map(np.ascontiguousarray, (field, v, units))),
        RealUnitArrays(
            np.ascontiguousarray(W),
            eta.theta.astype(np.float64),
            eta.precision.astype(np.float64),
            edges,
            n_points,
        ),
        log_p,
        n=len(v),
        work=_WORK * field.size * units.shape[1] * n_points.max(initial=0),
    )
    return log_p


def _log_weight(energy, params, above, value, eta, i, u):
    """Log unnormalized probability of each row with the value u of its unit i, up to
    terms that do not depend on u."""
    theta, precision = eta.theta[i], eta.precision[i]
    total = theta * u - 0.5 * precision * u**2
    for W, other, received in above:
        new_received = received + (precision * (u - value))[:, None] * W[i]
        field = energy.field(params, other, new_received)
        total = total + energy.units[other].log_partition(field)
    return total


def _range(matrices, unit_params, eta, i):
    """First and last points of integrals over units, as an array, and the number of
    steps, which is NaN or large if weights have diverged."""
    low = high = unit_params.mean[i].astype(np.float64)
    for W in matrices:
        low = low + np.minimum(W[i], 0.0).sum(axis=1)
        high = high + np.maximum(W[i], 0.0).sum(axis=1)
    deviation = 1.0 / np.sqrt(eta.precision[i].astype(np.float64))
    low, high = low - _TAIL * deviation, high + _TAIL * deviation
    return np.stack([low, high]), np.ceil((high - low) / (_STEP * deviation))


def free_energy_gap(estimator: object, X_train: Data, X_valid: Data) -> float:
    r"""Mean free energy of validation rows minus that of training rows, in nats.

    .. math:: \frac1n \sum_i F(v_i^\text{valid}) - \frac1m \sum_j F(v_j^\text{train})

    Parameters
    ----------
    estimator : object
        Fitted estimator with ``free_energy``.
    X_train, X_valid : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training and held-out rows. A subsample of training rows as large as the
        validation set suffices.

    Returns
    -------
    gap : float
        About 0 without overfitting; it increases with overfitting.

    Raises
    ------
    NotFittedError
        The estimator is not fitted.
    TypeError
        The estimator has no ``free_energy``.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import free_energy_gap
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(64, n_iter=20, random_state=0).fit(X[:300])
    >>> bool(free_energy_gap(rbm, X[:300], X[300:600]) > 0)
    True
    """
    check_can("free_energy", estimator, "free_energy_gap")
    valid, train = (estimator.free_energy(X).mean() for X in (X_valid, X_train))
    return float(valid - train)
