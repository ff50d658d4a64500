r"""Noise that is mixed with rows, and the angles by which it turns their components.

Rows x of mean m and covariance :math:`\Sigma` are mixed with noise of a deviation n
for each column,

.. math:: x_\varphi = m + \cos \varphi \, (x - m) + \sin \varphi \; n \odot \epsilon,
   \qquad 0 \le \varphi \le \tfrac\pi2

Each principal component of :math:`x / n`, of a standard deviation s, divided by that
which it has with noise, turns by an angle of its own,

.. math:: y = \cos \psi \odot z + \sin \psi \odot \epsilon, \qquad
   \tan \psi_i = \frac{\tan \varphi}{s_i}

so y is standard normal at all angles if x is normal. Time, from 0 to 1, is the mean of
:math:`\psi_i` in units of a right angle.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh

from skdgm.flows._normal import Independent, Normal
from skdgm.nets import Layer

# Logs of tangents beyond those of all components, at which the table ends; its knots.
_ENDS, _KNOTS = 9.0, 512
# Least deviation of a component, as a share of the largest.
_LEAST = 1e-4


class Frame(NamedTuple):
    """Affine maps from rows in the units of a model to components z, and ``backward``,
    whose weights are matrices, or vectors where components are columns; and ``size``,
    the deviation of each component in units of noise."""

    forward: Layer
    backward: Layer
    size: np.ndarray

    @classmethod
    def of(cls, mean, covariance):
        """Frame of rows of a mean and a covariance, None if columns are independent and
        of variance one."""
        if covariance is None:
            ones = np.ones(len(mean))
            return cls(Layer(ones, -mean), Layer(ones.copy(), mean), ones.copy())
        variance, Q = eigh(covariance)
        # Signs that do not depend on the library.
        Q *= np.sign(Q[np.abs(Q).argmax(axis=0), np.arange(len(Q))])
        size = np.sqrt(np.maximum(variance, _LEAST**2 * variance.max()))
        W = Q / size
        return cls(Layer(W, -mean @ W), Layer((Q * size).T.copy(), mean), size)

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
        """Gradients by centred columns, of those by components with noise."""
        found = gradient * (self.size / self._spread(angles))
        return _times(found, self.forward.W.T)

    def _spread(self, angles):
        """Deviations of components with noise, before they are divided by these."""
        signal, noise = np.cos(angles.phi), np.sin(angles.phi)
        return np.hypot(signal * self.size, noise)

    @property
    def normal(self):
        """Normal distribution of rows, of which missing entries may be drawn."""
        if self.forward.W.ndim == 1:
            return Independent()
        B = self.backward.W
        return Normal(self.backward.b, B.T @ B)

    @property
    def log_volume(self):
        """Log of the determinant of the map to components."""
        return -np.log(self.size).sum()


def _times(v, W):
    return v * W if W.ndim == 1 else v @ W


class Angles(NamedTuple):
    """Angles :math:`\\psi` at times, (n_times, n_components), their cosines, sines and
    derivatives by time; and ``phi``, (n_times, 1), those of noise in float64."""

    psi: np.ndarray
    cos: np.ndarray
    sin: np.ndarray
    rate: np.ndarray
    phi: np.ndarray


class Clocks:
    """Angles of components whose deviations are ``size``, by time; of components that
    are all alike, those of one."""

    def __init__(self, size):
        # Components that are alike turn alike.
        self.log_size = np.log(size[:1] if (size == size[0]).all() else size)
        ends = self.log_size.min() - _ENDS, self.log_size.max() + _ENDS
        self.tau = np.linspace(*ends, _KNOTS)
        self.time = self._at(self.tau)[1]

    def __call__(self, time, dtype):
        """:class:`Angles` at times, (n_times,), or at one."""
        time = np.atleast_1d(time)
        tau = np.interp(time, self.time, self.tau)
        _, found, _, pace = self._at(tau)
        # One step of Newton's makes the table exact.
        tau = (tau + (time - found) / pace).clip(self.tau[0], self.tau[-1])
        psi, _, slope, pace = self._at(tau)
        parts = psi, np.cos(psi), np.sin(psi), slope / pace[:, None]
        phi = np.arctan(np.exp(tau))[:, None]
        return Angles(*(part.astype(dtype) for part in parts), phi)

    def time_of(self, noise):
        """Time at which noise is as large, in units of what is left of rows."""
        return self._at(np.log(np.atleast_1d(noise)))[1]

    def _at(self, tau):
        """Angles at log tangents of noise, times, and the derivatives of both."""
        psi = np.arctan(np.exp(tau[:, None] - self.log_size))
        slope, right = 0.5 * np.sin(2 * psi), 0.5 * np.pi
        return psi, psi.mean(axis=1) / right, slope, slope.mean(axis=1) / right
