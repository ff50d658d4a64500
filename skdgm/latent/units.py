"""Distributions of latent units: real numbers, and bits."""

from abc import ABC, abstractmethod

import numpy as np
from scipy.special import expit

from skdgm.nets import (
    bounded,
    coin,
    divergence,
    draw,
    halves,
    log_coins,
    log_drawn,
    log_normal,
    log_prior,
)
from skdgm.utils.math import softplus


class LatentUnits(ABC):
    r"""Distribution of the units of a layer, given outputs of a net.

    Outputs become *stats*, of shape (n_rows, n_stats * n_units). Each row may have
    several consecutive rows of draws z, of shape (n_rows * n_draws, n_units).
    Functions of arrays that may be traced are differentiable.

    Attributes
    ----------
    n_stats : int
        Outputs of a net for each unit.
    """

    n_stats: int

    def stats(self, raw):
        """Parameters of the distribution, of outputs of a net: as they are."""
        return raw

    @abstractmethod
    def prior(self, n_units, dtype):
        """Initial parameters of the highest layer, or ()."""

    @abstractmethod
    def noise(self, rng, n, dtype):
        """Noise of ``n`` units for each row of a Stream, of shape (n_rows, n)."""

    @abstractmethod
    def noise_of(self, z, stats):
        """Noise for which :meth:`draw` returns given values."""

    @abstractmethod
    def draw(self, stats, noise):
        """Draw z."""

    @abstractmethod
    def draw_prior(self, own, rng, n_units, dtype):
        """Draw the highest layer, of shape (n_rows, n_units), by its parameters and
        a stream for each row."""

    @abstractmethod
    def log_drawn(self, stats, noise, z):
        """Log probability of draws by the noise that they were made of, in nats."""

    @abstractmethod
    def log_prob(self, z, stats):
        """Log probability of given values, of shape (n_rows * n_draws,)."""

    @abstractmethod
    def log_prior(self, z, own):
        """Log probability of the highest layer."""

    @abstractmethod
    def divergence(self, stats, own):
        """Kullback-Leibler divergence from the prior, for each row of stats; of bits
        it is not differentiable."""

    @abstractmethod
    def mean(self, stats):
        """Means, of shape (n_rows, n_units)."""


class NormalUnits(LatentUnits):
    """Normal units, whose stats are means and log variances; the prior is standard."""

    n_stats = 2

    def stats(self, raw):
        """Means and log variances, the latter bounded."""
        return bounded(raw)

    def prior(self, n_units, dtype):
        return ()

    def noise(self, rng, n, dtype):
        return rng.normal(n, dtype)

    def noise_of(self, z, stats):
        mean, log_var = halves(stats)
        return (z - mean) * np.exp(-0.5 * log_var)

    def draw(self, stats, noise):
        return draw(stats, noise)

    def draw_prior(self, own, rng, n_units, dtype):
        return rng.normal(n_units, dtype)

    def log_drawn(self, stats, noise, z):
        return log_drawn(stats, noise)

    def log_prob(self, z, stats):
        return log_normal(z, stats)

    def log_prior(self, z, own):
        return log_prior(z)

    def divergence(self, stats, own):
        return divergence(stats)

    def mean(self, stats):
        return halves(stats)[0]


class Coins(LatentUnits):
    r"""Bits, whose stats are log odds; so are the parameters of the prior.

    .. math:: \log p(z) = \sum_j z_j a_j - \log(1 + e^{a_j})

    Parameters
    ----------
    relaxation : {None, "concrete", "straight-through"}
        What gradients pass through in place of a draw; by default none do. See
        :func:`~skdgm.nets.coin`.
    temperature : float
    """

    n_stats = 1

    def __init__(self, relaxation=None, temperature=0.5):
        self.relaxation, self.temperature = relaxation, temperature

    def prior(self, n_units, dtype):
        return np.zeros(n_units, dtype)

    def noise(self, rng, n, dtype):
        return rng.uniform(n, dtype)

    def noise_of(self, z, stats):
        # The least noise makes 1 of any log odds, the largest 0.
        return 1 - z

    def draw(self, stats, noise):
        return coin(stats, noise, self.relaxation, self.temperature)

    def draw_prior(self, own, rng, n_units, dtype):
        noise = rng.uniform(n_units, dtype)
        return coin(own[None], noise)

    def log_drawn(self, stats, noise, z):
        return log_coins(stats, z)

    def log_prob(self, z, stats):
        return log_coins(stats, z)

    def log_prior(self, z, own):
        return log_coins(own.reshape((1, -1)), z)

    def divergence(self, stats, own):
        p = expit(stats)
        terms = p * (stats - own) - softplus(stats) + softplus(own)
        return terms.sum(axis=1)

    def mean(self, stats):
        return expit(stats)
