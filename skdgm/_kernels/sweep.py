r"""The odd/even sweep on a chain of binary layers.

.. math:: \eta_l = b_l + \beta \left(x_{l-1} W_{l-1} + x_{l+1} W_l^\top\right), \qquad
   \mu_l = \sigma(\eta_l), \qquad x_l \sim \mu_l
"""

import numpy as np

from skdgm._kernels.bernoulli import draw, squash
from skdgm._kernels.jit import kernel
from skdgm._kernels.lists import add_rows, collect, merge


@kernel
def sweep(
    weights, transposes, biases, beta, indices, values, counts, means, ids, roots,
    order, start, stop,
):  # fmt: skip
    """Update layers in the given order: their means and, with a root for each turn,
    their lists.

    Tuples have an entry for each layer (or coupling). Layers whose lists have no rows
    are not looked at. Weights may have a row more for each pair of units, their sum.
    """
    for turn in range(len(order)):
        layer = order[turn]
        eta, bias = means[layer], biases[layer]
        receive(eta, layer, weights, transposes, indices, values, counts, start, stop)
        for r in range(start, stop):
            total = eta[r]
            for j in range(len(bias)):
                total[j] = bias[j] + beta * total[j]
            squash(total)
            if len(roots):
                draw(eta, roots[turn], ids, indices[layer], counts[layer], r, r + 1)


@kernel
def receive(eta, layer, weights, transposes, indices, values, counts, start, stop):
    """What the neighbours send a layer, into ``eta``."""
    below, above = layer - 1, layer + 1
    pairs = np.empty(transposes[below].shape[1] if layer > 0 else 0, np.uint32)
    for r in range(start, stop):
        total = eta[r]
        for j in range(len(total)):
            total[j] = 0
        if layer > 0 and len(indices[below]):
            W, index, value = weights[below], indices[below], values[below]
            if len(W) > len(pairs) and len(value) == 1:
                n = merge(index[r], counts[below][r], len(pairs), pairs)
                add_rows(total, W, pairs, value[0], n)
            else:
                collect(total, W, index, value, counts[below], r)
        if above < len(indices) and len(indices[above]):
            index, value = indices[above], values[above]
            collect(total, transposes[layer], index, value, counts[above], r)
