r"""Odd/even Gibbs sweeps of a chain of binary layers.

.. math:: \eta_l = b'_l + \beta \left(b_l - b'_l + x_{l-1} W_{l-1} + x_{l+1}
   W_l^\top\right), \qquad \mu_l = \sigma(\eta_l), \qquad x_l \sim \mu_l

with biases b' of a base model, and an inverse temperature :math:`\beta` for each row.
The last layer may be a label, a softmax unit.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.machines.bernoulli import bits, draw, halves, squash
from skdgm._kernels.machines.mean_field import share
from skdgm._kernels.sparse.lists import RowLists, collect


class SweepPlan(NamedTuple):
    """Layers in the ``order`` of draws, roots of the random numbers of each draw, and
    ids of rows. The last layer is a label if ``labelled``."""

    ids: np.ndarray
    roots: np.ndarray
    order: np.ndarray
    labelled: bool


@kernel
def sweep(machine, path, lists, means, plan, start, stop):
    """Update the means and the lists of layers in the order of a plan."""
    biases, (ids, roots, order, labelled) = machine.biases, plan
    (bases, betas), indices, counts = path, lists.indices, lists.counts
    for turn in range(len(order)):
        layer = order[turn]
        eta, bias, base = means[layer], biases[layer], bases[layer]
        receive(eta, layer, machine, lists, (0, len(bias), start, stop))
        for r in range(start, stop):
            if labelled and layer == len(biases) - 1:
                pick(eta[r], bias, roots[turn], ids[r], indices[layer][r])
                counts[layer][r] = 1
                continue
            finish(eta, r, 0, len(bias), bias, base, betas[r])
            draw(eta, roots[turn], ids, indices[layer], counts[layer], r, r + 1)


@kernel
def columns(layer, machine, path, lists, mean, start, stop):
    """Means of a layer's units in a range of tiles, for all rows. A thread that updates
    the same tiles of the weights finds them in its caches."""
    infer(layer, machine, path, lists, mean, (start, stop, 0, len(mean)))


@kernel
def infer(layer, machine, path, lists, mean, part):
    """Means of a layer's units. ``part`` is the first and last tile, and the first and
    last row."""
    start, stop, top, bottom = part
    width = machine.ups[0].shape[2]
    left, right = start * width, min(stop * width, mean.shape[1])
    receive(mean, layer, machine, lists, (left, right, top, bottom))
    bias, base = machine.biases[layer], path.bases[layer]
    for r in range(top, bottom):
        finish(mean, r, left, right, bias, base, path.betas[r])


@inner()
def finish(eta, r, left, right, bias, base, beta):
    """Replace the inputs of units ``left`` to ``right`` by means, in place."""
    row = eta[r, left:right]
    temper(row, bias[left:right], base[left:right], beta)
    squash(row)


@inner()
def temper(row, bias, base, beta):
    """Replace inputs of a row of units by natural parameters at an inverse
    temperature."""
    for j in range(len(row)):
        row[j] = base[j] + beta * (bias[j] - base[j] + row[j])


@kernel
def receive(eta, layer, machine, lists, part):
    """Write the inputs of a layer from adjacent layers to ``eta``. ``part`` is the
    first and last unit, in whole tiles, and the first and last row."""
    (left, right, start, stop), (ups, downs, _) = part, machine
    indices, values, counts = lists
    below, above = layer - 1, layer + 1
    for r in range(start, stop):
        row = eta[r, left:right]
        for j in range(len(row)):
            row[j] = 0
    if layer > 0 and len(indices[below]):
        rows = RowLists(indices[below], values[below], counts[below])
        collect(rows, ups[below], left, right, eta, start, stop)
    if above < len(indices) and len(indices[above]):
        rows = RowLists(indices[above], values[above], counts[above])
        collect(rows, downs[layer], left, right, eta, start, stop)


@kernel
def pick(eta, bias, root, number, index):
    """Draw the state of a label with inputs ``eta``, which are replaced by
    probabilities; see :func:`skdgm.distributions.categorical.pick`."""
    real = eta.dtype.type
    share(eta, bias)
    low, high = halves(number, root)
    scale, shift = real(2.0**-32), np.uint32(0)
    if eta.itemsize == 4:
        scale, shift = real(2.0**-24), np.uint32(8)
    uniform, cumulative, state = real(bits(0, low, high) >> shift) * scale, real(0), 0
    for k in range(len(eta)):
        cumulative += eta[k]
        state += uniform >= cumulative and k < len(eta) - 1
    index[0] = state
