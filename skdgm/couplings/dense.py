r"""Every unit of one block with every unit of another.

.. math:: -E(x, y) = T(x)^\top W \, T(y)
"""

from typing import NamedTuple

import numpy as np


class Dense(NamedTuple):
    """A full matrix of weights between the statistics of two blocks.

    Its parameter is W of shape (n_below, n_above).
    """

    n_below: int
    n_above: int

    def init(self, rng, scale=0.01, dtype=np.float64):
        """Small normal weights."""
        return rng.normal(0.0, scale, (self.n_below, self.n_above)).astype(dtype)

    def send(self, W, statistic, up):
        """The field that one block's statistic gives the other."""
        return statistic @ (W if up else W.T)

    def log_weight(self, W, below, above):
        """Minus the energy of a pair of statistics, per row."""
        return np.einsum("ij,ij->i", self.send(W, below, up=True), above)

    def grad(self, below, above):
        """Derivative of the mean over rows of minus the energy."""
        return below.T @ above / len(below)
