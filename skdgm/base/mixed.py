"""What is known of columns of several kinds, and what is checked of them."""

from typing import NamedTuple

import numpy as np

from skdgm.base.code_columns import Codes
from skdgm.base.codes import check_codes, refuse
from skdgm.base.columns import Columns
from skdgm.base.frames import Codec

_KINDS = "bernoulli", "categorical", "gaussian"


class Mixed(NamedTuple):
    """What is known of the columns.

    Parameters
    ----------
    seen, total : ndarray of shape (n_columns,)
        The weight of what was observed in all fits, and its weighted sum.
    mean, scale, varies : ndarray of shape (n_columns,)
        What to subtract, what to divide by, and whether there was more than one value;
        0, 1 and True where a column is not real.
    kinds : ndarray of str, of shape (n_columns,)
        "bernoulli", "categorical" or "gaussian".
    sizes : ndarray of int, of shape (n_columns,)
        How many categories there are; 1 where there are none.
    counts : ndarray of shape (n_categories_in_all,)
        The weight of each, categorical column after categorical column.
    codec : Codec or None
        What the numbers stand for, if a DataFrame was learned from.
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
        """Log probability of the categories of each column that have no name yet, all
        together: as if one of them, and each that has, had been seen once more; 0 where
        a column has no names for categories."""
        named = (self.kinds == "categorical") & (self.codec is not None)
        return np.where(named, -np.log(self.seen + self.sizes + 1), 0.0)

    @property
    def log_known(self):
        """Log probability of the others."""
        room = self.log_room
        return np.log1p(-np.exp(room), where=room < 0, out=np.zeros(len(room)))

    def which(self, kind):
        """Where columns of a kind are."""
        return np.flatnonzero(self.kinds == kind)

    def of(self, kind):
        """What is known of the columns of a kind, as if there were no others."""
        which = self.which(kind)
        if kind == "categorical":
            facts = self.seen[which], self.total[which], self.sizes[which]
            return Codes(*facts, self.counts)
        return Columns(*(fact[which] for fact in self[:5]))


def kinds_of(output, rows):
    """The kind of each column.

    Parameters
    ----------
    output : "mixed" or sequence of str
        What was asked for.
    rows : Rows

    Returns
    -------
    kinds : ndarray of str, of shape (n_columns,)
    """
    n_columns = rows.shape[1]
    if isinstance(output, str) and output == "mixed":
        return np.array(rows.codec.kinds if rows.codec else ["gaussian"] * n_columns)
    wrong = [output] if isinstance(output, str) else set(output) - set(_KINDS)
    if wrong:
        raise ValueError(
            "output must be 'mixed', or have one of 'bernoulli', 'categorical' and "
            f"'gaussian' for each column; got {wrong}."
        )
    if len(output) != n_columns:
        raise ValueError(
            f"output has {len(output)} kinds, but X has {n_columns} columns."
        )
    return np.array(output)


def check(rows, kinds, who, sizes=None):
    """Raise where a bit is outside of [0, 1], or a code is none or too high.

    Parameters
    ----------
    rows : Rows
    kinds : ndarray of str, of shape (n_columns,)
    who : str
        Whose error it is.
    sizes : ndarray of int, of shape (n_columns,), optional
        How many categories there are.
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
    """How many names of categories columns have, which must be as many as asked for."""
    sizes = np.array([max(1, len(codec.categories[j])) for j in which], dtype=int)
    short = which[least > sizes]
    if short.size:
        raise ValueError(
            f"min_categories is more than column {codec.names[short[0]]!r} has names "
            "for: declare its categories in a category dtype instead."
        )
    return sizes
