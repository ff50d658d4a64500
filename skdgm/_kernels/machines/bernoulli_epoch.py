"""Updates of an epoch, of a chain of binary layers.

What an update needs stays in one call: means given the data, steps of the chains, their
means, and the update of weights and biases. Numbers are drawn by the same kernels, from
the same random streams, as where each of these is a call of its own; so both ways learn
the same parameters.

Tuples have an entry for each layer, or for each coupling between two; layers of odd
numbers are represented by means, given all others. Above the hidden layers there may be
a label, which in a machine of one hidden layer may count as beside the visible units.
"""

import numpy as np

from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.bernoulli import draw, fold
from skdgm._kernels.machines.centered import corrections
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
from skdgm._kernels.machines.sweep import columns, sweep
from skdgm._kernels.machines.update import limit, refresh, update
from skdgm._kernels.sparse.lists import pack, unpack


@kernel
def pass_over(
    rows, labels, edges, weights, velocities, units, chains, offsets, room, rates, key,
    first, numbered, n_steps, sweeps, tol, numbers, max_norm, pace, resample,
    persistent, centering,
):  # fmt: skip
    """Learn from batches of rows, in place.

    Parameters
    ----------
    rows : tuple
        Index, value and count of lists, those of the batches one after the other.
    labels : tuple
        Index and count of lists of labels, the last layer's; or of no rows.
    edges : ndarray of shape (n_batches + 1,)
        First row of each batch.
    weights : pair of tuple
        Tiles of the weights, and of their transposes.
    velocities : tuple
        Tiles; of no rows without momentum. Those of the weights of labels that count as
        beside the visible units are transposed.
    units : pair of tuple
        Biases, and their velocities.
    chains : pair of tuple
        Index and count of the chains' lists.
    offsets : tuple
    room : tuple
        See ``_room`` of :mod:`skdgm.boltzmann._fused_epochs.updates`.
    rates : ndarray of shape (n_batches,)
        Learning rate of each update.
    key : uint64
        Stream of the epoch's updates, of which these begin with number ``first``.
    numbered : ndarray of int
        Numbers of the layers' blocks, which name their streams.
    n_steps, sweeps : int
        Steps of the chains, and most sweeps of mean field.
    tol : float
        Of mean field.
    numbers : tuple of real
        Momentum, and penalties l1 and l2.
    max_norm : float
        Largest norm of a unit's weights to the layer below.
    pace : real
        Weight of a batch's means in the running means.
    resample, persistent : bool
        Whether bits are drawn from rows; whether chains go on, or start at the rows.
    centering : int
    """
    (ups, downs), (biases, speeds), (indices, counts) = weights, units, chains
    (index, value, count), (y_index, y_count) = rows, labels
    momentum, l1, l2 = numbers
    labelled, last = len(y_index) > 0, len(biases) - 1
    beside = labelled and numbered[last] < last
    means, fields, known, no_values, bits, listed, thin, grads, data, model, lost = room
    real, n_layers = ups[0].dtype.type, len(biases)
    ids, total = integers(0, len(known)).view(np.uint64), np.empty(longest(biases))
    n_sweeps, moves = np.empty(len(known), np.int64), np.empty(len(known), np.bool_)
    ones, betas = np.empty(max(len(known), longest(biases))), np.empty(len(known), real)
    ones[:], betas[:] = 1, 1
    order, n_drawn = steps(n_layers, n_steps)
    roots = np.empty(len(order), np.uint64)
    # A label in an odd layer has its mean from where it is drawn.
    end = last if labelled and last % 2 else n_layers
    n_means = len(order) - (n_layers - end)
    for turn in range(len(rates)):
        start, stop = edges[turn], edges[turn + 1]
        n, root = stop - start, fold(key, np.uint64(first + turn))
        x, x_value, x_count = index[start:stop], value[start:stop], count[start:stop]
        if resample:
            unpack(x, x_value, x_count, means[0], 0, n)
            x, x_value, x_count = bits[0][:n], no_values[0], bits[1][:n]
            draw(means[0][:n], root, ids, x, x_count, 0, n)
        settle(
            ups, downs, biases, x, x_value, x_count, y_index[start:stop],
            y_count[start:stop], False, means, fields, known, sweeps, tol, n_sweeps,
            moves, 0, n,
        )  # fmt: skip
        if labelled and not beside:
            given = y_index[start:stop], no_values[last], y_count[start:stop]
            unpack(*given, means[last], 0, n)
        m = len(indices[0]) if persistent else n
        if not persistent:
            own = fold(fold(fold(root, DATA), np.uint64(0)), np.uint64(numbered[1]))
            draw(means[1][:n], own, ids, indices[1], counts[1], 0, n)
        own = fold(root, MODEL)
        for k in range(len(order)):
            step = fold(own, np.uint64(k // n_layers))
            roots[k] = fold(step, np.uint64(numbered[order[k]]))
        sweep(
            ups, downs, biases, biases, betas, indices, no_values, counts, fields, ids,
            roots, order[:n_drawn], labelled, 0, m,
        )  # fmt: skip
        for layer in range(1, end, 2):
            columns(
                layer, ups, downs, biases, biases, betas, indices, no_values, counts,
                fields[layer][:m], 0, len(ups[layer - 1]),
            )  # fmt: skip
        for k in range(n_drawn, n_means):
            layer = order[k]
            own_means = fields[layer][:m]
            draw(own_means, roots[k], ids, indices[layer], counts[layer], 0, m)
        sweep(
            ups, downs, biases, biases, betas, indices, no_values, counts, fields, ids,
            roots[n_means:], order[n_means:], labelled, 0, m,
        )  # fmt: skip
        for layer in range(n_layers):
            if layer % 2:
                mean_of_rows(fields[layer][:m], model[layer])
            else:
                v, v_count = indices[layer][:m], counts[layer][:m]
                mean_of_lists(v, no_values[0], v_count, ones, total, model[layer])
                if layer:
                    unpack(v, no_values[layer], v_count, fields[layer], 0, m)
            if layer == 0:
                mean_of_lists(x, x_value, x_count, ones, total, data[0])
            elif labelled and layer == last:
                v, v_count = y_index[start:stop], y_count[start:stop]
                mean_of_lists(v, no_values[layer], v_count, ones, total, data[layer])
            else:
                mean_of_rows(means[layer][:n], data[layer])
            subtract(data[layer], model[layer], grads[layer])
            move(offsets[layer], data[layer], model[layer], pace, centering)
            lost[layer][:] = 0
        rate = real(rates[turn])
        for link in range(n_layers - 1):
            low, high, up, down = link, link + 1, ups[link], downs[link]
            if beside and link == 1:
                low, high, up, down = 2, 1, down, up
            v, v_value, v_count = indices[low][:m], no_values[low], counts[low][:m]
            if beside and link:
                x, x_count = y_index[start:stop], y_count[start:stop]
                x_value = no_values[low]
            elif low:
                x, x_value, x_count = listed[0][low], listed[1][low], listed[2]
                pack(means[low], ids, x, x_value, x_count, 0, n)
                x, x_value, x_count = x[:n], x_value[:n], x_count[:n]
            if low % 2:
                v, v_value, v_count = listed[3][low], listed[4][low], listed[5]
                pack(fields[low], ids, v, v_value, v_count, 0, m)
                v, v_value, v_count = v[:m], v_value[:m], v_count[:m]
            y, y_model = means[high][:n], fields[high][:m]
            if centering != NO_OFFSETS:
                corrections(
                    x, x_value, x_count, y, v, v_value, v_count, y_model, grads[low],
                    grads[high], offsets[low], offsets[high], offsets[low], thin[low],
                    thin[high], data[low], data[high],
                )  # fmt: skip
                add(lost[low], data[low])
                add(lost[high], data[high])
            update(
                x, x_value, x_count, v, v_value, v_count, y, y_model, thin[low],
                thin[high], up, down, velocities[link], rate, momentum, l1, l2, 0,
                len(up),
            )  # fmt: skip
            if max_norm < np.inf and limit(up, ones, max_norm):
                refresh(up, down, 0, len(up))
        for layer in range(n_layers):
            if centering != NO_OFFSETS:
                subtract(grads[layer], lost[layer], grads[layer])
            ascend(biases[layer], speeds[layer], grads[layer], rate, momentum)


@kernel
def steps(n_layers, n_steps):
    """The layers in the order in which Gibbs steps draw them, and how many they do
    before those of odd numbers for the last time."""
    order, n_even = np.empty(n_layers * n_steps, np.int64), (n_layers + 1) // 2
    for k in range(len(order)):
        turn = k % n_layers
        order[k] = 2 * turn if turn < n_even else 2 * (turn - n_even) + 1
    return order, len(order) - n_layers // 2
