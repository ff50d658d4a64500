r"""Bounds by several particles, as training objectives of recurrent nets with latent
units.

.. math:: \log p(x_1, \dots, x_T) \ge \mathbb{E} \sum_t \log \sum_k W_{t-1}^k w_t^k,
   \qquad w_t^k = \frac{p(x_t, z_t^k \mid h_{t-1}^k)}{q(z_t^k \mid x_t, h_{t-1}^k)}

Weights W of previous steps accumulate, which gives the importance-weighted bound of
whole sequences. The filtering bound [1]_ resamples particles by W, as particle filters
do, before each step in which their effective sample size is small. As in the reference,
its gradient treats the chosen ancestors as constants: the term for the probabilities of
the choice is left out, because it has a large variance. The gradient is therefore
biased, unless no particle is resampled.

References
----------
.. [1] Maddison, Lawson, Tucker, Heess, Norouzi, Mnih, Doucet and Teh (2017). Filtering
   variational objectives. NeurIPS.
"""

from typing import NamedTuple

import numpy as np

from skdgm.nets import (
    divergence_from,
    draw,
    log_mean_exp,
    nll,
    pick,
    pick_sorted,
    row_mean,
    to_draws,
)
from skdgm.nets.recurrent import stacked
from skdgm.nets.tape import getval
from skdgm.utils.weighted import systematic

# Resampling threshold of the effective share of the particles.
_RESAMPLING_THRESHOLD = 0.5


class Particles(NamedTuple):
    """Particles of sequences: states, (n_sequences * n_particles, n_states), and log
    weights, (n_sequences, n_particles)."""

    states: np.ndarray
    log_w: np.ndarray


class ParticleNoise(NamedTuple):
    """Standard normal noise of particles, (n_rows * n_particles, n_latent), and uniform
    numbers for resampling, (n_rows, 1)."""

    normal: np.ndarray
    uniform: np.ndarray


class ParticleBound(NamedTuple):
    """Bound with ``n_particles`` for each sequence, of a kind of
    :class:`~skdgm.options.SequenceBound`."""

    kind: str
    n_particles: int

    def losses(self, net, params, v, sizes, noise, particles, beta):
        """Negative bound of each row of a batch of rows v, with particles before them
        (None at the beginning) and a weight ``beta`` of log q(z) - log p(z); and the
        particles after them. Differentiable in the parameters of the net.
        """
        k, x, losses, first = self.n_particles, net.inputs(v), [], 0
        states, log_w = self._begin(net, params, sizes[0], particles)
        for size in sizes:
            part = slice(first, first + size)
            each = slice(k * part.start, k * part.stop)
            if size < len(log_w):
                states = pick(states, np.arange(size * k), 0)
                log_w = pick(log_w, np.arange(size), 0)
            if self.kind == "fivo" and k > 1:
                states, log_w = _resampled(states, log_w, noise.uniform[part])
            h, seen = net.walk.units(states), net.seen(params, x[part])
            seen = to_draws(seen, size * k)
            stats, prior = net.posterior(params, seen, h), net.prior(params, h)
            z = draw(stats, noise.normal[each])
            latent = net.latent_features(params, z)
            out = net.out(params, latent, h)
            log_p = -nll(out, params.dispersion, v[part], net.output)
            if self.kind == "elbo":
                gap = divergence_from(stats, prior)
            else:
                gap = net.gap(stats, prior, noise.normal[each], z)
            gap = gap if beta == 1 else gap * v.dtype.type(beta)
            gains = (log_p - gap).reshape((size, k))
            if self.kind == "elbo":
                gain = row_mean(gains)
            else:
                total = log_w + gains
                gain = log_mean_exp(total) + v.dtype.type(np.log(k))
                log_w = total - gain.reshape((size, 1))
            losses.append(-gain)
            states, first = net.follow(params, states, seen, latent), first + size
        return stacked(*losses), Particles(getval(states), getval(log_w))

    def _begin(self, net, params, n, particles):
        """States and log weights of the particles of n sequences."""
        if particles is not None:
            return particles
        states = net.begin(params, n * self.n_particles)
        log_w = np.full((n, self.n_particles), -np.log(self.n_particles))
        return states, log_w.astype(getval(states).dtype)


def _resampled(states, log_w, uniform):
    """Resample particles; ancestors are constants."""
    few, ancestors = ancestors_of(getval(log_w), lambda few: uniform[few])
    if not few.size:
        return states, log_w
    kept = np.ones((len(uniform), 1), uniform.dtype)
    kept[few] = 0
    even = (1 - kept) * uniform.dtype.type(-np.log(ancestors.shape[1]))
    return pick_sorted(states, ancestors.ravel()), log_w * kept + even


def ancestors_of(log_w, uniform):
    """Rows of log weights, (n_rows, n_particles), with a small effective sample size,
    and the numbers of the particles that continue in each row, (n_rows, n_particles),
    by systematic resampling in these rows; ``uniform(few)`` returns their uniform
    numbers, (n_few, 1)."""
    n, k = log_w.shape
    w = np.exp(log_w.astype(np.float64))
    w /= w.sum(axis=1, keepdims=True)
    few = np.flatnonzero(1 / (w**2).sum(axis=1) < _RESAMPLING_THRESHOLD * k)
    ancestors = np.arange(n * k).reshape(n, k)
    if few.size:
        ancestors[few] = few[:, None] * k + systematic(w[few], k, uniform(few))
    return few, ancestors
