r"""Updates of an epoch for a classifier with one hidden layer.

Visible and hidden units are binary. As in
:mod:`skdgm._kernels.machines.bernoulli_epoch`, one call performs many updates, here by
Adam, of

.. math:: a \log p(y \mid v) + w \log p(v, y).

In the first term, hidden units are summed out for each label.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.machines.arguments import (
    Ends,
    ListedLayers,
    ListedPhase,
    TemperingPath,
    Tiles,
)
from skdgm._kernels.machines.bernoulli import draw, fold, sum_logs
from skdgm._kernels.machines.bernoulli_epoch import steps
from skdgm._kernels.machines.mean_field import integers, longest
from skdgm._kernels.machines.phases import DATA, MODEL, mean_of_lists, mean_of_rows
from skdgm._kernels.machines.sweep import SweepPlan, columns, sweep
from skdgm._kernels.machines.update import limit, refresh, update
from skdgm._kernels.nets.steps import AdamStep, GradientStep, adam
from skdgm._kernels.sparse.lines import zeros
from skdgm._kernels.sparse.lists import RowLists, send, unpack, whole


class LabelRows(NamedTuple):
    """Rows of all batches, which begin at ``edges``, and codes of their labels."""

    lists: RowLists
    codes: np.ndarray
    edges: np.ndarray


class Moments(NamedTuple):
    """Running means of gradients and of their squares: for each, tiles of both weights
    (of the label, transposed), and of the biases."""

    firsts: tuple
    seconds: tuple


class LabelEpochOptions(NamedTuple):
    """Number of Gibbs steps; a and w; Adam's beta; penalties l1 and l2; and maximum
    norm of a hidden unit's weights. Chains do not change if w = 0. Bits are drawn from
    rows with ``resample``. Chains continue with ``persistent``; otherwise, they start
    at the rows."""

    n_steps: int
    shares: tuple
    decays: tuple
    penalties: tuple
    max_norm: float
    resample: bool
    persistent: bool


@kernel
def label_epoch(rows, machine, moments, chains, plan, options):
    """Train on batches of rows, in place. ``machine`` has the weights from visible to
    hidden units and from these to the label; ``chains`` are indices and counts of each
    layer. ``plan`` is an :class:`~skdgm._kernels.machines.bernoulli_parts.EpochPlan`,
    whose rates, (2, n_batches), are Adam's learning rate and delta with bias
    correction."""
    (ups, downs, units), (indices, counts), (lists, codes, edges) = (
        machine,
        chains,
        rows,
    )
    (index, value, count), (rates, key, first, numbered) = lists, plan
    n_steps, shares, decays, penalties, max_norm, resample, persistent = options
    (W, V), (W_turned, U), (beta_1, beta_2), (l1, l2) = ups, downs, decays, penalties
    firsts, seconds = moments
    (a, w), real, n_max = shares, W.dtype.type, len(indices[0])
    for turn in range(len(edges) - 1):
        n_max = max(n_max, edges[turn + 1] - edges[turn])
    ids, (order, n_drawn) = integers(0, n_max).view(np.uint64), steps(3, n_steps)
    roots, ones = np.empty(len(order), np.uint64), np.ones(max(n_max, longest(units)))
    betas, total = np.ones(n_max, real), np.empty(longest(units))
    fields, (b, c, d) = workspaces(n_max, units), units
    no_values, grads = workspaces(0, units), workspaces(1, units)
    path, listed = TemperingPath(units, betas), ListedLayers(indices, no_values, counts)
    sweep_plan = SweepPlan(ids, roots, order[:n_drawn], True)
    n_bits, (grad_b, grad_c, grad_d) = n_max if resample else 0, grads
    bits, n_on = np.empty((n_bits, len(b)), np.uint32), np.empty(n_bits, np.int64)
    inputs, y = np.empty((n_max, len(c)), real), zeros(n_max * len(c), c)
    y = y.reshape(n_max, len(c))
    labels, h_by_y = np.empty((len(d), len(c)), real), np.empty((len(d), len(c)), real)
    p, work, grad_U = np.empty(len(d)), np.empty((2, len(c))), np.empty_like(labels)
    grad, grad_of_U, zero = np.empty_like(W), np.zeros_like(U), real(0)
    thin, thin_above = no_values[0], no_values[1]
    for turn in range(rates.shape[1]):
        start, stop = edges[turn], edges[turn + 1]
        n, root = stop - start, fold(key, np.uint64(first + turn))
        x, x_value, x_count = index[start:stop], value[start:stop], count[start:stop]
        code = codes[start:stop]
        if resample:
            unpack(x, x_value, x_count, fields[0], 0, n)
            x, x_value, x_count = bits[:n], no_values[0], n_on[:n]
            draw(fields[0][:n], root, ids, x, x_count, 0, n)
        for k in range(len(d)):
            lay(U, k, labels[k])
            grad_U[k] = 0
            grad_d[0, k] = 0
        send(x, x_value, x_count, W, inputs, 0, n)
        means, share = fields[1], real(1 / n)
        for r in range(n):
            for k in range(len(d)):
                if a != 0 or k == code[r]:
                    p[k] = d[k] + infer(inputs[r], labels[k], c, h_by_y[k], work)
            for j in range(len(c)):
                means[r, j] = h_by_y[code[r], j]
            balance(y[r], zero, means[r], a + w)
            balance(grad_U[code[r]], real(1), means[r], share * (a + w))
            grad_d[0, code[r]] += share * (a + w)
            if a != 0:
                normalise(p)
                for k in range(len(d)):
                    weight = a * real(p[k])
                    balance(y[r], real(1), h_by_y[k], -weight)
                    balance(grad_U[k], real(1), h_by_y[k], -share * weight)
                    grad_d[0, k] -= share * weight
        mean_of_rows(y[:n], grad_c[0], 0, len(c))
        grad_b[0] = 0
        v, v_count, y_model = indices[0][:0], counts[0][:0], means[:0]
        if w != 0:
            m = len(indices[0]) if persistent else n
            if not persistent:
                tag = fold(fold(fold(root, DATA), np.uint64(0)), np.uint64(numbered[1]))
                draw(means[:n], tag, ids, indices[1], counts[1], 0, n)
            for k in range(len(order)):
                tag = fold(fold(root, MODEL), np.uint64(k // 3))
                roots[k] = fold(tag, np.uint64(numbered[order[k]]))
            sweep(machine, path, listed, fields, sweep_plan, 0, m)
            columns(1, machine, path, listed, means[:m], 0, len(W))
            draw(means[:m], roots[n_drawn], ids, indices[1], counts[1], 0, m)
            v, v_count, y_model = indices[0][:m], counts[0][:m], means[:m]
            entries, out = RowLists(x, x_value, whole(x_count)), fields[0][0]
            mean_of_lists(entries, 0, total, grad_b[0], 0, len(b))
            entries = RowLists(v, no_values[0], whole(v_count))
            mean_of_lists(entries, 0, total, out, 0, len(b))
            balance(grad_b[0], w, fields[0][0], -w)
            weight = w * real(1 / m)
            for r in range(m):
                state = indices[2][r, 0]
                balance(grad_U[state], real(1), y_model[r], -weight)
                balance(grad_c[0], real(1), y_model[r], -weight)
                grad_d[0, state] -= weight
                balance(y_model[r], w, y_model[r], zero)
        grad[:] = 0
        update(
            ListedPhase(RowLists(x, x_value, x_count), y[:n]),
            ListedPhase(RowLists(v, no_values[0], v_count), y_model),
            Ends(thin, thin_above),
            Tiles(grad, grad[:0], grad[:0]),
            GradientStep(real(1), zero, zero, zero),
            0,
            len(grad),
        )
        for k in range(len(d)):
            put(grad_U[k], grad_of_U, k)
        rate, delta, (m_couplings, m_units) = rates[0, turn], rates[1, turn], firsts
        s_couplings, s_units = seconds
        step = AdamStep(rate, beta_1, beta_2, delta, l1, l2)
        adam_step(W, m_couplings[0], s_couplings[0], grad, step)
        adam_step(U, m_couplings[1], s_couplings[1], grad_of_U, step)
        step = AdamStep(rate, beta_1, beta_2, delta, zero, zero)
        for layer in range(3):
            array = grads[layer][0]
            adam_step(units[layer], m_units[layer], s_units[layer], array, step)
        if max_norm < np.inf:
            limit(W, ones, max_norm)
            limit(U, ones, max_norm)
        refresh(W, W_turned, 0, len(W))
        refresh(U, V, 0, len(U))


@kernel
def workspaces(n, units):
    """Workspace of n rows for each of three layers."""
    b, c, d = units
    return (
        zeros(n * len(b), b).reshape(n, len(b)),
        zeros(n * len(c), b).reshape(n, len(c)),
        zeros(n * len(d), b).reshape(n, len(d)),
    )


@kernel
def infer(received, label, bias, mean, workspace):
    """Means of hidden units given a label, and the sum of their log partition
    functions."""
    positive, factor, one = workspace[0], workspace[1], bias.dtype.type(1)
    for j in range(len(bias)):
        eta = received[j] + label[j] + bias[j]
        power = exp(-abs(eta))
        positive[j] = max(eta, 0 * eta)
        factor[j] = np.float64(power) + 1.0
        mean[j] = (one if eta > 0 else power) / (one + power)
    return sum_logs(positive, factor)


@kernel
def normalise(p):
    """Replace log weights by probabilities, in place."""
    largest, total = p[0], 0.0
    for k in range(1, len(p)):
        largest = max(largest, p[k])
    for k in range(len(p)):
        p[k] = np.exp(p[k] - largest)
        total += p[k]
    for k in range(len(p)):
        p[k] /= total


@inner()
def balance(out, keep, x, weight):
    """Replace ``out`` by keep * out + weight * x."""
    for j in range(len(out)):
        out[j] = keep * out[j] + weight * x[j]


@kernel
def lay(tiles, i, out):
    """Copy a row of a matrix in tiles to ``out``."""
    width = tiles.shape[2]
    for j in range(len(out)):
        out[j] = tiles[j // width, i, j % width]


@kernel
def put(row, tiles, i):
    """Copy ``row`` to a row of a matrix in tiles."""
    width = tiles.shape[2]
    for j in range(len(row)):
        tiles[j // width, i, j % width] = row[j]


@kernel
def adam_step(theta, m, s, g, step):
    """Take a step of Adam, in place."""
    flat, flat_g = theta.reshape(-1), g.reshape(-1)
    adam(flat, m.reshape(-1), s.reshape(-1), flat_g, step, 0, theta.size)
