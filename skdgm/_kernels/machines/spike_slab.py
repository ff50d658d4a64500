r"""Mean field of pairs of a spike and a slab.

.. math:: m_i = \frac{1}{a_i} \Bigl(f_i - \sum_{k \ne i} G_{ik} u_k\Bigr), \qquad
   g_i = \sigma\bigl(o_i + \tfrac12 a_i m_i^2\bigr), \qquad u_i = g_i m_i
"""

import math
from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel


class CodedRows(NamedTuple):
    """f, (n_rows, n_units); the diagonal of G, (n_rows or 1, n_units); and 1.0 for
    entries that are not missing, (n_rows, n_columns)."""

    field: np.ndarray
    own: np.ndarray
    seen: np.ndarray


class SparseCoding(NamedTuple):
    """``alpha`` is the difference of a and the diagonal of G; ``odds``, (n_units,), is
    o without log(alpha / a) / 2; ``gram`` is G, (n_units, n_units). With missing
    entries, ``gram`` is empty, and G is the product of W and ``weighted``, (n_units,
    n_columns), over the columns that are not missing."""

    alpha: np.ndarray
    odds: np.ndarray
    gram: np.ndarray
    W: np.ndarray
    weighted: np.ndarray


@inner("reassoc")
def _product(x, y):
    total = 0.0
    for j in range(len(x)):
        total += x[j] * y[j]
    return total


@kernel
def mean_field_pairs(rows, coding, pairs, n_sweeps, tol, start, stop):
    """Update pairs one by one, in alternating order, until u changes by less than
    ``tol``, or for ``n_sweeps`` sweeps. ``pairs`` are g, m and u, (n_rows, n_units),
    initially zero."""
    (field, own, seen), (alpha, odds, gram, W, weighted) = rows, coding
    g, m, u = pairs
    n_units, complete = len(alpha), len(gram) > 0
    rebuilt = np.empty(W.shape[1])
    for r in range(start, stop):
        diagonal = own[0] if complete else own[r]
        for j in range(len(rebuilt)):
            rebuilt[j] = 0.0
        for number in range(n_sweeps):
            largest = 0.0
            for place in range(n_units):
                i = place if number % 2 == 0 else n_units - 1 - place
                if complete:
                    coupled = _product(gram[i], u[r])
                else:
                    coupled = _product(weighted[i], rebuilt)
                a = alpha[i] + diagonal[i]
                mean = (field[r, i] - coupled + diagonal[i] * u[r, i]) / a
                x = odds[i] + 0.5 * (math.log(alpha[i] / a) + a * mean * mean)
                m[r, i] = mean
                g[r, i] = 1.0 / (1.0 + math.exp(-x))
                change = g[r, i] * mean - u[r, i]
                u[r, i] += change
                largest = max(largest, abs(change))
                if not complete:
                    for j in range(len(rebuilt)):
                        rebuilt[j] += seen[r, j] * W[i, j] * change
            if largest < tol:
                break
