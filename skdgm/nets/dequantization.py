r"""Dequantization of integers and other levels, and logits of bounded columns.

.. math:: z = \frac{g(x + u) - m}{d}, \qquad g(y) = \operatorname{logit}
   \frac{y - a}{b - a}, \qquad u \in (0, 1)

Integers x are spread by noise u over cells of length 1, and multiples of 1 / L by
noise u / L over cells of this length. Other columns have no noise.
Columns without bounds a and b have the identity in place of g. For noise from a
distribution q,

.. math:: \log P(x) \ge \mathbb{E}_{q(u \mid x)} \Bigl[ \log p(z) + \log
   \frac{\partial z}{\partial u} - \log q(u \mid x) \Bigr]

where q is uniform [1]_, or a flow of normal noise conditional on x [2]_.

References
----------
.. [1] Theis, van den Oord and Bethge (2016). A note on the evaluation of generative
   models. ICLR.
.. [2] Ho, Chen, Srinivas, Duan and Abbeel (2019). Flow++: improving flow-based
   generative models with variational dequantization and architecture design. ICML.
"""

from typing import Any, NamedTuple

import numpy as np
from autograd.extend import defvjp
from scipy.special import logit, ndtr

from skdgm.nets import layers
from skdgm.nets.bases import normal_log_p
from skdgm.nets.bijections import after, coupling, permutation, volume_apart
from skdgm.nets.constrained import join_columns
from skdgm.nets.tape import primitive
from skdgm.utils.math import sigmoid

# Minimum distance of values from the ends of a range and of a cell, as a share of it.
_EDGE, _CELL_EDGE = 1e-6, 1e-12
# Largest magnitude of inputs of the net of the noise.
_MAX_INPUT = 5.0


class Cells(NamedTuple):
    """Map between standardized values and the space of a flow; all fields are
    (n_columns,). ``mean`` and ``scale`` standardize the data, ``whole`` is a mask of
    integer columns, ``low`` and ``high`` are finite or infinite bounds, and ``center``
    and ``spread`` standardize the transformed values. ``per_unit`` is the number of
    levels in a unit, 1 for integers."""

    mean: np.ndarray
    scale: np.ndarray
    whole: np.ndarray
    low: np.ndarray
    high: np.ndarray
    center: np.ndarray
    spread: np.ndarray
    per_unit: float = 1.0
    # Fields that older files lack.
    LATER = ("per_unit",)

    @property
    def limited(self):
        """Mask of bounded columns."""
        return np.isfinite(self.low)

    def plain(self, v):
        """Values in units of the data, float64, given standardized values."""
        return self.rounded(v * self.scale + self.mean)

    def rounded(self, x):
        """Values in units of the data, rounded in integer columns."""
        return np.where(self.whole, np.rint(x * self.per_unit) / self.per_unit, x)

    def placed(self, v, u):
        """Values v with noise u, in the space of the flow, and log slopes by v, 0 where
        v is missing. Results have shape (n_rows, n_columns); u is such an array or a
        number."""
        y, slope = self._shifted(v, u), np.log(self.scale / self.spread)
        which, log_slope = self.limited, np.where(np.isnan(v), 0.0, slope)
        share = self._share(y[:, which])
        log_width = np.log((self.high - self.low)[which])
        log_inner = -np.log(share) - np.log1p(-share) - log_width
        log_slope[:, which] += np.where(np.isnan(log_inner), 0.0, log_inner)
        y[:, which] = logit(share)
        return ((y - self.center) / self.spread).astype(v.dtype), log_slope

    def slopes(self, v, u):
        """Derivatives by u of the results of :meth:`placed`, 0 where v is missing."""
        y, which = self._shifted(v, u), self.limited
        slope, bend = np.ones(y.shape), np.zeros(y.shape)
        step = 1 / self.per_unit
        share = self._share(y[:, which])
        width = (self.high - self.low)[which] * share * (1 - share)
        slope[:, which], bend[:, which] = 1 / width, (2 * share - 1) / width
        fixed = np.isnan(v) | ~self.whole
        slope = np.where(fixed, 0, step * slope / self.spread)
        return slope, np.where(fixed, 0, step * bend)

    def values(self, z):
        """Standardized values, given points in the space of the flow."""
        y = z * self.spread + self.center
        which = self.limited
        span = (self.high - self.low)[which]
        y[:, which] = self.low[which] + span * sigmoid(y[:, which])
        return ((self.kept(y) - self.mean) / self.scale).astype(z.dtype)

    def kept(self, y):
        """Values rounded down in integer columns, and clipped to the bounds."""
        y = np.where(self.whole, np.floor(y * self.per_unit) / self.per_unit, y)
        return y.clip(self.low, self.last)

    def around(self, j, low, high):
        """Range of standardized values of column j; in an integer column, from half a
        step below the first integer in it to half a step above the last."""
        if not self.whole[j]:
            return low, high
        mean, scale, tolerance = self.mean[j], self.scale[j], 1e-6
        low, high = ((end * scale + mean) * self.per_unit for end in (low, high))
        low = (np.ceil(low - tolerance) - 0.5) / self.per_unit
        high = (np.floor(high + tolerance) + 0.5) / self.per_unit
        return (low - mean) / scale, (high - mean) / scale

    @property
    def last(self):
        """Largest value of each column."""
        last = np.rint(self.high * self.per_unit - 1) / self.per_unit
        return np.where(self.whole, last, self.high)

    def _shifted(self, v, u):
        return self.plain(v) + np.where(self.whole, u / self.per_unit, 0.0)

    def _share(self, y):
        which = self.limited
        share = (y - self.low[which]) / (self.high - self.low)[which]
        edge = np.where(self.whole[which], _CELL_EDGE, _EDGE)
        return share.clip(edge, 1 - edge)


@primitive
def _spread(e, v, cells):
    """Values for normal noise e of integer columns, 0 where missing, in the space of
    the flow. The last column of the result is the sum of log slopes plus the log
    density of e."""
    z, log_slope = cells.placed(v, _uniform(e, v, cells))
    result = np.empty((len(v), v.shape[1] + 1), e.dtype)
    result[:, :-1] = np.nan_to_num(z)
    result[:, -1] = log_slope.sum(axis=1) + normal_log_p(e.astype(np.float64))
    return result


def _uniform(e, v, cells):
    u = np.full(v.shape, 0.5)
    u[:, cells.whole] = ndtr(e.astype(np.float64)).clip(_CELL_EDGE, 1 - _CELL_EDGE)
    return u


def _spread_back(_, e, v, cells):
    def backward(grad):
        slope, bend = cells.slopes(v, _uniform(e, v, cells))
        by_u = grad[:, :-1] * slope + grad[:, -1:] * bend
        density = np.exp(-0.5 * e.astype(np.float64) ** 2) / np.sqrt(2 * np.pi)
        by_e = by_u[:, cells.whole] * density - grad[:, -1:] * e
        return by_e.astype(e.dtype)

    return backward


defvjp(_spread, _spread_back, None, None)


def noise_net(n_given, n_noise, net, n_bins, bound):
    """Flow of normal noise conditional on the first ``n_given`` columns, initially the
    identity. Two coupling layers transform one half of the noise each, by functions of
    a ``net``."""
    turned = after(n_given, permutation(np.arange(n_noise)[::-1]))
    changed = coupling(net, n_bins, bound, n_given)
    return layers.serial(changed, turned, changed, turned)


class Dequantization(NamedTuple):
    """Map of rows, after ``n_given`` conditioning columns, to the space of a flow.
    Without ``cells`` it is the identity. Noise is a transformation by ``net`` of
    standard normal noise, or is uniform without a net."""

    cells: Any
    n_given: int = 0
    net: Any = None

    @property
    def noisy(self):
        """True if there are integer columns."""
        return self.cells is not None and bool(self.cells.whole.any())

    def middle(self, v):
        """Rows at the centers of their cells, and log-determinants, (n_rows,)."""
        return self._placed(v, 0.5)

    def drawn(self, v, rng, variables):
        """Rows with noise from a stream, and log-determinants minus the log density of
        the noise. ``variables`` are the :class:`~skdgm.nets.layers.Variables` of the
        net of the noise."""
        if self.cells is None:
            return v, v.dtype.type(0)
        if self.net is None:
            n = v.shape[1] - self.n_given
            return self._placed(v, rng.uniform(n) + 2.0**-33)
        z, log_volume = self.by_net(v, self.noise(v, rng), variables)
        return np.where(np.isnan(v), v, z), log_volume

    def noise(self, v, rng):
        """Standard normal noise of integer columns, (n_rows, n_integer_columns)."""
        return rng.normal(int(self.cells.whole.sum()), v.dtype.type)

    def by_net(self, v, e, variables):
        """Result of :meth:`drawn` for normal noise e, with 0 for missing values,
        differentiable by the net's parameters."""
        first, x = v[:, : self.n_given], v[:, self.n_given :]
        inputs = np.nan_to_num(v).clip(-_MAX_INPUT, _MAX_INPUT)
        params, statistics = variables
        inputs = np.concatenate([inputs, e], axis=1)
        y, log_det = self.net.log_det(params, statistics, inputs)
        y = layers.primitives.columns(y, v.shape[1], v.shape[1] + e.shape[1])
        z, log_volume = volume_apart(_spread(y, x, self.cells), x)
        return join_columns(first, z), log_volume + log_det - normal_log_p(e)

    def values(self, z):
        """Standardized values, given points in the space of the flow."""
        return z if self.cells is None else self.cells.values(z)

    def _placed(self, v, u):
        if self.cells is None:
            return v, v.dtype.type(0)
        z, log_slope = self.cells.placed(v[:, self.n_given :], u)
        z = np.concatenate([v[:, : self.n_given], z], axis=1)
        return z, log_slope.sum(axis=1)
