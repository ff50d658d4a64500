"""Columns of a table as functions of a generator's outputs."""

import numpy as np

from skdgm.nets.emission import Emission


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
