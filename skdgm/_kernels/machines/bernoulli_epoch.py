"""Updates of an epoch for a chain of binary layers, on one or several threads.

A single call performs all steps of an update: means given the data, Gibbs steps of the
chains and their means, and the update of weights and biases. Kernels and random streams
are those of the separate steps, so that the parameters are the same.

Threads synchronize at barriers. Between two barriers, a thread draws a share of the
rows, computes statistics of a share of the columns, or uses a share of the tiles of the
weights. It computes means of all rows with these tiles, and later updates them, so that
they stay in the caches of its core. One thread computes each number, in a fixed order,
so that results do not depend on the number of threads.

Tuples have an entry for each layer, or for each coupling of two adjacent layers. Odd
layers are represented by their means given the other layers. A label may be the last
layer; with a single hidden layer, it may instead be adjacent to the visible units.

Arguments of rare steps are empty tuples if the steps are not used. Numba removes
branches on the length of tuples, which halves the time to compile.
"""

import numpy as np

from skdgm._kernels.compiler.barrier import DONE, SIZE, go_on, meet, pieces, portion
from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.arguments import (
    ColumnLists,
    Ends,
    ListedLayers,
    ListedPhase,
    TemperingPath,
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
from skdgm._kernels.machines.mean_field import (
    MeanFieldOptions,
    integers,
    longest,
    mean_field,
)
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
from skdgm._kernels.machines.sweep import SweepPlan, infer, sweep
from skdgm._kernels.machines.update import dense, learn, limit, refresh, scatter
from skdgm._kernels.nets.steps import GradientStep
from skdgm._kernels.sparse.lines import BLOCK
from skdgm._kernels.sparse.lists import (
    ColumnEntries,
    RowLists,
    collect,
    mark,
    pack,
    pick,
    sort,
    unpack,
)


@kernel
def bernoulli_epoch(
    source, labels, machine, momenta, chains, deep, listed, centering, norm, workspace,
    plan, options, gate, rank,
):  # fmt: skip
    """Train on batches of rows, in place. For arguments see
    :mod:`skdgm._kernels.machines.bernoulli_parts`.

    ``labels`` is the index and count of the labels of all rows, and ``chains`` that of
    each layer of the chains. ``deep`` has the
    :class:`~skdgm._kernels.machines.mean_field.MeanFieldArrays`, ``listed`` has lists
    of the means of hidden layers in both phases, ``centering`` is a
    :class:`CenteringWorkspace`, and ``norm`` has the maximum norm of weights; all of
    them may be empty. ``gate`` is a barrier, and ``rank`` the number of this thread.
    """
    ups, _, biases = machine
    (indices, counts), edges, columns = chains, source.edges, workspace.columns
    momentum, l1, l2 = options.momentum, options.l1, options.l2
    means, fields = workspace.means, workspace.fields
    no_values, thin = workspace.no_values, workspace.thin
    grads, data, model = workspace.grads, workspace.data, workspace.model
    bounds, bounds_model = workspace.bounds, workspace.bounds_model
    real, size, n_layers = ups[0].dtype.type, gate[SIZE], len(biases)
    labelled, last = len(labels) > 0, n_layers - 1
    label_below = labelled and plan.numbered[last] < last
    ids = integers(0, len(fields[0])).view(np.uint64)
    betas = np.empty(len(ids), real)
    betas[:] = 1
    path, lists = TemperingPath(biases, betas), ListedLayers(indices, no_values, counts)
    order, n_drawn = steps(n_layers, options.n_steps)
    roots = np.empty(len(order), np.uint64)
    # Drawing a label in an odd layer also computes its mean.
    end = last if labelled and last % 2 else n_layers
    n_means = len(order) - (n_layers - end)
    for turn in range(gate[DONE], len(plan.rates)):
        start, stop = edges[turn], edges[turn + 1]
        n, root = stop - start, fold(plan.key, np.uint64(plan.first + turn))
        m = len(indices[0]) if options.persistent else n
        # This thread's rows, of the batch and of the chains.
        (a, b), (c, d) = portion(n, rank, size), portion(m, rank, size)
        x = RowLists(workspace.index[:n], workspace.value[:n], workspace.count[:n])
        pick(source.lists, source.order[start:stop], x, a, b)
        if len(centering) > 0 and options.resample:
            grey = centering.grey[:n]
            unpack(x.index, x.value, x.count, grey, a, b)
            x = RowLists(centering.index[:n], no_values[0], centering.count[:n])
            draw(grey, root, ids, x.index, x.count, a, b)
        mark(x.index, x.count, len(biases[0]), bounds[0], size, a, b)
        y = part_of(labels, start, stop)
        if len(labels) > 0:
            mark(y[0], y[1], len(biases[last]), bounds[last], size, a, b)
            if not label_below:
                unpack(y[0], no_values[last], y[1], means[last], a, b)
        if len(deep) > 0:
            guess(machine, x, y, options, deep[0], a, b)
            meet(gate)  # Chains use the same workspace for inputs of layers.
        elif not options.persistent:
            meet(gate)
            respond(machine, x, y, means[1], rank, size)
            meet(gate)
        if not options.persistent:
            phase_root = fold(
                fold(fold(root, DATA), np.uint64(0)), np.uint64(plan.numbered[1])
            )
            draw(means[1][:n], phase_root, ids, indices[1], counts[1], a, b)
            meet(gate)
        phase_root = fold(root, MODEL)
        for k in range(len(order)):
            step = fold(phase_root, np.uint64(k // n_layers))
            roots[k] = fold(step, np.uint64(plan.numbered[order[k]]))
        for k in range(n_drawn):
            layer = order[k]
            if len(labels) > 0 and layer == last:
                sweep_plan = SweepPlan(ids, roots[k : k + 1], order[k : k + 1], True)
                sweep(machine, path, lists, fields, sweep_plan, c, d)
            else:
                own_means = fields[layer][:m]
                infer_part(layer, machine, path, lists, own_means, rank, size)
                meet(gate)
                draw(own_means, roots[k], ids, indices[layer], counts[layer], c, d)
            if layer % 2 == 0:
                mark(
                    indices[layer], counts[layer], len(biases[layer]),
                    bounds_model[layer], size, c, d,
                )  # fmt: skip
            meet(gate)
        if len(deep) == 0 and options.persistent:
            respond(machine, x, y, means[1], rank, size)
        for layer in range(1, end, 2):
            infer_part(layer, machine, path, lists, fields[layer][:m], rank, size)
        meet(gate)
        for k in range(n_drawn, n_means):
            layer = order[k]
            own_means = fields[layer][:m]
            draw(own_means, roots[k], ids, indices[layer], counts[layer], c, d)
        if len(labels) > 0:
            sweep_plan = SweepPlan(ids, roots[n_means:], order[n_means:], True)
            sweep(machine, path, lists, fields, sweep_plan, c, d)
        if len(listed) > 0:
            for layer in range(1, n_layers):
                if layer % 2 == 0:
                    unpack(
                        indices[layer], no_values[layer], counts[layer], fields[layer],
                        c, d,
                    )  # fmt: skip
                if layer < last:
                    v = lists_of(listed[0], layer)
                    pack(means[layer], ids, v.index, v.value, v.count, a, b)
                    mark(
                        v.index, v.count, len(biases[layer]), bounds[layer], size, a, b
                    )
                if layer < last and layer % 2:
                    v = lists_of(listed[1], layer)
                    pack(fields[layer], ids, v.index, v.value, v.count, c, d)
                    mark(
                        v.index, v.count, len(biases[layer]), bounds_model[layer], size,
                        c, d,
                    )  # fmt: skip
            meet(gate)
        for layer in range(n_layers):
            # This thread's columns.
            p, q = portion(len(biases[layer]), rank, size)
            total = workspace.total[layer]
            if layer % 2:
                mean_of_rows(fields[layer][:m], model[layer], p, q)
            else:
                rows = RowLists(
                    indices[layer][:m], no_values[layer], bounds_model[layer]
                )
                mean_of_lists(rows, rank, total, model[layer], p, q)
            if layer == 0:
                rows = RowLists(x.index, x.value, bounds[0])
                mean_of_lists(rows, rank, total, data[0], p, q)
            elif len(labels) > 0 and layer == last:
                rows = RowLists(y[0], no_values[layer], bounds[layer])
                mean_of_lists(rows, rank, total, data[layer], p, q)
            else:
                mean_of_rows(means[layer][:n], data[layer], p, q)
            subtract(data[layer], model[layer], grads[layer], p, q)
            if len(centering) > 0:
                move(
                    centering.offsets[layer], data[layer], model[layer], options.pace,
                    options.centering, p, q,
                )  # fmt: skip
                centering.lost[layer][p:q] = 0
        for link in range(n_layers - 1):
            low, high = ends(link, label_below)
            data_x = of_data(low, n, x, y, listed, label_below)
            model_x = of_model(low, m, lists, listed)
            p, q = portion(len(biases[low]), rank, size)
            by_column = by_columns(columns, low, data_x, model_x, len(thin[low]))
            entries, factors = by_column.entries, by_column.factors
            data_entries = RowLists(data_x.index, data_x.value, bounds[low])
            model_entries = RowLists(model_x.index, model_x.value, bounds_model[low])
            if by_column.top:
                sort(data_entries, model_entries, rank, p, q, entries)
            else:
                for i in range(p, q):
                    entries.first[i] = entries.end[i] = 0
                    for k in range(n + m):
                        factors[i, k] = 0
                scatter(data_entries, rank, factors, 0)
                scatter(model_entries, rank, factors, n)
        if len(centering) > 0 and options.centering != NO_OFFSETS:
            offsets, lost = centering.offsets, centering.lost
            meet(gate)
            for link in range(n_layers - 1):
                low, high = ends(link, label_below)
                data_x = of_data(low, n, x, y, listed, label_below)
                model_x = of_model(low, m, lists, listed)
                of_link = Offsets(offsets[low], offsets[high], offsets[low])
                shares = RowShares(centering.received[low], centering.sent[low])
                phase = ListedPhase(data_x, means[high])
                exchange(phase, of_link, n, shares, 0, a, b)
                phase = ListedPhase(model_x, fields[high])
                exchange(phase, of_link, -m, shares, n, c, d)
            meet(gate)
            for link in range(n_layers - 1):
                low, high = ends(link, label_below)
                data_x = of_data(low, n, x, y, listed, label_below)
                model_x = of_model(low, m, lists, listed)
                p, q = portion(len(biases[low]), rank, size)
                p_high, q_high = portion(len(biases[high]), rank, size)
                correct(
                    ListedPhase(
                        RowLists(data_x.index, data_x.value, bounds[low]),
                        means[high][:n],
                    ),
                    ListedPhase(
                        RowLists(model_x.index, model_x.value, bounds_model[low]),
                        fields[high][:m],
                    ),
                    RowShares(centering.received[low], centering.sent[low]),
                    Ends(grads[low], grads[high]),
                    Offsets(offsets[low], offsets[high], offsets[low]),
                    Corrections(
                        Ends(thin[low], workspace.thin_above[high]),
                        Ends(data[low], data[high]),
                    ),
                    ThreadColumns(rank, p, q, p_high, q_high),
                )
                add(lost[low], data[low], p, q)
                add(lost[high], data[high], p_high, q_high)
                factors = by_columns(columns, low, data_x, model_x, 2).factors
                for i in range(p, q):
                    for k in range(2):
                        factors[i, factors.shape[1] - 2 + k] = thin[low][k, i]
        meet(gate)
        rate = real(plan.rates[turn])
        for link in range(n_layers - 1):
            low, high = ends(link, label_below)
            up, down = between(machine, low, high)
            data_x = of_data(low, n, x, y, listed, label_below)
            model_x = of_model(low, m, lists, listed)
            by_column = by_columns(columns, low, data_x, model_x, len(thin[low]))
            n_units, side = up.shape[1], BLOCK // up.itemsize
            for tile, end_tile, start_line, end_line in pieces(
                len(up), -(-n_units // side), rank, size
            ):
                if tile == end_tile:
                    continue
                end_line = min(end_line * side, n_units)
                learn(
                    by_column,
                    means[high][:n],
                    fields[high][:m],
                    workspace.thin_above[high],
                    Tiles(up, down, momenta.weights[link]),
                    GradientStep(rate, momentum, l1, l2),
                    (tile, end_tile, start_line * side, end_line),
                )
        for layer in range(n_layers):
            p, q = portion(len(biases[layer]), rank, size)
            if len(centering) > 0:
                subtract(grads[layer], centering.lost[layer], grads[layer], p, q)
            ascend(
                biases[layer], momenta.biases[layer], grads[layer], rate, momentum, p, q
            )
        if len(norm) > 0:
            ones = np.empty(longest(biases))
            ones[:] = 1
            meet(gate)
            for link in range(n_layers - 1):
                low, high = ends(link, label_below)
                up, down = between(machine, low, high)
                p, q = portion(len(up), rank, size)
                if limit(up[p:q], ones, norm[0]):
                    refresh(up, down, p, q)
        if not go_on(gate, turn + 1):
            break


@kernel
def ends(link, beside):
    """Layers of a coupling; the first layer has lists."""
    return (2, 1) if beside and link == 1 else (link, link + 1)


@kernel
def between(machine, low, high):
    """Tiles of the weights from a layer to an adjacent layer, and of their
    transpose."""
    if low > high:
        return machine.downs[high], machine.ups[high]
    return machine.ups[low], machine.downs[low]


@kernel
def part_of(lists, start, stop):
    """Index and count of rows of lists, or an empty tuple without lists."""
    if len(lists) > 0:
        return lists[0][start:stop], lists[1][start:stop]
    return ()


@kernel
def lists_of(lists, layer):
    """Rows of a layer."""
    return RowLists(lists.indices[layer], lists.values[layer], lists.counts[layer])


@kernel
def of_data(layer, n, x, label, listed, label_below):
    """Lists of a layer for the n rows of a batch."""
    if len(label) > 0 and label_below and layer > 0:
        return RowLists(label[0], x.value[:0], label[1])
    if len(listed) > 0 and layer > 0:
        index, value, count = lists_of(listed[0], layer)
        return RowLists(index[:n], value[:n], count[:n])
    return x


@kernel
def of_model(layer, m, chains, listed):
    """Lists of a layer for m chains."""
    if len(listed) > 0 and layer % 2:
        chains = listed[1]
    index, value, count = lists_of(chains, layer)
    return RowLists(index[:m], value[:m], count[:m])


@kernel
def by_columns(columns, layer, data, model, n_thin):
    """Workspace for the rows of both phases by column, as lists or dense, including
    ``n_thin`` rows that centering adds."""
    first, end, rows, values, factors = columns
    n_units, n_rows = len(first[layer]), len(data.count) + len(model.count)
    top = 0 if dense(data.count, model.count, n_units) else n_rows
    width = n_rows + n_thin - top
    dense_columns = factors[layer][: n_units * width].reshape(n_units, width)
    grey = len(data.value) + len(model.value) > 0
    listed = values[layer][: len(rows[layer]) if grey else 0]
    entries = ColumnEntries(first[layer], end[layer], rows[layer], listed)
    return ColumnLists(entries, dense_columns, top)


@kernel
def guess(machine, x, label, options, arrays, start, stop):
    """Mean field of the hidden layers given rows, and their labels if there are any."""
    if len(label) > 0:
        y = RowLists(label[0], x.value[:0], label[1])
    else:
        y = RowLists(x.index[:0], x.value[:0], x.count[:0])
    limits = MeanFieldOptions(options.sweeps, options.tol, False)
    mean_field(machine, x, y, limits, arrays, start, stop)


@kernel
def infer_part(layer, machine, path, lists, mean, rank, size):
    """Means of a layer given adjacent layers, for a thread's share of tiles and
    rows."""
    n_tiles = -(-len(machine.biases[layer]) // machine.ups[0].shape[2])
    for tile, beyond, top, bottom in pieces(n_tiles, len(mean), rank, size):
        if tile < beyond:
            infer(layer, machine, path, lists, mean, (tile, beyond, top, bottom))


@kernel
def respond(machine, x, label, mean, rank, size):
    """Means of a single hidden layer given rows, and their labels if there are any, for
    a thread's share of tiles and rows."""
    ups, downs, biases = machine
    width, n_units, last = ups[0].shape[2], len(biases[1]), len(ups) - 1
    for tile, beyond, top, bottom in pieces(len(ups[0]), len(x.index), rank, size):
        if tile == beyond:
            continue
        left, right = tile * width, min(beyond * width, n_units)
        for r in range(top, bottom):
            mean[r, left:right] = 0
        collect(x, ups[0], left, right, mean, top, bottom)
        if len(label) > 0:
            labels = RowLists(label[0], x.value[:0], label[1])
            collect(labels, downs[last], left, right, mean, top, bottom)
        for r in range(top, bottom):
            row, bias = mean[r, left:right], biases[1][left:right]
            for j in range(len(row)):
                row[j] = bias[j] + row[j]
            squash(row)


@kernel
def steps(n_layers, n_steps):
    """Order in which Gibbs steps draw the layers, and the number of draws before odd
    layers are drawn for the last time."""
    order, n_even = np.empty(n_layers * n_steps, np.int64), (n_layers + 1) // 2
    for k in range(len(order)):
        turn = k % n_layers
        order[k] = 2 * turn if turn < n_even else 2 * (turn - n_even) + 1
    return order, len(order) - n_layers // 2
