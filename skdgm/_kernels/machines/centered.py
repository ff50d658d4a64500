r"""Corrections of biases' gradients where statistics are centred at offsets.

.. math:: G_c = G - \mu \, \Delta c^\top - \Delta b \, \lambda^\top, \qquad
   \Delta b \leftarrow \Delta b - G_c \lambda, \qquad
   \Delta c \leftarrow \Delta c - G_c^\top \mu_v

where G is the mean of :math:`x y^\top` over rows of the data, less that of the model.
"""

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.sparse.lists import entry


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
    real = below.dtype.type
    of_below, of_above = np.empty(len(below)), np.empty(len(above))
    of_below[:], of_above[:] = 0, 0
    add(x, value, count, y, lam, shift, 1 / max(1, len(x)), of_below, of_above)
    add(
        x_model, value_model, count_model, y_model, lam, shift,
        -1 / max(1, len(x_model)), of_below, of_above,
    )  # fmt: skip
    c_lam, lam_lam, mu_shift, b_shift = 0.0, 0.0, 0.0, 0.0
    for j in range(len(above)):
        thin_above[0, j], thin_above[1, j] = above[j], lam[j]
        c_lam += np.float64(above[j] * lam[j])
        lam_lam += np.float64(lam[j] * lam[j])
    for i in range(len(below)):
        thin_below[0, i], thin_below[1, i] = mu[i], below[i]
        mu_shift += np.float64(mu[i] * shift[i])
        b_shift += np.float64(below[i] * shift[i])
    for i in range(len(below)):
        less = of_below[i] - mu[i] * c_lam - below[i] * lam_lam
        less_below[i] = real(less)
    for j in range(len(above)):
        less = of_above[j] - above[j] * mu_shift - lam[j] * b_shift
        less_above[j] = real(less)


@kernel
def add(index, value, count, y, lam, shift, share, of_below, of_above):
    """Add G times lambda, and its transpose times the shift, of some rows."""
    for r in range(len(index)):
        received = share * line_product(y, r, lam)
        sent = 0.0
        for k in range(count[r]):
            i = index[r, k]
            own = np.float64(entry(value, r, k))
            of_below[i] += received * own
            sent += own * np.float64(shift[i])
        sent *= share
        for j in range(len(lam)):
            of_above[j] += sent * np.float64(y[r, j])


@inner("reassoc")
def line_product(y, r, lam):
    """A row's product with a vector, summed in an order that is quick."""
    total = y.dtype.type(0)
    for j in range(len(lam)):
        total += y[r, j] * lam[j]
    return np.float64(total)
