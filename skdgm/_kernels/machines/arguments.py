"""Arguments of kernels of updates."""

from typing import NamedTuple

import numpy as np


class ListedPhase(NamedTuple):
    """Rows of the blocks below and above a coupling, in the data or in the model. Rows
    below are lists ``index``, ``value`` (empty if all are 1) and ``count``, (n_rows,),
    or bounds of the entries of each thread, (n_threads + 1, n_rows). Rows above are
    ``y``, (n_rows, n_above)."""

    index: np.ndarray
    value: np.ndarray
    count: np.ndarray
    y: np.ndarray


class Ends(NamedTuple):
    """Arrays of the block below and of the block above a coupling."""

    below: np.ndarray
    above: np.ndarray


class ColumnLists(NamedTuple):
    """Rows of both phases by column. ``first``, ``end``, ``rows`` and ``values`` are
    the lists of columns (:func:`~skdgm._kernels.sparse.lists.by_column`). ``factors``,
    (n_units, n), are dense columns of the last n rows, of which ``top`` is the
    first."""

    first: np.ndarray
    end: np.ndarray
    rows: np.ndarray
    values: np.ndarray
    factors: np.ndarray
    top: int


class Tiles(NamedTuple):
    """Tiles of weights, of their transpose (empty if it is not needed), and of
    velocities (empty without momentum)."""

    up: np.ndarray
    down: np.ndarray
    velocity: np.ndarray


class GradientStep(NamedTuple):
    """Learning rate, momentum and penalties, in the dtype of the weights."""

    rate: float
    momentum: float
    l1: float
    l2: float
