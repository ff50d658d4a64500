r"""Masks of weights, for outputs that depend on a subset of the inputs.

A mask M of zeros and ones,

.. math:: W \odot M, \qquad \bar W = \overline{W \odot M} \odot M,

restricts each output to some inputs [1]_. The degree d of a unit is the last column on
which it may depend. The masks

.. math:: M_{ij} = 1 \text{ where } d_i \le d_j \text{ between units}, \quad
   d_i < t_j \text{ to outputs of column } t_j,

leave no path from a column to its own outputs or to those of previous columns.

References
----------
.. [1] Germain, Gregor, Murray and Larochelle (2015). MADE: masked autoencoder for
   distribution estimation. ICML.
"""

from functools import partial

import numpy as np
from autograd.extend import defvjp

from skdgm.nets.feed_forward import Layer, initial
from skdgm.nets.layers import Net
from skdgm.nets.primitives import dense
from skdgm.nets.tape import primitive


@primitive
def masked(W, mask):
    """Multiply weights by a mask of zeros and ones, of the same shape and dtype."""
    return W * mask


defvjp(masked, lambda _, W, mask: lambda grad: grad * mask, None)


def by_degrees(of_inputs, degrees, of_outputs, direct=False):
    """Masks of the weights of each layer, (n_below, n_above), from the lowest to the
    highest. ``of_inputs`` and ``of_outputs`` are columns, and ``degrees`` has an array
    for each hidden layer. Inputs also feed the last layer, after its hidden units, if
    ``direct`` or if there are no hidden layers."""
    levels = [of_inputs, *degrees]
    masks = [a[:, None] <= b for a, b in zip(levels, degrees)]
    shown = [of_inputs] if direct or not degrees else []
    top = np.concatenate([*degrees[-1:], *shown])
    return [*masks, top[:, None] < of_outputs]


def masked_dense(mask, activation="identity", init="glorot_uniform"):
    """Fully connected layer whose weights are masked, (n_below, n_above). Masked
    weights are drawn as well: nets with other masks may share them."""
    return Net(partial(_begin, mask, init), partial(_apply, mask, activation))


def _begin(mask, init, rng, n_inputs, dtype):
    n_below, n_above = mask.shape
    W = initial(init, rng, n_below, n_above).astype(dtype)
    return n_above, Layer(W, np.zeros(n_above, dtype)), ()


def _apply(mask, activation, params, statistics, x, rng=None, train=False):
    W, b = params
    return dense(x, masked(W, mask.astype(W.dtype)), b, activation), statistics
