"""A whole table's lists, one after the other."""

from skdgm._kernels.jit import kernel


@kernel
def join(index, value, count, first, units, values, start, stop):
    """Put lists one after the other, row r's from ``first[r]`` on."""
    for r in range(start, stop):
        transfer(index[r], 0, units, first[r], count[r])
        if len(value):
            transfer(value[r], 0, values, first[r], count[r])


@kernel
def pick(first, units, values, rows, index, value, count, start, stop):
    """Some of the lists that :func:`join` joined."""
    for r in range(start, stop):
        place = first[rows[r]]
        count[r] = first[rows[r] + 1] - place
        transfer(units, place, index[r], 0, count[r])
        if len(value):
            transfer(values, place, value[r], 0, count[r])


@kernel
def transfer(source, place, target, to, n):
    """Copy n entries."""
    part, out = source[place : place + n], target[to : to + n]
    for k in range(len(out)):
        out[k] = part[k]


@kernel
def add_up(first, units, values, rows, share, total):
    """Add some of the lists, each times its share, to ``total``."""
    for i in range(len(rows)):
        for k in range(first[rows[i]], first[rows[i] + 1]):
            total[units[k]] += share[i] * (values[k] if len(values) else 1)
