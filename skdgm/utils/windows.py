"""Filters at positions of images: their geometry, and work on patches beneath them.

Patches of a few images at a time are copied to a matrix. Images are divided into the
same groups on any number of threads, so that sums over them are the same.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np

from skdgm.utils.counts import is_a
from skdgm.utils.threading.parallel import run

# Most groups of images, which threads share; multiply-adds that are worth a group;
# numbers in the patches of images at a time.
_GROUPS, _WORTHWHILE, _ROOM = 8, 1_000_000, 2**19


class Window(NamedTuple):
    """Geometry of a convolution, in the order in which ``_kernels.nets.patches`` reads
    it: the shape of the images beneath; rows and columns of the filter; steps from a
    position to the next; zeros above and to the left of the images beneath; and
    positions of the filter, the height and width of the images above."""

    height: int
    width: int
    maps: int
    rows: int
    columns: int
    down: int
    right: int
    top: int
    left: int
    high: int
    wide: int

    @property
    def n_positions(self):
        """Number of pixels above."""
        return self.high * self.wide

    @property
    def n_numbers(self):
        """Numbers in a patch: rows of the weights."""
        return self.rows * self.columns * self.maps

    @property
    def below(self):
        """Shape of the images beneath."""
        return self.height, self.width, self.maps


def window(shape, filter=5, stride=2, padding="same"):
    """Geometry of a convolution of images of a shape, height, width and maps, by a
    filter and strides, each an int or a pair. With "same" padding there are zeros
    around the images, so that there are as many positions as steps in the images; with
    "valid" none, so that the filter stays within.

    ValueError if a filter or stride is no positive integer, the padding is unknown, or
    without it the filter is larger than the images.
    """
    filter, stride = _pair("filter", filter), _pair("stride", stride)
    if padding not in ("same", "valid"):
        raise ValueError(f"padding must be 'same' or 'valid'; got {padding!r}.")
    before, positions = [], []
    for size, length, step in zip(shape, filter, stride):
        if padding == "valid":
            if length > size:
                raise ValueError(
                    f"A filter of shape {filter} is larger than images of shape "
                    f"{tuple(shape[:2])}: use a smaller one, or "
                    "filters__padding='same'."
                )
            before.append(0)
            positions.append((size - length) // step + 1)
        else:
            positions.append(-(-size // step))
            missing = (positions[-1] - 1) * step + length - size
            before.append(max(0, missing) // 2)
    return Window(*shape, *filter, *stride, *before, *positions)


def _pair(name, value):
    pair = tuple(value) if np.iterable(value) else (value, value)
    if len(pair) != 2 or not all(is_a(Integral, n) and n >= 1 for n in pair):
        raise ValueError(
            f"{name} must be a positive integer, or two, for rows and columns; "
            f"got {value!r}."
        )
    return tuple(map(int, pair))


def beneath(shape, n_maps, filter=5, stride=2, padding="same", size=None):
    """Geometry of a transposed convolution of images above of a shape, to images
    beneath of ``n_maps`` and perhaps a ``size``, height and width; the rest, and
    errors, are as of :func:`window`. ValueError, too, if images of that size have other
    numbers of positions."""
    rows, columns = _pair("filter", filter)
    down, right = _pair("stride", stride)
    high, wide, _ = shape
    if size is None and padding == "valid":
        size = (high - 1) * down + rows, (wide - 1) * right + columns
    elif size is None:
        size = high * down, wide * right
    own = window((*size, n_maps), filter, stride, padding)
    if (own.high, own.wide) != (high, wide):
        raise ValueError(
            f"A convolution with stride {down, right} takes images of size "
            f"{tuple(size)} to {own.high, own.wide}, not {high, wide}: choose another "
            "size."
        )
    return own


def by_images(function, x, W, b, window, *rest):
    """Call ``function(x, W, b, window, *rest, rows, patches, place)`` with parts of
    each group of images, rows of x, on all threads: the slice of the images, room for
    their patches, of shape (n_images * n_positions, len(W)), and the number of the
    group and whether the part is its first."""
    n, work = n_groups(x, W, window), _work(x, W, window)
    run(_each, function, n, (x, W, b, tuple(window), *rest), n=n, work=work)


def n_groups(x, W, window):
    """Number of groups of images, whatever the number of threads."""
    return min(_GROUPS, len(x), 1 + _work(x, W, window) // _WORTHWHILE)


def add(A, B, sums, place):
    """Add a product to the sum of a group, or begin with it."""
    group, fresh = place
    if fresh:
        np.matmul(A, B, out=sums[group])
    else:
        sums[group] += A @ B


def _work(x, W, window):
    return len(x) * window.n_positions * W.size


def _each(function, n_groups, arguments, start, stop):
    """Call a function with slices of the images of some groups."""
    x, W, _, window, *_ = arguments
    n_positions = window[-2] * window[-1]
    most = max(1, _ROOM // (n_positions * len(W)))
    with np.errstate(all="ignore"):  # Other threads do not inherit it.
        for group in range(start, stop):
            first, beyond = (len(x) * g // n_groups for g in (group, group + 1))
            room = np.empty((min(most, beyond - first) * n_positions, len(W)), W.dtype)
            for begin in range(first, beyond, most):
                end = min(begin + most, beyond)
                patches = room[: (end - begin) * n_positions]
                place = group, begin == first
                function(*arguments, slice(begin, end), patches, place)
