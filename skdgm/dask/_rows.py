"""Rows of a shard for a stack, or for a net that is fine-tuned."""

from copy import copy
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import validate_data

from skdgm.base import fit_steps
from skdgm.base.parts import in_units_of
from skdgm.training import labeled


class Header(NamedTuple):
    """Statistics of the first shards: a copy of the estimator that has read them, the
    dtype of their rows (None for the net of a model) and their numbers of draws.
    ``below`` is the Header of a stack if the estimator is its next layer."""

    estimator: Any
    dtype: Any = None
    draws: tuple = ()
    below: Any = None

    def after(self, estimator, table):
        """Header after one more shard, given its table."""
        dtype = self.dtype if self.draws else table.rows.dtype
        draws = (*self.draws, table.n_draws)
        return self._replace(estimator=estimator, dtype=dtype, draws=draws)


def concatenated(parts):
    """Rows of several parts, as one array or DataFrame."""
    if len(parts) == 1:
        return parts[0]
    if hasattr(parts[0], "iloc"):
        import pandas as pd

        return pd.concat(parts)
    return np.concatenate(parts)


def begin_stack(header, parts, y, weight, classes, fresh):
    """Read a shard for a network without layers, after the previous shards.

    Arguments and result are those of :func:`~skdgm.dask._shard.begin`.
    """
    network, X = copy(header.estimator), concatenated(parts)
    if not header.draws:
        table = fit_steps.begin(network, X, y, weight, fresh, classes)
    else:
        table = rows_of(header._replace(estimator=network), X, y, weight)
        fit_steps.read_further(network, table)
    return header.after(network, table)


def rows_of(header, X, y, weight):
    """Table of a shard in the units of the data, from which the lowest layer learns."""
    network = header.estimator
    validate_data(network, X, reset=False, skip_check_array=True)
    # The lowest layer has yet to learn the scales of columns.
    network = copy(network)
    return fit_steps.table_of(network, X, y, weight, header.dtype, reset=True)


def begin_tuned(header, parts, y, weight, classes, fresh):
    """Count the rows of a shard with a target, after the previous shards.

    Arguments and result are those of :func:`~skdgm.dask._shard.begin`; the estimator is
    pre-trained.
    """
    tuned = copy(header.estimator)
    table = targets_of(tuned, concatenated(parts), y, weight)
    return header.after(tuned, table)._replace(dtype=None)


def targets_of(tuned, X, y, weight):
    """Table of the rows of a shard with a target, in the units of the model."""
    model = getattr(tuned, "machine", tuned)
    table = fit_steps.table_of(model, X, y, weight, listed=False)
    return in_units_of(model, labeled(table))
