r"""Updates of an epoch, of a classifier with one hidden layer.

For a machine of one hidden binary layer, with binary visible units and a label. As in
:mod:`skdgm._kernels.machines.bernoulli_epoch`, a call makes many updates, here of

.. math:: a \log p(y \mid v) + w \log p(v, y),

by Adam. Hidden units are summed out of the first term, for each label in turn.
"""

import numpy as np

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.machines.arguments import Ends, GradientStep, ListedPhase, Tiles
from skdgm._kernels.machines.bernoulli import draw, fold, sum_logs
from skdgm._kernels.machines.bernoulli_epoch import steps
from skdgm._kernels.machines.mean_field import integers, longest
from skdgm._kernels.machines.phases import DATA, MODEL, mean_of_lists, mean_of_rows
from skdgm._kernels.machines.sweep import columns, sweep
from skdgm._kernels.machines.update import limit, refresh, update
from skdgm._kernels.nets.steps import adam
from skdgm._kernels.sparse.lines import zeros
from skdgm._kernels.sparse.lists import send, unpack, whole


@kernel
def label_epoch(
    rows, codes, edges, weights, firsts, seconds, units, chains, rates, key, first,
    numbered, n_steps, shares, decays, penalties, max_norm, resample, persistent,
):  # fmt: skip
    """Learn from batches of rows, in place.

    Parameters
    ----------
    rows : tuple
        Index, value and count of lists, those of the batches one after the other.
    codes : ndarray of int
        Their labels.
    edges : ndarray of shape (n_batches + 1,)
        First row of each batch.
    weights : pair of tuple
        Tiles of the weights from the visible units up, and from the hidden units up to
        the label; and of their transposes.
    firsts, seconds : pair of tuple
        Running means of the gradient and of its squares: tiles of both weights, those
        of the labels transposed; and those of the biases.
    units : tuple
        Biases of visible units, hidden units and labels.
    chains : pair of tuple
        Index and count of the chains' lists.
    rates : ndarray of shape (2, n_batches)
        Learning rate of each update, and the number that is added to the root of mean
        squares, with the corrections of Adam's first steps in them.
    key : uint64
        Stream of the epoch's updates, of which these begin with number ``first``.
    numbered : ndarray of int
        Numbers of the layers' blocks, which name their streams.
    n_steps : int
        Steps of the chains.
    shares : pair of real
        a and w. With w = 0 chains stay as they are.
    decays : pair of real
        Decay rates of the running means.
    penalties : pair of real
        l1 and l2, of the weights.
    max_norm : float
        Largest norm of a hidden unit's weights to visible units, and to labels.
    resample, persistent : bool
        Whether bits are drawn from rows; whether chains go on, or start at the rows.
    """
    (ups, downs), (indices, counts), (index, value, count) = weights, chains, rows
    (W, V), (W_turned, U), (beta_1, beta_2), (l1, l2) = ups, downs, decays, penalties
    (a, w), real, most = shares, W.dtype.type, len(indices[0])
    for turn in range(len(edges) - 1):
        most = max(most, edges[turn + 1] - edges[turn])
    ids, (order, n_drawn) = integers(0, most).view(np.uint64), steps(3, n_steps)
    roots, ones = np.empty(len(order), np.uint64), np.ones(max(most, longest(units)))
    betas, total = np.ones(most, real), np.empty(longest(units))
    fields, (b, c, d) = rooms(most, units), units
    no_values, grads = rooms(0, units), rooms(1, units)
    n_bits, (grad_b, grad_c, grad_d) = most if resample else 0, grads
    bits, n_on = np.empty((n_bits, len(b)), np.uint32), np.empty(n_bits, np.int64)
    known, y = np.empty((most, len(c)), real), zeros(most * len(c), c)
    y = y.reshape(most, len(c))
    labels, given = np.empty((len(d), len(c)), real), np.empty((len(d), len(c)), real)
    p, room, grad_U = np.empty(len(d)), np.empty((2, len(c))), np.empty_like(labels)
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
        send(x, x_value, x_count, W, known, 0, n)
        means, share = fields[1], real(1 / n)
        for r in range(n):
            for k in range(len(d)):
                if a != 0 or k == code[r]:
                    p[k] = d[k] + infer(known[r], labels[k], c, given[k], room)
            for j in range(len(c)):
                means[r, j] = given[code[r], j]
            balance(y[r], zero, means[r], a + w)
            balance(grad_U[code[r]], real(1), means[r], share * (a + w))
            grad_d[0, code[r]] += share * (a + w)
            if a != 0:
                normalise(p)
                for k in range(len(d)):
                    part = a * real(p[k])
                    balance(y[r], real(1), given[k], -part)
                    balance(grad_U[k], real(1), given[k], -share * part)
                    grad_d[0, k] -= share * part
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
            sweep(
                ups, downs, units, units, betas, indices, no_values, counts, fields,
                ids, roots, order[:n_drawn], True, 0, m,
            )  # fmt: skip
            columns(
                1, ups, downs, units, units, betas, indices, no_values, counts,
                means[:m], 0, len(W),
            )  # fmt: skip
            draw(means[:m], roots[n_drawn], ids, indices[1], counts[1], 0, m)
            v, v_count, y_model = indices[0][:m], counts[0][:m], means[:m]
            own, out = whole(x_count), fields[0][0]
            mean_of_lists(x, x_value, own, 0, total, grad_b[0], 0, len(b))
            own = whole(v_count)
            mean_of_lists(v, no_values[0], own, 0, total, out, 0, len(b))
            balance(grad_b[0], w, fields[0][0], -w)
            part = w * real(1 / m)
            for r in range(m):
                state = indices[2][r, 0]
                balance(grad_U[state], real(1), y_model[r], -part)
                balance(grad_c[0], real(1), y_model[r], -part)
                grad_d[0, state] -= part
                balance(y_model[r], w, y_model[r], zero)
        grad[:] = 0
        update(
            ListedPhase(x, x_value, x_count, y[:n]),
            ListedPhase(v, no_values[0], v_count, y_model),
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
        numbers = rate, beta_1, beta_2, delta
        adam_step(W, m_couplings[0], s_couplings[0], grad, numbers, l1, l2)
        adam_step(U, m_couplings[1], s_couplings[1], grad_of_U, numbers, l1, l2)
        for layer in range(3):
            own = grads[layer][0]
            adam_step(
                units[layer], m_units[layer], s_units[layer], own, numbers, zero, zero
            )
        if max_norm < np.inf:
            limit(W, ones, max_norm)
            limit(U, ones, max_norm)
        refresh(W, W_turned, 0, len(W))
        refresh(U, V, 0, len(U))


@kernel
def rooms(n, units):
    """Room for n rows of each of three layers."""
    b, c, d = units
    return (
        zeros(n * len(b), b).reshape(n, len(b)),
        zeros(n * len(c), b).reshape(n, len(c)),
        zeros(n * len(d), b).reshape(n, len(d)),
    )


@kernel
def infer(received, label, bias, mean, room):
    """Means of hidden units given a label, and the log of what they sum to."""
    positive, factor, one = room[0], room[1], bias.dtype.type(1)
    for j in range(len(bias)):
        eta = received[j] + label[j] + bias[j]
        power = exp(-abs(eta))
        positive[j] = max(eta, 0 * eta)
        factor[j] = np.float64(power) + 1.0
        mean[j] = (one if eta > 0 else power) / (one + power)
    return sum_logs(positive, factor)


@kernel
def normalise(p):
    """Probabilities of logs of weights, in place."""
    most, total = p[0], 0.0
    for k in range(1, len(p)):
        most = max(most, p[k])
    for k in range(len(p)):
        p[k] = np.exp(p[k] - most)
        total += p[k]
    for k in range(len(p)):
        p[k] /= total


@inner()
def balance(out, keep, x, weight):
    """A weighted sum of a row and another, in the place of the first."""
    for j in range(len(out)):
        out[j] = keep * out[j] + weight * x[j]


@kernel
def lay(tiles, i, out):
    """A row of a matrix in tiles."""
    width = tiles.shape[2]
    for j in range(len(out)):
        out[j] = tiles[j // width, i, j % width]


@kernel
def put(row, tiles, i):
    """Put a row into a matrix in tiles."""
    width = tiles.shape[2]
    for j in range(len(row)):
        tiles[j // width, i, j % width] = row[j]


@kernel
def adam_step(theta, m, s, g, numbers, l1, l2):
    """A step of Adam, in place."""
    (rate, beta_1, beta_2, delta), flat = numbers, theta.reshape(-1)
    flat_m, flat_s, flat_g = m.reshape(-1), s.reshape(-1), g.reshape(-1)
    adam(
        flat, flat_m, flat_s, flat_g, rate, beta_1, beta_2, delta, l1, l2, 0, theta.size
    )
