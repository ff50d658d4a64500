"""Distributions of latent units: real numbers, and bits."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from skdgm.latent.links import of_bits
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
    to_draws,
)
from skdgm.nets.tape import getval
from skdgm.utils.math import softplus
from skdgm.utils.tree import tree_map


class Linked(NamedTuple):
    """Parameters of bits that depend on each other: outputs of a net, and a link's."""

    raw: np.ndarray
    own: tuple

    @property
    def dtype(self):
        """Type of the outputs."""
        return self.raw.dtype


class LatentUnits(ABC):
    """Distribution of the units of a layer, given outputs of a net, ``n_stats`` for
    each.

    Outputs become *stats*, of shape (n_rows, n_stats * n_units). Each row may have
    several consecutive rows of draws z, of shape (n_rows * n_draws, n_units). Functions
    of arrays that may be traced are differentiable.
    """

    n_stats: int

    def link(self, n_units, rule, rng, dtype):
        """Initial parameters of a layer that are no outputs of a net: none."""
        return ()

    def stats(self, raw, own=()):
        """Parameters of the distribution, of outputs of a net and of the layer's own:
        the outputs as they are."""
        return raw

    def start(self, n_units):
        """Initial bias of the first output for each unit of a layer, in encoders and
        decoders: 0."""
        return 0.0

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

    def stats(self, raw, own=()):
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

    At first :math:`\sqrt{n / 2}` of the n bits of a layer are on, ten of 200, in draws
    of encoders and decoders. Nets that begin so end up better than those that begin as
    fair coins, of whose bits more become constant on MNIST. Gradients pass through the
    ``relaxation`` of a draw, by default none; see :func:`~skdgm.nets.coin`.
    """

    n_stats = 1

    def __init__(self, relaxation=None, temperature=0.5):
        self.relaxation, self.temperature = relaxation, temperature

    def start(self, n_units):
        """Log odds of which so many bits are on."""
        return logit(min(0.5, 1 / np.sqrt(2 * n_units)))

    def prior(self, n_units, dtype):
        own = np.zeros(self.n_stats * n_units, dtype)
        own[:n_units] = self.start(n_units)
        return own

    def noise(self, rng, n, dtype):
        return rng.uniform(n, dtype)

    def noise_of(self, z, stats):
        # Below any probability, also one that rounds to zero, or at least 1.
        return 1 - 2 * z

    def odds(self, stats, z):
        """Log odds of bits with these values, an array like z."""
        return to_draws(getval(stats), len(z))

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


class LinkedCoins(Coins):
    r"""Bits, each given those before it in the layer by a ``kind`` of
    :mod:`skdgm.latent.links`; stats are :class:`Linked`.

    .. math:: \log p(z) = \sum_j z_j a_j(z_{<j}) - \log(1 + e^{a_j(z_{<j})})

    The mean of a bit is its probability given the means of those before.
    """

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.n_stats = 1 + of_bits(kind, 1).n_extra

    def link(self, n_units, rule, rng, dtype):
        return of_bits(self.kind, n_units).init(rule, rng, dtype)

    def weights(self, own):
        """Weights of a layer's link, as of :class:`~skdgm.latent.links.Link`."""
        n_units = len(own[0] if isinstance(own, tuple) else own)
        return of_bits(self.kind, n_units).weights(own)

    def stats(self, raw, own=()):
        return Linked(raw, own)

    def draw(self, stats, noise):
        return self._bits(stats, np.full_like(noise, np.nan), noise)

    def draw_prior(self, own, rng, n_units, dtype):
        stats = Linked(own.raw[None], own.own)
        return self.draw(stats, rng.uniform(n_units, dtype))

    def log_drawn(self, stats, noise, z):
        return self.log_prob(z, stats)

    def odds(self, stats, z):
        own, raw = tree_map(getval, stats.own), getval(stats.raw)
        return of_bits(self.kind, z.shape[1]).apply(own, raw, z)

    def log_prob(self, z, stats):
        link = of_bits(self.kind, z.shape[1])
        return log_coins(link.apply(stats.own, stats.raw, z), z)

    def log_prior(self, z, own):
        return self.log_prob(z, Linked(own.raw.reshape((1, -1)), own.own))

    def divergence(self, stats, own):
        """There is no closed form: :meth:`Hierarchy.through` does not ask for it."""
        raise NotImplementedError

    def mean(self, stats):
        shape = len(stats.raw), stats.raw.shape[1] // self.n_stats
        return self._bits(stats, np.full(shape, np.nan, stats.dtype))

    def _bits(self, stats, v, noise=None):
        own, raw = tree_map(getval, stats.own), getval(stats.raw)
        return of_bits(self.kind, v.shape[1]).bits(own, raw, v, noise)
