r"""Sweeps over the sites of a machine that is no chain, one after another.

.. math:: \eta_i = b_i + \sum_{j \ne i} J_{ij} x_j

A row keeps the fields of all its sites. Where a site changes, those of its neighbours
do, by a line of J; so a site that stays as it is costs a random number and a sigmoid.

A site has one entry if it is a bit, or one for each category, of which one is 1. Rows
are independent of each other. Arguments that kernels share, for n sites with m entries:

J : ndarray of shape (m, m)
    Symmetric, and 0 between the entries of a site.
bias : ndarray of shape (m,)
first : ndarray of int, shape (n + 1,)
    The first entry of each site, and m.
sizes : ndarray of int, shape (n,)
    Number of categories; 0 for a bit.
order : ndarray of int, shape (n,)
    The sites in the order of updates.
ends, near : ndarray of int
    Neighbours of site i: ``near[ends[i]:ends[i + 1]]``; all sites if both are empty.
x : ndarray of shape (n_rows, m)
    Values, changed in place where they are not clamped; any numbers where they are.
clamped : ndarray of bool, shape (n_rows, n) or (0, n)
    Sites that keep their values; with no rows none does.
"""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.machines.bernoulli import bits, halves


@kernel
def sweep(
    J,
    bias,
    first,
    sizes,
    order,
    ends,
    near,
    x,
    clamped,
    base,
    beta,
    ids,
    roots,
    mean,
    start,
    stop,
):
    """Make Gibbs sweeps, as many as there are roots of random numbers.

    Parameters
    ----------
    base : ndarray of shape (m,)
        Biases of the base model.
    beta : ndarray of shape (n_rows,)
        Inverse temperature of each row: 1 is the model, 0 the base model.
    ids : ndarray of uint64, shape (n_rows,)
    roots : ndarray of uint64, shape (n_sweeps,)
    mean : ndarray of shape (n_rows, m)
        Gets the mean with which each entry was last drawn.
    """
    field, edge = np.empty(len(bias), bias.dtype), np.empty(len(sizes), bias.dtype)
    none = clamped[0] if len(clamped) else np.zeros(len(sizes), np.bool_)
    for r in range(start, stop):
        fill(J, bias, first, ends, near, x[r], field)
        still = clamped[r] if len(clamped) else none
        for n in range(len(roots)):
            low, high = halves(ids[r], roots[n])
            row, own = x[r], mean[r]
            # fmt: off
            visit(
                J, first, sizes, order, ends, near, row, still,
                base, beta[r], low, high, edge, field, own, n == len(roots) - 1,
            )
            # fmt: on


@kernel
def anneal(
    J,
    bias,
    first,
    sizes,
    order,
    ends,
    near,
    x,
    base,
    betas,
    ids,
    roots,
    log_w,
    start,
    stop,
):
    """Take chains through inverse temperatures, and add to their log weights.

    Parameters
    ----------
    base : ndarray of shape (m,)
    betas : ndarray of shape (n_steps + 1,)
    ids : ndarray of uint64, shape (n_rows,)
    roots : ndarray of uint64, shape (n_steps,)
    log_w : ndarray of shape (n_rows,), float64
    """
    real, edge = bias.dtype.type, np.empty(len(sizes), bias.dtype)
    field, mean = np.empty(len(bias), bias.dtype), np.empty(len(bias), bias.dtype)
    free = np.zeros(len(sizes), np.bool_)
    for r in range(start, stop):
        fill(J, bias, first, ends, near, x[r], field)
        row = x[r]
        for n in range(len(roots)):
            drive = 0.0
            for c in range(len(bias)):
                if row[c] != 0:
                    own = 0.5 * np.float64(field[c] + bias[c]) - np.float64(base[c])
                    drive += np.float64(row[c]) * own
            log_w[r] += (betas[n + 1] - betas[n]) * drive
            low, high = halves(ids[r], roots[n])
            # fmt: off
            visit(
                J, first, sizes, order, ends, near, row, free,
                base, real(betas[n + 1]), low, high, edge, field, mean, False,
            )
            # fmt: on


@kernel
def settle(
    J,
    bias,
    first,
    sizes,
    order,
    ends,
    near,
    x,
    clamped,
    max_sweeps,
    tol,
    n_sweeps,
    settled,
    start,
    stop,
):
    """Replace values by means, site after site, until no mean moves by more than tol.

    Parameters
    ----------
    max_sweeps : int
    tol : float
    n_sweeps : ndarray of int, shape (n_rows,)
        Gets the number of sweeps of each row.
    settled : ndarray of bool, shape (n_rows,)
        Gets False for rows that stopped at ``max_sweeps``.
    """
    field, value = np.empty(len(bias), bias.dtype), np.empty(len(bias), bias.dtype)
    for r in range(start, stop):
        fill(J, bias, first, ends, near, x[r], field)
        moved, n = np.inf, 0
        while n < max_sweeps and moved > tol:
            moved, n = 0.0, n + 1
            for k in range(len(order)):
                i = order[k]
                if len(clamped) and clamped[r, i]:
                    continue
                a = first[i]
                weigh(field, a, sizes[i], value)
                for c in range(a, first[i + 1]):
                    step = value[c - a] - x[r, c]
                    x[r, c] = value[c - a]
                    moved = max(moved, abs(step))
                    turn(J, first, ends, near, i, c, step, field)
        n_sweeps[r], settled[r] = n, moved <= tol


@kernel
def fill(J, bias, first, ends, near, row, field):
    """Compute the fields of a row."""
    for c in range(len(bias)):
        field[c] = bias[c]
    for i in range(len(first) - 1):
        for c in range(first[i], first[i + 1]):
            turn(J, first, ends, near, i, c, row[c], field)


@inner()
def turn(J, first, ends, near, i, c, step, field):
    """Change the fields, as entry c of site i changes by ``step``."""
    if step != 0:
        if len(ends) == 0:
            for d in range(len(field)):
                field[d] += step * J[c, d]
        else:
            for k in range(ends[i], ends[i + 1]):
                for d in range(first[near[k]], first[near[k] + 1]):
                    field[d] += step * J[c, d]


@kernel
def weigh(field, a, size, p):
    """Probabilities of the entries of the site that begins with entry a, into the first
    places of p."""
    one = field.dtype.type(1)
    if size == 0:
        p[0] = one / (one + exp(-field[a]))
        return
    high, whole = field[a], field.dtype.type(0)
    for c in range(1, size):
        high = max(high, field[a + c])
    for c in range(size):
        p[c] = exp(field[a + c] - high)
        whole += p[c]
    for c in range(size):
        p[c] /= whole


# fmt: off
@kernel
def visit(
    J, first, sizes, order, ends, near, row, still,
    base, beta, low, high, edge, field, mean, with_mean,
):
    # fmt: on
    """Draw each site of a row that is not clamped.

    A bit is 1 if its field exceeds the log odds ``edge`` of its random number: what it
    takes to know that does not wait for the sites before it.
    """
    real = field.dtype.type
    one, other, dense = real(1), real(1) - beta, len(ends) == 0
    for i in range(len(edge)):
        u = (np.float64(bits(i, low, high)) + 0.5) * 2.0**-32
        edge[i] = real(np.log(u / (1.0 - u)) if sizes[i] == 0 else u)
    for k in range(len(order)):
        i = order[k]
        if still[i]:
            continue
        a = first[i]
        if sizes[i] == 0:
            eta = other * base[a] + beta * field[a]
            new = one if eta > edge[i] else real(0)
            if with_mean:
                mean[a] = one / (one + exp(-eta))
            step = new - row[a]
            row[a] = new
            # As in turn: a call would count references to all of its arrays.
            if step != 0 and dense:
                for d in range(len(field)):
                    field[d] += step * J[a, d]
            elif step != 0:
                for n in range(ends[i], ends[i + 1]):
                    for d in range(first[near[n]], first[near[n] + 1]):
                        field[d] += step * J[a, d]
            continue
        top, whole = other * base[a] + beta * field[a], real(0)
        for c in range(a + 1, first[i + 1]):
            top = max(top, other * base[c] + beta * field[c])
        for c in range(a, first[i + 1]):
            mean[c] = exp(other * base[c] + beta * field[c] - top)
            whole += mean[c]
        below, chosen = real(0), first[i + 1] - 1
        for c in range(a, first[i + 1]):
            mean[c] /= whole
            below += mean[c]
            if edge[i] < below and c < chosen:
                chosen = c
        for c in range(a, first[i + 1]):
            new = one if c == chosen else real(0)
            step = new - row[c]
            row[c] = new
            turn(J, first, ends, near, i, c, step, field)
