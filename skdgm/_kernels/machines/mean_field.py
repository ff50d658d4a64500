r"""Mean field of a chain of binary layers given rows of visible units.

.. math:: \mu_l = \sigma\left(b_l + \mu_{l-1} W_{l-1} + \mu_{l+1} W_l^\top\right),
   \qquad \mu_0 = v,

for odd layers, then even layers, until no mean of a row changes by more than a
tolerance. Rows stop independently. A label, known or unknown, may be the last layer.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.jit import inner, kernel
from skdgm._kernels.machines.bernoulli import squash
from skdgm._kernels.sparse.lines import ROWS, add_products, zeros
from skdgm._kernels.sparse.lists import collect, send


class MeanFieldOptions(NamedTuple):
    """Maximum number of sweeps, and tolerance. With ``free``, the last layer is an
    unknown label."""

    max_sweeps: int
    tol: float
    free: bool


class MeanFieldArrays(NamedTuple):
    """Results: means of each layer, number of sweeps of each row, and True for rows
    that have not converged. ``fields`` and ``known`` are workspace for inputs."""

    means: tuple
    fields: tuple
    known: np.ndarray
    n_sweeps: np.ndarray
    moves: np.ndarray


@kernel
def mean_field(machine, v, labels, options, arrays, start, stop):
    """Mean field of the hidden layers of rows, initialized by a bottom-up pass.
    Visible units v and known labels, which may be empty, are lists."""
    ups, downs, biases = machine
    max_sweeps, tol, free = options
    means, fields, known, n_sweeps, moves = arrays
    labelled = len(labels.index) > 0
    last, n, rows = len(ups) - labelled, stop - start, integers(start, stop)
    n_odd, n_units, deep = (last + 1) // 2, len(biases[last]), last > 1
    send(v.index, v.value, v.count, ups[0], known, start, stop)
    if labelled and not deep:
        collect(labels, downs[last], 0, n_units, known, start, stop)
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
    while deep and n and turn < max_sweeps:
        for k in range(n):
            r = rows[k]
            # The first sweep has no previous sweep to compare with.
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
                    collect(labels, downs[last], 0, n_units, eta, r, r + 1)
            for k in range(n):
                r = rows[k]
                finish_any(eta, r, biases[layer], False, free and layer == last)
                changed = replace(means[layer], eta, r, tol)
                moves[r] = moves[r] or changed
        n = going(rows, n, moves)
        turn += 1


@kernel
def integers(start, stop):
    """Integers of a range, as an array."""
    out = np.empty(stop - start, np.int64)
    for k in range(len(out)):
        out[k] = start + k
    return out


@kernel
def longest(biases):
    """Number of units of the largest layer."""
    largest = 0
    for layer in range(len(biases)):
        largest = max(largest, len(biases[layer]))
    return largest


@kernel
def spread(x, tiles, out, rows, n):
    """Add products of dense rows, the first n of ``rows``, with a matrix in tiles to
    ``out``."""
    width, size = tiles.shape[2], x.shape[1]
    line, values = zeros(ROWS * width, out).reshape(ROWS, width), x.ravel()
    order, starts = integers(0, ROWS), np.empty(n, np.int64)
    for k in range(n):
        starts[k] = rows[k] * size
    for number in range(len(tiles)):
        tile, left = tiles[number], number * width
        n_columns = min(width, out.shape[1] - left)
        if n_columns == width:
            add_products(out, rows, 0, left, values, starts, 0, 1, tile, 0, n, size)
            continue
        for k in range(0, n, ROWS):
            n_block = min(ROWS, n - k)
            for o in range(n_block):
                for j in range(n_columns):
                    line[o, j] = out[rows[k + o], left + j]
            add_products(
                line, order, 0, 0, values, starts, k, 1, tile, 0, n_block, size
            )
            for o in range(n_block):
                for j in range(n_columns):
                    out[rows[k + o], left + j] = line[o, j]


@kernel
def begin(eta, known, layer, rows, n):
    """Initialize the inputs of a layer with those from visible units, ``known``."""
    for k in range(n):
        r = rows[k]
        for j in range(eta.shape[1]):
            eta[r, j] = known[r, j] if layer == 1 else 0


@inner()
def finish(eta, r, bias, twice):
    """Replace inputs, doubled if ``twice``, by means of binary units."""
    row = eta[r]
    for j in range(len(row)):
        row[j] = bias[j] + (row[j] + row[j] if twice else row[j])
    squash(row)


@kernel
def finish_any(eta, r, bias, twice, label):
    """Replace inputs by means of binary units, or by probabilities of a label."""
    if label:
        share(eta[r], bias)
    else:
        finish(eta, r, bias, twice)


@kernel
def share(eta, bias):
    """Replace the inputs of a label by the probabilities of its states."""
    total = eta.dtype.type(0)
    for k in range(len(eta)):
        eta[k] += bias[k]
    largest = eta[0]
    for k in range(1, len(eta)):
        largest = max(largest, eta[k])
    for k in range(len(eta)):
        eta[k] = np.exp(eta[k] - largest)
        total += eta[k]
    for k in range(len(eta)):
        eta[k] /= total


@inner()
def replace(means, new, r, tol):
    """Replace the means of a row; return True if one has changed by more than
    ``tol``."""
    changed = False
    for j in range(means.shape[1]):
        changed |= abs(new[r, j] - means[r, j]) > tol
        means[r, j] = new[r, j]
    return changed


@kernel
def going(rows, n, moves):
    """Keep the rows, of the first n, that have not converged; return their number."""
    n_left = 0
    for k in range(n):
        r = rows[k]
        if moves[r]:
            rows[n_left] = r
            n_left += 1
    return n_left
