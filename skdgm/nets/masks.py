r"""Masks of weights, for outputs that depend on some of the inputs only.

A mask M of zeros and ones,

.. math:: W \odot M, \qquad \bar W = \overline{W \odot M} \odot M,

restricts each output to some of the inputs [1]_. By the degree of each unit, the number
of the last column that it may see,

.. math:: M_{ij} = 1 \text{ where } d_i \le d_j \text{ between units}, \quad
   d_i < t_j \text{ to outputs of column } t_j,

there is no path from a column to its own outputs or to those of one before it.

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
    """Multiply weights by a mask of zeros and ones, of their shape and dtype."""
    return W * mask


defvjp(masked, lambda _, W, mask: lambda grad: grad * mask, None)


def by_degrees(of_inputs, degrees, of_outputs, direct=False):
    """Masks of the weights of each layer, (n_below, n_above), the lowest first, by the
    columns of inputs and outputs and the degrees of the units of hidden layers.

    If ``direct``, outputs see inputs, too, after the units of the last layer, as they
    always do without hidden layers.
    """
    levels = [of_inputs, *degrees]
    masks = [a[:, None] <= b for a, b in zip(levels, degrees)]
    shown = [of_inputs] if direct or not degrees else []
    top = np.concatenate([*degrees[-1:], *shown])
    return [*masks, top[:, None] < of_outputs]


def masked_dense(mask, activation="identity", init="glorot_uniform"):
    """Fully connected layer whose weights a mask of shape (n_below, n_above) restricts.

    Weights that the mask forbids are drawn, too: nets that share them may allow them.
    """
    return Net(partial(_begin, mask, init), partial(_apply, mask, activation))


def _begin(mask, init, rng, n_inputs, dtype):
    n_below, n_above = mask.shape
    W = initial(init, rng, n_below, n_above).astype(dtype)
    return n_above, Layer(W, np.zeros(n_above, dtype)), ()


def _apply(mask, activation, params, statistics, x, rng=None, train=False):
    W, b = params
    return dense(x, masked(W, mask.astype(W.dtype)), b, activation), statistics
