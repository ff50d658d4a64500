r"""Noise that is mixed with rows, and the angles by which it turns their components.

Rows x of mean m and covariance :math:`\Sigma` are mixed with noise of a deviation n
for each column,

.. math:: x_\varphi = m + \cos \varphi \, (x - m) + \sin \varphi \; n \odot \epsilon,
   \qquad 0 \le \varphi \le \tfrac\pi2

Each principal component of :math:`x / n`, of a standard deviation s, divided by its
standard deviation with noise, turns by its own angle,

.. math:: y = \cos \psi \odot z + \sin \psi \odot \epsilon, \qquad
   \tan \psi_i = \frac{\tan \varphi}{s_i}

so y is standard normal at all angles if x is normal. Time, from 0 to 1, is the mean of
:math:`\psi_i` in units of a right angle, weighted by :math:`s_i`: large components take
more of it. Hundreds of components are joined in parts of similar size.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh
from sklearn.utils import gen_batches

from skdgm.flows.normal import Independent, JointNormal
from skdgm.nets import Layer

# Logs of tangents beyond those of all components, at which the table ends; its knots.
_ENDS, _KNOTS = 9.0, 512
# Parts of the components whose means determine the time.
_PARTS = 16
# Least number of columns that may share a range; the share of it that at least half of
# them cover then; numbers that are read at once.
_MANY, _SHARED, _BLOCK = 17, 0.8, 2**20
# Least deviation of a component, as a share of the largest.
_LEAST = 1e-4


class Frame(NamedTuple):
    """Affine maps, ``forward`` from rows in the units of a model to components z, and
    ``backward``, whose weights are matrices, or vectors where components are columns;
    ``size``, the deviation of each component in units of noise; and ``noise``, the
    deviation of noise in each column."""

    forward: Layer
    backward: Layer
    size: np.ndarray
    noise: np.ndarray

    @classmethod
    def of(cls, mean, covariance, noise=1.0):
        """Frame of rows of a mean and a covariance, None for independent columns of
        variance one."""
        noise = np.broadcast_to(noise, len(mean)).astype(np.float64)
        if covariance is None:
            ones = np.ones(len(mean))
            return cls(Layer(ones, -mean), Layer(ones.copy(), mean), 1 / noise, noise)
        variance, Q = eigh(covariance / np.outer(noise, noise))
        # Signs that do not depend on the library.
        Q *= np.sign(Q[np.abs(Q).argmax(axis=0), np.arange(len(Q))])
        size = np.sqrt(np.maximum(variance, _LEAST**2 * variance.max()))
        W = Q / size / noise[:, None]
        back = Layer((Q * size).T * noise, mean)
        return cls(Layer(W, -mean @ W), back, size, noise)

    def components(self, v):
        """Components z of rows, in their type."""
        return (_times(v, self.forward.W) + self.forward.b).astype(v.dtype)

    def rows(self, z):
        """Rows of components, in their type."""
        return (_times(z, self.backward.W) + self.backward.b).astype(z.dtype)

    def mixed(self, y, angles):
        """Columns, centred, of components with noise."""
        return _times(y * (self._spread(angles) / self.size), self.backward.W)

    def unmixed(self, x, angles):
        """Components with noise of centred columns."""
        return _times(x, self.forward.W) * (self.size / self._spread(angles))

    def pulled(self, gradient, angles):
        """Gradients by centred columns, from gradients by components with noise."""
        scaled = gradient * (self.size / self._spread(angles))
        return _times(scaled, self.forward.W.T)

    def _spread(self, angles):
        """Standard deviations of components with noise."""
        signal, noise = np.cos(angles.phi), np.sin(angles.phi)
        return np.hypot(signal * self.size, noise)

    @property
    def normal(self):
        """Normal distribution of rows, from which missing entries may be drawn."""
        if self.forward.W.ndim == 1:
            return Independent()
        B = self.backward.W
        return JointNormal(self.backward.b, B.T @ B)

    @property
    def axes(self):
        """Principal axes, an orthogonal matrix, without entries where components are
        columns."""
        W = self.forward.W
        if W.ndim == 1:
            return np.zeros((0, 0))
        return W * self.size * self.noise[:, None]

    @property
    def log_volume(self):
        """Log of the determinant of the map to components."""
        if self.forward.W.ndim == 1:
            return 0.0
        return -np.log(self.size).sum() - np.log(self.noise).sum()


def deviations(table, scale):
    """Deviations of noise in standardised columns of a ``scale``: 1, or of many columns
    that share a range, such as pixels, as of equal noise in the units of the data."""
    if len(scale) < _MANY:
        return np.ones(len(scale))
    low, high = np.full(len(scale), np.inf), np.full(len(scale), -np.inf)
    for part in gen_batches(len(table.index), max(1, _BLOCK // len(scale))):
        v = table.rows.take(table.index[part])
        low, high = np.fmin(low, np.fmin.reduce(v)), np.fmax(high, np.fmax.reduce(v))
    span = (high - low) * scale
    if np.median(span) < _SHARED * span.max():
        return np.ones(len(scale))
    return np.sqrt((scale**2).mean()) / scale


def _times(v, W):
    return v * W if W.ndim == 1 else v @ W


class Angles(NamedTuple):
    """Cosines, sines and derivatives by time of the angles :math:`\\psi` at times,
    (n_times, n_components); ``view``, factors that give components with noise their
    relative size; and ``phi``, (n_times, 1), the angles of noise in float64."""

    cos: np.ndarray
    sin: np.ndarray
    rate: np.ndarray
    view: np.ndarray
    phi: np.ndarray

    @property
    def psi(self):
        """The angles themselves."""
        return np.arctan2(self.sin, self.cos)


class Clocks:
    """Angles of components of deviations ``size``, by time; those of one, if all are
    alike. ``shares`` are the weights of components, in proportion to their deviations,
    of mean one."""

    def __init__(self, size):
        # Equal components have equal angles; without any there is time, too.
        size = size if len(size) else np.ones(1)
        self.size = size[:1] if (size == size[0]).all() else size
        self.shares = self.size / self.size.mean()
        # The time is the mean angle of a few parts of the components.
        parts = np.array_split(np.argsort(self.size), min(_PARTS, len(self.size)))
        weights = np.array([self.shares[part].sum() for part in parts])
        self._weights = weights / (weights.sum() * 0.5 * np.pi)
        self._log_size = np.array([np.log(self.size[part]).mean() for part in parts])
        low, high = self._log_size.min() - _ENDS, self._log_size.max() + _ENDS
        self.tau = np.linspace(low, high, _KNOTS)
        self.time = self._at(self.tau)[0]

    def __call__(self, time, dtype):
        """:class:`Angles` at times, (n_times,), or at one."""
        time = np.atleast_1d(time)
        tau = np.interp(time, self.time, self.tau)
        near, pace = self._at(tau)
        # One step of Newton's method makes the table exact.
        tau = (tau + (time - near) / pace).clip(self.tau[0], self.tau[-1])
        pace = self._at(tau)[1][:, None].astype(dtype)
        tangent = np.exp(tau)[:, None]
        noise, size = tangent.astype(dtype), self.size.astype(dtype)
        whole = np.sqrt(size * size + noise * noise)
        cos, sin = size / whole, noise / whole
        usual = (self.size**2).mean().astype(dtype)
        view = whole / np.sqrt(usual + noise * noise)
        return Angles(cos, sin, cos * sin / pace, view, np.arctan(tangent))

    def time_of(self, noise):
        """Time at which noise has this size relative to the remainder of rows."""
        return self._at(np.log(np.atleast_1d(noise)))[0]

    def _at(self, tau):
        """Times at log tangents of noise, and their derivatives."""
        psi = np.arctan(np.exp(tau[:, None] - self._log_size))
        return psi @ self._weights, 0.5 * np.sin(2 * psi) @ self._weights
