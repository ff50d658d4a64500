r"""Invertible layers, and the log-determinants of their Jacobians.

.. math:: y = f(x), \qquad \log p(x) = \log p(y) +
   \log \left\lvert \det \frac{\partial y}{\partial x} \right\rvert

``serial`` composes such layers: it applies inverses in reverse order and sums
log-determinants. A coupling layer transforms some columns by functions of the other
columns [1]_.

References
----------
.. [1] Dinh, Sohl-Dickstein and Bengio (2017). Density estimation using real NVP. ICLR.
"""

from functools import cache, partial
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp_argnums
from autograd.tracer import getval
from scipy.linalg import solve_triangular

from skdgm.nets import gains
from skdgm.nets.constrained import join_columns, pick
from skdgm.nets.feed_forward import Layer
from skdgm.nets.layers import Net, Scales, unweighted
from skdgm.nets.primitives import columns, dense
from skdgm.nets.splines import gradients, spline
from skdgm.nets.splines import inverse as inverse_spline
from skdgm.nets.tape import primitive
from skdgm.utils.products import matmul

# Maximum number of parameters of functions for a block of rows.
_MAX_PARAMETERS = 2**17


def affine():
    """Affine map of each column, with a nonzero gain and a shift."""
    return Net(_begin_affine, _apply_affine, inverse=_inverse_affine, log_det=_of_gains)


def _begin_affine(rng, n_inputs, dtype):
    return n_inputs, Scales(np.ones(n_inputs, dtype), np.zeros(n_inputs, dtype)), ()


def _apply_affine(params, statistics, x, rng=None, train=False):
    return x * params.gain + params.shift, statistics


def _inverse_affine(params, statistics, y):
    return (y - params.shift) / params.gain


def _of_gains(params, statistics, x):
    return _apply_affine(params, (), x)[0], anp.log(anp.abs(params.gain)).sum()


def permutation(order):
    """Permutation of the columns by ``order``, an ndarray of int."""
    return Net(
        unweighted,
        partial(_apply_permutation, order),
        inverse=partial(_inverse_permutation, order),
        log_det=partial(_of_permutation, order),
    )


def _apply_permutation(order, params, statistics, x, rng=None, train=False):
    return pick(x, order), statistics


def _inverse_permutation(order, params, statistics, y):
    return y[:, np.argsort(order)]


def _of_permutation(order, params, statistics, x):
    return pick(x, order), 0.0


def whitening():
    """Fixed affine map, initially the identity. Statistics are a :class:`Layer` whose W
    is upper triangular with a positive diagonal."""
    return Net(
        _begin_whitening,
        _apply_whitening,
        inverse=_inverse_whitening,
        log_det=_of_whitening,
    )


def _begin_whitening(rng, n_inputs, dtype):
    start = Layer(np.eye(n_inputs, dtype=dtype), np.zeros(n_inputs, dtype))
    return n_inputs, (), start


def _apply_whitening(params, statistics, x, rng=None, train=False):
    return dense(x, statistics.W, statistics.b, "identity"), statistics


def _inverse_whitening(params, statistics, y):
    W, b = statistics
    return solve_triangular(W, (y - b).T, trans="T").T.astype(y.dtype)


def _of_whitening(params, statistics, x):
    log_det = np.log(np.diag(statistics.W)).sum()
    return dense(x, statistics.W, statistics.b, "identity"), log_det


def triangular(lower=False):
    """Linear map by a triangular matrix, initially the identity. Parameters are a
    :class:`Layer` with the off-diagonal entries and the shifts, and the logs of the
    diagonal entries, (n_inputs,)."""
    return Net(
        _begin_triangular,
        partial(_apply_triangular, lower),
        inverse=partial(_inverse_triangular, lower),
        log_det=partial(_of_triangular, lower),
    )


def _begin_triangular(rng, n_inputs, dtype):
    zeros = np.zeros((n_inputs, n_inputs), dtype)
    return n_inputs, (Layer(zeros, zeros[0].copy()), zeros[0].copy()), ()


@cache
def _free(lower, n, dtype):
    """Mask of the off-diagonal entries of a triangular matrix, (n, n)."""
    full = np.ones((n, n), dtype)
    return np.tril(full, -1) if lower else np.triu(full, 1)


@primitive
def _times_triangular(x, W, b, log_gain, free):
    return matmul(x, _matrix(W, log_gain, free), b)


def _matrix(W, log_gain, free):
    matrix = W * free
    np.fill_diagonal(matrix, np.exp(log_gain))
    return matrix


def _times_triangular_back(argnums, _, args, kwargs):
    x, W, _, log_gain, free = args

    def of_W(grad):
        return matmul(x.T, grad) * free

    def of_gain(grad):
        return (x * grad).sum(axis=0) * np.exp(log_gain)

    def of_x(grad):
        return matmul(grad, _matrix(W, log_gain, free).T)

    back = of_x, of_W, lambda grad: grad.sum(axis=0), of_gain
    return lambda grad: [back[argnum](grad) for argnum in argnums]


defvjp_argnums(_times_triangular, _times_triangular_back)


def _apply_triangular(lower, params, statistics, x, rng=None, train=False):
    (W, b), log_gain = params
    free = _free(lower, len(getval(b)), getval(b).dtype)
    return _times_triangular(x, W, b, log_gain, free), statistics


def _inverse_triangular(lower, params, statistics, y):
    (W, b), log_gain = params
    W = _matrix(W, log_gain, _free(lower, len(b), b.dtype))
    return solve_triangular(W, (y - b).T, lower=lower, trans="T").T.astype(y.dtype)


def _of_triangular(lower, params, statistics, x):
    return _apply_triangular(lower, params, (), x)[0], params[1].sum()


def splines(n_bins, bound):
    """Monotone spline of each column, initially the identity. Statistics are factors of
    the columns, (n_inputs,), which multiply the parameters of their splines."""
    return Net(
        partial(_begin_splines, 3 * n_bins - 1),
        partial(_apply_splines, bound),
        inverse=partial(_inverse_splines, bound),
        log_det=partial(_of_splines, bound),
    )


def _begin_splines(n_numbers, rng, n_inputs, dtype):
    return n_inputs, np.zeros((n_inputs, n_numbers), dtype), np.ones(n_inputs, dtype)


def _numbers(params, statistics):
    return params * statistics[:, None]


def _apply_splines(bound, params, statistics, x, rng=None, train=False):
    return _of_splines(bound, params, statistics, x)[0], statistics


def _inverse_splines(bound, params, statistics, y):
    return inverse_spline(y, _numbers(params, statistics)[None], bound)


def _of_splines(bound, params, statistics, x):
    return volume_apart(_changed(x, _numbers(params, statistics), bound), x)


@primitive
def _changed(x, raw, bound):
    """Spline of each column, and sums of log slopes as the last column."""
    changed = np.empty((len(x), x.shape[1] + 1), x.dtype)
    changed[:, :-1], log_slope = spline(x, raw[None], bound)
    log_slope.sum(axis=1, out=changed[:, -1])
    return changed


def _changed_back(argnums, _, args, kwargs):
    x, raw, bound = args

    def backward(grad):
        by_log = np.broadcast_to(grad[:, -1:], x.shape)
        by_x, by_raw = gradients(x, raw[None], bound, grad[:, :-1], by_log)
        back = by_x, by_raw[0]
        return [back[argnum] for argnum in argnums]

    return backward


defvjp_argnums(_changed, _changed_back)


def volume_apart(both, x):
    """Split the result of a layer for rows x into outputs and log-determinants."""
    n = getval(x).shape[1]
    return columns(both, 0, n), columns(both, n, n + 1).reshape(-1)


def coupling(net, n_bins=0, bound=0.0, n_given=0):
    """Coupling layer, initially the identity.

    The first half of the columns does not change. It is the input of ``net``, and a
    dense layer above the net outputs the parameters of functions of the second half:
    monotone splines, or gains and shifts if ``n_bins`` is 0. The first ``n_given``
    columns are conditions, which belong to neither half: they do not change, and are
    inputs of the net.
    """
    layer = Coupling(net, 3 * n_bins - 1 if n_bins else 2, bound, n_given)
    return Net(
        partial(_begin_coupling, layer),
        partial(_apply_coupling, layer),
        inverse=partial(_inverse_coupling, layer),
        log_det=partial(_of_coupling, layer),
    )


class Coupling(NamedTuple):
    """Options of a coupling layer: net, number of parameters of each function, bound of
    splines (0 for gains), and number of conditioning columns."""

    net: Net
    each: int
    bound: float
    n_given: int


def _begin_coupling(layer, rng, n_inputs, dtype):
    net, each, _, n_given = layer
    half = _stay(n_inputs, n_given)
    n_below, params, statistics = net.init(rng, half, dtype)
    n_outputs = each * (n_inputs - half)
    top = Layer(np.zeros((n_below, n_outputs), dtype), np.zeros(n_outputs, dtype))
    return n_inputs, (params, top), statistics


def _stay(n, n_given):
    """Number of unchanged columns, of n columns."""
    return n_given + (n - n_given) // 2


def _below(layer, params, statistics, x):
    """Outputs of the net for the unchanged columns."""
    stay = columns(x, 0, _stay(getval(x).shape[1], layer.n_given))
    return layer.net.apply(params[0], statistics, stay)[0]


def _of_coupling(layer, params, statistics, x):
    below = _below(layer, params, statistics, x)
    W, b = params[1]
    changed = _coupled(x, below, W, b, layer.each, layer.bound, layer.n_given)
    return volume_apart(changed, x)


@primitive
def _coupled(x, below, W, b, each, bound, n_given):
    """Rows with a transformed second half, and sums of log slopes as the last column.
    The parameters of all functions would fill the memory. They are computed for a block
    of rows at a time, and again for gradients."""
    half, function = _stay(x.shape[1], n_given), spline if bound else gains.gain
    changed = np.empty((len(x), x.shape[1] + 1), x.dtype)
    changed[:, :half] = x[:, :half]
    for block in _blocks(x, b):
        out = _outputs(below[block], W, b, each)
        changed[block, half:-1], log_slope = function(x[block, half:], out, bound)
        log_slope.sum(axis=1, out=changed[block, -1])
    return changed


def _blocks(x, b):
    size = max(1, _MAX_PARAMETERS // len(b))
    return (slice(first, first + size) for first in range(0, len(x), size))


def _outputs(below, W, b, each):
    return matmul(below, W, b).reshape(len(below), len(b) // each, each)


def _coupled_back(argnums, _, args, kwargs):
    x, below, W, b, each, bound, n_given = args
    half, slopes = _stay(x.shape[1], n_given), gradients if bound else gains.gradients

    def backward(grad):
        by_x, by_below = grad[:, :-1].copy(), np.empty_like(below)
        by_W, by_b = np.zeros_like(W), np.zeros_like(b)
        for block in _blocks(x, b):
            out, by_y = _outputs(below[block], W, b, each), grad[block, half:-1]
            by_log = np.broadcast_to(grad[block, -1:], by_y.shape)
            by_x[block, half:], delta = slopes(
                x[block, half:], out, bound, by_y, by_log
            )
            delta = delta.reshape(len(delta), -1)
            by_below[block] = matmul(delta, W.T)
            by_W += matmul(below[block].T, delta)
            by_b += delta.sum(axis=0)
        back = by_x, by_below, by_W, by_b
        return [back[argnum] for argnum in argnums]

    return backward


defvjp_argnums(_coupled, _coupled_back)


def _apply_coupling(layer, params, statistics, x, rng=None, train=False):
    return _of_coupling(layer, params, statistics, x)[0], statistics


def _inverse_coupling(layer, params, statistics, y):
    below, x = _below(layer, params, statistics, y), y.copy()
    half, (W, b) = _stay(y.shape[1], layer.n_given), params[1]
    back = inverse_spline if layer.bound else gains.inverse
    for block in _blocks(y, b):
        out = _outputs(below[block], W, b, layer.each)
        x[block, half:] = back(y[block, half:], out, layer.bound)
    return x


def after(n_given, net):
    """Apply a net to the columns after the first ``n_given``, which do not change."""
    if not n_given:
        return net
    return Net(
        partial(_begin_after, n_given, net),
        partial(_apply_after, n_given, net),
        inverse=partial(_inverse_after, n_given, net),
        log_det=partial(_of_after, n_given, net),
    )


def _begin_after(n_given, net, rng, n_inputs, dtype):
    n_outputs, *net_variables = net.init(rng, n_inputs - n_given, dtype)
    return n_given + n_outputs, *net_variables


def _halves(n_given, x):
    return columns(x, 0, n_given), columns(x, n_given, getval(x).shape[1])


def _apply_after(n_given, net, params, statistics, x, rng=None, train=False):
    first, x = _halves(n_given, x)
    y, statistics = net.apply(params, statistics, x, rng=rng, train=train)
    return join_columns(first, y), statistics


def _inverse_after(n_given, net, params, statistics, y):
    first, y = _halves(n_given, y)
    return join_columns(first, net.inverse(params, statistics, y))


def _of_after(n_given, net, params, statistics, x):
    first, x = _halves(n_given, x)
    y, log_det = net.log_det(params, statistics, x)
    return join_columns(first, y), log_det
