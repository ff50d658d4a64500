"""Layers and nets as pairs of functions, and their composition.

::

    net = serial(dense(200, "tanh"), dropout(0.5), dense(10))
    n_outputs, params, statistics = net.init(rng, n_inputs, np.float32)
    y, statistics = net.apply(params, statistics, x, rng=stream(0), train=True)

``init(rng, n_inputs, dtype)`` draws the parameters, a tree of arrays, with a NumPy
generator. ``apply(params, statistics, x, rng, train)`` is a pure function, which
returns outputs and updated ``statistics``. Statistics, such as running means, are not
learned by gradients. ``tangent`` also computes the derivative of the outputs along a
direction of the rows (:mod:`skdgm.nets.adversarial.tangents`). Invertible layers have
an ``inverse`` and a ``log_det`` (:mod:`skdgm.nets.bijections`).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from autograd.tracer import getval

from skdgm.nets import primitives
from skdgm.nets.adversarial.tangents import activated, maxout_tangent
from skdgm.nets.feed_forward import Layer, initial
from skdgm.nets.normalization import EPSILON, moments, standardize
from skdgm.utils.random import standard_normal

# Decay rate of running means, per batch.
_STAYS = 0.99


def no_tangent(*given, **more):
    """Raise ValueError: the outputs for a row depend on other rows."""
    raise ValueError(
        "Gradients for single rows are not possible with batch normalization, which "
        "makes rows depend on each other: turn it off."
    )


def no_inverse(*given):
    """Raise ValueError: a layer is not invertible."""
    raise ValueError("The net has a layer without an inverse.")


class Net(NamedTuple):
    """Functions of a net, without its parameters; unlike closures, they can be pickled.

    Parameters
    ----------
    init : callable
        ``init(rng, n_inputs, dtype)`` returns (n_outputs, params, statistics).
    apply : callable
        ``apply(params, statistics, x, rng=None, train=False)`` returns (y, statistics).
        Dropout in training needs ``rng``, a Stream.
    tangent : callable, optional
        ``tangent(params, statistics, x, dx, rng=None, train=False)`` returns (y, dy),
        the derivative of y along the direction dx, both differentiable by ``params``.
    inverse : callable, optional
        ``inverse(params, statistics, y)`` returns x.
    log_det : callable, optional
        ``log_det(params, statistics, x)`` returns (y, log_det), the log of the absolute
        determinant of the Jacobian, both differentiable: (n_rows,), or a number for all
        rows.
    """

    init: Callable
    apply: Callable
    tangent: Callable = no_tangent
    inverse: Callable = no_inverse
    log_det: Callable = no_inverse


class Variables(NamedTuple):
    """Parameters and running statistics of a net."""

    params: tuple
    statistics: tuple


class Scales(NamedTuple):
    """Gain and shift of batch normalization, of shape (n_columns,)."""

    gain: np.ndarray
    shift: np.ndarray


class RunningMoments(NamedTuple):
    """Running means and variances, of shape (n_columns,)."""

    mean: np.ndarray
    variance: np.ndarray


def dense(n_units, activation="identity", init="glorot_uniform"):
    """Fully connected layer of ``n_units``; ``init`` is one of ``INITIALIZERS``."""
    apply, tangent = (partial(f, activation) for f in (_apply_dense, _tangent_dense))
    return Net(partial(_begin_dense, n_units, init), apply, tangent)


def _begin_dense(n_units, init, rng, n_inputs, dtype):
    W = initial(init, rng, n_inputs, n_units).astype(dtype)
    return n_units, Layer(W, np.zeros(n_units, dtype)), ()


def _apply_dense(activation, params, statistics, x, rng=None, train=False):
    return primitives.dense(x, params.W, params.b, activation), statistics


def _tangent_dense(activation, params, statistics, x, dx, rng=None, train=False):
    z = primitives.dense(x, params.W, params.b, "identity")
    dz = primitives.dense(dx, params.W, np.zeros_like(getval(params.b)), "identity")
    return activated(z, dz, activation)


def maxout(n_units, n_pieces=2, init="glorot_uniform"):
    """Maxout units, each the maximum of ``n_pieces`` linear functions."""
    below = partial(_begin_dense, n_units * n_pieces, init)
    apply, tangent = (partial(f, n_pieces) for f in (_apply_maxout, _tangent_maxout))
    return Net(partial(_begin_maxout, n_units, below), apply, tangent)


def _begin_maxout(n_units, below, rng, n_inputs, dtype):
    return n_units, *below(rng, n_inputs, dtype)[1:]


def _apply_maxout(n_pieces, params, statistics, x, rng=None, train=False):
    z, statistics = _apply_dense("identity", params, statistics, x)
    return primitives.max_out(z, n_pieces), statistics


def _tangent_maxout(n_pieces, params, statistics, x, dx, rng=None, train=False):
    z, dz = _tangent_dense("identity", params, statistics, x, dx)
    return primitives.max_out(z, n_pieces), maxout_tangent(getval(z), dz, n_pieces)


def gated(n_units, init="glorot_uniform"):
    """Gated linear units: linear units, each multiplied by a logistic gate."""
    below = partial(_begin_dense, 2 * n_units, init)
    return Net(partial(_begin_maxout, n_units, below), _apply_gated)


def _apply_gated(params, statistics, x, rng=None, train=False):
    z, statistics = _apply_dense("identity", params, statistics, x)
    return primitives.gate(z), statistics


def activation(name):
    """Layer that applies an activation function, one of ``ACTIVATIONS``."""
    apply, tangent = _apply_activation, _tangent_activation
    return Net(unweighted, partial(apply, name), partial(tangent, name))


def unweighted(rng, n_inputs, dtype):
    """Initialize a layer that has no parameters and as many outputs as inputs."""
    return n_inputs, (), ()


def _apply_activation(name, params, statistics, x, rng=None, train=False):
    return primitives.activate(x, name), statistics


def _tangent_activation(name, params, statistics, x, dx, rng=None, train=False):
    return activated(x, dx, name)


def dropout(rate):
    """Dropout at a rate in [0, 1), in training only."""
    apply = partial(_apply_dropout, rate)
    return Net(unweighted, apply, partial(tangent_linear, apply))


def _apply_dropout(rate, params, statistics, x, rng=None, train=False):
    return (primitives.drop_out(x, rate, rng) if train and rate else x), statistics


def noise(size):
    """Additive normal noise with standard deviation ``size``, in training only."""
    return Net(unweighted, partial(_apply_noise, size), partial(_tangent_noise, size))


def _apply_noise(
    size: float,
    params: tuple,
    statistics: tuple,
    x: Any,
    rng: Any = None,
    train: bool = False,
) -> tuple:
    if not (train and size):
        return x, statistics
    normal = standard_normal(rng.generator(), x.shape, getval(x).dtype.type)
    return x + getval(x).dtype.type(size) * normal, statistics


def _tangent_noise(size, params, statistics, x, dx, rng=None, train=False):
    return _apply_noise(size, params, statistics, x, rng=rng, train=train)[0], dx


def tangent_linear(apply, params, statistics, x, dx, rng=None, train=False):
    """Tangent of a layer that is linear in its rows and has no biases."""
    y, _ = apply(params, statistics, x, rng=rng, train=train)
    return y, apply(params, statistics, dx, rng=rng, train=train)[0]


def batch_norm():
    """Batch normalization, by batch moments in training, else by running moments."""
    return Net(_begin_batch_norm, _apply_batch_norm)


def _begin_batch_norm(rng, n_inputs, dtype):
    zeros, ones = np.zeros(n_inputs, dtype), np.ones(n_inputs, dtype)
    return n_inputs, Scales(ones, zeros), RunningMoments(zeros.copy(), ones.copy())


def _apply_batch_norm(params, statistics, x, rng=None, train=False):
    if train:
        batch_moments = moments(getval(x))
        y = standardize(x, params.gain, params.shift, batch_moments)
        return y, followed(statistics, batch_moments)
    size = np.sqrt(statistics.variance + x.dtype.type(EPSILON))
    return (x - statistics.mean) * (params.gain / size) + params.shift, statistics


def followed(statistics, now, stays=_STAYS):
    """Running moments, updated by batch moments ``now`` with decay rate ``stays``."""
    return RunningMoments._make(
        (stays * a + (1 - stays) * b).astype(a.dtype) for a, b in zip(statistics, now)
    )


def standard():
    """Batch normalization without gains and shifts. Running moments are averages over
    the first batches, so that outputs have unit variance after a few updates."""
    return Net(_begin_standard, _apply_standard)


def _begin_standard(rng, n_inputs, dtype):
    _, _, running = _begin_batch_norm(rng, n_inputs, dtype)
    return n_inputs, (), (running, np.zeros(1))


def _apply_standard(params, statistics, x, rng=None, train=False):
    running, t = statistics
    ones = np.ones_like(running.mean)
    if train:
        batch_moments, t = moments(getval(x)), t + 1
        # If batches have a row or two, the variance is that between their means.
        between = (batch_moments[0] - running.mean) ** 2 if t[0] > 1 else 0
        decay = min(_STAYS, 1 - 1 / t[0])
        running = followed(
            running, (batch_moments[0], batch_moments[1] + decay * between), decay
        )
        return standardize(x, ones, 0 * ones, batch_moments), (running, t)
    return _apply_batch_norm(Scales(ones, 0 * ones), running, x)[0], statistics


def serial(*nets):
    """Composition of nets, each applied to the outputs of the previous net."""
    return Net(
        partial(_begin_serial, nets),
        partial(_apply_serial, nets),
        partial(_tangent_serial, nets),
        partial(_inverse_serial, nets),
        partial(_log_det_serial, nets),
    )


def _begin_serial(nets, rng, n_inputs, dtype):
    params, statistics = [], []
    for net in nets:
        n_inputs, weights, net_statistics = net.init(rng, n_inputs, dtype)
        params.append(weights)
        statistics.append(net_statistics)
    return n_inputs, tuple(params), tuple(statistics)


def _apply_serial(nets, params, statistics, x, rng=None, train=False):
    updated = []
    for number, layer in enumerate(zip(nets, params, statistics, strict=True)):
        net, weights, net_statistics = layer
        stream = rng.fold(number) if rng is not None else None
        x, new_statistics = net.apply(
            weights, net_statistics, x, rng=stream, train=train
        )
        updated.append(new_statistics)
    return x, tuple(updated)


def _tangent_serial(nets, params, statistics, x, dx, rng=None, train=False):
    for number, layer in enumerate(zip(nets, params, statistics, strict=True)):
        net, weights, net_statistics = layer
        stream = rng.fold(number) if rng is not None else None
        x, dx = net.tangent(weights, net_statistics, x, dx, rng=stream, train=train)
    return x, dx


def _inverse_serial(nets, params, statistics, y):
    for net, weights, net_statistics in zip(
        nets[::-1], params[::-1], statistics[::-1], strict=True
    ):
        y = net.inverse(weights, net_statistics, y)
    return y


def _log_det_serial(nets, params, statistics, x):
    # Numbers are repeated for all rows only at the end.
    number, by_row = 0.0, 0.0
    for net, weights, net_statistics in zip(nets, params, statistics, strict=True):
        x, log_det = net.log_det(weights, net_statistics, x)
        if np.ndim(getval(log_det)):
            by_row = by_row + log_det
        else:
            number = number + log_det
    return x, by_row + number
