r"""Batches most of whose entries are zero, for the first layer of a net.

.. math:: x W = \sum_{i: x_i \ne 0} x_i W_i, \qquad
   \bar W_i = \sum_{r: x_{ri} \ne 0} x_{ri} \delta_r

are sums of a few rows of W and of :math:`\delta`: of pixels of which one in eight is
on, four times as quick as all products.
"""

import numpy as np

from skdgm.utils.lists import Lists
from skdgm.utils.tiles import product, tiles

# Up to this share of entries that are not zero, lists are worth being made.
WORTHWHILE = 0.25


class Listed:
    """A batch as lists of what is not zero, by row and by column.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_columns)
    """

    def __init__(self, x):
        self.x, self.rows = x, Lists.pack(x)

    def __len__(self):
        return len(self.x)

    def times(self, W):
        """The product with a matrix."""
        return product(self.rows, tiles(W), W.shape[1])

    def turned_times(self, delta):
        """The transpose's product with a matrix."""
        columns = Lists.pack(np.ascontiguousarray(self.x.T))
        return product(columns, tiles(delta), delta.shape[1])


def listed(x):
    """A batch in the form that is quicker to learn from."""
    worthwhile = np.count_nonzero(x) <= WORTHWHILE * x.size
    return Listed(x) if worthwhile else x
