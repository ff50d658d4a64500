r"""Mean field in a chain of binary layers, given rows of its visible units.

.. math:: \mu_l = \sigma\left(b_l + \mu_{l-1} W_{l-1} + \mu_{l+1} W_l^\top\right),
   \qquad \mu_0 = v,

odd layers first, then even ones, until no mean of a row moves by more than a tolerance.
Rows stop one by one. Above the hidden layers there may be a label, known or not.
"""

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.machines.bernoulli import squash
from skdgm._kernels.sparse.lines import ROWS, add_products, zeros
from skdgm._kernels.sparse.lists import collect, send


@kernel
def settle(
    ups, downs, biases, index, value, count, labels, label_count, free, means, fields,
    known, most, tol, n_sweeps, moves, start, stop,
):  # fmt: skip
    """Means of the hidden layers of some rows, from the first guess, which goes up.

    Parameters
    ----------
    ups, downs, biases : tuple of ndarray
        Tiles of the weights and of their transposes, and biases; see
        :mod:`skdgm._kernels.machines.sweep`.
    index, value, count : ndarray
        Visible units, as lists.
    labels, label_count : ndarray
        A known label above the hidden layers, as lists; of no rows if there is none.
    free : bool
        Whether the last layer is a label that is not known.
    means, fields : tuple of ndarray
        For each layer room for its means, which are written, and for what it receives;
        that of the visible units is not used.
    known : ndarray
        Room for what the first hidden layer receives from them.
    most : int
        Largest number of sweeps.
    tol : float
    n_sweeps : ndarray of int
        Sweeps of each row, written here.
    moves : ndarray of bool
        Whether a row still moved at the last, written here.
    """
    labelled, ones = len(labels) > 0, np.empty((0, 0), known.dtype)
    last, n, rows = len(ups) - labelled, stop - start, integers(start, stop)
    n_odd, n_units, deep = (last + 1) // 2, len(biases[last]), last > 1
    send(index, value, count, ups[0], known, start, stop)
    if labelled and not deep:
        collect(labels, ones, label_count, downs[last], 0, n_units, known, start, stop)
    for layer in range(1, last + 1):
        begin(fields[layer], known, layer, rows, n)
        if layer > 1:
            spread(means[layer - 1], ups[layer - 1], fields[layer], rows, n)
        twice, top = layer < last or (labelled and deep), free and layer == last
        for r in range(start, stop):
            finish_any(fields[layer], r, biases[layer], twice, top)
            for j in range(fields[layer].shape[1]):
                means[layer][r, j] = fields[layer][r, j]
    for r in range(start, stop):
        n_sweeps[r], moves[r] = 1, deep
    turn = 0
    while deep and n and turn < most:
        for k in range(n):
            r = rows[k]
            # The first sweep is compared with nothing.
            n_sweeps[r], moves[r] = turn + 1, turn == 0
        for number in range(last):
            even = number >= n_odd
            layer = 2 * (number - n_odd) + 2 if even else 2 * number + 1
            eta = fields[layer]
            begin(eta, known, layer, rows, n)
            if layer > 1:
                spread(means[layer - 1], ups[layer - 1], eta, rows, n)
            if layer < last:
                spread(means[layer + 1], downs[layer], eta, rows, n)
            elif labelled:
                for k in range(n):
                    r = rows[k]
                    collect(
                        labels, ones, label_count, downs[last], 0, n_units, eta, r,
                        r + 1,
                    )  # fmt: skip
            for k in range(n):
                r = rows[k]
                finish_any(eta, r, biases[layer], False, free and layer == last)
                far = replace(means[layer], eta, r, tol)
                moves[r] = moves[r] or far
        n = going(rows, n, moves)
        turn += 1


@kernel
def integers(start, stop):
    """The integers of a range."""
    out = np.empty(stop - start, np.int64)
    for k in range(len(out)):
        out[k] = start + k
    return out


@kernel
def longest(biases):
    """Number of units of the largest layer."""
    most = 0
    for layer in range(len(biases)):
        most = max(most, len(biases[layer]))
    return most


@kernel
def spread(x, tiles, out, rows, n):
    """Add products of the first n of some rows, which are dense, with a matrix."""
    width, size = tiles.shape[2], x.shape[1]
    line, values = zeros(ROWS * width, out).reshape(ROWS, width), x.ravel()
    own, starts = integers(0, ROWS), np.empty(n, np.int64)
    for k in range(n):
        starts[k] = rows[k] * size
    for number in range(len(tiles)):
        tile, left = tiles[number], number * width
        rest = min(width, out.shape[1] - left)
        if rest == width:
            add_products(out, rows, 0, left, values, starts, 0, 1, tile, 0, n, size)
            continue
        for k in range(0, n, ROWS):
            some = min(ROWS, n - k)
            for o in range(some):
                for j in range(rest):
                    line[o, j] = out[rows[k + o], left + j]
            add_products(line, own, 0, 0, values, starts, k, 1, tile, 0, some, size)
            for o in range(some):
                for j in range(rest):
                    out[rows[k + o], left + j] = line[o, j]


@kernel
def begin(eta, known, layer, rows, n):
    """What some rows' layer receives from the visible units."""
    for k in range(n):
        r = rows[k]
        for j in range(eta.shape[1]):
            eta[r, j] = known[r, j] if layer == 1 else 0


@inner()
def finish(eta, r, bias, twice):
    """Means, in place, of units that receive ``eta``, perhaps twice."""
    row = eta[r]
    for j in range(len(row)):
        row[j] = bias[j] + (row[j] + row[j] if twice else row[j])
    squash(row)


@kernel
def finish_any(eta, r, bias, twice, label):
    """Means of units that receive ``eta``, or of a label, in place."""
    if label:
        share(eta[r], bias)
    else:
        finish(eta, r, bias, twice)


@kernel
def share(eta, bias):
    """Probabilities of the states of a label that receives ``eta``, in place."""
    total = eta.dtype.type(0)
    for k in range(len(eta)):
        eta[k] += bias[k]
    most = eta[0]
    for k in range(1, len(eta)):
        most = max(most, eta[k])
    for k in range(len(eta)):
        eta[k] = np.exp(eta[k] - most)
        total += eta[k]
    for k in range(len(eta)):
        eta[k] /= total


@inner()
def replace(means, new, r, tol):
    """Put new means in the place of a row's; return whether one is far from it."""
    far = False
    for j in range(means.shape[1]):
        far |= abs(new[r, j] - means[r, j]) > tol
        means[r, j] = new[r, j]
    return far


@kernel
def going(rows, n, moves):
    """Keep those of the first n rows that move; return their number."""
    left = 0
    for k in range(n):
        r = rows[k]
        if moves[r]:
            rows[left] = r
            left += 1
    return left
