"""Columns of counts, for example of words in documents."""

import numpy as np
from scipy.sparse import issparse
from scipy.special import entr
from sklearn.utils.validation import _get_feature_names

from skdgm.data.columns import ColumnKind, ColumnStatistics, observed
from skdgm.exceptions import DataRangeWarning
from skdgm.training import check_finite
from skdgm.utils.counts import WHOLE
from skdgm.utils.domains import checked
from skdgm.utils.rows import Rows, floating_type
from skdgm.utils.threading.callers import warn


class CountColumns(ColumnKind):
    """Columns of counts, whose statistics are those of the first fit."""

    kind, tags = "counts", {"positive_only": True}

    def rows(self, model, X, *, columns=None, reset=False, fitting=False, dtype=None):
        """Validate counts, or weights in place of counts.

        Strings are an error. If ``fitting``, so are negative values, and counts or row
        sums beyond 2 ** 53; otherwise values are clipped with a warning. A first fit
        warns about fractions, and about documents without words.
        """
        name, flat = type(model).__name__, isinstance(X, list | tuple)
        flat = flat or getattr(X, "ndim", None) == 1
        flat = flat and not issparse(X) and len(X)
        if flat and isinstance(next(iter(X)), str):
            raise ValueError(
                f"{name} takes counts, but X has texts: count their words, with "
                "sklearn.feature_extraction.text.CountVectorizer."
            )
        names = _get_feature_names(getattr(X, "header", X))
        X, low, high, facts = checked(model, X, reset)
        if low < 0 and fitting:
            raise ValueError(
                f"Negative values in data passed to {name}, which models counts."
            )
        # ``checked`` treats values above 1 as ones.
        facts["binary"] &= high <= 1
        bounds = (0.0, WHOLE) if low < 0 or high > WHOLE else None
        rows = Rows(X, dtype or floating_type(X.dtype), bounds, **facts)
        if (reset or fitting) and high * X.shape[1] > WHOLE:
            _refuse_too_many(rows.raw, name, names)
        if reset:
            _warn_of_no_counts(rows.raw, high, name)
        if bounds:
            warn(
                f"{name} got values from {low:g} to {high:g} for counts, and clips "
                "them to 0 and 2 ** 53.",
                DataRangeWarning,
            )
        return rows

    def learn(self, table, before=None):
        """Learn statistics in the first fit; later fits return ``before``."""
        if before is not None:
            return before, table
        seen, total = observed(table, None)
        check_finite(total, total, "columns")
        mean = total / np.maximum(seen, np.finfo(float).tiny)
        return ColumnStatistics(seen, total, mean), table

    def share(self, columns):
        """Frequency of each column's word, with Laplace smoothing."""
        smoothed = columns.mean + 1 / np.maximum(columns.seen, 1.0)
        return smoothed / smoothed.sum()

    def fill(self, columns):
        """Initial values of missing entries: the means."""
        return columns.mean

    def length(self, columns):
        """Mean length of documents."""
        return columns.mean.sum()

    def lengths(self, table, n):
        """Lengths of n documents: evenly spaced quantiles of the lengths in a table."""
        parts = table.rows.blocks(n_rows=len(table.index))
        rows = (table.rows.take(table.index[part]) for part in parts)
        lengths = np.concatenate([np.nansum(v, axis=1, dtype=np.float64) for v in rows])
        order = np.argsort(lengths, kind="stable")
        sums = np.cumsum(table.weight[order])
        ticks = (np.arange(n) + 0.5) / n * sums[-1]
        return lengths[order[np.searchsorted(sums, ticks).clip(max=len(order) - 1)]]

    def loss_of_independent(self, columns):
        """Negative log-likelihood, in nats, of a document of mean length whose words
        are independent draws from the smoothed frequencies."""
        return self.length(columns) * entr(self.share(columns)).sum()


def _warn_of_no_counts(rows, high, name):
    """Warn that all counts are 0, or that values have fractions."""
    if high <= 0:
        warn(
            f"{name}: all counts in X are 0, so that there are no words to learn from.",
            DataRangeWarning,
        )
    parts = [rows.X.data] if issparse(rows.X) else map(rows.take, rows.blocks())
    for part in parts:
        # NaN is no fraction.
        fractions = np.abs(part - np.rint(part)) > 0
        if fractions.any():
            warn(
                f"{name} takes counts, but X has fractions, such as "
                f"{part[fractions].flat[0]:.3g}, which it treats as parts of words: "
                "likelihoods are then meaningless. Use counts, for example those of "
                "sklearn.feature_extraction.text.CountVectorizer, and no weights such "
                "as tf-idf.",
                DataRangeWarning,
            )
            return


def _refuse_too_many(rows, name, names):
    """Raise ValueError for a count, or a row sum of counts, beyond 2 ** 53."""
    for block in rows.blocks():
        part = np.nan_to_num(rows._replace(dtype=np.float64).take(block))
        column_maxima, totals = part.max(axis=0), part.sum(axis=1)
        if (high := totals.max()) > WHOLE:
            where = f"of row {block.start + totals.argmax()} sum to"
            if (column_maxima > WHOLE).any():
                high, j = column_maxima.max(), int(column_maxima.argmax())
                where = f"in column {j if names is None else names[j]!r} are up to"
            raise ValueError(
                f"{name} takes counts up to 2 ** 53, but those {where} {high:g}: count "
                "in larger units, such as thousands."
            )
