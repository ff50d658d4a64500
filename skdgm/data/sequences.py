"""Sequences from users: one table with lengths, or a list of tables."""

from collections import Counter
from functools import wraps
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import _num_samples

from skdgm.data.filling import filled_column
from skdgm.data.foreign import as_pandas, is_foreign, native, schema_of
from skdgm.data.inputs import missing
from skdgm.training.sequences import SequenceRows
from skdgm.utils.domains import is_frame, refuse_odd_weights
from skdgm.utils.words import with_article

# Minimum number of steps of a constant column.
_STEPS = 8


def as_one_table(X, lengths=None, groups=None, each=None):
    """Sequences as one table, in order, and an int array of their lengths.

    X is one table or a list of tables. A table is divided by ``lengths``; by
    ``groups``, where each run of equal groups is a sequence; or into sequences of
    ``each`` rows, the last of which may be shorter. Otherwise it is a single sequence.

    ValueError if there is no sequence, or one is empty or has other columns than the
    first; if lengths are not positive integers that sum to the number of rows; or if
    groups are invalid.
    """
    several = is_several(X)
    if several and not (lengths is None and groups is None):
        raise ValueError("X is a list of sequences: leave their lengths out.")
    if lengths is not None and groups is not None:
        raise ValueError("Give lengths or groups, not both.")
    if several:
        X, lengths = _joined(X)
    else:
        _refuse_vectors(X)
    if X is None or np.isscalar(X):
        raise ValueError(f"X must be a table, or a list of tables, not {X!r:.50}.")
    if len(getattr(X, "shape", ())) > 2:
        raise ValueError(
            f"Found array with dim {len(X.shape)}: give a table of each sequence in a "
            "list, list(X)."
        )
    n_rows = _num_samples(X)
    if not n_rows:
        raise ValueError("X has no rows: there is no sequence.")
    if groups is not None:
        lengths = _runs(groups, n_rows)
    if lengths is None and each is not None and n_rows:
        lengths = np.diff(np.append(np.arange(0, n_rows, each), n_rows))
    sizes: Any = np.atleast_1d(np.asarray(n_rows if lengths is None else lengths))
    is_numeric = sizes.dtype.kind in "iuf" and sizes.ndim == 1 and len(sizes)
    if not is_numeric or not (np.isfinite(sizes) & (sizes == np.floor(sizes))).all():
        raise ValueError(f"lengths must be whole numbers, not {lengths!r:.100}.")
    empty = np.flatnonzero(sizes < 1)
    if empty.size:
        raise ValueError(
            f"Sequence {empty[0]} has the length {sizes[empty[0]]}: leave empty "
            "sequences out."
        )
    if (total := sizes.sum(dtype=np.float64)) != n_rows:
        raise ValueError(f"lengths add up to {total:g}, but X has {n_rows} rows.")
    return X, sizes.astype(np.int64)


def is_several(X):
    """Return whether X is a list of tables, or an empty list."""
    return isinstance(X, list | tuple) and (not X or _is_table(X[0]))


def divided(X, lengths):
    """List of the sequences of a table, as arrays or DataFrames."""
    edges = np.cumsum(lengths)
    parts = zip(edges - lengths, edges)
    rows = getattr(X, "iloc", X)
    return [rows[start:stop] for start, stop in parts]


def answered(function, X, lengths=None, groups=None, each=None):
    """Result of a function of a table and lengths, for sequences in any format that
    :func:`as_one_table` accepts; a list if X is a list."""
    table, lengths = as_one_table(X, lengths, groups, each)
    result = function(table, lengths)
    return divided(result, lengths) if is_several(X) else result


class ConstantColumns(NamedTuple):
    """Columns that are constant within sequences: a mask, minimum and maximum of each
    column, and the number of steps from one row to the next."""

    same: np.ndarray
    least: np.ndarray
    most: np.ndarray
    n_steps: int

    @classmethod
    def of(cls, rows, lengths, before=None):
        """Learn the constant columns of validated rows and of earlier rows."""
        unknown = np.full(rows.shape[1], np.nan)
        if before is None:
            before = cls(np.ones(rows.shape[1], bool), unknown, unknown, 0)
        same, least, most, n_steps = before
        for stop, length in zip(np.cumsum(lengths), lengths):
            if not same.any():
                break
            v = rows.take(slice(stop - length, stop))
            low, high = np.fmin.reduce(v, axis=0), np.fmax.reduce(v, axis=0)
            same = same & ((low == high) | np.isnan(low))
            least, most = np.fmin(least, low), np.fmax(most, high)
        return cls(same, least, most, n_steps + int((lengths - 1).sum()))

    @property
    def columns(self):
        """Mask of columns that describe a sequence, like birth dates: constant over
        many steps, but different between sequences."""
        return self.same & (self.most > self.least) & (self.n_steps >= _STEPS)


def completed_columns(X, lengths, kept):
    """Table in which a known value of the same sequence replaces missing values in the
    columns of the mask ``kept``; X if nothing is missing."""
    frame = as_pandas(X)
    if kept is None or not kept.any():
        return X
    if not is_frame(frame):
        array = X.toarray() if sp.issparse(X) else np.asarray(X)
        if array.dtype.kind in "biu" or not missing(array[:, kept]).any():
            return X
        if array.dtype.kind == "f":
            return _completed_array(array.copy(), lengths, kept)
        import pandas as pd

        return completed_columns(pd.DataFrame(array), lengths, kept).to_numpy()
    result, number = None, np.repeat(np.arange(len(lengths)), lengths)
    for j in np.flatnonzero(kept):
        column = frame.iloc[:, j].reset_index(drop=True)
        if not column.isna().any():
            continue
        result = frame.copy(deep=False) if result is None else result
        column = column.groupby(number).bfill()
        result.isetitem(j, column.groupby(number).ffill().array)
    if result is None:
        return X
    return native(result, None if frame is X else schema_of(X))


def _completed_array(array, lengths, kept):
    """Array whose missing values in the columns ``kept`` are replaced by the next known
    value of the same sequence, or the last one; changed in place."""
    for part in divided(array, lengths):
        for j in np.flatnonzero(kept):
            known = np.flatnonzero(~np.isnan(part[:, j]))
            if len(known):
                place = np.searchsorted(known, np.arange(len(part)))
                part[:, j] = part[known[place.clip(max=len(known) - 1)], j]
    return array


def carried_on(sample, X, lengths, kept):
    """Rows that follow sequences, equally many for each, with the last known values of
    their sequence in the columns of the mask ``kept``."""
    n_each = len(sample) // len(lengths)
    if isinstance(sample, np.ndarray):
        array = X.toarray() if sp.issparse(X) else np.asarray(X)
        last = np.repeat(last_known(array, lengths, kept), n_each, axis=0)
        return np.where(np.isnan(last), sample, last).astype(sample.dtype, copy=False)
    frame, result = as_pandas(X), as_pandas(sample)
    if not is_frame(frame):
        return sample
    result = result.copy(deep=False)
    for j in np.flatnonzero(kept):
        column, drawn = frame.iloc[:, j], result.iloc[:, j]
        known, place = column.notna().to_numpy(bool), np.arange(len(column))
        place = np.where(known, place, np.nan)[:, None]
        last = np.repeat(last_known(place, lengths, np.ones(1, bool))[:, 0], n_each)
        known = ~np.isnan(last)
        column = column.iloc[np.where(known, last, 0).astype(int)]
        column = column.reset_index(drop=True).where(known)
        column = filled_column(column, drawn.reset_index(drop=True))
        result.isetitem(j, column.array)
    return native(result, None if is_frame(sample) else schema_of(sample))


def last_known(v, lengths, kept):
    """Last known value of each sequence in the columns ``kept``, of shape (n_sequences,
    n_columns); NaN if there is none, and in other columns."""
    dtype = np.result_type(v.dtype, np.float32)
    values = np.full((len(lengths), v.shape[1]), np.nan, dtype)
    stops = np.cumsum(lengths)
    for number, (stop, length) in enumerate(zip(stops, lengths)):
        for j in np.flatnonzero(kept):
            column = v[stop - length : stop, j]
            known = column[~np.isnan(column)]
            values[number, j] = known[-1] if known.size else np.nan
    return values


def of_sequences(sample_weight, lengths):
    """Weights of sequences, float64 of shape (n_sequences,), given weights of sequences
    or of rows.

    ValueError for another shape, negative or infinite weights, a sum of 0, or different
    weights within a sequence.
    """
    refuse_odd_weights(sample_weight)
    weight = np.asarray(sample_weight, np.float64)
    if weight.shape == (lengths.sum(),) != lengths.shape:
        edges = np.cumsum(lengths) - lengths
        high, low = (
            np.maximum.reduceat(weight, edges),
            np.minimum.reduceat(weight, edges),
        )
        if (high > low).any():
            raise ValueError(
                f"sample_weight differs within sequence {np.argmax(high > low)}: a "
                "sequence has one weight."
            )
        weight = weight[edges]
    if weight.shape != lengths.shape:
        raise ValueError(
            f"sample_weight has the shape {weight.shape}, but there are {len(lengths)} "
            "sequences, which have one weight each."
        )
    if np.isnan(weight).any():
        raise ValueError("sample_weight contains NaN: it must be finite.")
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError(
            "sample_weight must be finite and not negative. It has negative values."
        )
    if not weight.any():
        raise ValueError(
            "sample_weight is zero: at least one sequence needs a positive weight."
        )
    return weight


def by_row(sample_weight, lengths):
    """Weights of the rows of series, given weights of series or of rows; or None."""
    by_sequence = sample_weight is not None and np.shape(sample_weight) == lengths.shape
    if not by_sequence or len(lengths) == lengths.sum():
        return sample_weight
    return np.repeat(of_sequences(sample_weight, lengths), lengths)


def of_each(transform):
    """Decorate a method of a table and lengths such that it returns a list, in the
    format of ``set_output``, for a list of sequences."""

    @wraps(transform)
    def of_list(self, X, *arguments, **options):
        if not is_several(X):
            return transform(self, X, *arguments, **options)
        table, options["lengths"] = as_one_table(
            X, options.get("lengths"), options.pop("groups", None)
        )
        result = transform(self, table, *arguments, **options)
        return divided(result, options["lengths"])

    return of_list


def sequences_of(rows, lengths, sample_weight=None):
    """Canonical table of the sequences of validated rows, with a weight for each
    sequence; see :func:`of_sequences`."""
    sequences = SequenceRows(rows, np.concatenate([[0], np.cumsum(lengths)]))
    if sample_weight is None:
        return sequences.table()
    return sequences.table(of_sequences(sample_weight, lengths))


def _is_table(x):
    return is_frame(x) or is_foreign(x) or sp.issparse(x) or np.ndim(x) == 2


def _runs(groups, n_rows):
    """Lengths of runs of equal groups; ValueError if a group is interrupted."""
    try:
        groups = np.asarray(groups)
        hash(tuple(groups.ravel().tolist()))
    except (TypeError, ValueError) as error:
        raise ValueError(
            "groups must be one name for each row, a number or text; got "
            f"{groups!r:.100}."
        ) from error
    if groups.shape != (n_rows,):
        raise ValueError(
            f"groups have the shape {groups.shape}, but X has {n_rows} rows: each is "
            "of one group."
        )
    if missing(groups).any():
        raise ValueError("groups contain NaN or None: each row is of one group.")
    starts = np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))
    names = groups[starts].tolist()
    again = [name for name, times in Counter(names).items() if times > 1]
    if again:
        raise ValueError(
            f"Rows of group {again[0]!r} do not follow each other: sort the rows by "
            "group."
        )
    return np.diff(np.append(starts, n_rows))


def _names(part):
    """List of the names of the columns of a DataFrame, otherwise None."""
    if is_foreign(part):
        part = nw.from_native(part, eager_only=True)
    return list(part.columns) if hasattr(part, "columns") else None


def _refuse_vectors(X):
    """Raise ValueError for a list of one-dimensional sequences of unequal lengths."""
    if not isinstance(X, list | tuple) or not all(np.ndim(x) == 1 for x in X):
        return
    if len({len(x) for x in X}) > 1:
        raise ValueError(
            "Sequences have one dimension: each must have a row for each step and a "
            "column for each variable, as x.reshape(-1, 1) has."
        )


def _joined(parts):
    """Concatenated tables, and their numbers of rows."""
    if not parts:
        raise ValueError("X is an empty list: there is no sequence.")
    foreign = is_foreign(parts[0])
    for number, part in enumerate(parts):
        if not _is_table(part):
            raise ValueError(
                f"Sequence {number} is no table: each must have a row for each step "
                "and a column for each variable."
            )
        if np.shape(part)[1] != np.shape(parts[0])[1]:
            raise ValueError(
                f"Sequence {number} has {np.shape(part)[1]} columns, but the first one "
                f"has {np.shape(parts[0])[1]}."
            )
        if is_frame(part) != is_frame(parts[0]) or is_foreign(part) != foreign:
            raise ValueError(
                f"Sequence {number} is {with_article(type(part).__name__)}, but the "
                f"first one {with_article(type(parts[0]).__name__)}: give all or none "
                "as DataFrames."
            )
        names = _names(part)
        if names != _names(parts[0]):
            raise ValueError(
                f"Sequence {number} has the columns {names}, but the first one has "
                f"{_names(parts[0])}."
            )
    lengths = np.array([_num_samples(part) for part in parts])
    if is_frame(parts[0]):
        import pandas as pd

        return pd.concat(parts), lengths
    if foreign:
        frames = [nw.from_native(part, eager_only=True) for part in parts]
        return nw.concat(frames).to_native(), lengths
    if any(map(sp.issparse, parts)):
        return sp.vstack(parts, format="csr"), lengths
    return np.concatenate([np.asarray(part) for part in parts]), lengths
