"""Arguments of updates of a chain of binary layers: rows, parameters, options,
workspace.

Tuples have an entry for each layer, or for each coupling of two adjacent layers; see
:mod:`skdgm._kernels.machines.bernoulli_epoch`.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.sparse.lists import JoinedLists


class ListedRows(NamedTuple):
    """Training rows as ``lists``. ``order`` has the rows of all batches, and batch t
    begins at ``order[edges[t]]``."""

    lists: JoinedLists
    order: np.ndarray
    edges: np.ndarray


class Momentum(NamedTuple):
    """Velocities of weights and biases. Velocities of weights are tiles, empty without
    momentum; those of a label below are transposed."""

    weights: tuple
    biases: tuple


class EpochPlan(NamedTuple):
    """Learning rates of updates, key of the epoch's random stream, number of the
    ``first`` update in this stream, and numbers of the layers' blocks in it."""

    rates: np.ndarray
    key: np.uint64
    first: int
    numbered: np.ndarray


class EpochOptions(NamedTuple):
    """Options of learning: number of Gibbs steps; maximum number of sweeps and
    tolerance of mean field; momentum and penalties; and weight ``pace`` of a batch's
    means in the offsets. Bits are drawn from grey rows with ``resample``. Chains
    continue if ``persistent``, and start at the rows otherwise."""

    n_steps: int
    sweeps: int
    tol: float
    momentum: float
    l1: float
    l2: float
    pace: float
    resample: bool
    persistent: bool
    centering: int


class Workspace(NamedTuple):
    """Workspace; tuples have an entry for each layer.

    ``index``, ``value`` and ``count`` are a batch as lists. ``means`` are those of the
    data, ``fields`` those of the chains or inputs of layers, (n_rows, n_units).
    ``no_values`` are empty values of lists, (0, n_units). ``bounds`` and
    ``bounds_model`` are the entries of each thread, (n_threads + 1, n_rows).
    ``columns`` has rows by column: first, end, rows and values as of
    :class:`~skdgm._kernels.sparse.lists.ColumnEntries`, and dense columns. ``thin`` and
    ``thin_above``, (2, n_units), are rows that centering adds, for couplings to the
    layers above and below. ``total`` is float64; ``grads``, ``data`` and ``model`` are
    (n_units,).
    """

    index: np.ndarray
    value: np.ndarray
    count: np.ndarray
    means: tuple
    fields: tuple
    no_values: tuple
    bounds: tuple
    bounds_model: tuple
    columns: tuple
    thin: tuple
    thin_above: tuple
    total: tuple
    grads: tuple
    data: tuple
    model: tuple


class CenteringWorkspace(NamedTuple):
    """Workspace of centering, and of bits drawn from grey rows. ``offsets`` are those
    of layers, ``received`` and ``sent`` products of each row with offsets, and
    ``lost``, (n_units,), corrections of the gradients of biases. The last three fields
    are grey rows and the lists of their bits."""

    offsets: tuple
    received: tuple
    sent: tuple
    lost: tuple
    grey: np.ndarray
    index: np.ndarray
    count: np.ndarray
