"""Arguments that kernels of updates share."""

from typing import NamedTuple

import numpy as np


class ListedPhase(NamedTuple):
    """Statistics of both blocks of a coupling, in the data or in the model.

    Parameters
    ----------
    index, value : ndarray
        Rows of the block below, as lists; no values where all are 1.
    count : ndarray
        Numbers of their entries, (n_rows,); or bounds of those of each thread,
        (n_threads + 1, n_rows).
    y : ndarray of shape (n_rows, n_above)
        Rows of the block above.
    """

    index: np.ndarray
    value: np.ndarray
    count: np.ndarray
    y: np.ndarray


class Ends(NamedTuple):
    """Arrays of the block below and of the block above."""

    below: np.ndarray
    above: np.ndarray


class ColumnLists(NamedTuple):
    """Rows of both phases by column.

    Parameters
    ----------
    first, end, rows, values : ndarray
        Lists of each column; see :func:`~skdgm._kernels.sparse.lists.by_column`.
    factors : ndarray of shape (n_units, n)
        Factors of each of the n last rows, which are in arrays.
    top : int
        The first of these rows.
    """

    first: np.ndarray
    end: np.ndarray
    rows: np.ndarray
    values: np.ndarray
    factors: np.ndarray
    top: int


class Tiles(NamedTuple):
    """Tiles of weights, of their transpose, and of velocities; without momentum, and
    without need of the transpose, the latter may have none."""

    up: np.ndarray
    down: np.ndarray
    velocity: np.ndarray


class GradientStep(NamedTuple):
    """Learning rate, momentum and penalties, in the type of the weights."""

    rate: float
    momentum: float
    l1: float
    l2: float
