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
    """Geometry of a convolution; ``_kernels.nets.patches`` reads it in this order.

    Parameters
    ----------
    height, width, maps : int
        Shape of the images beneath.
    rows, columns : int
        Shape of the filter.
    down, right : int
        Steps from a position of the filter to the next.
    top, left : int
        Zeros above and to the left of the images beneath.
    high, wide : int
        Positions of the filter: height and width of the images above.
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
    """Geometry of a convolution of images.

    Parameters
    ----------
    shape : tuple of int
        Height, width and maps of the images beneath.
    filter, stride : int or pair of int
        Shape of the filter, and its steps down and to the right.
    padding : {"same", "valid"}
        "same": zeros around the images, so that there are as many positions as steps
        in the images. "valid": none, so that the filter stays within.

    Returns
    -------
    window : Window

    Raises
    ------
    ValueError
        A filter or stride is no positive integer, ``padding`` is unknown, or the filter
        is larger than images without padding.
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
                    f"{tuple(shape[:2])}: use a smaller one, or padding='same'."
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
    """Geometry of a transposed convolution.

    Parameters
    ----------
    shape : tuple of int
        Height, width and maps of the images above.
    n_maps : int
        Number of maps of the images beneath.
    filter, stride, padding
        As of :func:`window`.
    size : tuple of int, optional
        Height and width of the images beneath.

    Returns
    -------
    window : Window

    Raises
    ------
    ValueError
        As by :func:`window`; or there are as many positions in no image of ``size``.
    """
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
    """Call a function with parts of each group of images, on all threads.

    Parameters
    ----------
    function : callable
        ``function(x, W, b, window, *rest, rows, patches, place)`` with the slice of the
        images, room for their patches, of shape (n_images * n_positions, len(W)), and
        the number of the group and whether the part is its first.
    x : ndarray with a row for each image
    W : ndarray of shape (rows * columns * maps, n_maps_above)
    b : ndarray or None
    window : Window
    *rest : tuple
    """
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
