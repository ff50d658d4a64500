"""Arguments of kernels of machines."""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.sparse.lists import ColumnEntries, RowLists


class TiledChain(NamedTuple):
    """Tiles of the weights of a chain of layers and of their transposes, and biases."""

    ups: tuple
    downs: tuple
    biases: tuple


class ListedLayers(NamedTuple):
    """Lists of each layer's rows; layers with empty lists are ignored."""

    indices: tuple
    values: tuple
    counts: tuple


class TemperingPath(NamedTuple):
    """Biases of the base model of an annealing path, and inverse temperatures."""

    bases: tuple
    betas: np.ndarray


class ListedPhase(NamedTuple):
    """Rows of the blocks below and above a coupling, in the data or in the model. Rows
    below are ``lists``; rows above are y, (n_rows, n_above)."""

    lists: RowLists
    y: np.ndarray


class Ends(NamedTuple):
    """Arrays of the block below and of the block above a coupling."""

    below: np.ndarray
    above: np.ndarray


class ColumnLists(NamedTuple):
    """Rows of both phases by column. ``factors``, (n_units, n), are dense columns of
    the last n rows, of which ``top`` is the first; other rows are ``entries``."""

    entries: ColumnEntries
    factors: np.ndarray
    top: int


class Tiles(NamedTuple):
    """Tiles of weights, of their transpose (empty if it is not needed), and of
    velocities (empty without momentum)."""

    up: np.ndarray
    down: np.ndarray
    velocity: np.ndarray
