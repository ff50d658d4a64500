r"""Velocity field of noisy rows, and integration along it.

.. math:: \frac{\mathrm{d} y_i}{\mathrm{d} \psi_i} = v_i(y, t), \qquad
   v(y, t) = \mathbb{E}[\cos \psi \odot \epsilon - \sin \psi \odot z \mid y]
   = -\tan \psi \odot (\nabla_y \log p_t(y) + y)

The velocity is zero if rows are normal, so a net that is initially zero represents a
normal distribution. Solutions of this equation have the marginal distribution of every
time [1]_, and the map from z to :math:`y_1` is a normalizing flow:

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

from skdgm.diffusion._noise import NoiseSchedule

# Number of frequencies of the time embedding; sine of the angle below which the
# velocity is damped; magnitude at which inputs are clipped.
_N_FREQUENCIES, _MIN_SINE, _MAX_INPUT = 8, 0.1, 20.0
N_TIMES = 2 * _N_FREQUENCIES


def net_inputs(y, time, angles, extra=None):
    """Inputs of the net: noisy rows, rescaled by the ``view`` of their angles, sines
    and cosines of the time, a scalar or (n_rows,), and ``extra`` inputs."""
    turns = (
        np.pi
        * np.arange(1, _N_FREQUENCIES + 1)
        * np.asarray(time, float).reshape(-1, 1)
    )
    waves = np.concatenate([np.sin(turns), np.cos(turns)], axis=1).astype(y.dtype)
    inputs = [
        y.clip(-_MAX_INPUT, _MAX_INPUT) * angles.view,
        np.broadcast_to(waves, (len(y), N_TIMES)),
    ]
    return np.concatenate(inputs if extra is None else [*inputs, extra], axis=1)


def damping(angles):
    """Factors that damp the net's outputs at small angles, where noise is mere
    rounding."""
    return angles.sin / np.sqrt(angles.sin**2 + angles.sin.dtype.type(_MIN_SINE**2))


class Field(NamedTuple):
    """Velocity field of a net. The last ``n_covariates`` of the ``n_extra`` extra
    inputs are covariates, zero if unknown. Classifier-free ``guidance`` extrapolates
    from the output without covariates. The net depends on time only if ``timed``."""

    net: object
    params: tuple
    statistics: tuple
    schedule: NoiseSchedule
    n_extra: int = 0
    n_covariates: int = 0
    guidance: float = 0.0
    timed: bool = True

    def at(self, y, time):
        """Angles at a time, in the data type of rows y."""
        return self.schedule(time, y.dtype)

    def velocity(self, y, time, extra=None):
        """Velocity of rows y at a time: derivative with respect to the angles."""
        out = self.out(y, time, extra)[:, : y.shape[1]]
        return damping(self.at(y, time)) * out

    def out(self, y, time, extra=None):
        """Outputs of the net, with guidance, for rows y at a time."""
        if extra is None:
            extra = np.zeros((len(y), self.n_extra), y.dtype)
        covariates = slice(self.n_extra - self.n_covariates, None)
        out = self._out(y, time, extra)
        if not self.guidance or not extra[:, covariates].any():
            return out
        without = extra.copy()
        without[:, covariates] = 0
        return out + out.dtype.type(self.guidance) * (out - self._out(y, time, without))

    def _out(self, y, time, extra):
        x = net_inputs(y, time if self.timed else 0.0, self.at(y, time), extra)
        return self.net.apply(self.params, self.statistics, x)[0]

    def divergence(self, y, time, probe=None, extra=None):
        """Velocity, and its divergence with respect to time, (n_rows,): exact, or the
        Hutchinson estimate for a ``probe`` of random signs."""
        angles, n = self.at(y, time), y.shape[1]
        y_each, dy = y, probe
        if probe is None:
            y_each = np.repeat(y, n, axis=0)
            dy = np.tile(np.eye(n, dtype=y.dtype), (len(y), 1))
        if extra is None:
            extra = np.zeros((len(y), self.n_extra), y.dtype)
        extra = np.repeat(extra, len(y_each) // max(1, len(y)), axis=0)
        x = net_inputs(y_each, time, angles, extra)
        dx = np.zeros_like(x)
        dx[:, :n] = np.where(abs(y_each) < _MAX_INPUT, dy, 0) * angles.view
        out, tangent = self.net.tangent(self.params, self.statistics, x, dx)
        factors = damping(angles)
        slopes = (dy * tangent * (factors * angles.rate)).sum(axis=1, dtype=np.float64)
        shape = len(y), n if probe is None else 1
        velocity = factors * out.reshape((*shape, n))[:, 0]
        return velocity, slopes.reshape(shape).sum(axis=1)


def heun_steps(field, y, times, extra=None):
    """Move rows along the flow through a sequence of times by Heun's method [2]_."""
    if not y.shape[1]:
        return y
    for time, next_time in pairwise(times):
        angle = field.at(y, next_time).psi - field.at(y, time).psi
        v = field.velocity(y, time, extra)
        v_next = field.velocity(y + angle * v, next_time, extra)
        y = y + angle * (v + v_next) / 2
    return y


def integrate_flow(field, y, n_steps, probe=None, extra=None):
    """Move rows from data to noise by the classical Runge-Kutta method; return them and
    the log-determinant, (n_rows,)."""
    log_volume, step = np.zeros(len(y)), 1 / n_steps

    def slope(y, time):
        v, divergence = field.divergence(y, time, probe, extra)
        return field.at(y, time).rate * v, divergence

    for k in range(n_steps):
        half = y.dtype.type(step / 2)
        a, div_a = slope(y, k * step)
        b, div_b = slope(y + half * a, (k + 0.5) * step)
        c, div_c = slope(y + half * b, (k + 0.5) * step)
        d, div_d = slope(y + 2 * half * c, (k + 1) * step)
        y = y + half / 3 * (a + 2 * b + 2 * c + d)
        log_volume += step / 6 * (div_a + 2 * div_b + 2 * div_c + div_d)
    return y, log_volume


def add_noise(field, y, time, next_time, rng):
    """Add noise to rows, from the noise level of the time ``time`` to a higher
    level."""
    old, new = field.at(y, time), field.at(y, next_time)
    decay = new.cos / old.cos
    noise = rng.normal(y.shape[1], y.dtype)
    return decay * y + np.sqrt(np.maximum(1 - decay**2, 0)) * noise
