"""Columns of several kinds in one table: bits, codes of categories, real numbers."""

import numpy as np
from sklearn.utils.validation import validate_data

from skdgm.base.code_columns import CodeColumns
from skdgm.base.codes import count_codes, count_sizes, least_sizes
from skdgm.base.columns import BinaryColumns, observed
from skdgm.base.filling import completed
from skdgm.base.frames import Codec
from skdgm.base.mixed import Mixed, check, kinds_of, named_sizes
from skdgm.base.real_columns import RealColumns, standards
from skdgm.base.tables import is_frame, refuse_foreign
from skdgm.utils.domains import real_rows

_BITS, _CODES = BinaryColumns(), CodeColumns()


class MixedColumns(RealColumns):
    """Bits, codes and numbers of any scale, of which models see the last standardised.

    Parameters
    ----------
    kinds : "mixed" or sequence of {"bernoulli", "categorical", "gaussian"}
        One for each column. By default as the types of a DataFrame's columns are, and
        "gaussian" for all columns of an array.
    min_categories : int or array-like of shape (n_columns,), default=None
        As many categories the categorical columns have at least. Those of a DataFrame
        have as many as there are names for, whatever the weights.
    """

    tags = {"categorical": True}

    def __init__(self, kinds="mixed", min_categories=None):
        self.kinds, self.min_categories = kinds, min_categories

    def rows(self, model, X, *, reset=False, fitting=False, dtype=None):
        """Validate data."""
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
        """Numbers, what they stand for, and whether they were no numbers before."""
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
        """The columns, and the table as the model sees it."""
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
        """What is learned of the first data, with nothing counted yet."""
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
        """Numbers of the columns of bits."""
        return columns.which("bernoulli")

    def frequencies(self, columns):
        """Those of all categories, smoothed as if each had been seen once more.

        Returns
        -------
        frequencies : ndarray of shape (n_categories_in_all,)
        """
        return _CODES.frequencies(columns.of("categorical"))

    def moments(self, columns):
        """Means of bits, smoothed as if a 0 and a 1 had been seen too; 0 for others.

        Returns
        -------
        mean : ndarray of shape (n_columns,)
        """
        return np.where(columns.kinds == "bernoulli", _BITS.moments(columns), 0.0)

    def fill(self, columns):
        """What missing values start from: of codes the most frequent one."""
        start, codes = self.moments(columns), columns.of("categorical")
        modes = [
            codes.counts[first : first + size].argmax()
            for first, size in zip(codes.starts, codes.sizes)
        ]
        start[columns.which("categorical")] = modes
        return start

    def loss_of_independent(self, columns):
        """Nats a row that independent columns cost."""
        bits = _BITS.loss_of_independent(columns.of("bernoulli"))
        codes = _CODES.loss_of_independent(columns.of("categorical"))
        return bits + codes + super().loss_of_independent(columns.of("gaussian"))

    def log_measure(self, columns):
        """What is added to the log density of each column's units where it is known."""
        return super().log_measure(columns) + columns.log_known

    def log_volume(self, columns, rows):
        """What is added to a density of units to make it one of columns, per row."""
        found = super().log_volume(columns, rows)
        if rows.unknown is None:
            return found
        return found + rows.unknown @ columns.log_room

    def presented(self, columns, array, X=None):
        """Values of columns as a DataFrame, if one was learned from: that of X, with
        what it lacks, if X is one; else a new one."""
        if columns.codec is None:
            return array
        found = columns.codec.decode(array)
        return completed(X, found) if is_frame(X) else found
