"""Sums over pixels for each map, and linear combinations of maps."""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.jit import kernel


class MapCombination(NamedTuple):
    """Mean and slope of x, factor of y, and shift, each (n_maps,)."""

    mean: np.ndarray
    slope: np.ndarray
    share: np.ndarray
    shift: np.ndarray


@kernel
def add_up(x, mean, y, shift, out, start, stop):
    """Write sums over groups of rows, of y - shift and of (y - shift) (x - mean), to
    ``out``. x and y have shape (n_rows, n_maps), and ``out`` (n_groups, 2, n_maps)."""
    n_rows, n_maps = x.shape[0], np.uint64(x.shape[1])
    for g in range(np.uint64(start), np.uint64(stop)):
        for m in range(n_maps):
            out[g, 0, m] = out[g, 1, m] = 0
        for r in range(n_rows * g // len(out), n_rows * (g + 1) // len(out)):
            row = np.uint64(r)
            for m in range(n_maps):
                term = y[row, m] - shift[m]
                out[g, 0, m] += term
                out[g, 1, m] += term * (x[row, m] - mean[m])


@kernel
def combine(x, y, combination, out, start, stop):
    """Write (x - mean) slope + y share + shift to ``out``, (n_rows, n_maps)."""
    mean, slope, share, shift = combination
    for row in range(np.uint64(start), np.uint64(stop)):
        for m in range(np.uint64(x.shape[1])):
            term = (x[row, m] - mean[m]) * slope[m] + shift[m]
            out[row, m] = term + y[row, m] * share[m]
