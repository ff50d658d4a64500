r"""Sweeps over the sites of a Boltzmann machine on any graph, one site after another.

.. math:: \eta_i = b_i + \sum_{j \ne i} J_{ij} x_j

Each row has the fields of all sites. If a site changes, the fields of its neighbors are
updated by a row of J. A site that does not change thus costs a random number and a
sigmoid.

A site has one entry if it is a bit, or one-hot entries of its categories. Rows are
independent. Arguments of kernels, for n sites with m entries, are

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
    Neighbors of site i: ``near[ends[i]:ends[i + 1]]``; all sites if both are empty.
x : ndarray of shape (n_rows, m)
    Values, changed in place; clamped sites may have any numbers.
clamped : ndarray of bool, shape (n_rows, n) or (0, n)
    Sites that keep their values; none if it has no rows.
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
    """Make one Gibbs sweep for each of ``roots``, the roots of random numbers.
    ``base``, (m,), are biases of the base model, and ``beta``, (n_rows,), inverse
    temperatures. ``mean``, (n_rows, m), gets the probabilities of the last draws."""
    field, edge = np.empty(len(bias), bias.dtype), np.empty(len(sizes), bias.dtype)
    none = clamped[0] if len(clamped) else np.zeros(len(sizes), np.bool_)
    for r in range(start, stop):
        fill(J, bias, first, ends, near, x[r], field)
        is_clamped = clamped[r] if len(clamped) else none
        for n in range(len(roots)):
            low, high = halves(ids[r], roots[n])
            row, mean_row = x[r], mean[r]
            # fmt: off
            visit(
                J, first, sizes, order, ends, near, row, is_clamped,
                base, beta[r], low, high, edge, field, mean_row, n == len(roots) - 1,
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
    """Move chains through inverse temperatures, and add to their log weights. ``base``
    has shape (m,), ``betas`` (n_steps + 1,), ``roots`` (n_steps,), and ``log_w``
    (n_rows,), in float64."""
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
                    term = 0.5 * np.float64(field[c] + bias[c]) - np.float64(base[c])
                    drive += np.float64(row[c]) * term
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
    """Mean field: replace values by means, site by site, until no mean changes by more
    than ``tol``. ``n_sweeps`` gets the number of sweeps of each row, at most
    ``max_sweeps``, and ``settled`` gets True for rows that have converged."""
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
    """Update the fields after a change of entry c of site i by ``step``."""
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
    """Write the probabilities of the entries of a site, which begin at a, to p."""
    one = field.dtype.type(1)
    if size == 0:
        p[0] = one / (one + exp(-field[a]))
        return
    high, total = field[a], field.dtype.type(0)
    for c in range(1, size):
        high = max(high, field[a + c])
    for c in range(size):
        p[c] = exp(field[a + c] - high)
        total += p[c]
    for c in range(size):
        p[c] /= total


# fmt: off
@kernel
def visit(
    J, first, sizes, order, ends, near, row, still,
    base, beta, low, high, edge, field, mean, with_mean,
):
    # fmt: on
    """Draw each site of a row that is not clamped. A bit is 1 if its field exceeds
    ``edge``, the log odds of its random number, which does not depend on previous
    sites."""
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
            # As in turn, without the reference counts of a call.
            if step != 0 and dense:
                for d in range(len(field)):
                    field[d] += step * J[a, d]
            elif step != 0:
                for n in range(ends[i], ends[i + 1]):
                    for d in range(first[near[n]], first[near[n] + 1]):
                        field[d] += step * J[a, d]
            continue
        top, total = other * base[a] + beta * field[a], real(0)
        for c in range(a + 1, first[i + 1]):
            top = max(top, other * base[c] + beta * field[c])
        for c in range(a, first[i + 1]):
            mean[c] = exp(other * base[c] + beta * field[c] - top)
            total += mean[c]
        cumulative, chosen = real(0), first[i + 1] - 1
        for c in range(a, first[i + 1]):
            mean[c] /= total
            cumulative += mean[c]
            if edge[i] < cumulative and c < chosen:
                chosen = c
        for c in range(a, first[i + 1]):
            new = one if c == chosen else real(0)
            step = new - row[c]
            row[c] = new
            turn(J, first, ends, near, i, c, step, field)
