r"""Ways of learning: the role that estimates the gradient of an update.

Most follow the gradient of

.. math:: \sum_k a_k \log p(x, z_k) + \sum_{k, l} b_{kl} \log q_{kl}

for draws :math:`z_k` of q(z | x), with weights that do not depend on parameters. A new
way is a subclass of :class:`Way`, or of :class:`DrawnWay` if it needs draws, and an
entry of ``OBJECTIVES``.
"""

from abc import ABC, abstractmethod
from copy import copy
from typing import NamedTuple

import numpy as np

from skdgm.latent import Coins
from skdgm.nets import listed, nll, row_mean
from skdgm.nets.tape import getval

# Streams of random numbers of an update.
NOISE, DROP, GREY, DREAM, OTHER, DATA, FILL = range(7)


class Learned(NamedTuple):
    """Parameters of a model, and of nets that a way to learn has of its own."""

    model: tuple
    own: tuple


class Kept(NamedTuple):
    """What training changes besides parameters: statistics of the model, and the state
    of a way to learn: moments, chains."""

    model: tuple
    own: tuple


class Update(NamedTuple):
    """Rows v and random numbers of an update, with the parameters before it: noise of
    each layer, (n_rows * n_draws, n_units), and dreams, rows of the model and their
    latent units, or None."""

    params: Learned
    kept: Kept
    v: np.ndarray
    noise: list
    dreams: tuple
    rng: object


class Drawn(NamedTuple):
    """Draws of latent units, and their log probabilities, (n_rows * n_draws,)."""

    # Inputs, and the :class:`~skdgm.latent.data_layer.Pass` of these.
    x: object
    found: object
    # Terms of the data given the lowest layer, of each layer given the next, and of the
    # highest; and by the inference net.
    log_p: tuple
    log_q: tuple
    # Number of rows.
    n: int

    def values(self):
        """Log p of shape (n_rows, n_draws, n_layers + 1), and log q of one less."""
        parts = self.log_p, self.log_q
        return [
            np.stack([getval(p).reshape(self.n, -1) for p in part], axis=2).astype(
                float
            )
            for part in parts
        ]

    def weighed(self, weights):
        """Weighted sum of log probabilities, for each row."""
        dtype = getval(self.log_p[0]).dtype
        of_p, of_q = (part.astype(dtype) for part in weights)
        total = sum(self.log_p) * of_p.reshape(-1)
        for level, part in enumerate(self.log_q if of_q.any() else ()):
            total = total + part * of_q[:, :, level].reshape(-1)
        return by_row(total, self.n)


class Net(NamedTuple):
    """A hierarchy above columns, whose distribution given the decoder's outputs is
    ``output``; ``share`` are the marginal means of inputs, or None."""

    hierarchy: object
    output: object
    share: np.ndarray

    def inputs(self, v):
        """Rows as the inputs of the lowest encoder."""
        return listed(self.output.inputs(v, self.share))

    def drawn(self, params, given, noise, hierarchy=None):
        """A pass by noise, a :class:`Drawn`; by another hierarchy, relaxed draws."""
        x, hierarchy = self.inputs(given.v), hierarchy or self.hierarchy
        how = {"rng": given.rng.fold(DROP), "train": True}
        how["given"] = given.v, given.rng.fold(FILL).rows(len(given.v))
        own = params, given.kept.model, x, lambda level, _: noise[level]
        found = hierarchy.through(*own, **how)
        log_p = -nll(found.out, params.own, given.v, self.output), *found.log_p
        return Drawn(x, found, log_p, found.log_q, len(given.v))


class Way(ABC):
    """One way to learn, by options.

    Attributes
    ----------
    n_draws : int
        Draws for each row, if the options do not say.
    asleep : float
        Weight of what the inference net learns from dreams.
    nets : list of Net
        Nets of its own, one for each layer; their inputs are those of the encoders.
    of_rows : bool
        Whether it remembers something of each row.
    n_judged : int
        Draws for each row by which losses are compared: as many as in training.
    """

    n_draws, asleep, nets, of_rows = 1, 0.0, (), False

    def __init__(self, net, options):
        self.net, self.options = net, options
        self.n_each = self.n_judged = options.n_importance or self.n_draws

    @classmethod  # noqa: B027  Most work with all options.
    def check(cls, options):
        """Raise ValueError for options with which it cannot work."""

    def init(self, rng, dtype):
        """Initial parameters of its nets."""
        sizes = zip(self.nets, self.net.hierarchy.n_inputs)
        return tuple(net.init(rng, n, dtype)[1] for net, n in sizes)

    def resume(self, own, rows):
        """State of its own to learn rows with, from an earlier one or ()."""
        return ()

    def noise(self, state, batch, v, rng):
        """Noise of each layer, (n_rows * n_draws, n_units), for an update: uniform."""
        generator = rng.fold(NOISE).generator()
        shapes = [(len(v) * self.n_each, n) for n in self.net.hierarchy.n_latent]
        return [generator.random(shape, v.dtype) for shape in shapes]

    @abstractmethod
    def aim(self, params, given):
        """What has the gradient, (n_rows,), by parameters that may be traced, and
        updated state."""


class DrawnWay(Way):
    """A way to learn from draws by the inference net."""

    def aim(self, params, given):
        drawn = self.net.drawn(params.model, given, given.noise)
        total, own = self.of_drawn(params, given, drawn)
        return total, Kept(drawn.found.statistics, own)

    @abstractmethod
    def of_drawn(self, params, given, drawn):
        """What has the gradient, of draws, and updated state of its own."""


class Relaxed(Way):
    r"""Gradients through relaxed draws, of the bound.

    .. math:: \nabla \frac1K \sum_k \log \frac{p(x, \tilde z_k)}{q(\tilde z_k \mid x)}

    See :func:`~skdgm.nets.coin`.
    """

    def __init__(self, net, options):
        super().__init__(net, options)
        self.relaxed = copy(net.hierarchy)
        self.relaxed.units = Coins(options.objective, options.temperature)

    def aim(self, params, given):
        drawn = self.net.drawn(params.model, given, given.noise, self.relaxed)
        share = given.v.dtype.type(1 / self.n_each)
        total = (sum(drawn.log_p) - sum(drawn.log_q)) * share
        return by_row(total, drawn.n), Kept(drawn.found.statistics, ())


def by_row(terms, n):
    """Sum over the draws of each row."""
    each = len(getval(terms)) // n
    if each == 1:
        return terms
    return row_mean(terms.reshape((n, each))) * getval(terms).dtype.type(each)


def affine(model, level):
    """Weights and biases from a layer of hidden units to the layer below."""
    return model.decoders[level][-1]


def fields(model, z, level):
    """Log odds of a layer's bits given the values of the layer above."""
    if level + 1 == len(z):
        return np.tile(model.prior, (len(z[level]), 1))
    W, b = affine(model, level + 1)
    return z[level + 1] @ W + b


def along(layer, of_weights, of_biases=None):
    """A number whose gradients by weights and biases are the given ones."""
    total = (layer.W * of_weights).sum()
    return total if of_biases is None else total + (layer.b * of_biases).sum()
