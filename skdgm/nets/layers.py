"""Nets as pairs of functions, and their composition.

::

    net = serial(dense(200, "tanh"), dropout(0.5), dense(10))
    n_outputs, params, statistics = net.init(rng, n_inputs, np.float32)
    y, statistics = net.apply(params, statistics, x, rng=stream(0), train=True)

``init(rng, n_inputs, dtype)`` draws the parameters, a tree of arrays, by a NumPy
generator. ``apply(params, statistics, x, rng, train)`` is a pure function;
``statistics``, such as running means, change without gradients and are returned
updated.
"""

from typing import NamedTuple

import numpy as np
from autograd.tracer import getval

from skdgm.nets import activations, normalisation, primitives
from skdgm.nets.feed_forward import Layer, initial

# Decay rate of running means, per batch.
_STAYS = 0.99


class Net(NamedTuple):
    """Functions of a net, apart from its parameters.

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

    def begin(rng, n_inputs, dtype):
        W = initial(init, rng, n_inputs, n_units).astype(dtype)
        return n_units, Layer(W, np.zeros(n_units, dtype)), ()

    def apply(params, statistics, x, rng=None, train=False):
        return primitives.dense(x, *params, activation), statistics

    return Net(begin, apply)


def maxout(n_units, n_pieces=2, init="glorot_uniform"):
    """Maxout units, each the maximum of ``n_pieces`` linear ones."""
    below = dense(n_units * n_pieces, init=init)

    def begin(rng, n_inputs, dtype):
        return n_units, *below.init(rng, n_inputs, dtype)[1:]

    def apply(params, statistics, x, rng=None, train=False):
        z, statistics = below.apply(params, statistics, x)
        return activations.max_out(z, n_pieces), statistics

    return Net(begin, apply)


def activation(name):
    """Activation function without weights; one of ``ACTIVATIONS``."""

    def begin(rng, n_inputs, dtype):
        return n_inputs, (), ()

    def apply(params, statistics, x, rng=None, train=False):
        return activations.activate(x, name), statistics

    return Net(begin, apply)


def dropout(rate):
    """Dropout at a rate in [0, 1), during training only."""

    def begin(rng, n_inputs, dtype):
        return n_inputs, (), ()

    def apply(params, statistics, x, rng=None, train=False):
        return (primitives.drop_out(x, rate, rng) if train and rate else x), statistics

    return Net(begin, apply)


def batch_norm():
    """Batch normalisation, by the batch's moments in training and by running moments
    afterwards."""

    def begin(rng, n_inputs, dtype):
        zeros, ones = np.zeros(n_inputs, dtype), np.ones(n_inputs, dtype)
        return n_inputs, Scales(ones, zeros), Moments(zeros.copy(), ones.copy())

    def apply(params, statistics, x, rng=None, train=False):
        if train:
            now = normalisation.moments(getval(x))
            after = [_STAYS * a + (1 - _STAYS) * b for a, b in zip(statistics, now)]
            after = Moments(*(part.astype(x.dtype) for part in after))
            return normalisation.standardise(x, *params), after
        size = np.sqrt(statistics.variance + x.dtype.type(normalisation.EPSILON))
        return (x - statistics.mean) * (params.gain / size) + params.shift, statistics

    return Net(begin, apply)


def serial(*nets):
    """Composition of nets, each applied to the output of the one before."""

    def begin(rng, n_inputs, dtype):
        params, statistics = [], []
        for net in nets:
            n_inputs, own, kept = net.init(rng, n_inputs, dtype)
            params.append(own)
            statistics.append(kept)
        return n_inputs, tuple(params), tuple(statistics)

    def apply(params, statistics, x, rng=None, train=False):
        kept = []
        for number, parts in enumerate(zip(nets, params, statistics, strict=True)):
            net, own, before = parts
            fold = rng.fold(number) if rng is not None else None
            x, after = net.apply(own, before, x, rng=fold, train=train)
            kept.append(after)
        return x, tuple(kept)

    return Net(begin, apply)
