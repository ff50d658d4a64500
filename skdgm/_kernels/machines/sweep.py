r"""The odd/even sweep on a chain of binary layers.

.. math:: \eta_l = b'_l + \beta \left(b_l - b'_l + x_{l-1} W_{l-1} + x_{l+1}
   W_l^\top\right), \qquad \mu_l = \sigma(\eta_l), \qquad x_l \sim \mu_l

with the biases b' of a base model, and an inverse temperature for each row. The last
layer may be a label: one unit of several states, with the softmax in the place of the
sigmoid.
"""

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.machines.bernoulli import bits, draw, halves, squash
from skdgm._kernels.machines.mean_field import share
from skdgm._kernels.sparse.lists import collect


@kernel
def sweep(
    ups, downs, biases, bases, betas, indices, values, counts, means, ids, roots, order,
    labelled, start, stop,
):  # fmt: skip
    """Update layers in the given order, their means and their lists.

    Tuples have an entry for each layer (or coupling). Layers whose lists have no rows
    are not looked at. ``labelled`` says whether the last one is a label.
    """
    for turn in range(len(order)):
        layer = order[turn]
        eta, bias, base = means[layer], biases[layer], bases[layer]
        receive(
            eta, layer, ups, downs, indices, values, counts,
            0, len(bias), start, stop,
        )  # fmt: skip
        for r in range(start, stop):
            if labelled and layer == len(biases) - 1:
                pick(eta[r], bias, roots[turn], ids[r], indices[layer][r])
                counts[layer][r] = 1
                continue
            finish(eta, r, 0, len(bias), bias, base, betas[r])
            draw(eta, roots[turn], ids, indices[layer], counts[layer], r, r + 1)


@kernel
def columns(
    layer, ups, downs, biases, bases, betas, indices, values, counts, mean, start, stop
):  # fmt: skip
    """The means of a layer's units, some tiles of them, for all rows.

    A thread that has the same tiles of the weights to itself here and when they learn
    does not wait for others' caches.
    """
    infer(
        layer, ups, downs, biases, bases, betas, indices, values, counts, mean, start,
        stop, 0, len(mean),
    )  # fmt: skip


@kernel
def infer(
    layer, ups, downs, biases, bases, betas, indices, values, counts, mean, start, stop,
    top, bottom,
):  # fmt: skip
    """The means of a layer's units, some tiles of them, for rows top to bottom."""
    width = ups[0].shape[2]
    left, right = start * width, min(stop * width, mean.shape[1])
    receive(mean, layer, ups, downs, indices, values, counts, left, right, top, bottom)
    bias, base = biases[layer], bases[layer]
    for r in range(top, bottom):
        finish(mean, r, left, right, bias, base, betas[r])


@inner()
def finish(eta, r, left, right, bias, base, beta):
    """Make means of what the units from left to right receive, in place."""
    row = eta[r, left:right]
    temper(row, bias[left:right], base[left:right], beta)
    squash(row)


@inner()
def temper(row, bias, base, beta):
    """Make what a row of units receives their natural parameter at a temperature."""
    for j in range(len(row)):
        row[j] = base[j] + beta * (bias[j] - base[j] + row[j])


@kernel
def receive(
    eta, layer, ups, downs, indices, values, counts, left, right, start, stop
):  # fmt: skip
    """What the neighbours send units left to right of a layer, into ``eta``; these are
    those of whole tiles."""
    below, above = layer - 1, layer + 1
    for r in range(start, stop):
        row = eta[r, left:right]
        for j in range(len(row)):
            row[j] = 0
    if layer > 0 and len(indices[below]):
        lists = indices[below], values[below], counts[below]
        collect(*lists, ups[below], left, right, eta, start, stop)
    if above < len(indices) and len(indices[above]):
        lists = indices[above], values[above], counts[above]
        collect(*lists, downs[layer], left, right, eta, start, stop)


@kernel
def pick(eta, bias, root, number, index):
    """Draw the state of a label that receives ``eta``, which becomes its probabilities,
    as :func:`skdgm.distributions.categorical.pick` does."""
    real = eta.dtype.type
    share(eta, bias)
    low, high = halves(number, root)
    scale, shift = real(2.0**-32), np.uint32(0)
    if eta.itemsize == 4:
        scale, shift = real(2.0**-24), np.uint32(8)
    uniform, below, state = real(bits(0, low, high) >> shift) * scale, real(0), 0
    for k in range(len(eta)):
        below += eta[k]
        state += uniform >= below and k < len(eta) - 1
    index[0] = state
