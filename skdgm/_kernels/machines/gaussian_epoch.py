r"""Updates of an epoch, of real units under a binary layer.

As :mod:`skdgm._kernels.machines.bernoulli_epoch`, in the coordinates of
:mod:`skdgm.gradients.steps.natural`. There the gradient by means b and weights W is
that of binary units,

.. math:: \Delta b = \mathbb{E}_\text{data}[v] - \mathbb{E}_\text{model}[v], \qquad
   \Delta W = \mathbb{E}_\text{data}[v h^\top] - \mathbb{E}_\text{model}[v h^\top],

that by log precisions

.. math:: \Delta \log\lambda = \tfrac12 \lambda \odot \left(\mathbb{E}_\text{data}[r] -
   \mathbb{E}_\text{model}[r]\right), \qquad r = v \odot (b + W h - v),

and b and W are multiplied by :math:`\sqrt{\lambda_\text{old} / \lambda_\text{new}}`
after a step.
"""

import numpy as np

from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.bernoulli import draw, fold
from skdgm._kernels.machines.centered import corrections
from skdgm._kernels.machines.mean_field import finish, integers, spread
from skdgm._kernels.machines.phases import (
    DATA,
    MODEL,
    NO_OFFSETS,
    ascend,
    mean_of_rows,
    move,
    subtract,
)
from skdgm._kernels.machines.update import decay, limit, refresh, shrink, update
from skdgm._kernels.sparse.lists import pack, send

# Log precisions: fixed, one for all units, or one for each.
FIXED_PRECISION, SCALAR, DIAGONAL = range(3)


@kernel
def real_pass(
    rows, edges, weights, velocity, units, speeds, chains, offsets, noise, rate,
    factors, key, first, n_steps, numbers, pace, most, reach, max_norm, precision,
    persistent, centering,
):  # fmt: skip
    """Learn from batches of rows, in place.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_visible)
        Those of the batches, one after the other.
    edges : ndarray of shape (n_batches + 1,)
        First row of each batch.
    weights : pair of ndarray
        Tiles of the weights, and of their transpose.
    velocity : ndarray
        Tiles; of no rows without momentum.
    units, speeds : triple of ndarray
        Means, log precisions and hidden biases, and their velocities.
    chains : tuple
        Visible units of the chains, index and count of the lists of the hidden ones.
    offsets : pair of ndarray
    noise : ndarray of shape (n_batches, n_steps, n_chains, n_visible)
        Standard normal numbers.
    rate : real
        Learning rate before it is damped, of which each update has a share, one of the
        ``factors``.
    key : uint64
        Stream of the epoch's updates, of which these begin with number ``first``.
    n_steps : int
    numbers : tuple of real
        Momentum, and penalties l1 and l2.
    pace : real
        Weight of a batch's means in the running means.
    most : real
        Largest log precision.
    reach : ndarray of shape (n_visible,), float64
        Square of each column's largest value, divided by the rows of a batch; or empty,
        where steps by no column are shortened.
    max_norm : float
        Largest norm of a hidden unit's weights, in standard deviations.
    precision, centering : int
    persistent : bool
        Whether chains go on, or start at the rows.
    """
    (up, down), (b, log_precision, c), (v, index, count) = weights, units, chains
    (momentum, l1, l2), real, n_below, n_above = numbers, b.dtype.type, len(b), len(c)
    n_chains, tall = len(v), len(v)
    for turn in range(len(factors)):
        tall = max(tall, edges[turn + 1] - edges[turn])
    ids, lines = integers(0, tall).view(np.uint64), integers(0, tall)
    weighed, back = np.empty((tall, n_below), real), np.empty((tall, n_below), real)
    y_data, y_model = np.empty((tall, n_above), real), np.empty((tall, n_above), real)
    listed, listed_model = lists(tall, n_below, real), lists(tall, n_below, real)
    thin = 0 if centering == NO_OFFSETS else 2
    thin_below, thin_above = (
        np.empty((thin, n_below), real),
        np.empty((thin, n_above), real),
    )
    means = np.empty((3, n_below), real)
    means_above = np.empty((3, n_above), real)
    lost, lost_above = np.empty(n_below, real), np.empty(n_above, real)
    slope, slope_model = np.empty(n_below, real), np.empty(n_below, real)
    no_values, factor = np.empty((0, n_above), real), np.ones(n_below, real)
    for turn in range(len(factors)):
        x = rows[edges[turn] : edges[turn + 1]]
        n, root = len(x), fold(key, np.uint64(first + turn))
        scale, spread_of = np.exp(log_precision), np.exp(real(-0.5) * log_precision)
        hidden(x, scale, up, c, weighed, y_data, lines, n)
        m, y = n_chains if persistent else n, y_data[:n]
        if not persistent:
            own = fold(fold(fold(root, DATA), np.uint64(0)), np.uint64(1))
            draw(y, own, ids, index, count, 0, n)
        for k in range(n_steps):
            own = fold(fold(root, MODEL), np.uint64(k))
            send(index, no_values, count, down, v, 0, m)
            for r in range(m):
                for i in range(n_below):
                    v[r, i] = b[i] + v[r, i] + noise[turn, k, r, i] * spread_of[i]
            hidden(v, scale, up, c, weighed, y_model, lines, m)
            draw(y_model, fold(own, np.uint64(1)), ids, index, count, 0, m)
        y_after = y_model[:m]
        mean_of_rows(x, means[0], 0, n_below)
        mean_of_rows(v[:m], means[1], 0, n_below)
        mean_of_rows(y, means_above[0], 0, n_above)
        mean_of_rows(y_after, means_above[1], 0, n_above)
        subtract(means[0], means[1], means[2], 0, n_below)
        subtract(means_above[0], means_above[1], means_above[2], 0, n_above)
        move(offsets[0], means[0], means[1], pace, centering, 0, n_below)
        move(offsets[1], means_above[0], means_above[1], pace, centering, 0, n_above)
        if precision != FIXED_PRECISION:
            by_gap(x, y_data, b, down, back, lines, n, slope)
            by_gap(v, y_model, b, down, back, lines, m, slope_model)
            for i in range(n_below):
                slope[i] = real(0.5) * scale[i] * (slope[i] - slope_model[i])
            if precision == SCALAR:
                slope[:] = slope.mean()
        index_x, value_x, count_x = listed
        index_v, value_v, count_v = listed_model
        pack(x, ids, index_x, value_x, count_x, 0, n)
        pack(v, ids, index_v, value_v, count_v, 0, m)
        index_x, value_x, count_x = index_x[:n], value_x[:n], count_x[:n]
        index_v, value_v, count_v = index_v[:m], value_v[:m], count_v[:m]
        # Means of hidden units that are not centred add up as their changes do.
        eps = damped(rate, scale, n_above * (4 if centering == NO_OFFSETS else 1))
        if len(reach):
            for i in range(n_below):
                factor[i] = real(1 / max(1.0, eps * reach[i]))
                means[2, i] *= factor[i]
            slower(index_x, value_x, count_x, factor)
            slower(index_v, value_v, count_v, factor)
            if precision == SCALAR:
                slope *= min(real(1), real(n_below) * factor.min())
            else:
                slope *= factor
        if centering != NO_OFFSETS:
            corrections(
                index_x, value_x, count_x, y, index_v, value_v, count_v, y_after,
                means[2], means_above[2], offsets[0] * factor, offsets[1],
                scale * offsets[0],
                thin_below, thin_above, lost, lost_above,
            )  # fmt: skip
            subtract(means[2], lost, means[2], 0, n_below)
            subtract(means_above[2], lost_above, means_above[2], 0, n_above)
        step, own_l1, own_l2 = real(eps * factors[turn]), l1, l2
        if len(reach):
            penalise(up, velocity, step, momentum, l1, l2, factor)
            own_l1, own_l2 = real(0), real(0)
        update(
            index_x, value_x, count_x, index_v, value_v, count_v, y, y_after,
            thin_below, thin_above, up, down[:0], velocity, step, momentum, own_l1,
            own_l2, 0, len(up),
        )  # fmt: skip
        ascend(b, speeds[0], means[2], step, momentum, 0, n_below)
        ascend(c, speeds[2], means_above[2], step, momentum, 0, n_above)
        if precision != FIXED_PRECISION:
            ascend(log_precision, speeds[1], slope, step, momentum, 0, n_below)
        rescale(up, b, log_precision, most, spread_of)
        if max_norm < np.inf:
            limit(up, np.exp(real(0.5) * log_precision), max_norm)
        refresh(up, down, 0, len(up))


@kernel
def lists(n_rows, n_columns, real):
    """Room for rows as lists."""
    return (
        np.empty((n_rows, n_columns), np.uint32),
        np.empty((n_rows, n_columns), real),
        np.empty(n_rows, np.int64),
    )


@kernel
def slower(index, value, count, factor):
    """Multiply the entries of rows as lists by the factor of each column."""
    for r in range(len(count)):
        for k in range(count[r]):
            value[r, k] *= factor[index[r, k]]


@kernel
def penalise(up, velocity, rate, momentum, l1, l2, factor):
    """What penalties, times the factor of each line, take from weights, or from
    velocities that are about to fade."""
    if l1 != 0 or l2 != 0:
        for number in range(len(up)):
            for i in range(len(factor)):
                own_l1, own_l2, w = l1 * factor[i], l2 * factor[i], up[number, i]
                if momentum != 0:
                    decay(velocity[number, i], w, rate / momentum, own_l1, own_l2)
                else:
                    shrink(w, rate, own_l1, own_l2)


@kernel
def hidden(x, scale, up, c, weighed, y, lines, n):
    """Means of hidden units given n rows of real ones."""
    for r in range(n):
        for i in range(len(scale)):
            weighed[r, i] = scale[i] * x[r, i]
        for j in range(len(c)):
            y[r, j] = 0
    spread(weighed, up, y, lines, n)
    for r in range(n):
        finish(y, r, c, False)


@kernel
def by_gap(x, y, b, down, back, lines, n, out):
    """The mean over n rows of :math:`x (b + W y - x)`, for each real unit."""
    for r in range(n):
        for i in range(len(b)):
            back[r, i] = b[i]
    spread(y, down, back, lines, n)
    for i in range(len(b)):
        out[i] = 0
    for r in range(n):
        for i in range(len(b)):
            out[i] += x[r, i] * (back[r, i] - x[r, i])
    for i in range(len(b)):
        out[i] /= n


@kernel
def damped(rate, scale, n_above):
    """Learning rate that does not overshoot; :mod:`skdgm.gradients.steps.natural`."""
    total = 0.0
    for i in range(len(scale)):
        total += scale[i]
    return rate / (1 + rate * (total / 8 + n_above / 16))


@kernel
def rescale(up, b, log_precision, most, before):
    """Limit precisions, and keep standardised means and weights as they are."""
    for i in range(len(b)):
        log_precision[i] = min(log_precision[i], most)
        factor = np.exp(-0.5 * log_precision[i]) / before[i]
        factor = b.dtype.type(factor)
        b[i] *= factor
        for number in range(len(up)):
            for j in range(up.shape[2]):
                up[number, i, j] *= factor
