"""Columns of a table as functions of a generator's outputs."""

import numpy as np

from skdgm.data import has_grey
from skdgm.exceptions import DataRangeWarning
from skdgm.nets.stochastic.emission import Emission
from skdgm.utils.threading.callers import warn


def emission(domain, columns, kind, grey):
    """Columns as functions of outputs.

    Parameters
    ----------
    domain : ColumnKind
    columns : tuple
        Their statistics.
    kind : str
        That of all columns, where statistics have none.
    grey : bool
        Whether columns of "bernoulli" have values between 0 and 1.

    Returns
    -------
    emission : Emission
    """
    kinds = getattr(columns, "kinds", None)
    if kinds is None:
        kinds = np.full(len(columns.seen), kind)
    if grey:
        kinds = np.where(kinds == "bernoulli", "grey", kinds)
    share = None
    if np.isin(kinds, ("grey", "bernoulli")).any():
        share = domain.moments(columns)
    return Emission(kinds, columns.sizes, getattr(columns, "scales", None), share)


def find_grey(model, table, fresh):
    """Find out whether a model's columns of bits are grey. A generator of bits remains
    one: where grey rows follow, this warns."""
    if not fresh and model._grey:
        return
    grey = bool(has_grey(table.rows, model._domain.bits(model._columns)))
    if fresh:
        model._grey = grey
    elif grey:
        warn(
            f"{model._name} got grey rows, with values between 0 and 1, after rows of "
            "bits: it goes on drawing bits. Show it grey rows from the start.",
            DataRangeWarning,
        )
