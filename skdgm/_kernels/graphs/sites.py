r"""Sweeps over the sites of a Boltzmann machine on any graph, one site after another.

.. math:: \eta_i = b_i + \sum_{j \ne i} J_{ij} x_j

Each row has the fields of all sites. If a site changes, the fields of its neighbors are
updated by a row of J. A site that does not change thus costs a random number and a
sigmoid.

A site has one entry if it is a bit, or one-hot entries of its categories. Rows are
independent.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.machines.bernoulli import bits, halves


class SiteGraph(NamedTuple):
    """Machine with n sites and m entries. J, (m, m), is symmetric, and 0 between the
    entries of a site; ``bias`` has shape (m,). ``first``, (n + 1,), has the first entry
    of each site, and m; ``sizes`` the numbers of categories, 0 for a bit; ``order`` the
    sites in the order of updates. The neighbors of site i are ``near[ends[i]:ends[i +
    1]]``, or all sites if both are empty."""

    J: np.ndarray
    bias: np.ndarray
    first: np.ndarray
    sizes: np.ndarray
    order: np.ndarray
    ends: np.ndarray
    near: np.ndarray


class SiteRows(NamedTuple):
    """Values x, (n_rows, m), which are changed in place, and a mask of clamped sites,
    (n_rows, n), or without rows if no site is clamped."""

    x: np.ndarray
    clamped: np.ndarray


class SiteStreams(NamedTuple):
    """Ids of rows, and the root of the random numbers of each sweep."""

    ids: np.ndarray
    roots: np.ndarray


class SiteWorkspace(NamedTuple):
    """Log odds of random numbers, (n,), fields and means, (m,)."""

    edge: np.ndarray
    field: np.ndarray
    mean: np.ndarray


@kernel
def sweep(graph, rows, path, streams, mean, start, stop):
    """Make one Gibbs sweep for each root. ``path`` are the biases of the base model,
    (m,), and inverse temperatures, (n_rows,). ``mean``, (n_rows, m), gets the
    probabilities of the last draws."""
    (x, clamped), (base, beta), (ids, roots) = rows, path, streams
    real, n_sites = graph.bias.dtype, len(graph.sizes)
    field, edge = np.empty(len(graph.bias), real), np.empty(n_sites, real)
    none = clamped[0] if len(clamped) else np.zeros(n_sites, np.bool_)
    for r in range(start, stop):
        fill(graph, x[r], field)
        is_clamped = clamped[r] if len(clamped) else none
        for n in range(len(roots)):
            tempering, random = (base, beta[r]), halves(ids[r], roots[n])
            workspace = SiteWorkspace(edge, field, mean[r])
            is_last = n == len(roots) - 1
            visit(graph, x[r], is_clamped, tempering, random, workspace, is_last)


@kernel
def anneal(graph, x, path, streams, log_w, start, stop):
    """Move chains through inverse temperatures, and add to their log weights,
    (n_rows,), in float64. ``path`` are the biases of the base model, (m,), and inverse
    temperatures, one more than roots."""
    (base, betas), (ids, roots), bias = path, streams, graph.bias
    real, edge = bias.dtype.type, np.empty(len(graph.sizes), bias.dtype)
    field, mean = np.empty(len(bias), bias.dtype), np.empty(len(bias), bias.dtype)
    free, workspace = np.zeros(len(edge), np.bool_), SiteWorkspace(edge, field, mean)
    for r in range(start, stop):
        fill(graph, x[r], field)
        row = x[r]
        for n in range(len(roots)):
            drive = 0.0
            for c in range(len(bias)):
                if row[c] != 0:
                    term = 0.5 * np.float64(field[c] + bias[c]) - np.float64(base[c])
                    drive += np.float64(row[c]) * term
            log_w[r] += (betas[n + 1] - betas[n]) * drive
            tempering, random = (base, real(betas[n + 1])), halves(ids[r], roots[n])
            visit(graph, row, free, tempering, random, workspace, False)


@kernel
def mean_field(graph, rows, max_sweeps, tol, info, start, stop):
    """Replace values by means, site by site, until no mean changes by more than
    ``tol``, or for ``max_sweeps`` sweeps. ``info`` gets the number of sweeps of each
    row, and True for rows that have converged."""
    (x, clamped), (n_sweeps, converged) = rows, info
    bias, first, sizes, order = graph.bias, graph.first, graph.sizes, graph.order
    field, value = np.empty(len(bias), bias.dtype), np.empty(len(bias), bias.dtype)
    for r in range(start, stop):
        fill(graph, x[r], field)
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
                    turn(graph, i, c, step, field)
        n_sweeps[r], converged[r] = n, moved <= tol


@kernel
def fill(graph, row, field):
    """Compute the fields of a row."""
    bias, first = graph.bias, graph.first
    for c in range(len(bias)):
        field[c] = bias[c]
    for i in range(len(first) - 1):
        for c in range(first[i], first[i + 1]):
            turn(graph, i, c, row[c], field)


@inner()
def turn(graph, i, c, step, field):
    """Update the fields after a change of entry c of site i by ``step``."""
    J, first, ends, near = graph.J, graph.first, graph.ends, graph.near
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


@kernel
def visit(graph, row, clamped, tempering, random, workspace, with_mean):
    """Draw each site of a row that is not clamped. A bit is 1 if its field exceeds
    ``edge``, the log odds of its random number, which does not depend on previous
    sites. ``tempering`` are biases of the base model and inverse temperature, and
    ``random`` the halves of the row's root."""
    J, _, first, sizes, order, ends, near = graph
    (base, beta), (low, high), (edge, field, mean) = tempering, random, workspace
    real = field.dtype.type
    one, other, dense = real(1), real(1) - beta, len(ends) == 0
    for i in range(len(edge)):
        u = (np.float64(bits(i, low, high)) + 0.5) * 2.0**-32
        edge[i] = real(np.log(u / (1.0 - u)) if sizes[i] == 0 else u)
    for k in range(len(order)):
        i = order[k]
        if clamped[i]:
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
            turn(graph, i, c, step, field)
