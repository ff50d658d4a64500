r"""Nets as pairs of functions, and their composition.

::

    net = serial(dense(200, "tanh"), dropout(0.5), dense(10))
    n_outputs, params, statistics = net.init(rng, n_inputs, np.float32)
    y, statistics = net.apply(params, statistics, x, rng=stream(0), train=True)

``init(rng, n_inputs, dtype)`` draws the parameters, a tree of arrays, by a NumPy
generator. ``apply(params, statistics, x, rng, train)`` is a pure function;
``statistics``, such as running means, change without gradients and are returned
updated.

Batch normalisation is

.. math:: y = \gamma \odot \frac{x - m}{\sqrt{v + \epsilon}} + \beta,

with means m and variances v of the batch's columns [1]_; after training, those of the
data. With the gradient :math:`\bar y` by the outputs, and :math:`\hat x` for the factor
multiplied by :math:`\gamma`, the gradients by the arguments are

.. math:: \bar\gamma = \textstyle\sum_r \bar y_r \hat x_r, \quad
   \bar\beta = \sum_r \bar y_r, \quad
   \bar x = \frac{\gamma}{\sqrt{v + \epsilon}}
   \bigl(\bar y - \tfrac1n \bar\beta - \tfrac1n \hat x \bar\gamma \bigr)

References
----------
.. [1] Ioffe and Szegedy (2015). Batch normalization: accelerating deep network training
   by reducing internal covariate shift. ICML.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from autograd.extend import defvjp_argnums
from autograd.tracer import getval

from skdgm.nets import primitives
from skdgm.nets.feed_forward import Layer, initial
from skdgm.nets.tape import primitive

# Decay rate of running means, per batch.
_STAYS = 0.99
# Added to variances, for numerical stability.
EPSILON = 1e-5


class Net(NamedTuple):
    """Functions of a net, apart from its parameters.

    Not closures: nets can be pickled.

    Parameters
    ----------
    init : callable
        ``init(rng, n_inputs, dtype)`` returns (n_outputs, params, statistics).
    apply : callable
        ``apply(params, statistics, x, rng=None, train=False)`` returns (y, statistics);
        ``rng`` is a Stream, needed for dropout in training.
    """

    init: object
    apply: object


class Scales(NamedTuple):
    """Gain and shift of batch normalisation, of shape (n_columns,)."""

    gain: np.ndarray
    shift: np.ndarray


class Moments(NamedTuple):
    """Running means and variances, of shape (n_columns,)."""

    mean: np.ndarray
    variance: np.ndarray


def dense(n_units, activation="identity", init="glorot_uniform"):
    """Fully connected layer, as in :func:`~skdgm.nets.primitives.dense`; ``init`` is
    one of ``INITIALISERS``."""
    return Net(partial(_begin_dense, n_units, init), partial(_apply_dense, activation))


def _begin_dense(n_units, init, rng, n_inputs, dtype):
    W = initial(init, rng, n_inputs, n_units).astype(dtype)
    return n_units, Layer(W, np.zeros(n_units, dtype)), ()


def _apply_dense(activation, params, statistics, x, rng=None, train=False):
    return primitives.dense(x, *params, activation), statistics


def maxout(n_units, n_pieces=2, init="glorot_uniform"):
    """Maxout units, each the maximum of ``n_pieces`` linear ones."""
    below = partial(_begin_dense, n_units * n_pieces, init)
    return Net(partial(_begin_maxout, n_units, below), partial(_apply_maxout, n_pieces))


def _begin_maxout(n_units, below, rng, n_inputs, dtype):
    return n_units, *below(rng, n_inputs, dtype)[1:]


def _apply_maxout(n_pieces, params, statistics, x, rng=None, train=False):
    z, statistics = _apply_dense("identity", params, statistics, x)
    return primitives.max_out(z, n_pieces), statistics


def activation(name):
    """Activation function without weights; one of ``ACTIVATIONS``."""
    return Net(_begin_unweighted, partial(_apply_activation, name))


def _begin_unweighted(rng, n_inputs, dtype):
    return n_inputs, (), ()


def _apply_activation(name, params, statistics, x, rng=None, train=False):
    return primitives.activate(x, name), statistics


def dropout(rate):
    """Dropout at a rate in [0, 1), during training only."""
    return Net(_begin_unweighted, partial(_apply_dropout, rate))


def _apply_dropout(rate, params, statistics, x, rng=None, train=False):
    return (primitives.drop_out(x, rate, rng) if train and rate else x), statistics


def batch_norm():
    """Batch normalisation, by the batch's moments in training and by running moments
    afterwards."""
    return Net(_begin_batch_norm, _apply_batch_norm)


def _begin_batch_norm(rng, n_inputs, dtype):
    zeros, ones = np.zeros(n_inputs, dtype), np.ones(n_inputs, dtype)
    return n_inputs, Scales(ones, zeros), Moments(zeros.copy(), ones.copy())


def _apply_batch_norm(params, statistics, x, rng=None, train=False):
    if train:
        now = moments(getval(x))
        after = [_STAYS * a + (1 - _STAYS) * b for a, b in zip(statistics, now)]
        after = Moments(*(part.astype(x.dtype) for part in after))
        return standardise(x, *params), after
    size = np.sqrt(statistics.variance + x.dtype.type(EPSILON))
    return (x - statistics.mean) * (params.gain / size) + params.shift, statistics


def serial(*nets):
    """Composition of nets, each applied to the output of the one before."""
    return Net(partial(_begin_serial, nets), partial(_apply_serial, nets))


def _begin_serial(nets, rng, n_inputs, dtype):
    params, statistics = [], []
    for net in nets:
        n_inputs, own, kept = net.init(rng, n_inputs, dtype)
        params.append(own)
        statistics.append(kept)
    return n_inputs, tuple(params), tuple(statistics)


def _apply_serial(nets, params, statistics, x, rng=None, train=False):
    kept = []
    for number, parts in enumerate(zip(nets, params, statistics, strict=True)):
        net, own, before = parts
        fold = rng.fold(number) if rng is not None else None
        x, after = net.apply(own, before, x, rng=fold, train=train)
        kept.append(after)
    return x, tuple(kept)


@primitive
def standardise(x, gain, shift):
    """Standardise the columns of a batch, multiply by gains and add shifts.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_columns)
    gain, shift : ndarray of shape (n_columns,)

    Returns
    -------
    y : ndarray of shape (n_rows, n_columns)
    """
    normal, _ = _normalised(x)
    return normal * gain + shift


def _normalised(x):
    """Standardised columns, and the deviations that they were divided by."""
    mean, variance = moments(x)
    size = np.sqrt(variance + x.dtype.type(EPSILON))
    return (x - mean) / size, size


def moments(x):
    """Means and variances of columns.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_columns)

    Returns
    -------
    mean, variance : ndarray of shape (n_columns,)
    """
    return x.mean(axis=0), x.var(axis=0)


def _back(argnums, y, args, kwargs):
    x, gain, _ = args
    normal, size = _normalised(x)

    def backward(grad):
        of_shift, of_gain = grad.sum(axis=0), (grad * normal).sum(axis=0)
        found = [None, of_gain, of_shift]
        if 0 in argnums:
            shared = (of_shift + normal * of_gain) / x.dtype.type(len(x))
            found[0] = gain / size * (grad - shared)
        return [found[argnum] for argnum in argnums]

    return backward


defvjp_argnums(standardise, _back)
