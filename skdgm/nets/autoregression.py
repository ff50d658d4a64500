r"""Invertible masked autoregressive layers [1]_.

.. math:: y_j = g(x_j; h_j(x_1, \dots, x_{j - 1})), \qquad \log \left\lvert \det
   \frac{\partial y}{\partial x} \right\rvert = \sum_j \log g'(x_j)

A masked net computes the parameters of g for all columns at once; the inverse needs one
pass of the net for each column.

References
----------
.. [1] Papamakarios, Pavlakou and Murray (2017). Masked autoregressive flow for density
   estimation. NeurIPS.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from autograd.extend import defvjp_argnums
from autograd.tracer import getval

from skdgm.nets import gains, splines
from skdgm.nets.bijections import volume_apart
from skdgm.nets.constrained import join_columns
from skdgm.nets.feed_forward import Layer
from skdgm.nets.layers import Net, serial
from skdgm.nets.masks import by_degrees, masked, masked_dense
from skdgm.nets.primitives import dense
from skdgm.nets.tape import primitive


class ColumnLayer(NamedTuple):
    """Options of a layer: net, mask of the weights above it, number of parameters of
    each function, bound of splines (0 for gains), and number of conditioning
    columns."""

    net: Net
    mask: np.ndarray
    each: int
    bound: float
    n_given: int


def autoregression(n, sizes, activation, n_bins=0, bound=0.0, n_given=0):
    """Autoregressive layer of n columns, initially the identity. A net with hidden
    layers of the given ``sizes`` maps previous columns to the parameters of a function
    of each column: a monotone spline, or a gain and a shift if ``n_bins`` is 0. The
    first ``n_given`` columns are conditions, which do not change."""
    each, first = 3 * n_bins - 1 if n_bins else 2, 0 if n_given else 1
    inputs = np.concatenate([np.zeros(n_given, int), np.arange(1, n + 1)])
    degrees = [np.sort(np.arange(m) % max(1, n - first) + first) for m in sizes]
    outputs = np.repeat(np.arange(1, n + 1), each)
    *below, top = by_degrees(inputs, degrees, outputs, direct=True)
    net = serial(*(masked_dense(mask, activation) for mask in below))
    layer = ColumnLayer(net, top, each, bound, n_given)
    return Net(
        partial(_begin, layer),
        partial(_apply, layer),
        inverse=partial(_inverse, layer),
        log_det=partial(_of, layer),
    )


def _begin(layer, rng, n_inputs, dtype):
    _, params, statistics = layer.net.init(rng, n_inputs, dtype)
    n_below, n_outputs = layer.mask.shape
    top = Layer(np.zeros((n_below, n_outputs), dtype), np.zeros(n_outputs, dtype))
    return n_inputs, (params, top), statistics


def _raw(layer, params, statistics, x):
    """Parameters of the functions of all columns, (n_rows, n_columns * each)."""
    below = layer.net.apply(params[0], statistics, x)[0]
    W, b = params[1]
    joined = join_columns(below, x) if params[0] else x
    return dense(joined, masked(W, layer.mask.astype(getval(x).dtype)), b, "identity")


def _of(layer, params, statistics, x):
    raw = _raw(layer, params, statistics, x)
    return volume_apart(_changed(x, raw, layer.each, layer.bound, layer.n_given), x)


def _apply(layer, params, statistics, x, rng=None, train=False):
    return _of(layer, params, statistics, x)[0], statistics


def _inverse(layer, params, statistics, y):
    x, inverse_of_column = y.copy(), splines.inverse if layer.bound else gains.inverse
    for j in range(y.shape[1] - layer.n_given):
        raw = _by_column(_raw(layer, params, statistics, x), layer.each)
        column = slice(layer.n_given + j, layer.n_given + j + 1)
        x[:, column] = inverse_of_column(y[:, column], raw[:, j : j + 1], layer.bound)
    return x


def _by_column(raw, each):
    """Parameters by column, (n_rows, n_columns, each); there may be no rows."""
    return raw.reshape(len(raw), raw.shape[1] // each, each)


@primitive
def _changed(x, raw, each, bound, n_given):
    """Transformed rows, and sums of log slopes as the last column."""
    changed = np.empty((len(x), x.shape[1] + 1), x.dtype)
    changed[:, :n_given] = x[:, :n_given]
    function = splines.spline if bound else gains.gain
    changed[:, n_given:-1], log_slope = function(
        x[:, n_given:], _by_column(raw, each), bound
    )
    log_slope.sum(axis=1, out=changed[:, -1])
    return changed


def _changed_back(argnums, _, args, kwargs):
    x, raw, each, bound, n_given = args
    slopes = splines.gradients if bound else gains.gradients

    def backward(grad):
        by_x, by_y = grad[:, :-1].copy(), grad[:, n_given:-1]
        by_log = np.broadcast_to(grad[:, -1:], by_y.shape)
        by_x[:, n_given:], by_raw = slopes(
            x[:, n_given:], _by_column(raw, each), bound, by_y, by_log
        )
        back = by_x, by_raw.reshape(raw.shape)
        return [back[argnum] for argnum in argnums]

    return backward


defvjp_argnums(_changed, _changed_back)
