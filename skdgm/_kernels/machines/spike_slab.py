r"""Mean field of spikes and slabs, pair by pair.

.. math:: m_i = \frac{1}{a_i} \Bigl(f_i - \sum_{k \ne i} G_{ik} u_k\Bigr), \qquad
   g_i = \sigma\bigl(o_i + \tfrac12 a_i m_i^2\bigr), \qquad u_i = g_i m_i
"""

import math

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel


@inner("reassoc")
def _product(x, y):
    total = 0.0
    for j in range(len(x)):
        total += x[j] * y[j]
    return total


@kernel
def settle_pairs(
    field, own, alpha, odds, gram, W, weighted, seen, g, m, u, n_sweeps, tol,
    start, stop,
):  # fmt: skip
    """Update pairs one after the other, forth and back in turn, until u changes by less
    than ``tol``, or for so many sweeps.

    Parameters
    ----------
    field, odds : ndarray of shape (n_rows, n_units) and (n_units,)
        f, and o but for half the log of alpha / a.
    own : ndarray of shape (n_rows or 1, n_units)
        Diagonal of G.
    alpha : ndarray of shape (n_units,)
        Differences of a and that diagonal.
    gram : ndarray of shape (n_units, n_units)
        G; without rows where entries of rows are missing.
    W, weighted : ndarray of shape (n_units, n_columns)
        Of which G is the product over the columns that are seen.
    seen : ndarray of shape (n_rows, n_columns)
        1.0 or 0.0; without rows where all are seen.
    g, m, u : ndarray of shape (n_rows, n_units)
        Replaced; they begin as zeros.
    n_sweeps : int
    tol : float
    start, stop : int
        Rows.
    """
    n_units, complete = len(alpha), len(gram) > 0
    rebuilt = np.empty(W.shape[1])
    for r in range(start, stop):
        mine = own[0] if complete else own[r]
        for j in range(len(rebuilt)):
            rebuilt[j] = 0.0
        for number in range(n_sweeps):
            largest = 0.0
            for place in range(n_units):
                i = place if number % 2 == 0 else n_units - 1 - place
                if complete:
                    others = _product(gram[i], u[r])
                else:
                    others = _product(weighted[i], rebuilt)
                a = alpha[i] + mine[i]
                mean = (field[r, i] - others + mine[i] * u[r, i]) / a
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
