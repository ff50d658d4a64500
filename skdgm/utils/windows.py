"""Geometry of convolutions, and work on patches of images.

Patches of a few images at a time are copied to a matrix. The division of images into
groups does not depend on the number of threads, so that sums over images do not either.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np

from skdgm.utils.counts import is_a
from skdgm.utils.threading.parallel import run

# Maximum number of groups of images; minimum multiply-adds of a group; maximum number
# of entries of patches in memory.
_MAX_GROUPS, _MIN_GROUP_WORK, _MAX_ENTRIES = 8, 1_000_000, 2**19


class Window(NamedTuple):
    """Geometry of a convolution, in the order of ``_kernels.nets.patches``.

    The first fields are the shape of the input images (height, width, maps) and the
    rows and columns of the filter. ``down`` and ``right`` are strides, and ``top`` and
    ``left`` numbers of zeros that precede the input. ``high`` and ``wide`` are the
    height and width of the output images, whose pixels are positions of the filter.
    """

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
        """Number of pixels of an output image."""
        return self.high * self.wide

    @property
    def n_numbers(self):
        """Number of entries of a patch, which is the number of rows of the weights."""
        return self.rows * self.columns * self.maps

    @property
    def below(self):
        """Shape of the input images."""
        return self.height, self.width, self.maps


def window(shape, filter=5, stride=2, padding="same"):
    """Geometry of a convolution of images with shape (height, width, maps).

    ``filter`` and ``stride`` are an int or a pair. With "same" padding, zeros surround
    the images such that outputs have the size of the images divided by strides. With
    "valid" padding, filters stay within the images. ValueError if a filter or stride is
    not a positive integer, if the padding is unknown, or if a filter exceeds the images
    with "valid" padding.
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
            n_zeros = (positions[-1] - 1) * step + length - size
            before.append(max(0, n_zeros) // 2)
    return Window._make((*shape, *filter, *stride, *before, *positions))


def _pair(name, value):
    pair = tuple(value) if np.iterable(value) else (value, value)
    if len(pair) != 2 or not all(is_a(Integral, n) and n >= 1 for n in pair):
        raise ValueError(
            f"{name} must be a positive integer, or two, for rows and columns; "
            f"got {value!r}."
        )
    return tuple(map(int, pair))


def beneath(shape, n_maps, filter=5, stride=2, padding="same", size=None):
    """Geometry of a transposed convolution from images with shape ``shape`` to images
    with ``n_maps`` maps and optionally a given ``size``, height and width.

    Other arguments and errors are those of :func:`window`. ValueError if a convolution
    of images of the given size does not have ``shape`` as its output.
    """
    rows, columns = _pair("filter", filter)
    down, right = _pair("stride", stride)
    high, wide, _ = shape
    if size is None and padding == "valid":
        size = (high - 1) * down + rows, (wide - 1) * right + columns
    elif size is None:
        size = high * down, wide * right
    out = window((*size, n_maps), filter, stride, padding)
    if (out.high, out.wide) != (high, wide):
        raise ValueError(
            f"A convolution with stride {down, right} takes images of size "
            f"{tuple(size)} to {out.high, out.wide}, not {high, wide}: choose another "
            "size."
        )
    return out


def by_images(function, x, W, window):
    """Call ``function(rows, patches, place)`` on chunks of each group of images, on all
    threads. ``rows`` is the slice of the images in x, and ``patches`` a buffer for
    their patches, (n_images * n_positions, len(W)). ``place`` is the number of the
    group and whether the chunk is its first."""
    n, work = n_groups(x, W, window), _work(x, W, window)
    run(_each, function, n, x, W, window, n=n, work=work)


def n_groups(x, W, window):
    """Number of groups of images, which does not depend on the number of threads."""
    return min(_MAX_GROUPS, len(x), 1 + _work(x, W, window) // _MIN_GROUP_WORK)


def add(A, B, sums, place):
    """Add a matrix product to the sum of a group, or initialize the sum with it."""
    group, fresh = place
    if fresh:
        np.matmul(A, B, out=sums[group])
    else:
        sums[group] += A @ B


def _work(x, W, window):
    return len(x) * window.n_positions * W.size


def _each(function, n_groups, x, W, window, start, stop):
    """Call a function on chunks of images of the groups from ``start`` to ``stop``."""
    n_positions = window.n_positions
    chunk = max(1, _MAX_ENTRIES // (n_positions * len(W)))
    with np.errstate(all="ignore"):  # Other threads do not inherit it.
        for group in range(start, stop):
            first, last = (len(x) * g // n_groups for g in (group, group + 1))
            buffer = np.empty((min(chunk, last - first) * n_positions, len(W)), W.dtype)
            for begin in range(first, last, chunk):
                end = min(begin + chunk, last)
                patches = buffer[: (end - begin) * n_positions]
                place = group, begin == first
                function(slice(begin, end), patches, place)
