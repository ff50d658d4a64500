"""Alignment of arrays, and reuse of freed memory.

Arrays begin at a cache line boundary. Otherwise each 128-byte line that the kernels
read would span one more cache line than needed and take half as long again to read.
"""

import ctypes
import os
import platform
from functools import cache

import numpy as np

# In bytes: two cache lines, which are often fetched together.
ALIGNMENT = 128
# Options of mallopt. The GNU C library itself sets these values, once it sees a block
# as large as this freed.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _LARGE = -1, -3, 31 * 2**20


def zeros(shape, dtype):
    """Allocate an aligned array of zeros.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype

    Returns
    -------
    array : ndarray
    """
    dtype, n = np.dtype(dtype), int(np.prod(shape))
    room = np.zeros(n * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    return room[start : start + n * dtype.itemsize].view(dtype).reshape(shape)


def copy(array):
    """Copy an array into aligned memory."""
    out = zeros(array.shape, array.dtype)
    out[...] = array
    return out


@cache
def hold():
    """Keep freed memory in the process from now on.

    Each update needs as much memory as the last. The GNU C library returns free memory
    beyond a threshold to the system, and getting it back, page by page, may take longer
    than the rest of an update. Other C libraries are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        own = ctypes.CDLL(None)
        own.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        own.mallopt(_M_TRIM_THRESHOLD, 2 * _LARGE)


def physical():
    """Physical memory in bytes, or None where it is unknown."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
