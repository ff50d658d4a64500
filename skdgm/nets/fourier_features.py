r"""Fourier features of real columns, for nets that must resolve fine structure.

.. math:: x \mapsto \bigl(x, \; 2^{-k} \sin 2^k x_j, \; 2^{-k} \cos 2^k x_j\bigr),
   \qquad k = 0, \dots, n - 1

for each real column j. Nets are slow to learn functions that vary rapidly with the
inputs; the same functions vary slowly with sines and cosines of high frequency [1]_.
All features have slopes of at most 1, so that high frequencies do not overfit small
tables.

References
----------
.. [1] Tancik et al. (2020). Fourier features let networks learn high frequency
   functions in low dimensional domains. NeurIPS.
"""

from functools import partial

import numpy as np
from autograd.extend import defvjp

from skdgm.nets.layers import Net
from skdgm.nets.tape import primitive


def fourier(columns, n_frequencies):
    """Layer without parameters that appends Fourier features of some columns."""
    return Net(
        partial(_begin, columns, n_frequencies),
        partial(_apply, columns, n_frequencies),
        partial(_tangent, (columns, n_frequencies)),
    )


def _begin(columns, n, rng, n_inputs, dtype):
    return n_inputs + 2 * n * len(columns), (), ()


def _apply(columns, n, params, statistics, x, rng=None, train=False):
    return waves(x, columns, n), statistics


def _tangent(features, params, statistics, x, dx, rng=None, train=False):
    columns, n = features
    return waves(x, columns, n), _along(x, dx, columns, n)


def _angles(x, columns, n):
    """Angles of the features, and the frequencies that divide sines and cosines."""
    factors = np.repeat(2.0 ** np.arange(n), len(columns)).astype(x.dtype)
    return np.tile(x[:, columns], n) * factors, factors


@primitive
def waves(x, columns, n):
    """Append sines and cosines of columns, at n frequencies. x has shape
    (n_rows, n_inputs), the result (n_rows, n_inputs + 2 * n * n_columns)."""
    angles, factors = _angles(x, columns, n)
    parts = np.sin(angles) / factors, np.cos(angles) / factors
    return np.concatenate([x, *parts], axis=1)


def _waves_back(y, x, columns, n):
    def backward(grad):
        _, factors = _angles(x, columns, n)
        sines, cosines = np.split(y[:, x.shape[1] :], 2, axis=1)
        by_sine, by_cosine = np.split(grad[:, x.shape[1] :], 2, axis=1)
        by_columns = (by_sine * cosines - by_cosine * sines) * factors
        back = grad[:, : x.shape[1]].copy()
        back[:, columns] += by_columns.reshape(len(x), n, -1).sum(axis=1)
        return back

    return backward


defvjp(waves, _waves_back, None, None)


def _along(x, dx, columns, n):
    """Derivative of :func:`waves` along a direction of the rows."""
    angles, _ = _angles(x, columns, n)
    slope = np.tile(dx[:, columns], n)
    return np.concatenate([dx, slope * np.cos(angles), -slope * np.sin(angles)], axis=1)
