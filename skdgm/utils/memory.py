"""Where arrays begin, and what becomes of them.

They begin where a line of the processor's caches does: elsewhere each of the kernels'
lines would lie in one more line of the caches than it needs, and take half as long
again to read.
"""

import ctypes
import os
import platform
from functools import cache

import numpy as np

# Bytes: two of the caches' lines, which are often fetched together.
ALIGNMENT = 128
# Of the GNU C library, which sets them so itself where it finds so large a block freed.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _LARGE = -1, -3, 31 * 2**20


def zeros(shape, dtype):
    """An array of zeros."""
    dtype, n = np.dtype(dtype), int(np.prod(shape))
    room = np.zeros(n * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    return room[start : start + n * dtype.itemsize].view(dtype).reshape(shape)


def copy(array):
    """An array with the same entries."""
    out = zeros(array.shape, array.dtype)
    out[...] = array
    return out


@cache
def hold():
    """Keep what is freed from now on: learning needs as much again in its next update.

    The GNU C library gives free memory back to the system, page by page, where there is
    more of it than a threshold. To get it again may take longer than all else.
    """
    if platform.libc_ver()[0] == "glibc":
        own = ctypes.CDLL(None)
        own.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        own.mallopt(_M_TRIM_THRESHOLD, 2 * _LARGE)


def physical():
    """Bytes of memory that the machine has, or None where it does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
