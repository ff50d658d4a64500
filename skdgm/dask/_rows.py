"""Rows of a shard for a stack, or for a net that is fine-tuned."""

from copy import copy

import numpy as np
from sklearn.utils.validation import validate_data

from skdgm.data.inputs import tabulate
from skdgm.training import labelled


def concatenated(parts):
    """Rows of several parts, as one array or DataFrame."""
    if len(parts) == 1:
        return parts[0]
    if hasattr(parts[0], "iloc"):
        import pandas as pd

        return pd.concat(parts)
    return np.concatenate(parts)


def begin_stack(network, parts, y, weight, classes, *, first, fresh):
    """Read a shard for a network without layers, after the previous shards.

    The arguments are those of :func:`~skdgm.dask._shard.begin`. Returns a copy of the
    network with the names of columns, the classes, and ``_dask``.
    """
    network, X = copy(network), concatenated(parts)
    if first:
        table = network._begin(X, y, weight, fresh, classes)
        kind, draws = table.rows.dtype, []
    else:
        kind, draws = network._dask
        table = rows_of(network, X, y, weight)
        network._count(table, False)
    network._dask = kind, [*draws, table.n_draws]
    return network


def rows_of(network, X, y, weight):
    """Table of a shard in the units of the data, from which the lowest layer learns."""
    validate_data(network, X, reset=False, skip_check_array=True)
    # The lowest layer has yet to learn the scales of columns.
    rows = copy(network)._rows(X, dtype=network._dask[0], reset=True, fitting=True)
    rows, _ = network._label(rows, y, False, None)
    return tabulate(rows, weight, in_memory=network._LISTED)


def begin_tuned(tuned, parts, y, weight, classes, network=None, *, first, fresh):
    """Count the rows of a shard with a target, after the previous shards.

    The arguments are those of :func:`~skdgm.dask._shard.begin`. Returns a copy of the
    pre-trained network with ``_dask``, whose dtype is None: the network has one.
    """
    tuned, draws = copy(tuned), [] if first else tuned._dask[1]
    table = targets_of(tuned, concatenated(parts), y, weight)
    tuned._dask = None, [*draws, table.n_draws]
    return tuned


def targets_of(tuned, X, y, weight):
    """Table of the rows of a shard with a target, in the units of the model."""
    model = getattr(tuned, "machine", tuned)
    rows, _ = model._label(model._rows(X, fitting=True), y, False, None)
    table = labelled(tabulate(rows, weight, in_memory=False))
    return table._replace(rows=model._domain.in_units(table.rows, model._columns))
