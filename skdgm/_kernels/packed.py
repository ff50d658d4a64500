"""A whole table's lists, one after the other."""

from skdgm._kernels.jit import kernel


@kernel
def join(index, value, count, first, units, values, start, stop):
    """Put lists one after the other, row r's from ``first[r]`` on."""
    for r in range(start, stop):
        for k in range(count[r]):
            units[first[r] + k] = index[r, k]
            if len(value):
                values[first[r] + k] = value[r, k]


@kernel
def pick(first, units, values, rows, index, value, count, start, stop):
    """Some of the lists that :func:`join` joined."""
    for r in range(start, stop):
        place = first[rows[r]]
        count[r] = first[rows[r] + 1] - place
        for k in range(count[r]):
            index[r, k] = units[place + k]
            if len(value):
                value[r, k] = values[place + k]
