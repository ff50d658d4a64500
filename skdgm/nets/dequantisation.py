r"""Cells of columns: whole numbers spread over cells of length 1, and limited columns
made unlimited by a logit.

.. math:: z = \frac{g(x + u) - m}{d}, \qquad g(y) = \operatorname{logit}
   \frac{y - a}{b - a}, \qquad u \in (0, 1)

for whole numbers x; others have no noise u, and columns without limits the identity in
place of g. With noise from a distribution q,

.. math:: \log P(x) \ge \mathbb{E}_{q(u \mid x)} \Bigl[ \log p(z) + \log
   \frac{\partial z}{\partial u} - \log q(u \mid x) \Bigr]

where q is uniform [1]_, or a flow of normal noise given x [2]_.

References
----------
.. [1] Theis, van den Oord and Bethge (2016). A note on the evaluation of generative
   models. ICLR.
.. [2] Ho, Chen, Srinivas, Duan and Abbeel (2019). Flow++: improving flow-based
   generative models with variational dequantization and architecture design. ICML.
"""

from typing import NamedTuple

import numpy as np
from autograd.extend import defvjp
from scipy.special import expit, logit, ndtr

from skdgm.nets import layers
from skdgm.nets.bases import normal_log_p
from skdgm.nets.bijections import after, coupling, permutation, volume_apart
from skdgm.nets.constrained import beside
from skdgm.nets.tape import primitive

# Shares of a range, and of a cell, that values keep from its ends.
_EDGE, _LEAST = 1e-6, 1e-12
# Magnitude of inputs of the noise's net at most.
_FAR = 5.0


class Cells(NamedTuple):
    """Cells of columns, all of shape (n_columns,): ``mean`` and ``scale`` that made
    values the standardised ones that a model sees; which columns are ``whole``
    numbers; the limits ``low`` and ``high``, or infinite; and the ``center`` and
    ``spread`` of transformed values."""

    mean: np.ndarray
    scale: np.ndarray
    whole: np.ndarray
    low: np.ndarray
    high: np.ndarray
    center: np.ndarray
    spread: np.ndarray

    @property
    def limited(self):
        """Mask of columns between limits."""
        return np.isfinite(self.low)

    def plain(self, v):
        """Values of the data, in float64, of standardised ones."""
        x = v * self.scale + self.mean
        return np.where(self.whole, np.rint(x), x)

    def placed(self, v, u):
        """Values with noise u, (n_rows, n_columns) or a number, in the space of the
        flow; and the logs of the slopes of these by v, 0 where missing."""
        y, slope = self._shifted(v, u), np.log(self.scale / self.spread)
        which, log_slope = self.limited, np.where(np.isnan(v), 0.0, slope)
        share = self._share(y[:, which])
        log_width = np.log((self.high - self.low)[which])
        log_inner = -np.log(share) - np.log1p(-share) - log_width
        log_slope[:, which] += np.where(np.isnan(log_inner), 0.0, log_inner)
        y[:, which] = logit(share)
        return ((y - self.center) / self.spread).astype(v.dtype), log_slope

    def slopes(self, v, u):
        """Slopes by u of the results of :meth:`placed`, and of their logs; 0 where a
        value is missing."""
        y, which = self._shifted(v, u), self.limited
        slope, bend = np.ones(y.shape), np.zeros(y.shape)
        share = self._share(y[:, which])
        inner = (self.high - self.low)[which] * share * (1 - share)
        slope[:, which], bend[:, which] = 1 / inner, (2 * share - 1) / inner
        gone = np.isnan(v) | ~self.whole
        return np.where(gone, 0, slope / self.spread), np.where(gone, 0, bend)

    def values(self, z):
        """Standardised values of points in the space of the flow."""
        y = z * self.spread + self.center
        which = self.limited
        span = (self.high - self.low)[which]
        y[:, which] = self.low[which] + span * expit(y[:, which])
        return ((self.kept(y) - self.mean) / self.scale).astype(z.dtype)

    def kept(self, y):
        """Values rounded down to whole numbers, and within the limits."""
        y = np.where(self.whole, np.floor(y), y)
        return y.clip(self.low, self.last)

    def around(self, j, low, high):
        """Ends of a range of standardised values of column j: half a step outside of
        the whole numbers in it."""
        if not self.whole[j]:
            return low, high
        mean, scale, room = self.mean[j], self.scale[j], 1e-6
        low = np.ceil(low * scale + mean - room) - 0.5
        high = np.floor(high * scale + mean + room) + 0.5
        return (low - mean) / scale, (high - mean) / scale

    @property
    def last(self):
        """Largest values."""
        return self.high - self.whole

    def _shifted(self, v, u):
        return self.plain(v) + np.where(self.whole, u, 0.0)

    def _share(self, y):
        which = self.limited
        share = (y - self.low[which]) / (self.high - self.low)[which]
        edge = np.where(self.whole[which], _LEAST, _EDGE)
        return share.clip(edge, 1 - edge)


@primitive
def _spread(e, v, cells):
    """Values of normal noise e of whole columns, 0 where missing, next to the sums of
    the logs of their densities by the noise."""
    z, log_slope = cells.placed(v, _uniform(e, v, cells))
    both = np.empty((len(v), v.shape[1] + 1), e.dtype)
    both[:, :-1] = np.nan_to_num(z)
    both[:, -1] = log_slope.sum(axis=1) + normal_log_p(e.astype(np.float64))
    return both


def _uniform(e, v, cells):
    u = np.full(v.shape, 0.5)
    u[:, cells.whole] = ndtr(e.astype(np.float64)).clip(_LEAST, 1 - _LEAST)
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
    """Flow of normal noise given the first columns, at first the identity: a coupling
    for each half, by functions that a ``net`` makes."""
    turned = after(n_given, permutation(np.arange(n_noise)[::-1]))
    changed = coupling(net, n_bins, bound, n_given)
    return layers.serial(changed, turned, changed, turned)


class Placing(NamedTuple):
    """Rows, after ``n_given`` inputs, in the space of a flow: by ``cells``, or as they
    are if these are None; with noise by a ``net`` of standard normal one, or uniform if
    that is None."""

    cells: Cells | None
    n_given: int = 0
    net: object = None

    @property
    def noisy(self):
        """Whether there are whole numbers."""
        return self.cells is not None and bool(self.cells.whole.any())

    def middle(self, v):
        """Rows at the middles of their cells, and the logs of their volumes."""
        return self._placed(v, 0.5)

    def drawn(self, v, rng, variables):
        """Rows with noise drawn by a stream, and the logs of their volumes, less the
        log density of the noise, whose net has some parameters and statistics."""
        if self.cells is None:
            return v, v.dtype.type(0)
        if self.net is None:
            n = v.shape[1] - self.n_given
            return self._placed(v, rng.uniform(n) + 2.0**-33)
        z, log_volume = self.by_net(v, self.noise(v, rng), variables)
        return np.where(np.isnan(v), v, z), log_volume

    def noise(self, v, rng):
        """Standard normal noise of the whole columns of rows."""
        return rng.normal(int(self.cells.whole.sum()), v.dtype.type)

    def by_net(self, v, e, variables):
        """As :meth:`drawn`, with 0 for missing values, differentiable by the net's
        parameters."""
        first, x = v[:, : self.n_given], v[:, self.n_given :]
        inputs = np.nan_to_num(v).clip(-_FAR, _FAR)
        params, statistics = variables
        inputs = np.concatenate([inputs, e], axis=1)
        y, log_det = self.net.log_det(params, statistics, inputs)
        y = layers.primitives.columns(y, v.shape[1], v.shape[1] + e.shape[1])
        z, log_volume = volume_apart(_spread(y, x, self.cells), x)
        return beside(first, z), log_volume + log_det - normal_log_p(e)

    def values(self, z):
        """Standardised values of columns in the space of the flow."""
        return z if self.cells is None else self.cells.values(z)

    def _placed(self, v, u):
        if self.cells is None:
            return v, v.dtype.type(0)
        z, log_slope = self.cells.placed(v[:, self.n_given :], u)
        z = np.concatenate([v[:, : self.n_given], z], axis=1)
        return z, log_slope.sum(axis=1)
