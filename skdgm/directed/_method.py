r"""Training methods: estimators of the gradient of an update.

Most methods follow the gradient of

.. math:: \sum_k a_k \log p(x, z_k) + \sum_{k, l} b_{kl} \log q_{kl}

for draws :math:`z_k` from q(z | x), with weights that do not depend on parameters. A
new method is a subclass of :class:`Method`, or of :class:`SamplingMethod` if it needs
draws, and an entry of ``OBJECTIVES``.
"""

from abc import ABC, abstractmethod
from copy import copy
from typing import Any, NamedTuple

import numpy as np

from skdgm.latent import BernoulliUnits
from skdgm.latent.data_layer import Entries
from skdgm.nets import Variables, lists_if_sparse, nll, row_mean
from skdgm.nets.tape import getval
from skdgm.utils.rows import Rows

# Random streams of an update.
NOISE, DROP, GRAY, DREAM, OTHER, DATA, FILL = range(7)


class BeliefParams(NamedTuple):
    """Parameters of a model, and of the nets of the training method."""

    model: Any
    method: Any

    # Names of fields in older files.
    RENAMED = {"own": "method"}


class BeliefStatistics(NamedTuple):
    """Non-trainable state: statistics of the model, and moments or chains of the
    method."""

    model: Any
    method: Any

    # Names of fields in older files.
    RENAMED = {"own": "method"}


class BeliefBatch(NamedTuple):
    """Rows v and random numbers of an update, with the parameters before it: noise of
    each layer, (n_rows * n_draws, n_units), and dreams, which are rows drawn from the
    model with their latent units, or None."""

    params: BeliefParams
    kept: BeliefStatistics
    v: np.ndarray
    noise: list
    dreams: tuple | None
    rng: object


class BeliefDraws(NamedTuple):
    """Draws of latent units, and their log probabilities, (n_rows * n_draws,)."""

    # Inputs, and their forward pass (:class:`~skdgm.latent.data_layer.Pass`).
    x: Any
    decoded: Any
    # Terms of the data given the lowest layer, each layer given the next, and the
    # highest layer; and terms of the inference net.
    log_p: tuple
    log_q: tuple
    # Number of rows.
    n: int

    def values(self):
        """Log p, (n_rows, n_draws, n_layers + 1), and log q, (n_rows, n_draws,
        n_layers)."""
        return [
            np.stack([getval(p).reshape(self.n, -1) for p in part], 2).astype(float)
            for part in (self.log_p, self.log_q)
        ]

    def weighed(self, weights):
        """Weighted sum of log probabilities for each row."""
        dtype = getval(self.log_p[0]).dtype
        p_weights, q_weights = (part.astype(dtype) for part in weights)
        total = sum(self.log_p) * p_weights.reshape(-1)
        for level, part in enumerate(self.log_q if q_weights.any() else ()):
            total = total + part * q_weights[:, :, level].reshape(-1)
        return by_row(total, self.n)


class BeliefNet(NamedTuple):
    """Hierarchy of latent units above columns. ``output`` is the distribution of
    columns given the decoder's outputs, and ``share`` are the marginal means of inputs,
    or None."""

    hierarchy: Any
    output: Any
    share: np.ndarray

    def inputs(self, v):
        """Encode rows as the inputs of the lowest encoder."""
        return lists_if_sparse(self.output.inputs(v, self.share))

    def drawn(self, params, batch, noise, hierarchy=None):
        """Draw latent units of a batch from noise; another hierarchy has relaxed
        draws."""
        v, x = batch.v, self.inputs(batch.v)
        decoded = (hierarchy or self.hierarchy).through(
            Variables(params, batch.kept.model),
            x,
            lambda level, _: noise[level],
            entries=Entries(v, batch.rng.fold(FILL).rows(len(v))),
            training=batch.rng.fold(DROP),
        )
        log_p = -nll(decoded.out, params.dispersion, v, self.output), *decoded.log_p
        return BeliefDraws(x, decoded, log_p, decoded.log_q, len(v))


class Method(ABC):
    """Base class of training methods, configured by options.

    ``n_draws`` is the default number of draws per row, and ``n_loss_draws`` the number
    of draws in losses, as many as in training. ``sleep_weight`` is the weight of the
    inference net's sleep-phase objective. ``nets`` are additional nets, one per layer,
    with the inputs of the encoders. If ``of_rows``, the method has a state for each
    row.
    """

    n_draws, sleep_weight, nets, of_rows = 1, 0.0, (), False

    def __init__(self, net, options):
        self.net, self.options = net, options
        self.n_each = self.n_loss_draws = options.n_importance or self.n_draws

    @classmethod  # noqa: B027  Most take all options.
    def check(cls, options):
        """Raise ValueError for options that the method does not support."""

    def init(self, rng, dtype):
        """Initial parameters of the method's nets."""
        sizes = zip(self.nets, self.net.hierarchy.n_inputs)
        return tuple(net.init(rng, n, dtype)[1] for net, n in sizes)

    def resume(self, state: Any, rows: Rows) -> Any:
        """State of the method for training on rows, continued from a previous state or
        ()."""
        return ()

    def noise(self, state, batch, v, rng):
        """Uniform noise of each layer for an update, (n_rows * n_draws, n_units)."""
        generator = rng.fold(NOISE).generator()
        shapes = [(len(v) * self.n_each, n) for n in self.net.hierarchy.n_latent]
        return [generator.random(shape, v.dtype) for shape in shapes]

    @abstractmethod
    def surrogate(self, params: BeliefParams, batch: BeliefBatch) -> tuple:
        """Surrogate objective of each row, (n_rows,), whose gradient with respect to
        the (perhaps traced) parameters is the estimate; and updated statistics."""


class SamplingMethod(Method):
    """Training method that uses draws from the inference net."""

    def surrogate(self, params, batch):
        draws = self.net.drawn(params.model, batch, batch.noise)
        total, state = self.of_draws(params, batch, draws)
        return total, BeliefStatistics(draws.decoded.statistics, state)

    @abstractmethod
    def of_draws(
        self, params: BeliefParams, batch: BeliefBatch, draws: BeliefDraws
    ) -> tuple:
        """Surrogate objective of draws, and the updated state of the method."""


class Relaxed(Method):
    r"""Gradients of the bound through relaxed draws (:func:`~skdgm.nets.coin`).

    .. math:: \nabla \frac1K \sum_k \log \frac{p(x, \tilde z_k)}{q(\tilde z_k \mid x)}
    """

    def __init__(self, net, options):
        super().__init__(net, options)
        self.relaxed = copy(net.hierarchy)
        self.relaxed.units = BernoulliUnits(options.objective, options.temperature)

    def surrogate(self, params, batch):
        draws = self.net.drawn(params.model, batch, batch.noise, self.relaxed)
        share = batch.v.dtype.type(1 / self.n_each)
        total = (sum(draws.log_p) - sum(draws.log_q)) * share
        statistics = BeliefStatistics(draws.decoded.statistics, ())
        return by_row(total, draws.n), statistics


def by_row(terms, n):
    """Sum over the draws of each row."""
    n_draws = len(getval(terms)) // n
    if n_draws == 1:
        return terms
    return row_mean(terms.reshape((n, n_draws))) * getval(terms).dtype.type(n_draws)


def affine(model, level):
    """Weights and biases from a layer of hidden units to the layer below."""
    return model.decoders[level][-1]


def fields(model, z, level):
    """Log odds of a layer's bits given the values of the layer above."""
    if level + 1 == len(z):
        return np.tile(model.prior, (len(z[level]), 1))
    W, b = affine(model, level + 1)
    return z[level + 1] @ W + b


def linear_surrogate(layer, of_weights, of_biases=None):
    """Scalar whose gradients with respect to weights and biases are given."""
    total = (layer.W * of_weights).sum()
    return total if of_biases is None else total + (layer.b * of_biases).sum()
