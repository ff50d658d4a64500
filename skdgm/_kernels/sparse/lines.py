r"""Sums of lines of a matrix, for products with lists.

A matrix is stored in *tiles*: strips of its columns that are 128 bytes wide, each
contiguous and row by row. A row of a tile is a *line*. The product of a row with a tile
is

.. math:: y \leftarrow y + \sum_{k < n} x_k T_{i_k}

where y, a line, stays in registers for all k, and the tile stays in the fastest caches:
plain loops over rows of a matrix take twice as long.
"""

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.core import cgutils

from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.compiler.vectors import (
    INT,
    SIZE,
    broadcast,
    generated,
    load,
    place,
    shuffle,
    store,
)

# Bytes of a line, and of a row of blocks that are transposed.
LINE, BLOCK = 128, 64
# Number of rows whose sums fit into the 32 or 16 registers.
ROWS = 8 if get_host_cpu_features().get("avx512f") else 2


@kernel
def zeros(n, like):
    """Vector of n zeros with the dtype of ``like``; ``np.zeros`` takes longer to
    compile."""
    row = np.empty(n, like.dtype)
    for i in range(n):
        row[i] = 0
    return row


@kernel
def aligned(n_rows, width, like):
    """Zeros of shape (n_rows, width), aligned to cache lines."""
    numbers = zeros(n_rows * width + LINE // like.itemsize, like)
    start = (-numbers.ctypes.data % LINE) // like.itemsize
    return numbers[start : start + n_rows * width].reshape(n_rows, width)


def _sum(context, out, row, left, tile, index, value, first, n):
    """LLVM code of :func:`add_lines`, with two sums for alternate lines, so that an
    addition does not wait for the previous one."""
    signature = types.void(out, SIZE, SIZE, tile, index, value, SIZE, SIZE)
    kinds = signature.args

    def generate(context, builder, signature, arguments):
        arrays = {
            i: context.make_array(kinds[i])(context, builder, arguments[i])
            for i in (0, 3, 4, 5)
        }
        row, left, first, n = (arguments[i] for i in (1, 2, 6, 7))
        lane = context.get_value_type(tile.dtype)
        line = ir.VectorType(lane, LINE * 8 // tile.dtype.bitwidth)
        target = place(context, builder, line, out, arrays[0], row, left)
        lines = builder.bitcast(arrays[3].data, line.as_pointer())
        units, values = (builder.gep(arrays[i].data, [first]) for i in (4, 5))
        odd, even = (cgutils.alloca_once(builder, line) for _ in range(2))
        builder.store(load(builder, target), odd)
        builder.store(ir.Constant(line, None), even)

        def add(k, total, weighted):
            unit = builder.zext(builder.load(builder.gep(units, [k])), INT)
            term = load(builder, builder.gep(lines, [unit]))
            if weighted:
                factor = builder.load(builder.gep(values, [k]))
                factor = broadcast(builder, factor, line)
                term = builder.fmul(term, factor, flags=("contract",))
            previous = builder.load(total)
            builder.store(builder.fadd(previous, term, flags=("contract",)), total)

        def add_all(weighted):
            end = builder.and_(n, INT(-2))
            steps = INT(0), end, INT(2), INT
            with cgutils.for_range_slice(builder, *steps) as (k, _):
                add(k, odd, weighted)
                add(builder.add(k, INT(1)), even, weighted)
            with builder.if_then(builder.icmp_signed("<", end, n)):
                add(end, odd, weighted)

        has_values = builder.icmp_signed("!=", arrays[5].nitems, INT(0))
        with builder.if_else(has_values) as (yes, no):
            with yes:
                add_all(weighted=True)
            with no:
                add_all(weighted=False)
        total = builder.fadd(builder.load(odd), builder.load(even))
        store(builder, total, target)
        return context.get_dummy_value()

    return signature, generate


def _multiply(context, out, to, row, left, x, of, first, along, lines, top, n_out, n):
    """LLVM code of :func:`add_products`: a few rows share the lines, with sums in
    registers."""
    signature = types.void(
        *(out, to, SIZE, SIZE, x, of, SIZE, SIZE, lines, SIZE, SIZE, SIZE)
    )
    kinds = signature.args

    def generate(context, builder, signature, arguments):
        arrays = {
            i: context.make_array(kinds[i])(context, builder, arguments[i])
            for i in (0, 1, 4, 5, 8)
        }
        row, left, first, along, top, n_out, n = (
            arguments[i] for i in (2, 3, 6, 7, 9, 10, 11)
        )
        lane = context.get_value_type(lines.dtype)
        line = ir.VectorType(lane, LINE * 8 // lines.dtype.bitwidth)
        source = builder.bitcast(arrays[8].data, line.as_pointer())
        source = builder.gep(source, [top])

        def number(i, k):
            return builder.load(builder.gep(arrays[i].data, [k]))

        def add(o, n_rows):
            rows = [builder.add(o, INT(i)) for i in range(n_rows)]
            targets, totals, starts = [], [], []
            for offset in rows:
                position = number(1, builder.add(row, offset)), left
                targets.append(place(context, builder, line, out, arrays[0], *position))
                totals.append(cgutils.alloca_once(builder, line))
                builder.store(load(builder, targets[-1]), totals[-1])
                start = number(5, builder.add(first, offset))
                starts.append(builder.gep(arrays[4].data, [start]))
            with cgutils.for_range(builder, n, intp=INT) as loop:
                term = load(builder, builder.gep(source, [loop.index]))
                step = builder.mul(loop.index, along)
                for start, total in zip(starts, totals):
                    factor = builder.gep(start, [step])
                    factor = broadcast(builder, builder.load(factor), line)
                    factor = builder.fmul(term, factor, flags=("contract",))
                    sum_ = builder.fadd(builder.load(total), factor, ("contract",))
                    builder.store(sum_, total)
            for target, total in zip(targets, totals):
                store(builder, builder.load(total), target)

        start, sizes = INT(0), [size for size in (ROWS, 2, 1) if size <= ROWS]
        for size in dict.fromkeys(sizes):
            end = builder.and_(n_out, INT(-size))
            steps = start, end, INT(size), INT
            with cgutils.for_range_slice(builder, *steps) as (o, _):
                add(o, size)
            start = end
        return context.get_dummy_value()

    return signature, generate


def _turn(context, block, row, left, out, row_out, left_out):
    """LLVM code of :func:`flip`: blocks of half the size are exchanged across the
    diagonal, then blocks within each of the four quadrants, and so on."""
    signature = types.void(block, SIZE, SIZE, out, SIZE, SIZE)

    def generate(context, builder, signature, arguments):
        n = BLOCK * 8 // block.dtype.bitwidth
        line = ir.VectorType(context.get_value_type(block.dtype), n)

        def places(kind, array, row, left):
            array = context.make_array(kind)(context, builder, array)
            for i in range(n):
                position = builder.add(row, INT(i)), left
                yield place(context, builder, line, kind, array, *position)

        rows = [load(builder, p) for p in places(block, *arguments[:3])]
        half = n // 2
        while half:
            lower = [j if not j & half else n + j - half for j in range(n)]
            upper = [j + half if not j & half else n + j for j in range(n)]
            turned = list(rows)
            for i in range(n):
                if not i & half:
                    pair = rows[i], rows[i + half]
                    turned[i] = shuffle(builder, *pair, lower)
                    turned[i + half] = shuffle(builder, *pair, upper)
            rows, half = turned, half // 2
        for vector, pointer in zip(rows, places(out, *arguments[3:])):
            store(builder, vector, pointer)
        return context.get_dummy_value()

    return signature, generate


@generated(_sum)
def add_lines(out, row, left, tile, index, value, first, n):
    """Add the sum of ``value[k] * tile[index[k]]`` over n values of k from ``first`` to
    the line of ``out`` at a row and column. Empty values are ones. Arguments are
    numbers because slices would cost more than a few lines."""
    selected = slice(first, first + n)
    lines = tile[index[selected]]
    total = value[selected] @ lines if len(value) else lines.sum(axis=0)
    out[row, left : left + tile.shape[1]] += total


@generated(_multiply)
def add_products(out, to, row, left, x, of, first, along, lines, top, n_out, n):
    """Add products with n lines, from line ``top``, to the lines of rows ``to[row]`` to
    ``to[row + n_out - 1]`` of ``out``, at column ``left``. The weight of line k in row
    ``to[row + o]`` is ``x[of[first + o] + k * along]``."""
    for o in range(n_out):
        start = of[first + o]
        factors = x[start : start + (n - 1) * along + 1]
        total = factors[::along] @ lines[top : top + n] if n else 0
        out[to[row + o], left : left + lines.shape[1]] += total


@generated(_turn)
def flip(block, row, left, out, row_out, left_out):
    """Write the transpose of a square of 64 bytes a side."""
    n = BLOCK // block.itemsize
    square = block[row : row + n, left : left + n]
    out[row_out : row_out + n, left_out : left_out + n] = square.T
