r"""The odd/even sweep on a chain of binary layers.

.. math:: \eta_l = b_l + \beta \left(x_{l-1} W_{l-1} + x_{l+1} W_l^\top\right), \qquad
   \mu_l = \sigma(\eta_l), \qquad x_l \sim \mu_l
"""

import numpy as np

from skdgm._kernels.bernoulli import draw, squash
from skdgm._kernels.jit import kernel
from skdgm._kernels.lists import add_rows, collect, merge
from skdgm._kernels.update import BLOCK


@kernel
def sweep(
    weights, transposes, biases, beta, indices, values, counts, means, ids, roots,
    order, start, stop,
):  # fmt: skip
    """Update layers in the given order, their means and their lists.

    Tuples have an entry for each layer (or coupling). Layers whose lists have no rows
    are not looked at. Weights may have a row more for each pair of units, their sum.
    """
    for turn in range(len(order)):
        layer = order[turn]
        eta, bias = means[layer], biases[layer]
        receive(
            eta, layer, weights, transposes, indices, values, counts,
            0, len(bias), start, stop,
        )  # fmt: skip
        for r in range(start, stop):
            finish(eta[r], bias, beta)
            draw(eta, roots[turn], ids, indices[layer], counts[layer], r, r + 1)


@kernel
def columns(
    layer, weights, transposes, biases, indices, values, counts, mean, start, stop
):  # fmt: skip
    """The means of blocks of a layer's units, for all rows.

    A thread that has the same columns of the weights to itself here and when they
    learn does not wait for others' caches.
    """
    left, right = start * BLOCK, min(stop * BLOCK, mean.shape[1])
    receive(
        mean, layer, weights, transposes, indices, values, counts,
        left, right, 0, len(mean),
    )  # fmt: skip
    one = mean.dtype.type(1)
    for r in range(len(mean)):
        finish(mean[r, left:right], biases[layer][left:right], one)


@kernel
def finish(row, bias, beta):
    """Make means of what a row of units receives."""
    for j in range(len(row)):
        row[j] = bias[j] + beta * row[j]
    squash(row)


@kernel
def receive(
    eta, layer, weights, transposes, indices, values, counts, left, right, start, stop
):  # fmt: skip
    """What the neighbours send units left to right of a layer, into ``eta``."""
    below, above = layer - 1, layer + 1
    pairs = np.empty(transposes[below].shape[1] if layer > 0 else 0, np.uint32)
    for r in range(start, stop):
        total = eta[r, left:right]
        for j in range(len(total)):
            total[j] = 0
        if layer > 0 and len(indices[below]):
            W, index, value = weights[below], indices[below], values[below]
            if len(W) > len(pairs) and len(value) == 1:
                n = merge(index[r], counts[below][r], len(pairs), pairs)
                add_rows(total, W, left, right, pairs, value[0], n)
            else:
                collect(total, W, left, right, index, value, counts[below], r)
        if above < len(indices) and len(indices[above]):
            index, value, W = indices[above], values[above], transposes[layer]
            collect(total, W, left, right, index, value, counts[above], r)
