r"""Velocity of rows with noise, by a net, and moves along it.

.. math:: \frac{\mathrm{d} y_i}{\mathrm{d} \psi_i} = v_i(y, t), \qquad
   v(y, t) = \mathbb{E}[\cos \psi \odot \epsilon - \sin \psi \odot z \mid y]
   = -\tan \psi \odot (\nabla_y \log p_t(y) + y)

It is zero where rows are normal, so a net that begins at zero begins at a normal
distribution. Moves along it keep the distributions of all times [1]_, and are a change
of variables, with a density:

.. math:: \log p(z) = \log \mathcal{N}(y_1; 0, I) + \int_0^1 \sum_i
   \frac{\partial v_i}{\partial y_i} \frac{\mathrm{d} \psi_i}{\mathrm{d} t} \mathrm{d} t

References
----------
.. [1] Song, Sohl-Dickstein, Kingma, Kumar, Ermon and Poole (2021). Score-based
   generative modeling through stochastic differential equations. ICLR.
.. [2] Karras, Aittala, Aila and Laine (2022). Elucidating the design space of
   diffusion-based generative models. NeurIPS.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from skdgm.diffusion._noise import Clocks

# Sines of an angle, of which a net sees as many as cosines; sines of angles below which
# velocities vanish; and numbers beyond which a net sees no difference.
_WAVES, _CALM, _FAR = 8, 0.1, 20.0
N_TIMES = 2 * _WAVES


def seen(y, time, angles, beside=None):
    """Inputs of the net: rows with noise, as large as they are beside others, waves of
    their times, (n_times,), of all or of each, and what is given beside."""
    turns = np.pi * np.arange(1, _WAVES + 1) * np.asarray(time, float).reshape(-1, 1)
    waves = np.concatenate([np.sin(turns), np.cos(turns)], axis=1).astype(y.dtype)
    parts = [
        y.clip(-_FAR, _FAR) * angles.view,
        np.broadcast_to(waves, (len(y), N_TIMES)),
    ]
    return np.concatenate(parts if beside is None else [*parts, beside], axis=1)


def calm(angles):
    """Factors of outputs of the net: small at angles at which noise is no more than
    rounding."""
    return angles.sin / np.sqrt(angles.sin**2 + angles.sin.dtype.type(_CALM**2))


class Field(NamedTuple):
    """Velocity by a net with parameters and statistics, where components have
    ``clocks``. Of ``n_beside`` inputs that are given beside, the last ``n_told`` say
    nothing if they are zeros, and outputs are moved away from those without them by
    ``guidance`` times the difference. The net sees no time unless it is ``timed``."""

    net: object
    params: tuple
    statistics: tuple
    clocks: Clocks
    n_beside: int = 0
    n_told: int = 0
    guidance: float = 0.0
    timed: bool = True

    def at(self, y, time):
        """Angles at a time, in the type of rows."""
        return self.clocks(time, y.dtype)

    def velocity(self, y, time, beside=None):
        """Velocity of rows at a time, by angle."""
        out = self.out(y, time, beside)[:, : y.shape[1]]
        return calm(self.at(y, time)) * out

    def out(self, y, time, beside=None):
        """Outputs of the net for rows at a time."""
        if beside is None:
            beside = np.zeros((len(y), self.n_beside), y.dtype)
        out = self._out(y, time, beside)
        if not self.guidance or not beside[:, self.n_beside - self.n_told :].any():
            return out
        without = beside.copy()
        without[:, self.n_beside - self.n_told :] = 0
        return out + out.dtype.type(self.guidance) * (out - self._out(y, time, without))

    def _out(self, y, time, beside):
        x = seen(y, time if self.timed else 0.0, self.at(y, time), beside)
        return self.net.apply(self.params, self.statistics, x)[0]

    def divergence(self, y, time, probe=None, beside=None):
        """Velocity, and the sum over components of its derivatives, each times that of
        the angle by time, exactly, or in the direction of a ``probe`` of signs."""
        angles, n = self.at(y, time), y.shape[1]
        if probe is None:
            y_each, dy = (
                np.repeat(y, n, axis=0),
                np.tile(np.eye(n, dtype=y.dtype), (len(y), 1)),
            )
        else:
            y_each, dy = y, probe
        if beside is None:
            beside = np.zeros((len(y), self.n_beside), y.dtype)
        beside = np.repeat(beside, len(y_each) // max(1, len(y)), axis=0)
        x = seen(y_each, time, angles, beside)
        dx = np.zeros_like(x)
        dx[:, :n] = np.where(abs(y_each) < _FAR, dy, 0) * angles.view
        out, turned = self.net.tangent(self.params, self.statistics, x, dx)
        size = calm(angles)
        found = (dy * turned * (size * angles.rate)).sum(axis=1, dtype=np.float64)
        shape = len(y), n if probe is None else 1
        return size * out.reshape(*shape, n)[:, 0], found.reshape(shape).sum(axis=1)


def moved(field, y, times, beside=None):
    """Rows moved along the flow from one of some times to the next, by Heun's method
    [2]_."""
    if not y.shape[1]:
        return y
    for now, after in pairwise(times):
        turn = field.at(y, after).psi - field.at(y, now).psi
        v = field.velocity(y, now, beside)
        ahead = field.velocity(y + turn * v, after, beside)
        y = y + turn * (v + ahead) / 2
    return y


def flowed(field, y, n_steps, probe=None, beside=None):
    """Rows without noise moved to noise, and the log of the volume ratio, by the
    classical Runge-Kutta method."""
    log_volume, step = np.zeros(len(y)), 1 / n_steps

    def slope(y, time):
        v, found = field.divergence(y, time, probe, beside)
        return field.at(y, time).rate * v, found

    for k in range(n_steps):
        half = y.dtype.type(step / 2)
        a, own_a = slope(y, k * step)
        b, own_b = slope(y + half * a, (k + 0.5) * step)
        c, own_c = slope(y + half * b, (k + 0.5) * step)
        d, own_d = slope(y + 2 * half * c, (k + 1) * step)
        y = y + half / 3 * (a + 2 * b + 2 * c + d)
        log_volume += step / 6 * (own_a + 2 * own_b + 2 * own_c + own_d)
    return y, log_volume


def noised(field, y, now, after, rng):
    """Rows with the noise of a time, with that of a later one."""
    old, new = field.at(y, now), field.at(y, after)
    kept = new.cos / old.cos
    noise = rng.normal(y.shape[1], y.dtype)
    return kept * y + np.sqrt(np.maximum(1 - kept**2, 0)) * noise
