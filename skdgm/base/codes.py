"""Codes of categories: what is checked of them, and how they are counted."""

from numbers import Integral

import numpy as np

from skdgm.utils.counts import is_a

# Codes are below. A net has an output for each, and reads one column of a table into
# so many: what is higher is a number or a key, and would take all memory there is.
MAX_CATEGORIES = 2**20


def refuse(part, bad, names, who, why):
    """Raise an error that tells the first of the bad values, if there is one."""
    if bad.any():
        row, column = np.argwhere(bad)[0]
        value, name = part[row, column], names[column]
        raise ValueError(f"{who}: the value {value:g} of column {name!r} {why}.")


def check_codes(part, names, who, sizes=None):
    """Raise where a value is no code, or one too high.

    Parameters
    ----------
    part : ndarray of shape (n_rows, n_columns)
    names : sequence
        What the columns are called.
    who : str
        Whose error it is.
    sizes : ndarray of int, of shape (n_columns,), optional
        How many categories there are.
    """
    known = np.where(np.isnan(part), 0, part)
    refuse(
        part,
        (known < 0) | (known != np.floor(known)),
        names,
        who,
        "is no code: categories are 0, 1, 2 and so on, as "
        "sklearn.preprocessing.OrdinalEncoder gives them",
    )
    if sizes is None:
        refuse(
            part,
            known >= MAX_CATEGORIES,
            names,
            who,
            f"is too high for a code, of which there may be {MAX_CATEGORIES}: number "
            "the categories anew, with sklearn.preprocessing.OrdinalEncoder",
        )
    else:
        refuse(
            part,
            known >= sizes,
            names,
            who,
            "was not seen when it was first fitted: fit anew, or set "
            "min_categories beforehand",
        )


def least_sizes(min_categories, n_columns):
    """How many categories each column has at least."""
    least = 1 if min_categories is None else min_categories
    if not all(is_a(Integral, n) and n > 0 for n in np.ravel(least).tolist()):
        raise ValueError(f"min_categories must be positive integers; got {least}.")
    if np.max(least) > MAX_CATEGORIES:
        raise ValueError(
            f"min_categories must be at most {MAX_CATEGORIES}; got {np.max(least)}."
        )
    if np.ndim(least) and np.shape(least) != (n_columns,):
        raise ValueError(
            f"min_categories has {len(least)} values, but X has {n_columns} columns."
        )
    return np.broadcast_to(np.asarray(least), n_columns).astype(int)


def _parts(table, which):
    """Codes of some columns, NaN where missing, and the weights of their rows."""
    for part in table.rows.blocks(n_rows=len(table.index)):
        yield table.rows.take(table.index[part])[:, which], table.weight[part]


def count_sizes(table, least, which=slice(None)):
    """How many categories some columns have, given their least."""
    high = least - 1
    for codes, _ in _parts(table, which):
        known = np.where(np.isnan(codes), 0, codes)
        high = np.maximum(high, known.max(axis=0).astype(int))
    return high + 1


def count_codes(table, sizes, which=slice(None)):
    """The weight of each category of some columns, column after column."""
    starts, counts = np.cumsum(sizes) - sizes, np.zeros(sizes.sum())
    for codes, weight in _parts(table, which):
        row, column = np.nonzero(~np.isnan(codes))
        places = starts[column] + codes[row, column].astype(int)
        counts += np.bincount(places, weight[row], minlength=len(counts))
    return counts
