"""Statistics and validation of columns of several kinds."""

from typing import NamedTuple

import numpy as np

from skdgm.data.code_columns import Codes
from skdgm.data.codes import check_codes, refuse
from skdgm.data.columns import Columns
from skdgm.data.frames import Codec

_KINDS = "bernoulli", "categorical", "gaussian"


class Mixed(NamedTuple):
    """Statistics of columns of several kinds.

    Parameters
    ----------
    seen, total : ndarray of shape (n_columns,)
        Weight of the observed values in all fits, and their weighted sum.
    mean, scale, varies : ndarray of shape (n_columns,)
        Offset to subtract, scale to divide by, and True for columns with more than one
        value; 0, 1 and True for columns that are not real.
    kinds : ndarray of str, of shape (n_columns,)
        "bernoulli", "categorical" or "gaussian".
    sizes : ndarray of int, of shape (n_columns,)
        Number of categories; 1 for columns that are not categorical.
    counts : ndarray of shape (n_categories_in_all,)
        Weight of each category, categorical column after categorical column.
    codec : Codec or None
        Encoding of the columns, if the model was fitted to a DataFrame.
    """

    seen: np.ndarray
    total: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    varies: np.ndarray
    kinds: np.ndarray
    sizes: np.ndarray
    counts: np.ndarray
    codec: Codec = None

    @property
    def log_room(self):
        """Log probability that a value of each column is in an unknown category,
        smoothed as if one of these, and each known category, had been seen once more;
        0 for columns without named categories."""
        named = (self.kinds == "categorical") & (self.codec is not None)
        return np.where(named, -np.log(self.seen + self.sizes + 1), 0.0)

    @property
    def log_known(self):
        """Log probability that a value of each column is in a known category."""
        room = self.log_room
        return np.log1p(-np.exp(room), where=room < 0, out=np.zeros(len(room)))

    @property
    def measure(self):
        """A probability if there are no real columns, else a density."""
        return "density" if (self.kinds == "gaussian").any() else "probability"

    def which(self, kind):
        """Indices of the columns of a kind."""
        return np.flatnonzero(self.kinds == kind)

    def of(self, kind):
        """Statistics of the columns of a kind, as Codes or Columns."""
        which = self.which(kind)
        if kind == "categorical":
            facts = self.seen[which], self.total[which], self.sizes[which]
            return Codes(*facts, self.counts)
        return Columns(*(fact[which] for fact in self[:5]))


def kinds_of(column_types, rows):
    """Kind of each column.

    Parameters
    ----------
    column_types : "mixed" or sequence of str
        Option of the estimator; "mixed" takes the kinds from the types of a DataFrame,
        and "gaussian" for all columns of an array.
    rows : Rows

    Returns
    -------
    kinds : ndarray of str, of shape (n_columns,)

    Raises
    ------
    ValueError
        ``column_types`` has an unknown kind, or not one kind for each column.
    """
    n_columns = rows.shape[1]
    if isinstance(column_types, str) and column_types == "mixed":
        return np.array(rows.codec.kinds if rows.codec else ["gaussian"] * n_columns)
    single = isinstance(column_types, str)
    wrong = [column_types] if single else set(column_types) - set(_KINDS)
    if wrong:
        raise ValueError(
            "column_types must be 'mixed', or have one of 'bernoulli', 'categorical' "
            f"and 'gaussian' for each column; got {wrong}."
        )
    if len(column_types) != n_columns:
        raise ValueError(
            f"column_types has {len(column_types)} entries, but X has {n_columns} "
            "columns."
        )
    return np.array(column_types)


def check(rows, kinds, who, sizes=None):
    """Raise ValueError for a bit outside [0, 1], or an invalid or too high code.

    Parameters
    ----------
    rows : Rows
    kinds : ndarray of str, of shape (n_columns,)
    who : str
        Name of the model, for the message.
    sizes : ndarray of int, of shape (n_columns,), optional
        Number of categories of each column.
    """
    bits = np.flatnonzero(kinds == "bernoulli")
    codes = np.flatnonzero(kinds == "categorical")
    if not bits.size + codes.size:
        return
    names = rows.codec.names if rows.codec else range(len(kinds))
    bit_names, code_names = [names[j] for j in bits], [names[j] for j in codes]
    sizes = None if sizes is None else sizes[codes]
    for block in rows.blocks():
        part = rows.take(block)
        given = part[:, bits]
        outside = (given < 0) | (given > 1)
        refuse(given, outside, bit_names, who, "is no bit: those are from 0 to 1")
        check_codes(part[:, codes], code_names, who, sizes)


def named_sizes(codec, which, least):
    """Number of named categories of columns; ValueError if fewer than ``least``."""
    sizes = np.array([max(1, len(codec.categories[j])) for j in which], dtype=int)
    short = which[least > sizes]
    if short.size:
        raise ValueError(
            f"min_categories is more than column {codec.names[short[0]]!r} has names "
            "for: declare its categories in a category dtype instead."
        )
    return sizes
