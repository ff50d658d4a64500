r"""Noise schedule: angles by which principal components turn into noise.

Rows x of mean m and covariance :math:`\Sigma` are mixed with noise of a standard
deviation n for each column,

.. math:: x_\varphi = m + \cos \varphi \, (x - m) + \sin \varphi \; n \odot \epsilon,
   \qquad 0 \le \varphi \le \tfrac\pi2

A principal component of :math:`x / n` with standard deviation s, divided by its
standard deviation with noise, turns by a separate angle,

.. math:: y = \cos \psi \odot z + \sin \psi \odot \epsilon, \qquad
   \tan \psi_i = \frac{\tan \varphi}{s_i}

so y is standard normal at all angles if x is normal. Time, from 0 to 1, is the mean of
:math:`\psi_i` in units of a right angle, weighted by :math:`s_i`: large components take
more of it. Hundreds of components are averaged in groups of similar size.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh
from sklearn.utils import gen_batches

from skdgm.flows.normal import Independent, JointNormal
from skdgm.nets import Layer

# Margin, in log-tangents, of the table of times beyond all components; its knots.
_MARGIN, _KNOTS = 9.0, 512
# Number of groups of components whose mean angles determine the time.
_N_GROUPS = 16
# Fewest columns that can share a range; share of the widest range that the median
# column must cover; entries that are read at a time.
_MIN_SHARED_COLUMNS, _MIN_COVERED_SHARE, _BLOCK = 17, 0.8, 2**20
# Smallest standard deviation of a component, relative to the largest.
_MIN_SIZE = 1e-4


class Whitening(NamedTuple):
    """Affine map ``forward`` from rows, in units of the model, to components z, and its
    inverse ``backward``. The weights are matrices, or vectors if components are single
    columns. ``size`` is the standard deviation of each component in units of noise, and
    ``noise`` the standard deviation of noise in each column."""

    forward: Layer
    backward: Layer
    size: np.ndarray
    noise: np.ndarray

    @classmethod
    def of(cls, mean, covariance, noise=1.0):
        """Whitening of rows with a mean and a covariance; None means independent
        columns of unit variance."""
        noise = np.broadcast_to(noise, len(mean)).astype(np.float64)
        if covariance is None:
            ones = np.ones(len(mean))
            return cls(Layer(ones, -mean), Layer(ones.copy(), mean), 1 / noise, noise)
        variance, Q = eigh(covariance / np.outer(noise, noise))
        # The signs must not depend on the LAPACK library.
        Q *= np.sign(Q[np.abs(Q).argmax(axis=0), np.arange(len(Q))])
        size = np.sqrt(np.maximum(variance, _MIN_SIZE**2 * variance.max()))
        W = Q / size / noise[:, None]
        backward = Layer((Q * size).T * noise, mean)
        return cls(Layer(W, -mean @ W), backward, size, noise)

    def components(self, v):
        """Components z of rows v."""
        return (_times(v, self.forward.W) + self.forward.b).astype(v.dtype)

    def rows(self, z):
        """Rows of components z."""
        return (_times(z, self.backward.W) + self.backward.b).astype(z.dtype)

    def mixed(self, y, angles):
        """Centered columns of noisy components."""
        return _times(y * (self._spread(angles) / self.size), self.backward.W)

    def unmixed(self, x, angles):
        """Noisy components of centered columns."""
        return _times(x, self.forward.W) * (self.size / self._spread(angles))

    def pulled(self, gradient, angles):
        """Pull a gradient back from noisy components to centered columns."""
        scaled = gradient * (self.size / self._spread(angles))
        return _times(scaled, self.forward.W.T)

    def _spread(self, angles):
        """Standard deviations of noisy components before standardization."""
        signal, noise = np.cos(angles.phi), np.sin(angles.phi)
        return np.hypot(signal * self.size, noise)

    @property
    def normal(self):
        """Normal distribution of rows, from which missing entries can be drawn."""
        if self.forward.W.ndim == 1:
            return Independent()
        B = self.backward.W
        return JointNormal(self.backward.b, B.T @ B)

    @property
    def axes(self):
        """Principal axes, an orthogonal matrix; empty for components that are
        columns."""
        W = self.forward.W
        if W.ndim == 1:
            return np.zeros((0, 0))
        return W * self.size * self.noise[:, None]

    @property
    def log_volume(self):
        """Log-determinant of the map to components."""
        if self.forward.W.ndim == 1:
            return 0.0
        return -np.log(self.size).sum() - np.log(self.noise).sum()


def deviations(table, scale):
    """Standard deviations of the noise in standardized columns with standard deviations
    ``scale``: 1, or, for many columns that share a range, such as pixels, equal in
    units of the data."""
    if len(scale) < _MIN_SHARED_COLUMNS:
        return np.ones(len(scale))
    low, high = np.full(len(scale), np.inf), np.full(len(scale), -np.inf)
    for batch in gen_batches(len(table.index), max(1, _BLOCK // len(scale))):
        v = table.rows.take(table.index[batch])
        low, high = np.fmin(low, np.fmin.reduce(v)), np.fmax(high, np.fmax.reduce(v))
    span = (high - low) * scale
    if np.median(span) < _MIN_COVERED_SHARE * span.max():
        return np.ones(len(scale))
    return np.sqrt((scale**2).mean()) / scale


def _times(v, W):
    return v * W if W.ndim == 1 else v @ W


class Angles(NamedTuple):
    r"""Cosines, sines and time derivatives (``rate``) of the angles :math:`\psi`,
    (n_times, n_components). ``view`` are factors that restore the relative size of
    noisy components, and ``phi``, (n_times, 1), are the angles of the noise in float64.
    """

    cos: np.ndarray
    sin: np.ndarray
    rate: np.ndarray
    view: np.ndarray
    phi: np.ndarray

    @property
    def psi(self):
        """Angles in radians."""
        return np.arctan2(self.sin, self.cos)


class NoiseSchedule:
    """Map from times to angles of components with standard deviations ``size``.
    Components of equal size share a single angle. ``shares`` are weights of mean one,
    in proportion to ``size``."""

    def __init__(self, size):
        # Without noisy columns there is still a time.
        size = size if len(size) else np.ones(1)
        self.size = size[:1] if (size == size[0]).all() else size
        self.shares = self.size / self.size.mean()
        # Time is the mean angle of groups of components.
        groups = np.array_split(np.argsort(self.size), min(_N_GROUPS, len(self.size)))
        weights = np.array([self.shares[group].sum() for group in groups])
        self._weights = weights / (weights.sum() * 0.5 * np.pi)
        self._log_size = np.array([np.log(self.size[group]).mean() for group in groups])
        low, high = self._log_size.min() - _MARGIN, self._log_size.max() + _MARGIN
        self.tau = np.linspace(low, high, _KNOTS)
        self.time = self._at(self.tau)[0]

    def __call__(self, time, dtype):
        """Return the :class:`Angles` at times, (n_times,), or at a scalar."""
        time = np.atleast_1d(time)
        tau = np.interp(time, self.time, self.tau)
        approximate, pace = self._at(tau)
        # A Newton step corrects the interpolation.
        tau = (tau + (time - approximate) / pace).clip(self.tau[0], self.tau[-1])
        pace = self._at(tau)[1][:, None].astype(dtype)
        tangent = np.exp(tau)[:, None]
        noise, size = tangent.astype(dtype), self.size.astype(dtype)
        norm = np.sqrt(size * size + noise * noise)
        cos, sin = size / norm, noise / norm
        mean_square = (self.size**2).mean().astype(dtype)
        view = norm / np.sqrt(mean_square + noise * noise)
        return Angles(cos, sin, cos * sin / pace, view, np.arctan(tangent))

    def time_of(self, noise):
        """Time at which noise has a given size relative to the remaining signal."""
        return self._at(np.log(np.atleast_1d(noise)))[0]

    def _at(self, tau):
        """Times at log-tangents tau of noise, and their derivatives."""
        psi = np.arctan(np.exp(tau[:, None] - self._log_size))
        return psi @ self._weights, 0.5 * np.sin(2 * psi) @ self._weights
