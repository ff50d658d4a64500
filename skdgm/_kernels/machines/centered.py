r"""Corrections of the gradients of biases for centered statistics.

.. math:: G_c = G - \mu \, \Delta c^\top - \Delta b \, \lambda^\top, \qquad
   \Delta b \leftarrow \Delta b - G_c \lambda, \qquad
   \Delta c \leftarrow \Delta c - G_c^\top \mu_v

where G is the mean of :math:`x y^\top` over rows of the data minus that of the model.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.machines.arguments import Ends, ListedPhase
from skdgm._kernels.sparse.lists import RowLists, entry, whole


class Offsets(NamedTuple):
    """Offsets of statistics below (mu) and above (lam), and of values below (shift)."""

    mu: np.ndarray
    lam: np.ndarray
    shift: np.ndarray


class RowShares(NamedTuple):
    """Products of each row of both phases with offsets, divided by the number of rows:
    products of the block above, and of the block below."""

    received: np.ndarray
    sent: np.ndarray


class Corrections(NamedTuple):
    r"""Matrices A and B of two rows each in :math:`G_c = G - A^\top B`, and the
    decreases of the gradients of biases."""

    thin: Ends
    less: Ends


class ThreadColumns(NamedTuple):
    """Number of a thread, and its columns of the blocks below and above."""

    rank: int
    left: int
    right: int
    left_above: int
    right_above: int


@kernel
def corrections(data, model, grads, offsets, found):
    """Write the :class:`Corrections` of centering to ``found``; ``grads`` are those of
    biases."""
    n, m = len(data.y), len(model.y)
    shares = RowShares(np.empty(n + m), np.empty(n + m))
    exchange(data, offsets, n, shares, 0, 0, n)
    exchange(model, offsets, -m, shares, n, 0, m)
    correct(
        bounded(data),
        bounded(model),
        shares,
        grads,
        offsets,
        found,
        ThreadColumns(0, 0, len(grads.below), 0, len(grads.above)),
    )


@kernel
def bounded(phase):
    """Phase with bounds of a single thread as counts."""
    index, value, count = phase.lists
    return ListedPhase(RowLists(index, value, whole(count)), phase.y)


@kernel
def exchange(phase, offsets, n, shares, before, start, stop):
    """Products of rows with the offsets of the other block, divided by n, which is
    negative for the model."""
    (index, value, count), y = phase
    lam, shift = offsets.lam, offsets.shift
    received, sent = shares
    share = 1 / n if n else 0.0
    for r in range(start, stop):
        received[before + r] = share * line_product(y, r, lam)
        total = 0.0
        for k in range(count[r]):
            x_rk = np.float64(entry(value, r, k))
            total += x_rk * np.float64(shift[index[r, k]])
        sent[before + r] = total * share


@kernel
def correct(data, model, shares, grads, offsets, found, part):
    """Write :class:`Corrections` for a thread's columns of both blocks. Counts of the
    phases are bounds."""
    (below, above), (mu, lam, shift) = grads, offsets
    (thin_below, thin_above), (less_below, less_above) = found
    _, left, right, left_above, right_above = part
    real, n = below.dtype.type, len(data.y)
    of_below, of_above = np.empty(len(below)), np.empty(len(above))
    of_below[:], of_above[:] = 0, 0
    add(data, shares, 0, of_below, of_above, part)
    add(model, shares, n, of_below, of_above, part)
    c_lam, lam_lam, mu_shift, b_shift = 0.0, 0.0, 0.0, 0.0
    for j in range(len(above)):
        c_lam += np.float64(above[j] * lam[j])
        lam_lam += np.float64(lam[j] * lam[j])
    for i in range(len(below)):
        mu_shift += np.float64(mu[i] * shift[i])
        b_shift += np.float64(below[i] * shift[i])
    for i in range(left, right):
        thin_below[0, i], thin_below[1, i] = mu[i], below[i]
        decrease = of_below[i] - mu[i] * c_lam - below[i] * lam_lam
        less_below[i] = real(decrease)
    for j in range(left_above, right_above):
        thin_above[0, j], thin_above[1, j] = above[j], lam[j]
        decrease = of_above[j] - above[j] * mu_shift - lam[j] * b_shift
        less_above[j] = real(decrease)


@kernel
def add(phase, shares, before, of_below, of_above, part):
    """Add G lambda and the product of the transpose of G with the shift, over rows of a
    phase."""
    ((index, value, bounds), y), (received, sent) = phase, shares
    rank, left, right = part.rank, part.left_above, part.right_above
    for r in range(len(index)):
        share = received[before + r]
        for k in range(bounds[rank, r], bounds[rank + 1, r]):
            of_below[index[r, k]] += share * np.float64(entry(value, r, k))
        share = sent[before + r]
        for j in range(left, right):
            of_above[j] += share * np.float64(y[r, j])


@inner("reassoc")
def line_product(y, r, lam):
    """Product of a row and a vector, summed in any order."""
    total = y.dtype.type(0)
    for j in range(len(lam)):
        total += y[r, j] * lam[j]
    return np.float64(total)
