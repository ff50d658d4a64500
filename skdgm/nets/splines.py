r"""Monotone rational-quadratic splines of single columns.

.. math:: y = y_k + \frac{h_k (s_k \theta^2 + d_k \theta (1 - \theta))}{s_k +
   (d_k + d_{k+1} - 2 s_k) \theta (1 - \theta)}, \qquad
   \theta = \frac{x - x_k}{w_k}, \quad s_k = \frac{h_k}{w_k}

within the k-th of K bins, of width w and height h, with slopes d at its ends [1]_.
Widths and heights add up to the range of the spline, outside of which it is the
identity. In each column, 3 K - 1 parameters determine the widths and heights, by two
softmax functions, and the interior slopes, by softplus functions. If all parameters are
0, the spline is the identity.

References
----------
.. [1] Durkan, Bekasov, Murray and Papamakarios (2019). Neural spline flows. NeurIPS.
"""

import numpy as np

from skdgm._kernels.nets import splines as kernels
from skdgm.utils.threading.parallel import run

# Cost of an entry for each parameter, in multiply-adds.
_WORK = 20
# Minimum width and height of a bin, as a share of the range, and minimum slope.
_MIN_SIZE, _MIN_SLOPE = 1e-3, 1e-3
_SHIFT = float(np.log(np.expm1(1 - _MIN_SLOPE)))


def spline(x, raw, bound):
    """Spline of each value, and the log of its slope, both (n_rows, n_columns).
    ``raw``, (n_rows or 1, n_columns, 3 * n_bins - 1), are the parameters of widths,
    heights and slopes; the range is from -bound to bound."""
    x, raw, constants = _given(x, raw, bound)
    y, log_slope = np.empty_like(x), np.empty_like(x)
    flat = x.reshape(-1), raw, constants, y.reshape(-1), log_slope.reshape(-1)
    _run(kernels.values, *flat)
    return y, log_slope


def inverse(y, raw, bound):
    """Values whose spline is y; see :func:`spline`."""
    y, raw, constants = _given(y, raw, bound)
    x = np.empty_like(y)
    _run(kernels.inverses, y.reshape(-1), raw, constants, x.reshape(-1))
    return x


def gradients(x, raw, bound, by_y, by_log):
    """Gradients by x and by ``raw``, given those by the results of :func:`spline`."""
    shape, (x, raw, constants) = raw.shape, _given(x, raw, bound)
    by_x, by_raw = np.empty_like(x), np.zeros_like(raw)
    back = (_plain(by_y).reshape(-1), _plain(by_log).reshape(-1), by_x.reshape(-1))
    arguments = x.reshape(-1), raw, constants, *back, by_raw
    # Entries that share parameters add to the same gradients.
    _run(kernels.gradients, *arguments, threads=len(raw) == x.size)
    return by_x, by_raw.reshape(shape)


def _run(kernel, x, raw, *more, threads=True):
    work = _WORK * raw.shape[1] * x.size if threads else 0
    run(kernel, x, raw, *more, n=x.size, work=work, step=kernels.LANES)


def _given(x, raw, bound):
    """Contiguous arrays of one dtype, parameters as a matrix, and the constants of the
    kernels."""
    constants = np.array([bound, _MIN_SIZE, _MIN_SLOPE, _SHIFT], x.dtype)
    raw = _plain(raw.astype(x.dtype, copy=False))
    return _plain(x), raw.reshape(-1, raw.shape[-1]), constants


_plain = np.ascontiguousarray
