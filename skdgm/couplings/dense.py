r"""Full coupling: each unit of one block interacts with each unit of another.

.. math:: -E(x, y) = T(x)^\top W \, T(y)

Statistics T are dense arrays or :class:`~skdgm.utils.lists.Lists`. The product of a
list with W is a sum of rows of W, which is fast if W is stored in tiles
(:class:`Weights`). All couplings have the same methods; the form of their weights may
differ.
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
    """Full matrix of weights between the statistics of two blocks.

    Weights are an ndarray of shape (n_below, n_above) or a :class:`Weights`, in float32
    or float64. Statistics are ndarrays or Lists of shape (n_rows, n_below) and (n_rows,
    n_above), of the same dtype.

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
        """Draw normal weights of standard deviation ``scale``, (n_below, n_above)."""
        return rng.normal(0.0, scale, (self.n_below, self.n_above)).astype(dtype)

    def matrix(self, weights: Tree) -> np.ndarray:
        """Weights as an ndarray of shape (n_below, n_above)."""
        return weights.W if isinstance(weights, Weights) else weights

    def send(self, weights: Tree, statistic: Values, up: bool) -> np.ndarray:
        r"""Input of one block from the statistic of the other: :math:`T(x) W`, (n_rows,
        n_above), if ``up``; else :math:`T(y) W^\top`, (n_rows, n_below)."""
        if isinstance(weights, Weights):
            matrix, size = (
                (weights.up, self.n_above) if up else (weights.down, self.n_below)
            )
            return product(statistic, matrix, size)
        return matmul(np.asarray(statistic), weights if up else weights.T)

    def log_weight(self, weights: Tree, below: Values, above: Values) -> np.ndarray:
        """Minus the energy of each pair of rows of statistics, (n_rows,)."""
        received = self.send(weights, below, up=True)
        return np.einsum("ij,ij->i", received, np.asarray(above))

    def contrast(
        self, below: Values, above: Values, below_model: Values, above_model: Values
    ) -> Contrast:
        """Gradient of the weights from the statistics of both blocks in the positive
        and the negative phase, one row per state."""
        return Contrast(below, above, below_model, above_model)

    def stretch(self, weights: np.ndarray, factor: np.ndarray) -> None:
        """Multiply row i of an ndarray of weights by the factor of unit i below, in
        place."""
        weights *= factor[:, None]

    def limit(
        self, weights: Tree, max_norm: float, scale: float | np.ndarray = 1.0
    ) -> None:
        r"""Scale down, in place, each column of W whose norm exceeds a limit.

        .. math:: \sqrt{\sum_i (s_i W_{ij})^2} \le \text{max\_norm}

        ``scale`` is the factor s of each unit below, (n_below, 1), or of all units.
        """
        if isinstance(weights, Weights):
            scale = np.ones(weights.up.shape[1]) * np.ravel(scale)
            if limit(weights.up, scale, float(max_norm)):
                weights.refresh()
            return
        limit_norms(weights, max_norm, scale)
