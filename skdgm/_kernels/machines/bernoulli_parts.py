"""What updates of a chain of binary layers take: rows, parameters, options, and room.

Tuples have an entry for each layer, or for each coupling between two; see
:mod:`skdgm._kernels.machines.bernoulli_epoch`.
"""

from typing import NamedTuple

import numpy as np


class ListedRows(NamedTuple):
    """Rows that are learned from, as lists.

    Parameters
    ----------
    first, end : ndarray of int
        Where each row of the table has its entries.
    units, values : ndarray
        Their columns and values; no values where all are 1.
    order : ndarray of int
        Rows of the batches, one batch after the other.
    edges : ndarray of shape (n_batches + 1,)
        First row of each batch in ``order``.
    """

    first: np.ndarray
    end: np.ndarray
    units: np.ndarray
    values: np.ndarray
    order: np.ndarray
    edges: np.ndarray


class TiledChain(NamedTuple):
    """Tiles of the weights and of their transposes, and biases."""

    ups: tuple
    downs: tuple
    biases: tuple


class Momentum(NamedTuple):
    """Velocities of the weights, in tiles, of no rows without momentum (those of the
    weights of labels beside the visible units are transposed); and of the biases."""

    weights: tuple
    biases: tuple


class EpochPlan(NamedTuple):
    """Learning rate of each update; the stream of the epoch's updates, of which these
    begin with number ``first``; numbers of the layers' blocks, which name streams."""

    rates: np.ndarray
    key: np.uint64
    first: int
    numbered: np.ndarray


class EpochOptions(NamedTuple):
    """How to learn.

    Parameters
    ----------
    n_steps, sweeps : int
        Steps of the chains, and most sweeps of mean field.
    tol : float
        Of mean field.
    momentum, l1, l2 : real
    pace : real
        Weight of a batch's means in the running means.
    resample, persistent : bool
        Whether bits are drawn from rows; whether chains go on, or start at the rows.
    centering : int
    """

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


class Room(NamedTuple):
    """Arrays to work in; a tuple has one for each layer.

    Parameters
    ----------
    index, value, count : ndarray
        A batch as lists.
    means, fields : tuple of ndarray of shape (n_rows, n_units)
        Means of a batch's rows; and of the chains', or what layers receive.
    no_values : tuple of ndarray of shape (0, n_units)
    bounds, bounds_model : tuple of ndarray of shape (n_threads + 1, n_rows)
        Entries of lists that belong to each thread.
    columns : tuple
        Tuples of first, end, rows and values: rows by column, as
        :func:`~skdgm._kernels.sparse.lists.sort` has them; and of arrays, with all rows
        by column.
    thin, thin_above : tuple of ndarray of shape (2, n_units)
        Of couplings to the layer above, and to that below: rows by which centring
        changes the gradient.
    total : tuple of ndarray of float64
    grads, data, model : tuple of ndarray of shape (n_units,)
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


class CenteringRoom(NamedTuple):
    """What centring, and bits drawn from grey rows, need.

    Parameters
    ----------
    offsets : tuple of ndarray
    received, sent : tuple of ndarray
        Of each row, for centring.
    lost : tuple of ndarray of shape (n_units,)
        What centring takes from the gradients.
    grey, index, count : ndarray
        Rows, and lists of the bits that are drawn.
    """

    offsets: tuple
    received: tuple
    sent: tuple
    lost: tuple
    grey: np.ndarray
    index: np.ndarray
    count: np.ndarray
