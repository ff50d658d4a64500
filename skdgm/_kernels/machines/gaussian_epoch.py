r"""Updates of an epoch for real visible units and a binary hidden layer, on several
threads.

The structure is that of :mod:`skdgm._kernels.machines.bernoulli_epoch`, the coordinates
are those of :mod:`skdgm.gradients.steps.natural`. There the gradients by means b and
weights W are those of binary units,

.. math:: \Delta b = \mathbb{E}_\text{data}[v] - \mathbb{E}_\text{model}[v], \qquad
   \Delta W = \mathbb{E}_\text{data}[v h^\top] - \mathbb{E}_\text{model}[v h^\top],

the gradient by log precisions is

.. math:: \Delta \log\lambda = \tfrac12 \lambda \odot \left(\mathbb{E}_\text{data}[r] -
   \mathbb{E}_\text{model}[r]\right), \qquad r = v \odot (b + W h - v),

and b and W are multiplied by :math:`\sqrt{\lambda_\text{old} / \lambda_\text{new}}`
after a step.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.barrier import DONE, SIZE, go_on, meet, pieces, portion
from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.arguments import (
    ColumnLists,
    Ends,
    ListedPhase,
    Tiles,
)
from skdgm._kernels.machines.bernoulli import draw, fold, squash
from skdgm._kernels.machines.centered import (
    Corrections,
    Offsets,
    RowShares,
    ThreadColumns,
    correct,
    exchange,
)
from skdgm._kernels.machines.mean_field import integers
from skdgm._kernels.machines.normal import add_noise
from skdgm._kernels.machines.phases import (
    DATA,
    MODEL,
    NO_OFFSETS,
    ascend,
    mean_of_rows,
    move,
    subtract,
)
from skdgm._kernels.machines.update import decay, learn, limit, refresh, shrink
from skdgm._kernels.nets.steps import GradientStep
from skdgm._kernels.sparse.lines import BLOCK, ROWS, add_products, zeros
from skdgm._kernels.sparse.lists import ColumnEntries, RowLists, collect

# Log precisions: fixed, one for all units, or one for each unit.
FIXED_PRECISION, SCALAR, DIAGONAL = range(3)


class RealMachine(NamedTuple):
    """Parameters, their velocities, and offsets. ``units`` and ``speeds`` are means,
    log precisions and hidden biases, and their velocities."""

    tiles: Tiles
    units: tuple
    speeds: tuple
    offsets: tuple


class RealChains(NamedTuple):
    """Visible units of chains, and lists of their hidden units."""

    v: np.ndarray
    index: np.ndarray
    count: np.ndarray


class RealEpochPlan(NamedTuple):
    """Rows of all batches, (n_rows, n_below), which begin at ``edges``; learning rate
    before damping, and ``factors`` of it for each update; key of the epoch's random
    stream, and number of the ``first`` update in it. ``reach`` is the square of each
    column's largest value, divided by the batch size, or empty if steps are not
    shortened."""

    rows: np.ndarray
    edges: np.ndarray
    rate: float
    factors: np.ndarray
    key: np.uint64
    first: int
    reach: np.ndarray


class RealEpochOptions(NamedTuple):
    """Options of learning, as in
    :class:`~skdgm._kernels.machines.bernoulli_parts.EpochOptions`, with the largest log
    precision ``most``. ``max_norm`` is the maximum norm of a hidden unit's weights in
    units of standard deviations."""

    n_steps: int
    momentum: float
    l1: float
    l2: float
    pace: float
    most: float
    max_norm: float
    precision: int
    persistent: bool
    centering: int


class RealWorkspace(NamedTuple):
    """Workspace.

    ``index``, ``values`` and ``values_model`` are the rows of both phases as lists of
    all columns, (n_rows, n_below); ``y`` and ``y_model`` are hidden units,
    (n_rows, n_above). ``factors`` has rows by column; ``thin`` and ``thin_above``,
    (2, n_units), are rows that centering adds. ``means`` and ``means_above``,
    (3, n_units), are those of the data, of the model, and their difference; ``lost``
    and ``lost_above`` correct them. ``slopes`` and ``shares``, (2, n_below), are
    gradients by log precisions in both phases, and factors of steps and of weights.
    ``received`` and ``sent``, (n_rows,), are float64.
    """

    index: np.ndarray
    values: np.ndarray
    values_model: np.ndarray
    y: np.ndarray
    y_model: np.ndarray
    factors: np.ndarray
    thin: np.ndarray
    thin_above: np.ndarray
    means: np.ndarray
    means_above: np.ndarray
    lost: np.ndarray
    lost_above: np.ndarray
    slopes: np.ndarray
    shares: np.ndarray
    received: np.ndarray
    sent: np.ndarray


@kernel
def gaussian_epoch(machine, chains, workspace, plan, options, gate, rank):
    """Train on batches of rows, in place. ``gate`` is a barrier, and ``rank`` the
    number of this thread."""
    (up, down, velocity), (b, log_precision, c), speeds, offsets = machine
    (v, index, count), rows, edges = chains, plan.rows, plan.edges
    real, n_below, n_above, size = b.dtype.type, len(b), len(c), gate[SIZE]
    centering, precision, reach = options.centering, options.precision, plan.reach
    momentum, l1, l2 = options.momentum, options.l1, options.l2
    means, means_above = workspace.means, workspace.means_above
    slopes, shares = workspace.slopes, workspace.shares
    ids = integers(0, len(workspace.y)).view(np.uint64)
    none, no_rows = zeros(n_below, ids).view(np.int64), np.empty(0, np.uint32)
    no_values, full_counts = np.empty((0, n_above), real), integers(0, len(workspace.y))
    no_entries = ColumnEntries(none, none, no_rows, c[:0])
    (p, q), (s, t) = portion(n_below, rank, size), portion(n_above, rank, size)
    first, last = portion(len(up), rank, size)
    first_down, last_down = portion(len(down), rank, size)
    width, side = up.shape[2], BLOCK // up.itemsize
    # Lists have all columns; their bounds are this thread's columns.
    bounds = np.empty((2, len(workspace.y)), np.int64)
    bounds[0], bounds[1], full_counts[:] = p, q, n_below
    for turn in range(gate[DONE], len(plan.factors)):
        x = rows[edges[turn] : edges[turn + 1]]
        n, root = len(x), fold(plan.key, np.uint64(plan.first + turn))
        m = len(v) if options.persistent else n
        # This thread's rows, of the batch and of the chains.
        (a, z), (d, e) = portion(n, rank, size), portion(m, rank, size)
        y, y_model = workspace.y[:n], workspace.y_model[:m]
        scale, deviation = np.exp(log_precision), np.exp(real(-0.5) * log_precision)
        hidden(x, scale, up, c, y, rank, size)
        if not options.persistent:
            meet(gate)
            phase_root = fold(fold(fold(root, DATA), np.uint64(0)), np.uint64(1))
            draw(y, phase_root, ids, index, count, a, z)
            meet(gate)
        for k in range(options.n_steps):
            phase_root = fold(fold(root, MODEL), np.uint64(k))
            conditional = b, deviation, fold(phase_root, np.uint64(0))
            lists = RowLists(index, no_values, count)
            visible(lists, down, conditional, v[:m], rank, size)
            meet(gate)
            hidden(v[:m], scale, up, c, y_model, rank, size)
            meet(gate)
            draw(y_model, fold(phase_root, np.uint64(1)), ids, index, count, d, e)
            if k + 1 < options.n_steps:
                meet(gate)
        mean_of_rows(x, means[0], p, q)
        mean_of_rows(v[:m], means[1], p, q)
        mean_of_rows(y, means_above[0], s, t)
        mean_of_rows(y_model, means_above[1], s, t)
        subtract(means[0], means[1], means[2], p, q)
        subtract(means_above[0], means_above[1], means_above[2], s, t)
        move(offsets[0], means[0], means[1], options.pace, centering, p, q)
        move(offsets[1], means_above[0], means_above[1], options.pace, centering, s, t)
        if precision != FIXED_PRECISION:
            by_gap(x, y, b, down, slopes[0], first_down, last_down)
            by_gap(v[:m], y_model, b, down, slopes[1], first_down, last_down)
        # Without centering, means and changes of hidden units add up.
        damping = n_above * (4 if centering == NO_OFFSETS else 1)
        eps = damped(plan.rate, scale, damping)
        for i in range(p, q):
            shares[0, i] = 1
            if len(reach):
                shares[0, i] = real(1 / max(1.0, eps * reach[i]))
                means[2, i] *= shares[0, i]
        meet(gate)
        slowdown = real(1)
        if precision != FIXED_PRECISION:
            slope = slopes[0] - slopes[1]
            for i in range(n_below):
                slope[i] *= real(0.5) * scale[i]
            if precision == SCALAR:
                slope[:] = slope.mean()
                if len(reach):
                    slowdown = min(real(1), real(n_below) * shares[0].min())
            for i in range(p, q):
                slope[i] *= slowdown if precision == SCALAR else shares[0, i]
        weigh(x, shares[0], workspace.values, a, z)
        weigh(v, shares[0], workspace.values_model, d, e)
        xs, vs, offset = workspace.values[:n], workspace.values_model[:m], offsets[0]
        if centering != NO_OFFSETS:
            shift = scale * offset
            link_offsets = Offsets(offset, offsets[1], shift)
            products = RowShares(workspace.received, workspace.sent)
            phase = ListedPhase(RowLists(workspace.index, xs, full_counts), y)
            exchange(phase, link_offsets, n, products, 0, a, z)
            phase = ListedPhase(RowLists(workspace.index, vs, full_counts), y_model)
            exchange(phase, link_offsets, -m, products, n, d, e)
        meet(gate)
        if centering != NO_OFFSETS:
            correct(
                ListedPhase(RowLists(workspace.index[:n], xs, bounds), y),
                ListedPhase(RowLists(workspace.index[:m], vs, bounds), y_model),
                RowShares(workspace.received, workspace.sent),
                Ends(means[2], means_above[2]),
                Offsets(offset * shares[0], offsets[1], scale * offset),
                Corrections(
                    Ends(workspace.thin, workspace.thin_above),
                    Ends(workspace.lost, workspace.lost_above),
                ),
                ThreadColumns(0, p, q, s, t),
            )
        n_factors = n + m + len(workspace.thin)
        factors = workspace.factors[: n_below * n_factors].reshape(n_below, n_factors)
        turn_over(xs, factors, 0, p, q)
        turn_over(vs, factors, n, p, q)
        turn_over(workspace.thin, factors, n + m, p, q)
        meet(gate)
        step = real(eps * plan.factors[turn])
        for tile, beyond, top, bottom in pieces(
            len(up), -(-n_below // side), rank, size
        ):
            part = tile, beyond, top * side, min(bottom * side, n_below)
            gradient_step = GradientStep(step, momentum, l1, l2)
            if len(reach):
                penalise(up, velocity, gradient_step, shares[0], part)
                gradient_step = GradientStep(step, momentum, real(0), real(0))
            learn(
                ColumnLists(no_entries, factors, 0),
                y,
                y_model,
                workspace.thin_above,
                Tiles(up, down[:0], velocity),
                gradient_step,
                part,
            )
        if centering != NO_OFFSETS:
            subtract(means[2], workspace.lost, means[2], p, q)
            subtract(means_above[2], workspace.lost_above, means_above[2], s, t)
        ascend(b, speeds[0], means[2], step, momentum, p, q)
        ascend(c, speeds[2], means_above[2], step, momentum, s, t)
        if precision != FIXED_PRECISION:
            ascend(log_precision, speeds[1], slope, step, momentum, p, q)
        for i in range(p, q):  # Standardized means and weights do not change.
            log_precision[i] = min(log_precision[i], options.most)
            shares[1, i] = real(np.exp(-0.5 * log_precision[i]) / deviation[i])
            b[i] *= shares[1, i]
        meet(gate)
        for number in range(first, last):
            for i in range(n_below):
                for j in range(width):
                    up[number, i, j] *= shares[1, i]
        if options.max_norm < np.inf:
            sizes = np.exp(real(0.5) * log_precision)
            limit(up[first:last], sizes, options.max_norm)
        refresh(up, down, first, last)
        if not go_on(gate, turn + 1):
            break


@kernel
def hidden(x, scale, up, c, y, rank, size):
    """Means of hidden units given real rows, for a thread's share of tiles and rows."""
    width, n_below = up.shape[2], len(scale)
    weighted, line = zeros(ROWS * n_below, c), zeros(ROWS * width, c)
    line, order = line.reshape(ROWS, width), integers(0, ROWS)
    starts = order * n_below
    for tile, beyond, top, bottom in pieces(len(up), len(x), rank, size):
        for first in range(top, bottom, ROWS):
            n = min(ROWS, bottom - first)
            for o in range(n):
                for i in range(n_below):
                    weighted[o * n_below + i] = scale[i] * x[first + o, i]
            for number in range(tile, beyond):
                left, tile_of = number * width, up[number]
                right = min(left + width, len(c))
                line[:n] = 0
                add_products(
                    line, order, 0, 0, weighted, starts, 0, 1, tile_of, 0, n, n_below
                )
                for o in range(n):
                    row = y[first + o, left:right]
                    for j in range(len(row)):
                        row[j] = c[left + j] + line[o, j]
                    squash(row)


@kernel
def visible(lists, down, conditional, v, rank, size):
    """Draw real units given lists of hidden units, for a thread's share of tiles and
    rows. ``conditional`` are biases, standard deviations, and root of random
    numbers."""
    b, deviation, root = conditional
    width = down.shape[2]
    for tile, beyond, top, bottom in pieces(len(down), len(v), rank, size):
        left, right = tile * width, min(beyond * width, len(b))
        for r in range(top, bottom):
            v[r, left:right] = 0
        collect(lists, down, left, right, v, top, bottom)
        for r in range(top, bottom):
            for i in range(left, right):
                v[r, i] += b[i]
            add_noise(v, r, left, right, deviation, root)


@kernel
def by_gap(x, y, b, down, out, start, stop):
    """Write the mean over rows of :math:`x (b + W y - x)` to ``out``, for the real
    units of a range of tiles."""
    width, n_above = down.shape[2], y.shape[1]
    line, order = zeros(ROWS * width, b).reshape(ROWS, width), integers(0, ROWS)
    flat = y.ravel()
    for number in range(start, stop):
        left, tile = number * width, down[number]
        right = min(left + width, len(b))
        out[left:right] = 0
        for first in range(0, len(x), ROWS):
            n = min(ROWS, len(x) - first)
            for o in range(n):
                for i in range(left, right):
                    line[o, i - left] = b[i]
            starts = (order + first) * n_above
            add_products(line, order, 0, 0, flat, starts, 0, 1, tile, 0, n, n_above)
            for o in range(n):
                for i in range(left, right):
                    value = x[first + o, i]
                    out[i] += value * (line[o, i - left] - value)
        for i in range(left, right):
            out[i] /= len(x)


@kernel
def weigh(x, share, out, start, stop):
    """Write rows to ``out``, with each column multiplied by its share."""
    for r in range(start, stop):
        for i in range(len(share)):
            out[r, i] = x[r, i] * share[i]


@kernel
def turn_over(x, out, first, left, right):
    """Write columns ``left`` to ``right`` of x to rows of ``out``, from column
    ``first``."""
    for i in range(left, right):
        for r in range(len(x)):
            out[i, first + r] = x[r, i]


@kernel
def penalise(up, velocity, step, factor, part):
    """Apply penalties, multiplied by a factor for each line, to weights, or to
    velocities before their decay. ``part`` is the first and last tile, and the first
    and last line."""
    (rate, momentum, l1, l2), (start, stop, low, high) = step, part
    if l1 != 0 or l2 != 0:
        for number in range(start, stop):
            for i in range(low, high):
                line_l1, line_l2, w = l1 * factor[i], l2 * factor[i], up[number, i]
                if momentum != 0:
                    decay(velocity[number, i], w, rate / momentum, line_l1, line_l2)
                else:
                    shrink(w, rate, line_l1, line_l2)


@kernel
def damped(rate, scale, n_above):
    """Learning rate that does not overshoot; see
    :mod:`skdgm.gradients.steps.natural`."""
    total = 0.0
    for i in range(len(scale)):
        total += scale[i]
    return rate / (1 + rate * (total / 8 + n_above / 16))
