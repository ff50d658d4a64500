r"""Every unit of one block with every unit of another.

.. math:: -E(x, y) = T(x)^\top W \, T(y)

Statistics are dense arrays, or :class:`~skdgm.utils.lists.Lists`, whose products with
W are sums of some of its rows. For these :math:`W^\top` is kept beside W where both
are needed.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.update import BLOCK, update
from skdgm.couplings.blas import ascend
from skdgm.utils.lists import Lists
from skdgm.utils.parallel import matmul, run


class Weights(NamedTuple):
    """A matrix in the forms that kernels want, with rows together in memory.

    Parameters
    ----------
    rows : ndarray of shape (n_below, n_above) or (n_below * 3 // 2, n_above)
        W, and perhaps the sums of its rows 0 and 1, 2 and 3, ...: where neighbours
        tend to be on together, as pixels do, they save a third of the work.
    Wt : ndarray of shape (n_above, n_below)
    """

    rows: np.ndarray
    Wt: np.ndarray

    @property
    def W(self):
        """The matrix itself."""
        return self.rows[: self.Wt.shape[1]]


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

    def both_ways(self, W, pairs=False):
        """The weights with their transpose beside them; with sums of pairs of rows."""
        if pairs:
            W = np.concatenate([W, W[:-1:2] + W[1::2]])
        rows = np.ascontiguousarray(W)
        return Weights(rows, np.ascontiguousarray(rows[: self.n_below].T))

    def send(self, weights, statistic, up):
        """The field that one block's statistic gives the other."""
        W = self.matrix(weights)
        matrix = W if up else getattr(weights, "Wt", W.T)
        if (
            isinstance(statistic, Lists)
            and matrix.flags.c_contiguous
            and statistic.sparse
        ):
            return statistic @ matrix
        return matmul(np.asarray(statistic), matrix)

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
        W, Wt = weights
        known = nothing = np.empty((0, W.shape[1]), W.dtype)
        lists, rows, work = [], [], 8 * W.size
        for sign, x, y in ((1, self.x, self.y), (-1, self.x_model, self.y_model)):
            y = np.asarray(y)
            if isinstance(x, Lists):
                rows.append(y)
            else:
                known = sign * matmul(x.T, y) / len(y) + (known if len(known) else 0)
                x = Lists.empty(0, Wt.shape[1], W.dtype)
            lists += [x.index, x.value, x.count]
            work += x.count.sum() * W.shape[1]
        rows = np.concatenate(rows) if rows else nothing
        settings = [W.dtype.type(value) for value in (rate, momentum, l1, l2)]
        velocity = velocity if momentum else nothing
        run(
            update,
            *(*lists, rows, known, W, Wt, velocity, *settings),
            n=-(-len(Wt) // BLOCK),
            work=work,
        )
