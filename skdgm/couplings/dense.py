r"""Every unit of one block with every unit of another.

.. math:: -E(x, y) = T(x)^\top W \, T(y)

Statistics are dense arrays, or :class:`~skdgm.utils.lists.Lists`, whose products with
W are sums of some of its rows: quick where W is in tiles, as :class:`Weights`.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.update import update
from skdgm.couplings.blas import ascend
from skdgm.couplings.tiles import Weights, product
from skdgm.utils.lists import Lists
from skdgm.utils.parallel import matmul, run


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


class Contrast(NamedTuple):
    r"""The gradient of a coupling as what it is made of.

    .. math:: G = \frac1n X^\top Y - \frac1{n'} X'^\top Y'

    with a row of X and Y for each of n states. It is an array where one is asked for.

    Parameters
    ----------
    x, y : {ndarray, Lists}
        Statistics of the block below and the one above.
    x_model, y_model : {ndarray, Lists}
        Those to subtract.
    """

    x: object
    y: object
    x_model: object
    y_model: object

    def __array__(self, dtype=None, copy=None):
        x, y, x_model, y_model = map(np.asarray, self)
        return x.T @ y / len(y) - x_model.T @ y_model / len(y_model)

    def ascend(self, weights, velocity, *, rate, momentum=0.0, l1=0.0, l2=0.0):
        r"""Move weights and velocity, in place, in one pass over them.

        .. math:: u \leftarrow \mu u + \epsilon (G - \lambda_1 \operatorname{sign} W
           - \lambda_2 W), \qquad W \leftarrow W + u
        """
        if not isinstance(weights, Weights):
            ascend(self, weights, velocity, rate, momentum, l1, l2)
            return
        x, x_model = (
            part if isinstance(part, Lists) else Lists.pack(part)
            for part in (self.x, self.x_model)
        )
        y, y_model = np.asarray(self.y), np.asarray(self.y_model)
        real, n_columns = weights.up.dtype.type, y.shape[1]
        run(
            update,
            *(x.index, x.value, x.count),
            *(x_model.index, x_model.value, x_model.count),
            *(y, y_model, *weights, velocity.up if momentum else weights.up[:0]),
            *(real(value) for value in (rate, momentum, l1, l2)),
            n=len(weights.up),
            work=(x.count.sum() + x_model.count.sum() + 8 * x.shape[1]) * n_columns,
        )
