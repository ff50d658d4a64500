"""Where arrays begin, and what becomes of them.

They begin where a line of the processor's caches does: elsewhere each of the kernels'
lines would lie in one more line of the caches than it needs, and take half as long
again to read.
"""

import numpy as np

# Bytes: two of the caches' lines, which are often fetched together.
ALIGNMENT = 128
# Bytes: less than the 32 MiB up to which the GNU C library learns from what is freed.
_LARGE = 31 * 2**20


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


def hold():
    """Keep what is freed from now on: learning needs as much again in its next update.

    The GNU C library gives free memory back to the system, page by page, unless as
    large a block was freed before. To get it again may take longer than all else.
    """
    np.empty(_LARGE, np.uint8)
