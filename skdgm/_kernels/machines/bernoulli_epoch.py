"""Updates of an epoch, of a chain of binary layers, by one or several threads.

What an update needs stays in one call: means given the data, steps of the chains, their
means, and the update of weights and biases. Numbers are drawn by the same kernels, from
the same random streams, as where each of these is a call of its own; so both ways learn
the same parameters.

Each thread makes such a call, and they meet at barriers. Between two of them each has
its part of the rows (which it draws), of the tiles of the weights (with which it
computes means of all rows, and which it then changes: they stay in its core's caches)
or of the columns (of which it has statistics). Each number is computed by one thread,
in the same order whoever it is: results do not depend on how many there are.

Tuples have an entry for each layer, or for each coupling between two; layers of odd
numbers are represented by means, given all others. Above the hidden layers there may be
a label, which in a machine of one hidden layer may count as beside the visible units.
"""

import numpy as np

from skdgm._kernels.compiler.barrier import DONE, SIZE, go_on, meet, pieces, portion
from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.bernoulli import draw, fold, squash
from skdgm._kernels.machines.centered import correct, exchange
from skdgm._kernels.machines.mean_field import integers, longest, settle
from skdgm._kernels.machines.phases import (
    DATA,
    MODEL,
    NO_OFFSETS,
    add,
    ascend,
    mean_of_lists,
    mean_of_rows,
    move,
    subtract,
)
from skdgm._kernels.machines.sweep import infer, sweep
from skdgm._kernels.machines.update import dense, learn, limit, refresh, scatter
from skdgm._kernels.sparse.lines import BLOCK
from skdgm._kernels.sparse.lists import collect, mark, pack, pick, sort, unpack


@kernel
def bernoulli_epoch(
    source, labels, machine, momenta, chains, offsets, room, plan, options, gate, rank
):
    """Learn from batches of rows, in place.

    Parameters
    ----------
    source : Source
        See :mod:`skdgm._kernels.machines.bernoulli_parts`, also for the rest.
    labels : tuple
        Index and count of lists of labels, the last layer's; or of no rows.
    machine : Machine
    momenta : Momentum
    chains : pair of tuple
        Index and count of the chains' lists.
    offsets : tuple
    room : Room
    plan : Plan
    options : Options
    gate : ndarray
        The barrier, see :func:`~skdgm._kernels.compiler.barrier.gate`.
    rank : int
        Number of this thread.
    """
    ups, downs, biases = machine
    (indices, counts), (y_index, y_count), edges = chains, labels, source.edges
    momentum, l1, l2, centering = (
        options.momentum,
        options.l1,
        options.l2,
        options.centering,
    )
    means, fields, known, no_values = (
        room.means,
        room.fields,
        room.known,
        room.no_values,
    )
    grads, data, model, lost = room.grads, room.data, room.model, room.lost
    bounds, bounds_model, thin, bits = (
        room.bounds,
        room.bounds_model,
        room.thin,
        room.bits,
    )
    real, size, n_layers = ups[0].dtype.type, gate[SIZE], len(biases)
    labelled, last = len(y_index) > 0, n_layers - 1
    beside = labelled and plan.numbered[last] < last
    deep, packs = last - labelled > 1, last > 1 and not beside
    ids = integers(0, len(known)).view(np.uint64)
    n_sweeps, moves = np.empty(len(known), np.int64), np.empty(len(known), np.bool_)
    ones, betas = np.empty(longest(biases)), np.empty(len(known), real)
    ones[:], betas[:] = 1, 1
    order, n_drawn = steps(n_layers, options.n_steps)
    roots = np.empty(len(order), np.uint64)
    # A label in an odd layer has its mean from where it is drawn.
    end = last if labelled and last % 2 else n_layers
    n_means = len(order) - (n_layers - end)
    for turn in range(gate[DONE], len(plan.rates)):
        start, stop = edges[turn], edges[turn + 1]
        n, root = stop - start, fold(plan.key, np.uint64(plan.first + turn))
        m = len(indices[0]) if options.persistent else n
        # Own rows, of the batch and of the chains.
        (a, b), (c, d) = portion(n, rank, size), portion(m, rank, size)
        x, x_value, x_count = room.index[:n], room.value[:n], room.count[:n]
        pick(
            source.first, source.end, source.units, source.values,
            source.order[start:stop], x, x_value, x_count, a, b,
        )  # fmt: skip
        if options.resample:
            unpack(x, x_value, x_count, means[0], a, b)
            x, x_value, x_count = bits[0][:n], no_values[0], bits[1][:n]
            draw(means[0][:n], root, ids, x, x_count, a, b)
        mark(x, x_count, len(biases[0]), bounds[0], size, a, b)
        y, y_n = y_index[start:stop], y_count[start:stop]
        if labelled:
            mark(y, y_n, len(biases[last]), bounds[last], size, a, b)
            if not beside:
                unpack(y, no_values[last], y_n, means[last], a, b)
        if deep:
            settle(
                ups, downs, biases, x, x_value, x_count, y, y_n, False, means, fields,
                known, options.sweeps, options.tol, n_sweeps, moves, a, b,
            )  # fmt: skip
            meet(gate)  # Chains use the same room for what layers receive.
        elif not options.persistent:
            meet(gate)
            respond(
                x, x_value, x_count, y, y_n, no_values, ups, downs, biases, means[1],
                rank, size,
            )  # fmt: skip
            meet(gate)
        if not options.persistent:
            own = fold(
                fold(fold(root, DATA), np.uint64(0)), np.uint64(plan.numbered[1])
            )
            draw(means[1][:n], own, ids, indices[1], counts[1], a, b)
            meet(gate)
        own = fold(root, MODEL)
        for k in range(len(order)):
            step = fold(own, np.uint64(k // n_layers))
            roots[k] = fold(step, np.uint64(plan.numbered[order[k]]))
        for k in range(n_drawn):
            layer = order[k]
            if labelled and layer == last:
                sweep(
                    ups, downs, biases, biases, betas, indices, no_values, counts,
                    fields, ids, roots[k : k + 1], order[k : k + 1], True, c, d,
                )  # fmt: skip
            else:
                own_means = fields[layer][:m]
                infer_part(
                    layer, machine, betas, indices, no_values, counts, own_means, rank,
                    size,
                )  # fmt: skip
                meet(gate)
                draw(own_means, roots[k], ids, indices[layer], counts[layer], c, d)
            if layer % 2 == 0:
                mark(
                    indices[layer], counts[layer], len(biases[layer]),
                    bounds_model[layer], size, c, d,
                )  # fmt: skip
            meet(gate)
        if options.persistent and not deep:
            respond(
                x, x_value, x_count, y, y_n, no_values, ups, downs, biases, means[1],
                rank, size,
            )  # fmt: skip
        for layer in range(1, end, 2):
            infer_part(
                layer, machine, betas, indices, no_values, counts, fields[layer][:m],
                rank, size,
            )  # fmt: skip
        meet(gate)
        for k in range(n_drawn, n_means):
            layer = order[k]
            own_means = fields[layer][:m]
            draw(own_means, roots[k], ids, indices[layer], counts[layer], c, d)
        sweep(
            ups, downs, biases, biases, betas, indices, no_values, counts, fields, ids,
            roots[n_means:], order[n_means:], labelled, c, d,
        )  # fmt: skip
        if packs:
            for layer in range(1, n_layers):
                if layer % 2 == 0:
                    v, v_count = indices[layer], counts[layer]
                    unpack(v, no_values[layer], v_count, fields[layer], c, d)
                if layer < last:
                    v, v_value, v_count = (
                        room.listed[0][layer],
                        room.listed[1][layer],
                        room.listed[2][layer],
                    )
                    pack(means[layer], ids, v, v_value, v_count, a, b)
                    mark(v, v_count, len(biases[layer]), bounds[layer], size, a, b)
                if layer < last and layer % 2:
                    v, v_value, v_count = (
                        room.listed_model[0][layer],
                        room.listed_model[1][layer],
                        room.listed_model[2][layer],
                    )
                    pack(fields[layer], ids, v, v_value, v_count, c, d)
                    mark(
                        v, v_count, len(biases[layer]), bounds_model[layer], size, c, d
                    )
            meet(gate)
        for layer in range(n_layers):
            # Own columns.
            p, q = portion(len(biases[layer]), rank, size)
            total = room.total[layer]
            if layer % 2:
                mean_of_rows(fields[layer][:m], model[layer], p, q)
            else:
                mean_of_lists(
                    indices[layer][:m], no_values[layer], bounds_model[layer], rank,
                    total, model[layer], p, q,
                )  # fmt: skip
            if layer == 0:
                mean_of_lists(x, x_value, bounds[0], rank, total, data[0], p, q)
            elif labelled and layer == last:
                none = no_values[layer]
                mean_of_lists(y, none, bounds[layer], rank, total, data[layer], p, q)
            else:
                mean_of_rows(means[layer][:n], data[layer], p, q)
            subtract(data[layer], model[layer], grads[layer], p, q)
            move(
                offsets[layer], data[layer], model[layer], options.pace, centering, p, q
            )
            lost[layer][p:q] = 0
        below, beyond = (x, x_value, x_count), (y, y_n)
        for link in range(n_layers - 1):
            low, high = ends(link, beside)
            some = of_data(low, n, below, beyond, no_values, room.listed, beside)
            others = of_model(low, m, indices, counts, no_values, room.listed_model)
            p, q = portion(len(biases[low]), rank, size)
            first, end_of, rows, values, factors, top = by_columns(
                room, low, n, m, some, others, len(thin[low])
            )
            if top:
                sort(
                    some[0], some[1], bounds[low], others[0], others[1],
                    bounds_model[low], rank, p, q, first, end_of, rows, values,
                )  # fmt: skip
            else:
                for i in range(p, q):
                    first[i] = end_of[i] = 0
                    for k in range(n + m):
                        factors[i, k] = 0
                scatter(some[0], some[1], bounds[low], rank, factors, 0)
                scatter(others[0], others[1], bounds_model[low], rank, factors, n)
        if centering != NO_OFFSETS:
            meet(gate)
            for link in range(n_layers - 1):
                low, high = ends(link, beside)
                some = of_data(low, n, below, beyond, no_values, room.listed, beside)
                others = of_model(low, m, indices, counts, no_values, room.listed_model)
                lam, shift = offsets[high], offsets[low]
                received, sent = room.received[low], room.sent[low]
                exchange(
                    some[0], some[1], some[2], means[high], lam, shift, n, received,
                    sent, 0, a, b,
                )  # fmt: skip
                exchange(
                    others[0], others[1], others[2], fields[high], lam, shift, -m,
                    received, sent, n, c, d,
                )  # fmt: skip
            meet(gate)
            for link in range(n_layers - 1):
                low, high = ends(link, beside)
                some = of_data(low, n, below, beyond, no_values, room.listed, beside)
                others = of_model(low, m, indices, counts, no_values, room.listed_model)
                p, q = portion(len(biases[low]), rank, size)
                p_high, q_high = portion(len(biases[high]), rank, size)
                correct(
                    some[0], some[1], bounds[low], means[high][:n], others[0],
                    others[1], bounds_model[low], fields[high][:m], room.received[low],
                    room.sent[low], rank, grads[low], grads[high], offsets[low],
                    offsets[high], offsets[low], thin[low], room.thin_above[high],
                    data[low], data[high], p, q, p_high, q_high,
                )  # fmt: skip
                add(lost[low], data[low], p, q)
                add(lost[high], data[high], p_high, q_high)
                factors = by_columns(room, low, n, m, some, others, len(thin[low]))[4]
                for i in range(p, q):
                    for k in range(2):
                        factors[i, factors.shape[1] - 2 + k] = thin[low][k, i]
        meet(gate)
        rate = real(plan.rates[turn])
        for link in range(n_layers - 1):
            low, high = ends(link, beside)
            up, down = between(machine, low, high)
            some = of_data(low, n, below, beyond, no_values, room.listed, beside)
            others = of_model(low, m, indices, counts, no_values, room.listed_model)
            first, end_of, rows, values, factors, top = by_columns(
                room, low, n, m, some, others, len(thin[low])
            )
            n_units, side = up.shape[1], BLOCK // up.itemsize
            for tile, end_tile, start_line, end_line in pieces(
                len(up), -(-n_units // side), rank, size
            ):
                if tile == end_tile:
                    continue
                learn(
                    first, end_of, rows, values, factors, top, means[high][:n],
                    fields[high][:m], room.thin_above[high], up, down,
                    momenta.weights[link], rate,
                    momentum, l1, l2, tile, end_tile, start_line * side,
                    min(end_line * side, n_units),
                )  # fmt: skip
        for layer in range(n_layers):
            p, q = portion(len(biases[layer]), rank, size)
            if centering != NO_OFFSETS:
                subtract(grads[layer], lost[layer], grads[layer], p, q)
            ascend(
                biases[layer], momenta.biases[layer], grads[layer], rate, momentum, p, q
            )
        if options.max_norm < np.inf:
            meet(gate)
            for link in range(n_layers - 1):
                low, high = ends(link, beside)
                up, down = between(machine, low, high)
                p, q = portion(len(up), rank, size)
                if limit(up[p:q], ones, options.max_norm):
                    refresh(up, down, p, q)
        if not go_on(gate, turn + 1):
            break


@kernel
def ends(link, beside):
    """The layers that a coupling links, with lists of the first."""
    return (2, 1) if beside and link == 1 else (link, link + 1)


@kernel
def between(machine, low, high):
    """Tiles of the weights from a layer to one beside it, and of their transpose."""
    if low > high:
        return machine.downs[high], machine.ups[high]
    return machine.ups[low], machine.downs[low]


@kernel
def of_data(layer, n, below, label, no_values, listed, beside):
    """A layer's lists, given the n rows of a batch."""
    if layer == 0:
        return below
    if beside:
        return label[0], no_values[layer], label[1]
    return listed[0][layer][:n], listed[1][layer][:n], listed[2][layer][:n]


@kernel
def of_model(layer, m, indices, counts, no_values, listed):
    """A layer's lists, in m chains."""
    if layer % 2:
        return listed[0][layer][:m], listed[1][layer][:m], listed[2][layer][:m]
    return indices[layer][:m], no_values[layer], counts[layer][:m]


@kernel
def by_columns(room, layer, n, m, some, others, n_thin):
    """Room for both phases' rows by column: as lists, or as an array, with the rows
    that centring adds; and the first row that counts as in an array."""
    n_units = len(room.first[layer])
    top = 0 if dense(some[2], others[2], n_units) else n + m
    width = n + m + n_thin - top
    factors = room.factors[layer][: n_units * width].reshape(n_units, width)
    grey = len(some[1]) + len(others[1]) > 0
    values = room.values[layer][: len(room.rows[layer]) if grey else 0]
    return room.first[layer], room.end[layer], room.rows[layer], values, factors, top


@kernel
def infer_part(layer, machine, betas, indices, no_values, counts, mean, rank, size):
    """Means of a layer's units given those beside it; a thread's part of tiles and
    rows."""
    ups, downs, biases = machine
    n_tiles = -(-len(biases[layer]) // ups[0].shape[2])
    for tile, beyond, top, bottom in pieces(n_tiles, len(mean), rank, size):
        if tile < beyond:
            infer(
                layer, ups, downs, biases, biases, betas, indices, no_values, counts,
                mean, tile, beyond, top, bottom,
            )  # fmt: skip


@kernel
def respond(
    x, x_value, x_count, y, y_count, no_values, ups, downs, biases, mean, rank, size
):
    """Means of one hidden layer given rows, and their labels if there are some; a
    thread's part of tiles and rows."""
    width, n_units, last = ups[0].shape[2], len(biases[1]), len(ups) - 1
    for tile, beyond, top, bottom in pieces(len(ups[0]), len(x), rank, size):
        if tile == beyond:
            continue
        left, right = tile * width, min(beyond * width, n_units)
        for r in range(top, bottom):
            mean[r, left:right] = 0
        collect(x, x_value, x_count, ups[0], left, right, mean, top, bottom)
        if len(y):
            labels = y, no_values[last + 1], y_count
            collect(*labels, downs[last], left, right, mean, top, bottom)
        for r in range(top, bottom):
            row, bias = mean[r, left:right], biases[1][left:right]
            for j in range(len(row)):
                row[j] = bias[j] + row[j]
            squash(row)


@kernel
def steps(n_layers, n_steps):
    """The layers in the order in which Gibbs steps draw them, and how many they do
    before those of odd numbers for the last time."""
    order, n_even = np.empty(n_layers * n_steps, np.int64), (n_layers + 1) // 2
    for k in range(len(order)):
        turn = k % n_layers
        order[k] = 2 * turn if turn < n_even else 2 * (turn - n_even) + 1
    return order, len(order) - n_layers // 2
