r"""Corrections of biases' gradients where statistics are centred at offsets.

.. math:: G_c = G - \mu \, \Delta c^\top - \Delta b \, \lambda^\top, \qquad
   \Delta b \leftarrow \Delta b - G_c \lambda, \qquad
   \Delta c \leftarrow \Delta c - G_c^\top \mu_v

where G is the mean of :math:`x y^\top` over rows of the data, less that of the model.
"""

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.sparse.lists import entry, whole


@kernel
def corrections(
    x, value, count, y, x_model, value_model, count_model, y_model,
    below, above, mu, lam, shift, thin_below, thin_above, less_below, less_above,
):  # fmt: skip
    """Decrease of the gradients ``below`` and ``above`` of the biases, and the two rows
    each of A and B in :math:`G_c = G - A^\\top B`.

    Parameters
    ----------
    x, value, count, x_model, value_model, count_model : ndarray
        Statistics of the block below, as lists, in the data and in the model.
    y, y_model : ndarray of shape (n_rows, n_above)
        Statistics of the block above.
    below, above : ndarray
        Gradients of the biases.
    mu, lam, shift : ndarray
        Offsets of both statistics, and of the values below.
    thin_below, thin_above : ndarray of shape (2, n_below) and (2, n_above)
        A and B, written here.
    less_below, less_above : ndarray
        By how much the gradients decrease, written here.
    """
    n, m = len(x), len(x_model)
    received, sent = np.empty(n + m), np.empty(n + m)
    exchange(x, value, count, y, lam, shift, n, received, sent, 0, 0, n)
    exchange(
        x_model, value_model, count_model, y_model, lam, shift, -m, received, sent, n,
        0, m,
    )  # fmt: skip
    correct(
        x, value, whole(count), y, x_model, value_model, whole(count_model), y_model,
        received, sent, 0, below, above, mu, lam, shift, thin_below, thin_above,
        less_below, less_above, 0, len(below), 0, len(above),
    )  # fmt: skip


@kernel
def exchange(
    index, value, count, y, lam, shift, n, received, sent, before, start, stop
):  # fmt: skip
    """What some rows' statistics weigh by the offsets of the other block, as shares of
    the mean of n rows; the model's are negative."""
    share = 1 / n if n else 0.0
    for r in range(start, stop):
        received[before + r] = share * line_product(y, r, lam)
        total = 0.0
        for k in range(count[r]):
            own = np.float64(entry(value, r, k))
            total += own * np.float64(shift[index[r, k]])
        sent[before + r] = total * share


@kernel
def correct(
    x, value, bounds, y, x_model, value_model, bounds_model, y_model, received, sent,
    rank, below, above, mu, lam, shift, thin_below, thin_above, less_below, less_above,
    left, right, left_above, right_above,
):  # fmt: skip
    """What :func:`corrections` writes, of a thread's columns of both blocks."""
    real, n = below.dtype.type, len(y)
    of_below, of_above = np.empty(len(below)), np.empty(len(above))
    of_below[:], of_above[:] = 0, 0
    add(x, value, bounds, y, received, sent, 0, rank, of_below, of_above,
        left_above, right_above)  # fmt: skip
    add(x_model, value_model, bounds_model, y_model, received, sent, n, rank, of_below,
        of_above, left_above, right_above)  # fmt: skip
    c_lam, lam_lam, mu_shift, b_shift = 0.0, 0.0, 0.0, 0.0
    for j in range(len(above)):
        c_lam += np.float64(above[j] * lam[j])
        lam_lam += np.float64(lam[j] * lam[j])
    for i in range(len(below)):
        mu_shift += np.float64(mu[i] * shift[i])
        b_shift += np.float64(below[i] * shift[i])
    for i in range(left, right):
        thin_below[0, i], thin_below[1, i] = mu[i], below[i]
        less = of_below[i] - mu[i] * c_lam - below[i] * lam_lam
        less_below[i] = real(less)
    for j in range(left_above, right_above):
        thin_above[0, j], thin_above[1, j] = above[j], lam[j]
        less = of_above[j] - above[j] * mu_shift - lam[j] * b_shift
        less_above[j] = real(less)


@kernel
def add(
    index, value, bounds, y, received, sent, before, rank, of_below, of_above, left,
    right,
):  # fmt: skip
    """Add G times lambda, and its transpose times the shift, of some rows."""
    for r in range(len(index)):
        own = received[before + r]
        for k in range(bounds[rank, r], bounds[rank + 1, r]):
            of_below[index[r, k]] += own * np.float64(entry(value, r, k))
        own = sent[before + r]
        for j in range(left, right):
            of_above[j] += own * np.float64(y[r, j])


@inner("reassoc")
def line_product(y, r, lam):
    """A row's product with a vector, summed in an order that is quick."""
    total = y.dtype.type(0)
    for j in range(len(lam)):
        total += y[r, j] * lam[j]
    return np.float64(total)
