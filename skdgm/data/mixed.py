"""Columns of several kinds in one table: bits, codes of categories, real numbers."""

from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import validate_data

from skdgm.data.codes import (
    CodeColumns,
    Codes,
    check_codes,
    count_codes,
    count_sizes,
    least_sizes,
    refuse,
)
from skdgm.data.columns import BinaryColumns, Columns, RealColumns, observed, standards
from skdgm.data.filling import completed
from skdgm.data.frames import Codec
from skdgm.data.inputs import refuse_foreign
from skdgm.utils.domains import is_frame, real_rows

_KINDS = "bernoulli", "categorical", "gaussian"
_BITS, _CODES = BinaryColumns(), CodeColumns()


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


class MixedColumns(RealColumns):
    """Columns of bits, codes and real numbers, of which the last are standardised.

    Parameters
    ----------
    kinds : "mixed" or sequence of {"bernoulli", "categorical", "gaussian"}
        One for each column. By default the kinds of the types of a DataFrame's columns,
        and "gaussian" for all columns of an array.
    min_categories : int or array-like of shape (n_columns,), default=None
        Least number of categories of categorical columns. For a DataFrame, the number
        of categories is that of their names, whatever the weights.
    """

    tags = {"categorical": True}

    def __init__(self, kinds="mixed", min_categories=None):
        self.kinds, self.min_categories = kinds, min_categories

    def rows(self, model, X, *, reset=False, fitting=False, dtype=None):
        known = None if reset else model._columns
        X, codec, encoded = self._encoded(model, X, known, fitting)
        unknown = None
        if encoded and known is not None:
            unknown = (known.kinds == "categorical") & (X < 0)
            X[unknown] = np.nan
            unknown = unknown if unknown.any() else None
        rows = real_rows(model, X, reset=reset or encoded, dtype=dtype)
        rows = rows._replace(codec=codec, unknown=unknown)
        kinds = kinds_of(self.kinds, rows) if reset else known.kinds
        check(rows, kinds, type(model).__name__, None if reset else known.sizes)
        return rows if reset else self.seen(rows, known)

    def _encoded(self, model, X, known, fitting):
        """Data as numbers, their codec, and True if they were encoded by it."""
        frame = is_frame(X)
        if isinstance(self.kinds, str):
            refuse_foreign(model, X)
        if known is not None:
            codec = known.codec
        elif frame and isinstance(self.kinds, str):
            codec = Codec.of(X)
        else:
            codec = None
        if codec is None or not frame:
            return X, codec, False
        if known is not None:
            validate_data(model, X, reset=False, skip_check_array=True)
        return codec.encode(X, strict=known is None or fitting), codec, True

    def learn(self, table, before=None):
        plain = table.rows._replace(dtype=np.float64, affine=None)
        raw = table._replace(rows=plain)
        seen, total = observed(raw, before)
        if before is None:
            columns = self._first(raw, seen, total)
        else:
            columns = before._replace(seen=seen, total=total)
        which = columns.which("categorical")
        counts = columns.counts + count_codes(raw, columns.sizes[which], which)
        columns = columns._replace(counts=counts)
        return columns, table._replace(rows=self.seen(table.rows, columns))

    def _first(self, table, seen, total):
        """Statistics of the first fit, without the counts of categories."""
        rows, kinds = table.rows, kinds_of(self.kinds, table.rows)
        sizes, which = np.ones(len(kinds), int), np.flatnonzero(kinds == "categorical")
        least = least_sizes(self.min_categories, len(kinds))[which]
        if rows.codec is not None:
            least = named_sizes(rows.codec, which, least)
        sizes[which] = count_sizes(table, least, which)
        parts = standards(table, seen, total, kinds == "gaussian")
        counts = np.zeros(sizes[which].sum())
        return Mixed(seen, total, *parts, kinds, sizes, counts, rows.codec)

    def bits(self, columns):
        return columns.which("bernoulli")

    def frequencies(self, columns):
        """Frequencies of all categories; see :meth:`CodeColumns.frequencies`."""
        return _CODES.frequencies(columns.of("categorical"))

    def moments(self, columns):
        """Means of bits; see :meth:`BinaryColumns.moments`; 0 for other columns."""
        return np.where(columns.kinds == "bernoulli", _BITS.moments(columns), 0.0)

    def share(self, columns):
        codes = np.repeat(columns.kinds == "categorical", columns.sizes)
        share = np.repeat(self.moments(columns), columns.sizes)
        share[codes] = self.frequencies(columns)
        return share

    def fill(self, columns):
        """Initial values of missing entries: means, or the most frequent category."""
        start, codes = self.moments(columns), columns.of("categorical")
        modes = [
            codes.counts[first : first + size].argmax()
            for first, size in zip(codes.starts, codes.sizes)
        ]
        start[columns.which("categorical")] = modes
        return start

    def loss_of_independent(self, columns):
        bits = _BITS.loss_of_independent(columns.of("bernoulli"))
        codes = _CODES.loss_of_independent(columns.of("categorical"))
        return bits + codes + super().loss_of_independent(columns.of("gaussian"))

    def log_measure(self, columns):
        """Log of the Jacobian and of the share of known categories, per column."""
        return super().log_measure(columns) + columns.log_known

    def log_volume(self, columns, rows):
        """Log volume of each row, with the log probability of unknown categories."""
        found = super().log_volume(columns, rows)
        if rows.unknown is None:
            return found
        return found + rows.unknown @ columns.log_room

    def presented(self, columns, array, X=None):
        """Decode an array as a DataFrame, if the model was fitted to one: X with its
        missing values filled if X is a DataFrame, else a new one."""
        if columns.codec is None:
            return array
        found = columns.codec.decode(array)
        return completed(X, found) if is_frame(X) else found
