"""Contrastive divergence of a binary machine of two layers, batch after batch.

What an update needs stays in one call: means given the data, steps of the chains, their
means, and the update of weights and biases. Numbers are drawn by the same kernels, from
the same random streams, as where each of these is a call of its own; so both ways learn
the same parameters.
"""

import numpy as np

from skdgm._kernels.bernoulli import draw, fold
from skdgm._kernels.centered import corrections
from skdgm._kernels.jit import exact, kernel
from skdgm._kernels.lists import add_up, unpack
from skdgm._kernels.sweep import columns, sweep
from skdgm._kernels.update import update

# Tags of an update's random streams, as in skdgm.gradients.contrastive.
DATA, MODEL = np.uint64(1), np.uint64(2)
# Running means of the centred gradient: none, of the data, or of both phases.
NO_OFFSETS, FIXED, OF_DATA, OF_BOTH = range(4)


@kernel
def pass_over(
    index, value, count, edges, biases, up, down, bias_velocities, velocity,
    indices, counts, offsets, rates, key, first, n_steps, momentum, l1, l2, pace,
    resample, persistent, centering,
):  # fmt: skip
    """Learn from batches of rows, in place.

    Parameters
    ----------
    index, value, count : ndarray
        Rows as lists, those of the batches one after the other.
    edges : ndarray of shape (n_batches + 1,)
        First row of each batch.
    biases, bias_velocities, offsets : pair of ndarray
        Of visible and of hidden units.
    up, down, velocity : ndarray
        Tiles of the weights, of their transpose and of their velocity.
    indices, counts : pair of ndarray
        Lists of the chains' visible and hidden units.
    rates : ndarray of shape (n_batches,)
        Learning rate of each update.
    key : uint64
        Stream of the epoch's updates, of which these begin with number ``first``.
    pace : real
        Weight of a batch's means in the running means.
    resample, persistent : bool
        Whether bits are drawn from rows; whether chains go on, or start at the rows.
    centering : int
    """
    real, form = up.dtype.type, ((up,), (down,), biases, biases)
    n_rows, n_chains = 0, len(indices[0])
    for turn in range(len(rates)):
        n_rows = max(n_rows, edges[turn + 1] - edges[turn])
    most, total = max(n_rows, n_chains), np.empty(len(biases[0]))
    ids, ones = np.arange(most).astype(np.uint64), np.ones(most)
    betas = ones.astype(up.dtype)
    fields, means = rows_of(n_chains, biases), rows_of(n_rows, biases)[1]
    grey = rows_of(n_rows if resample else 0, biases)[0]
    bits, n_bits = np.empty(grey.shape, np.uint32), np.empty(len(grey), np.int64)
    no_values, no_counts = rows_of(0, biases), np.empty(0, np.int64)
    no_lists = np.empty(no_values[1].shape, np.uint32)
    thin = rows_of(0 if centering == NO_OFFSETS else 2, biases)
    grads, data, model = like(biases), like(biases), like(biases)
    order, roots = np.arange(2 * n_steps - 1) % 2, np.empty(2 * n_steps, np.uint64)
    for turn in range(len(rates)):
        start, stop = edges[turn], edges[turn + 1]
        n, root = stop - start, fold(key, np.uint64(first + turn))
        x, x_value, x_count = index[start:stop], value[start:stop], count[start:stop]
        if resample:
            unpack(x, x_value, x_count, grey, 0, n)
            x, x_value, x_count = bits[:n], no_values[0], n_bits[:n]
            draw(grey[:n], root, ids, x, x_count, 0, n)
        y = means[:n]
        columns(
            1, *form, betas, (x, no_lists), (x_value, no_values[1]),
            (x_count, no_counts), y, 0, len(up),
        )  # fmt: skip
        m = n_chains if persistent else n
        if not persistent:
            own = fold(fold(fold(root, DATA), np.uint64(0)), np.uint64(1))
            draw(y, own, ids, indices[1], counts[1], 0, n)
        own = fold(root, MODEL)
        for k in range(len(roots)):
            roots[k] = fold(fold(own, np.uint64(k // 2)), np.uint64(k % 2))
        sweep(*form, betas, indices, no_values, counts, fields, ids, roots, order, 0, m)
        v, v_count, y_model = indices[0][:m], counts[0][:m], fields[1][:m]
        columns(
            1, *form, betas, (v, no_lists), no_values, (v_count, no_counts), y_model,
            0, len(up),
        )  # fmt: skip
        draw(y_model, roots[-1], ids, indices[1], counts[1], 0, m)
        mean_of_lists(x, x_value, x_count, ones, total, data[0])
        mean_of_lists(v, no_values[0], v_count, ones, total, model[0])
        mean_of_rows(y, data[1])
        mean_of_rows(y_model, model[1])
        for side in range(2):
            subtract(data[side], model[side], grads[side])
            if centering == OF_BOTH:
                average(data[side], model[side], data[side])
            if centering in (OF_DATA, OF_BOTH):
                follow(offsets[side], data[side], pace)
        if centering != NO_OFFSETS:
            corrections(
                x, x_value, x_count, y, v, no_values[0], v_count, y_model, grads[0],
                grads[1], offsets[0], offsets[1], offsets[0], thin[0], thin[1],
                data[0], data[1],
            )  # fmt: skip
            for side in range(2):
                subtract(grads[side], data[side], grads[side])
        rate = real(rates[turn])
        update(
            x, x_value, x_count, v, no_values[0], v_count, y, y_model, thin[0], thin[1],
            up, down, velocity, rate, momentum, l1, l2, 0, len(up),
        )  # fmt: skip
        for side in range(2):
            ascend(biases[side], bias_velocities[side], grads[side], rate, momentum)


@kernel
def rows_of(n, biases):
    """Room for rows of visible and of hidden units."""
    b, c = biases
    return np.empty((n, len(b)), b.dtype), np.empty((n, len(c)), c.dtype)


@kernel
def like(biases):
    """Room for a number for each visible and each hidden unit."""
    return np.empty_like(biases[0]), np.empty_like(biases[1])


@kernel
def mean_of_lists(index, value, count, ones, total, out):
    """The mean of rows that are lists."""
    for j in range(len(total)):
        total[j] = 0.0
    add_up(index, value, count, ones, total)
    for j in range(len(total)):
        out[j] = total[j] / len(index)


@exact
def mean_of_rows(x, out):
    """The mean of rows, in their order, as np.add.reduce has it."""
    share = x.dtype.type(1 / len(x))
    for j in range(len(out)):
        out[j] = x[0, j]
    for r in range(1, len(x)):
        for j in range(len(out)):
            out[j] += x[r, j]
    for j in range(len(out)):
        out[j] *= share


@exact
def subtract(a, b, out):
    """The difference of two rows."""
    for j in range(len(out)):
        out[j] = a[j] - b[j]


@exact
def follow(offset, target, pace):
    """Running means of what has the mean ``target``."""
    for j in range(len(offset)):
        offset[j] = offset[j] + pace * (target[j] - offset[j])


@exact
def average(a, b, out):
    """The mean of two rows."""
    half = out.dtype.type(0.5)
    for j in range(len(out)):
        out[j] = (a[j] + b[j]) * half


@exact
def ascend(theta, u, g, rate, momentum):
    """Gradient ascent of biases with momentum."""
    for j in range(len(theta)):
        u[j] *= momentum
        u[j] += rate * g[j]
        theta[j] += u[j]
