r"""Full coupling: each unit of one block with each unit of another.

.. math:: -E(x, y) = T(x)^\top W \, T(y)

Statistics T are dense arrays, or :class:`~skdgm.utils.lists.Lists`, whose products with
W are sums of some of its rows: fast if W is stored in tiles, as :class:`Weights`.

Another kind of coupling has the same methods; its weights may have any form.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.machines.update import limit
from skdgm.couplings.contrast import Contrast, Weights
from skdgm.typing import Tree
from skdgm.utils.lists import Values
from skdgm.utils.math import limit_norms
from skdgm.utils.products import matmul, product


class Dense(NamedTuple):
    """A full matrix of weights between the statistics of two blocks.

    Weights are an ndarray of shape (n_below, n_above) or a :class:`Weights`, in float32
    or float64; statistics are ndarrays or Lists of shape (n_rows, n_below) and
    (n_rows, n_above), of the same dtype.

    Parameters
    ----------
    n_below : int
        Number of units in the block below.
    n_above : int
        Number of units in the block above.
    """

    n_below: int
    n_above: int

    def init(
        self, rng: np.random.Generator, scale: float = 0.01, dtype: type = np.float64
    ) -> np.ndarray:
        """Draw normal weights of standard deviation ``scale``, (n_below, n_above), by
        a ``numpy.random.Generator``."""
        return rng.normal(0.0, scale, (self.n_below, self.n_above)).astype(dtype)

    def matrix(self, weights: Tree) -> np.ndarray:
        """Weights as an ndarray of shape (n_below, n_above)."""
        return weights.W if isinstance(weights, Weights) else weights

    def send(self, weights: Tree, statistic: Values, up: bool) -> np.ndarray:
        r"""Input of one block from the statistic of the other, (n_rows, n_above) or
        (n_rows, n_below): :math:`T(x) W` of the block above, if ``up``, else
        :math:`T(y) W^\top` of that below."""
        if isinstance(weights, Weights):
            matrix, size = (
                (weights.up, self.n_above) if up else (weights.down, self.n_below)
            )
            return product(statistic, matrix, size)
        return matmul(np.asarray(statistic), weights if up else weights.T)

    def log_weight(self, weights: Tree, below: Values, above: Values) -> np.ndarray:
        """Minus the energy of each pair of rows of statistics, of shape (n_rows,)."""
        received = self.send(weights, below, up=True)
        return np.einsum("ij,ij->i", received, np.asarray(above))

    def contrast(
        self, below: Values, above: Values, below_model: Values, above_model: Values
    ) -> Contrast:
        """Gradient of the weights from statistics of both blocks in the positive phase
        and in the negative one, a row for each state: a :class:`Contrast`."""
        return Contrast(below, above, below_model, above_model)

    def stretch(self, weights: np.ndarray, factor: np.ndarray) -> None:
        """Multiply an ndarray of weights by the factor of each unit below, (n_below,),
        in place."""
        weights *= factor[:, None]

    def limit(
        self, weights: Tree, max_norm: float, scale: float | np.ndarray = 1.0
    ) -> None:
        r"""Scale down, in place, each column of W whose norm exceeds a limit.

        .. math:: \sqrt{\sum_i (s_i W_{ij})^2} \le \text{max\_norm}

        where ``scale`` has the factor s of each unit below, (n_below, 1), or of all.
        """
        if isinstance(weights, Weights):
            scale = np.ones(weights.up.shape[1]) * np.ravel(scale)
            if limit(weights.up, scale, float(max_norm)):
                weights.refresh()
            return
        limit_norms(weights, max_norm, scale)
