"""Distributions of latent units: normal distributions and bits."""

from abc import ABC, abstractmethod
from math import isqrt
from typing import Any, NamedTuple

import numpy as np
from scipy.special import logit

from skdgm.latent.adapting import BitProposal, NormalProposal
from skdgm.latent.links import of_bits
from skdgm.latent.priors import BINS, BOUND, StandardPrior
from skdgm.nets import (
    bounded,
    coin,
    columns,
    divergence,
    draw,
    halves,
    join_columns,
    layers,
    log_coins,
    log_drawn,
    log_normal,
    to_draws,
)
from skdgm.nets.bijections import coupling, permutation
from skdgm.nets.stochastic.triangles import (
    draw_full,
    half_squares,
    n_below,
    noise_of_full,
)
from skdgm.nets.tape import getval
from skdgm.utils.math import sigmoid, softplus
from skdgm.utils.random import stream
from skdgm.utils.tree import tree_map


class Linked(NamedTuple):
    """Parameters of units that depend on each other: outputs of a net, and a link's
    parameters."""

    raw: np.ndarray
    link: tuple

    @property
    def dtype(self):
        """Data type of the outputs."""
        return self.raw.dtype


class LatentUnits(ABC):
    """Distribution of the units of a layer, given ``n_stats`` outputs of a net for
    each. Outputs become *stats*, (n_rows, n_stats * n_units). Draws z have the shape
    (n_rows * n_draws, n_units), with consecutive draws of each row. Functions of arrays
    are differentiable."""

    n_stats: int

    def link(
        self, n_units: int, rule: Any, rng: np.random.Generator, dtype: type
    ) -> tuple:
        """Initial parameters of a layer's link; () by default."""
        return ()

    def stats(self, raw, link=()):
        """Stats for outputs ``raw`` of a net and a layer's link; by default the
        outputs."""
        return raw

    def start(self, n_units):
        """Initial bias of the first output of each unit."""
        return 0.0

    # Class of adaptive proposals.
    proposal: type
    # Whether the prior has the encoder's distributions as components, and whether the
    # divergence of encoders from the prior has a closed form.
    inferred, closed = False, True

    def n_raw(self, n_units):
        """Number of outputs of a net for a layer."""
        return self.n_stats * n_units

    def n_noise(self, n_units):
        """Number of random numbers for a draw of a layer."""
        return n_units

    @abstractmethod
    def prior(self, n_units, rng, dtype):
        """Initial parameters of the prior of the highest layer, or ()."""

    def constrain(self, prior):  # noqa: B027  Most have no limits.
        """Project parameters of the prior onto their constraints, in place."""

    @abstractmethod
    def noise(self, rng, n, dtype):
        """Noise of n units, (n_rows, n), with a random stream for each row."""

    @abstractmethod
    def noise_of(self, z, stats, rng=None):
        """Noise for which :meth:`draw` returns z. Noise that z does not determine is
        drawn, with a random stream for each row."""

    @abstractmethod
    def draw(self, stats, noise):
        """Draw z."""

    def drawn(self, stats, noise):
        """Draw z and return its log-probability."""
        z = self.draw(stats, noise)
        return z, self.log_drawn(stats, noise, z)

    @abstractmethod
    def draw_prior(self, prior, rng, n_units, dtype):
        """Draw the highest layer from the prior, (n_rows, n_units), with a random
        stream for each row."""

    @abstractmethod
    def log_drawn(self, stats, noise, z):
        """Log-probability of draws z that were made from ``noise``, in nats."""

    @abstractmethod
    def log_prob(self, z, stats):
        """Log-probability of z, (n_rows * n_draws,), in nats."""

    @abstractmethod
    def log_prior(self, z, prior):
        """Log-probability of the highest layer under the prior, in nats."""

    @abstractmethod
    def divergence(self, stats, prior):
        """Kullback-Leibler divergence from the prior, (n_rows,). The divergence of bits
        is not differentiable."""

    @abstractmethod
    def mean(self, stats):
        """Means, (n_rows, n_units)."""


class NormalUnits(LatentUnits):
    """Normal units, whose stats are means and log-variances; ``top`` is the prior,
    standard normal by default."""

    n_stats, proposal = 2, NormalProposal

    def __init__(self, top=None):
        self.top = StandardPrior() if top is None else top
        self.inferred, self.closed = self.top.inferred, self.top.standard

    def stats(self, raw, link=()):
        """Means and bounded log-variances."""
        return bounded(raw)

    def prior(self, n_units, rng, dtype):
        return self.top.init(n_units, rng, dtype)

    def constrain(self, prior):
        self.top.constrain(prior)

    def noise(self, rng, n, dtype):
        return rng.normal(n, dtype)

    def noise_of(self, z, stats, rng=None):
        mean, log_var = (to_draws(part, len(z)) for part in halves(stats))
        return (z - mean) * np.exp(-0.5 * log_var)

    def draw(self, stats, noise):
        return draw(stats, noise)

    def draw_prior(self, prior, rng, n_units, dtype):
        return self.top.draw(prior, rng, n_units, dtype)

    def log_drawn(self, stats, noise, z):
        return log_drawn(stats, noise)

    def log_prob(self, z, stats):
        return log_normal(z, stats)

    def log_prior(self, z, prior):
        return self.top.log_prob(z, prior)

    def divergence(self, stats, prior):
        return divergence(stats)

    def mean(self, stats):
        return columns(stats, 0, stats.shape[1] // 2)

    def component(self, stats):
        """Means and log-variances of a component of the prior of pseudo-inputs."""
        return stats


class FullUnits(NormalUnits):
    """Normal units of full covariance, with the entries of a triangular factor as
    stats."""

    def n_raw(self, n_units):
        return 2 * n_units + n_below(n_units)

    def stats(self, raw, link=()):
        n = _n_full(raw.shape[1])
        return join_columns(bounded(columns(raw, 0, 2 * n)), columns(raw, 2 * n, None))

    def noise_of(self, z, stats, rng=None):
        return noise_of_full(z, stats)

    def draw(self, stats, noise):
        return draw_full(stats, noise)

    def log_drawn(self, stats, noise, z):
        return log_drawn(self.component(stats), noise)

    def log_prob(self, z, stats):
        return self.log_drawn(stats, self.noise_of(z, stats), z)

    def divergence(self, stats, prior):
        below = columns(stats, 2 * _n_full(stats.shape[1]), None)
        return divergence(self.component(stats)) + half_squares(below)

    def mean(self, stats):
        return columns(stats, 0, _n_full(stats.shape[1]))

    def component(self, stats):
        return columns(stats, 0, 2 * _n_full(stats.shape[1]))


def _n_full(n_raw):
    """Number of units n with ``n_raw`` = n (n + 3) / 2 outputs."""
    return (isqrt(9 + 8 * n_raw) - 3) // 2


class FlowUnits(NormalUnits):
    r"""Normal units, transformed by coupling layers conditional on the row.

    .. math:: z = f(z_0, c), \quad z_0 \sim \mathcal{N}(\mu, e^s), \qquad
       \log q(z) = \log q(z_0) - \log \left\lvert \det
       \frac{\partial f}{\partial z_0} \right\rvert

    Stats are :class:`Linked`: means, log-variances and a context c of one number per
    unit, which all coupling layers receive [1]_. ``hidden`` is the net of each
    coupling. The mean of units is approximated by the image of the mean.

    References
    ----------
    .. [1] Kingma, Salimans, Jozefowicz, Chen, Sutskever and Welling (2016). Improved
       variational inference with inverse autoregressive flow. NeurIPS.
    """

    n_stats = 3

    def __init__(self, n_couplings, hidden, top=None):
        super().__init__(top)
        self.n_couplings, self.hidden, self.closed = n_couplings, hidden, False

    def _net(self, n_units):
        """Coupling layers of context and units, and their statistics; the context is
        not changed."""
        flow_layers, units = [], np.arange(n_units)
        for coupling_number in range(self.n_couplings):
            order = stream(1, coupling_number).generator().permutation(n_units)
            flow_layers.append(permutation(np.r_[units, n_units + order]))
            flow_layers.append(coupling(self.hidden, BINS, BOUND, n_units))
        net = layers.serial(*flow_layers)
        return net, net.init(np.random.default_rng(0), 2 * n_units, np.float32)[2]

    def link(self, n_units, rule, rng, dtype):
        return self._net(n_units)[0].init(rng, 2 * n_units, dtype)[1]

    def stats(self, raw, link=()):
        n = 2 * (raw.shape[1] // 3)
        return Linked(
            join_columns(bounded(columns(raw, 0, n)), columns(raw, n, None)), link
        )

    def draw(self, stats, noise):
        return self.drawn(stats, noise)[0]

    def log_drawn(self, stats, noise, z):
        return self.drawn(stats, noise)[1]

    def drawn(self, stats, noise):
        normal, context = self.component(stats), self._context(stats)
        z, log_det = self._changed(
            stats, to_draws(context, len(noise)), draw(normal, noise)
        )
        return z, log_drawn(normal, noise) - log_det

    def noise_of(self, z, stats, rng=None):
        n = z.shape[1]
        net, state = self._net(n)
        context = to_draws(self._context(stats), len(z))
        z = net.inverse(stats.link, state, np.concatenate([context, z], axis=1))[:, n:]
        return super().noise_of(z, self.component(stats))

    def log_prob(self, z, stats):
        return self.log_drawn(stats, self.noise_of(z, stats), z)

    def divergence(self, stats, prior):
        """Not implemented: it has no closed form."""
        raise NotImplementedError

    def mean(self, stats):
        mean = super().mean(self.component(stats))
        return self._changed(stats, self._context(stats), mean)[0]

    def component(self, stats):
        return columns(stats.raw, 0, 2 * (stats.raw.shape[1] // 3))

    def _context(self, stats):
        return columns(stats.raw, 2 * (stats.raw.shape[1] // 3), None)

    def _changed(self, stats, context, z):
        n = getval(z).shape[1]
        net, state = self._net(n)
        transformed, log_det = net.log_det(stats.link, state, join_columns(context, z))
        return columns(transformed, n, 2 * n), log_det


class BernoulliUnits(LatentUnits):
    r"""Independent bits, whose stats, and prior parameters, are log-odds.

    .. math:: \log p(z) = \sum_j z_j a_j - \log(1 + e^{a_j})

    Initially :math:`\sqrt{n / 2}` of the n bits of a layer are on, 10 of 200. Fair
    coins as an initial state give worse models, with more constant bits on MNIST.
    Gradients pass through the ``relaxation`` of a draw, none by default; see
    :func:`~skdgm.nets.coin`.
    """

    n_stats, proposal = 1, BitProposal

    def __init__(self, relaxation=None, temperature=0.5):
        self.relaxation, self.temperature = relaxation, temperature

    def start(self, n_units):
        """Log-odds for which the square root of n / 2 of n bits are on."""
        return logit(min(0.5, 1 / np.sqrt(2 * n_units)))

    def prior(self, n_units, rng, dtype):
        odds = np.zeros(self.n_stats * n_units, dtype)
        odds[:n_units] = self.start(n_units)
        return odds

    def noise(self, rng, n, dtype):
        return rng.uniform(n, dtype)

    def noise_of(self, z, stats, rng=None):
        # Noise of -1 is below any probability, and 1 above it.
        return 1 - 2 * z

    def odds(self, stats, z):
        """Log-odds of bits, an array like z."""
        return to_draws(getval(stats), len(z))

    def draw(self, stats, noise):
        return coin(stats, noise, self.relaxation, self.temperature)

    def draw_prior(self, prior, rng, n_units, dtype):
        noise = rng.uniform(n_units, dtype)
        return coin(prior[None], noise)

    def log_drawn(self, stats, noise, z):
        return log_coins(stats, z)

    def log_prob(self, z, stats):
        return log_coins(stats, z)

    def log_prior(self, z, prior):
        return log_coins(prior.reshape((1, -1)), z)

    def divergence(self, stats, prior):
        p = sigmoid(stats)
        terms = p * (stats - prior) - softplus(stats) + softplus(prior)
        return terms.sum(axis=1)

    def mean(self, stats):
        return sigmoid(stats)


class AutoregressiveBernoulliUnits(BernoulliUnits):
    r"""Bits that depend on the previous bits of their layer, by a ``kind`` of
    :mod:`skdgm.latent.links`; stats are :class:`Linked`.

    .. math:: \log p(z) = \sum_j z_j a_j(z_{<j}) - \log(1 + e^{a_j(z_{<j})})

    The mean of a bit is its probability given the means of previous bits.
    """

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.n_stats = 1 + of_bits(kind, 1).n_extra

    def link(self, n_units, rule, rng, dtype):
        return of_bits(self.kind, n_units).init(rule, rng, dtype)

    def weights(self, link):
        """Weights of a layer's link, as of
        :class:`~skdgm.latent.links.AutoregressiveLink`."""
        n_units = len(link[0] if isinstance(link, tuple) else link)
        return of_bits(self.kind, n_units).weights(link)

    def stats(self, raw, link=()):
        return Linked(raw, link)

    def draw(self, stats, noise):
        return self._bits(stats, np.full_like(noise, np.nan), noise)

    def draw_prior(self, prior, rng, n_units, dtype):
        stats = Linked(prior.raw[None], prior.link)
        return self.draw(stats, rng.uniform(n_units, dtype))

    def log_drawn(self, stats, noise, z):
        return self.log_prob(z, stats)

    def odds(self, stats, z):
        link, raw = tree_map(getval, stats.link), getval(stats.raw)
        return of_bits(self.kind, z.shape[1]).apply(link, raw, z)

    def log_prob(self, z, stats):
        link = of_bits(self.kind, z.shape[1])
        return log_coins(link.apply(stats.link, stats.raw, z), z)

    def log_prior(self, z, prior):
        return self.log_prob(z, Linked(prior.raw.reshape((1, -1)), prior.link))

    def divergence(self, stats, prior):
        """Not implemented: it has no closed form."""
        raise NotImplementedError

    def mean(self, stats):
        shape = len(stats.raw), stats.raw.shape[1] // self.n_stats
        return self._bits(stats, np.full(shape, np.nan, stats.dtype))

    def _bits(self, stats, v, noise=None):
        link, raw = tree_map(getval, stats.link), getval(stats.raw)
        return of_bits(self.kind, v.shape[1]).bits(link, raw, v, noise)
