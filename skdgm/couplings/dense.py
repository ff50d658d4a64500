r"""Every unit of one block with every unit of another.

.. math:: -E(x, y) = T(x)^\top W \, T(y)

Statistics are dense arrays, or :class:`~skdgm.utils.lists.Lists`, whose products with
W are sums of some of its rows: quick where W is in tiles, as :class:`Weights`.
"""

from typing import NamedTuple

import numpy as np

from skdgm.couplings.contrast import Contrast
from skdgm.couplings.tiles import Weights
from skdgm.utils.products import matmul
from skdgm.utils.tiles import product


class Dense(NamedTuple):
    """A full matrix of weights between the statistics of two blocks.

    Its parameter is W of shape (n_below, n_above), alone or as :class:`Weights`.
    """

    n_below: int
    n_above: int

    def init(self, rng, scale=0.01, dtype=np.float64):
        """Small normal weights."""
        return rng.normal(0.0, scale, (self.n_below, self.n_above)).astype(dtype)

    def matrix(self, weights):
        """W itself."""
        return weights.W if isinstance(weights, Weights) else weights

    def send(self, weights, statistic, up):
        """The field that one block's statistic gives the other."""
        if isinstance(weights, Weights):
            matrix, size = (
                (weights.up, self.n_above) if up else (weights.down, self.n_below)
            )
            return product(statistic, matrix, size)
        return matmul(np.asarray(statistic), weights if up else weights.T)

    def log_weight(self, weights, below, above):
        """Minus the energy of a pair of statistics, per row."""
        received = self.send(weights, below, up=True)
        return np.einsum("ij,ij->i", received, np.asarray(above))

    def contrast(self, below, above, below_model, above_model):
        """The gradient, from statistics of data and model."""
        return Contrast(below, above, below_model, above_model)

    def limit(self, weights, max_norm, scale=1.0):
        """Scale down, in place, what enters a unit above, to a norm at the most; below
        it may be counted in scales of their own, of shape (n_below, 1)."""
        W = weights.up if isinstance(weights, Weights) else weights
        norm = np.sqrt(((scale * W) ** 2).sum(axis=W.ndim - 2, keepdims=True))
        if (norm > max_norm).any():
            W *= (max_norm / np.maximum(norm, max_norm)).astype(W.dtype)
            if isinstance(weights, Weights):
                weights.refresh()
