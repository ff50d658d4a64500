r"""One pass over a matrix of weights that learns from two sets of rows.

.. math:: g = G + \frac1n \sum_r x_r y_r^\top - \frac1{n'} \sum_r x'_r y_r'^\top -
   \lambda_1 \operatorname{sign} W - \lambda_2 W, \qquad
   u \leftarrow \mu u + \epsilon g, \qquad W \leftarrow W + u

The x are lists and the y dense; G is what is known of the gradient already. Each row
of W collects the y of those r whose x it is in, and is written to :math:`W^\top` and
into the sums of pairs of rows while it is near.
"""

import numpy as np

from skdgm._kernels.forms import add_pairs, transpose
from skdgm._kernels.jit import kernel
from skdgm._kernels.lists import add_rows

# Rows of W that are learned together, and columns in a block that a thread has.
TILE, BLOCK = 16, 64


@kernel
def turn(
    index, value, count, share, place, low, high, paired, rows, parts, n, first
):  # fmt: skip
    """For each unit from low to high the rows whose lists it is in, counted from
    ``first``, and its value in them times ``share``; for pairs of neighbours, which
    come after the single units, those that have both. ``place`` moves on to the units
    from high."""
    for r in range(len(index)):
        k = place[r]
        while k < count[r] and index[r, k] < high:
            unit = np.int64(index[r, k]) - low
            part = share * value[r if len(value) > 1 else 0, k]
            k += 1
            even = paired and unit % 2 == 0 and k < count[r]
            if even and index[r, k] == low + unit + 1:
                unit = TILE + unit // 2
                k += 1
            rows[unit, n[unit]] = first + r
            parts[unit, n[unit]] = part
            n[unit] += 1
        place[r] = k


@kernel
def begin(target, w, g, known, rate, momentum, l1, l2):
    """What of a row's update does not come from lists. Without momentum the row itself
    is the target, else its velocity."""
    real = w.dtype.type
    if momentum != 0:
        for j in range(len(w)):
            target[j] *= momentum
    if l1 != 0 or l2 != 0:
        for j in range(len(w)):
            sign = real(w[j] > 0) - real(w[j] < 0)
            target[j] -= rate * (l1 * sign + l2 * w[j])
    if known:
        for j in range(len(w)):
            target[j] += rate * g[j]


@kernel
def update(
    index, value, count, index_2, value_2, count_2, y,
    G, W, Wt, velocity, rate, momentum, l1, l2, start, stop,
):  # fmt: skip
    """Learn blocks of 64 columns of W.

    y has the rows that go with the first lists, then those with the second. G may have
    no rows: then it is zero. So may the velocity if there is no momentum. W has a row
    for each column of Wt, and may have one more for each pair of columns (0 and 1, 2
    and 3, ...): their sum.
    """
    n_units, real = Wt.shape[1], W.dtype.type
    left, right = start * BLOCK, min(stop * BLOCK, W.shape[1])
    paired = len(W) > n_units and len(value) == 1 and len(value_2) == 1
    share, share_2 = rate / real(max(1, len(index))), -rate / real(max(1, len(index_2)))
    rows = np.empty((TILE + TILE // 2, len(index) + len(index_2)), np.uint32)
    parts, n = np.empty(rows.shape, W.dtype), np.empty(len(rows), np.int64)
    place, place_2 = np.zeros(len(index), np.int64), np.zeros(len(index_2), np.int64)
    both = np.empty(right - left, W.dtype)
    for low in range(0, n_units, TILE):
        high = min(low + TILE, n_units)
        for unit in range(len(n)):
            n[unit] = 0
        turn(index, value, count, share, place, low, high, paired, rows, parts, n, 0)
        turn(
            index_2, value_2, count_2, share_2, place_2, low, high, paired,
            rows, parts, n, len(index),
        )  # fmt: skip
        for i in range(high - low):
            w = W[low + i, left:right]
            target = velocity[low + i, left:right] if momentum != 0 else w
            g = G[low + i, left:right] if len(G) else w
            begin(target, w, g, len(G) > 0, rate, momentum, l1, l2)
            add_rows(target, y, left, right, rows[i], parts[i], n[i])
        for i in range(TILE, TILE + (high - low) // 2):
            if n[i]:
                for j in range(len(both)):
                    both[j] = 0
                add_rows(both, y, left, right, rows[i], parts[i], n[i])
                learner = velocity if momentum != 0 else W
                a = learner[low + 2 * (i - TILE), left:right]
                b = learner[low + 2 * (i - TILE) + 1, left:right]
                for j in range(len(both)):
                    a[j] += both[j]
                    b[j] += both[j]
        if momentum != 0:
            for i in range(low, high):
                w, u = W[i, left:right], velocity[i, left:right]
                for j in range(len(w)):
                    w[j] += u[j]
        if len(W) > n_units:
            add_pairs(W, low, high, left, right, n_units)
        transpose(W, Wt, low, high, left, right)
