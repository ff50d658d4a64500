"""Rows of a shard, as a stack or a net that is tuned is given them."""

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
    """Read the rows of a shard before a network has layers, as it has read the shards
    before.

    Arguments are those of :func:`~skdgm.dask._shard.begin`; returned is a copy of the
    network that knows the names of columns and the classes, and has ``_dask``.
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
    """Table of a shard, in the units of its columns, as the lowest layer learns from
    it."""
    validate_data(network, X, reset=False, skip_check_array=True)
    # Scales of columns are learned by the lowest layer, and not yet known.
    rows = copy(network)._rows(X, dtype=network._dask[0], reset=True, fitting=True)
    rows, _ = network._label(rows, y, False, None)
    return tabulate(rows, weight, in_memory=network._LISTED)


def begin_tuned(tuned, parts, y, weight, classes, network=None, *, first, fresh):
    """Count the rows of a shard that have a target, as was done of the shards before.

    Arguments are those of :func:`~skdgm.dask._shard.begin`; outputs are known. Returned
    is a copy of the pre-trained network that has ``_dask``, where the type to compute
    with is None: it is that of what was learned before.
    """
    tuned, draws = copy(tuned), [] if first else tuned._dask[1]
    table = targets_of(tuned, concatenated(parts), y, weight)
    tuned._dask = None, [*draws, table.n_draws]
    return tuned


def targets_of(tuned, X, y, weight):
    """Table of those rows of a shard that have a target, in the units of the model."""
    model = getattr(tuned, "machine", tuned)
    rows, _ = model._label(model._rows(X, fitting=True), y, False, None)
    table = labelled(tabulate(rows, weight, in_memory=False))
    return table._replace(rows=model._domain.seen(table.rows, model._columns))
